"""The edge without a socket: an application on a log that only remembers, driven by raw ASGI."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Final

from cryptography.fernet import Fernet
from starlette.routing import Route
from starlette.types import ASGIApp

from receiver.admission import Admission
from receiver.app import build_app
from receiver.routes.health import Readiness
from receiver.routes.notifications import Notifications
from schemas.codec import decode, encode
from schemas.metrics import Metric
from schemas.record import Position, Record
from schemas.seal import Seal
from schemas.signature import V1_DIGEST, sign
from tests.doubles.clock import ManualClock

SECRET: Final = b"the-secret-of-the-transcoder"
PUSH_SECRET: Final = b"the-secret-of-the-push"
SECRETS: Final[Mapping[str, Sequence[bytes]]] = {"transcoder": [SECRET], "push": [PUSH_SECRET, b"the-old-one"]}
STRANGER: Final = ("203.0.113.9", 4000)

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class RecordingAppender:
    """Remembers what was appended; fails, or waits at the gate, when a test says so."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failures: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = 0
        self._arrival = asyncio.Condition()

    async def append(self, records: Sequence[Record]) -> Sequence[Position]:
        async with self._arrival:
            self.arrived += 1
            self._arrival.notify_all()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.records.extend(records)
        return [Position(record.topic, 0, len(self.records)) for record in records]

    async def arrivals(self, count: int) -> None:
        """Wait until so many appends have begun."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: self.arrived >= count)

    def on(self, topic: str) -> list[Record]:
        return [record for record in self.records if record.topic == topic]

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [decode(record.value or b"null") for record in self.on(topic)]


class CountingMetrics:
    """Counts by metric and labels."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.observed: dict[str, list[float]] = {}
        self.gauges: dict[str, float] = {}

    def count(self, metric: Metric, amount: int = 1, **labels: str) -> None:
        self.counts[metric, *labels.values()] += amount

    def observe(self, metric: Metric, *values: float, **_: str) -> None:
        self.observed.setdefault(metric, []).extend(values)

    def set(self, metric: Metric, value: float, **_: str) -> None:
        self.gauges[metric] = value


class Seconds:
    """A monotonic clock that moves by hand."""

    def __init__(self) -> None:
        self.value = 1000.0

    def __call__(self) -> float:
        return self.value


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return decode(self.body)


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    chunks: Sequence[bytes] = (b"",),
    headers: Headers = (),
    *,
    client: tuple[str, int] | None = STRANGER,
    query: bytes = b"",
    stalls: bool = False,
) -> Reply:
    """One request in pieces; after the last one the client waits, or `stalls` before saying that it was the last."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "server": ("127.0.0.1", 8080),
        "client": client,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
        "state": {},
    }
    waiting = list(chunks)
    sent: list[Any] = []

    async def receive() -> Any:
        if not waiting:
            await asyncio.Event().wait()
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting) or stalls}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    await asyncio.sleep(0)  # the turn in which everything that can wait is done
    [start, *bodies] = sent
    assert start["type"] == "http.response.start"
    assert not bodies[-1].get("more_body")
    return Reply(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message["body"] for message in bodies),
    )


def signed(body: bytes, secret: bytes = SECRET) -> dict[str, str]:
    """The headers the vendor sends with a body."""
    return {
        "Content-Type": "application/json",
        "Agora-Signature": sign(secret, body, V1_DIGEST),
        "Agora-Signature-V2": sign(secret, body),
    }


def notification(payload: Mapping[str, Any] | None = None, **fields: Any) -> bytes:
    """A transcoder's 112, unless the test wants something else."""
    return encode(
        {
            "noticeId": "2000001428:4330:107",
            "productId": 22,
            "eventType": 112,
            "notifyMs": 1_699_999_999_000,
            "payload": TRANSCODER_STATUS if payload is None else dict(payload),
        }
        | fields
    )


TRANSCODER_STATUS: Final[dict[str, Any]] = {
    "taskId": "0123456789abcdef",
    "instanceId": "room-1",
    "sequence": 3,
    "sendts": 1_699_999_998_500,
    "serviceScene": "rtsc/cloud-transcoder",
    "details": {"event": "cloud_transcoder_status", "state": "running", "createTs": 1_699_999_990_000},
}


@dataclass
class Edge:
    """A receiver with everything around it in reach."""

    secrets: Mapping[str, Sequence[bytes]] = field(default_factory=lambda: dict(SECRETS))
    accept_v1_alone: bool = True
    trusted_proxies: Sequence[str] = ()
    answer_within: timedelta = timedelta(seconds=5)
    waiting_limit: int = 2_000
    routes: Callable[["Edge"], Sequence[Route]] = lambda _: ()
    appender: Any = field(default_factory=RecordingAppender)
    metrics: Any = field(default_factory=CountingMetrics)
    clock: ManualClock = field(default_factory=ManualClock)
    seconds: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        self.seal = Seal([Fernet.generate_key().decode()])
        self.admission = Admission(self.appender, limit=self.waiting_limit, now=self.seconds)
        self.readiness = Readiness(self.admission, self.clock, name="test", now=self.seconds)
        notifications = Notifications(
            self.admission,
            self.clock,
            self.seal,
            self.metrics,
            self.secrets,
            accept_v1_alone=self.accept_v1_alone,
            trusted_proxies=[ip_network(network) for network in self.trusted_proxies],
            answer_within=self.answer_within,
            now=self.seconds,
        )
        self.app: ASGIApp = build_app(self.readiness, notifications=notifications, routes=self.routes(self))

    async def post(
        self, body: bytes, headers: Headers | None = None, path: str = "/notifications", **how: Any
    ) -> Reply:
        """POST a body, signed rightly unless told otherwise."""
        return await call(self.app, "POST", path, (body,), signed(body) if headers is None else headers, **how)

    async def get(self, path: str, headers: Headers = (), **how: Any) -> Reply:
        return await call(self.app, "GET", path, headers=headers, **how)
