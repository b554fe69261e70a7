"""`/livez`, `/readyz`, `/metrics`: open to everyone, so cheap however often they are asked."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from receiver.admission import Admission
from receiver.ports import Clock, Exposition
from schemas.codec import encode
from schemas.errors import Rejected, Unavailable
from schemas.metrics import Metric, Metrics
from schemas.record import Record
from schemas.topics import PROBES

UNAVAILABLE: Final = 503
PROOF_SECONDS: Final = 1.0
PROBE_WITHIN_SECONDS: Final = 2.0

Condition = Callable[[], bool]


def _answer(status: int, content: Mapping[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "1"} if status == UNAVAILABLE else {})
    return Response(encode(dict(content)), status, headers, "application/json")


class Readiness:
    """Whether this process can do its work now, proved by an append on `agora.internal.probes`.

    A proof, or its failure, counts for a second and is sought once for all who ask, so asking costs the disk nothing.
    `conditions` are what else must hold, by the name that is shown when it does not.
    """

    def __init__(
        self,
        admission: Admission,
        clock: Clock,
        *,
        name: str,
        conditions: Mapping[str, Condition] | None = None,
        degraded: Callable[[], str | None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admission = admission
        self._clock = clock
        self._name = name
        self._conditions = dict(conditions or {})
        self._degraded = degraded
        self._now = now
        self._draining = False
        self._failed_at = float("-inf")
        self._failure: str | None = None
        self._probe: asyncio.Task[None] | None = None

    def drain(self) -> None:
        """Say no from now on; requests are still served."""
        self._draining = True

    async def obstacle(self) -> str | None:
        """What stands in the way, None when nothing does."""
        if self._draining:
            return "draining"
        unmet = [name for name, holds in self._conditions.items() if not holds()]
        if unmet:
            return ", ".join(unmet)
        if self._admission.proved_within(PROOF_SECONDS):
            return None
        if self._now() - self._failed_at > PROOF_SECONDS:
            await self._prove_once()
        return None if self._admission.proved_within(PROOF_SECONDS) else self._failure

    async def _prove_once(self) -> None:
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._prove())
        await asyncio.shield(self._probe)

    async def _prove(self) -> None:
        at_ms = self._clock.now_ms()
        probe = Record(PROBES, self._name, encode({"at": at_ms}), f"{self._name}:{at_ms}", "probe", at_ms)
        try:
            async with asyncio.timeout(PROBE_WITHIN_SECONDS):
                await self._admission.append((probe,))
        except (Unavailable, Rejected) as reason:
            self._fail(f"log: {reason}")
        except TimeoutError:
            self._fail("log: no append within 2 s")

    def _fail(self, why: str) -> None:
        self._failed_at, self._failure = self._now(), why

    async def livez(self, request: Request) -> Response:
        """The process turns its loop: that it answers is the answer."""
        del request
        return _answer(200, {"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """200 while notifications can be taken and the rest works, else 503 with the reason."""
        del request
        obstacle = await self.obstacle()
        if obstacle is not None:
            return _answer(503, {"status": "unavailable", "reason": obstacle})
        return _answer(200, {"status": "ok", "degraded": self._degraded()})


def health_routes(readiness: Readiness) -> list[Route]:
    """The probes of an orchestrator."""
    return [Route("/livez", readiness.livez), Route("/readyz", readiness.readyz)]


def metrics_route(exposition: Exposition, metrics: Metrics, admission: Admission) -> Route:
    """`/metrics`; what only a scrape needs to know is measured by the scrape."""

    async def show(request: Request) -> Response:
        metrics.set(Metric.PENDING_APPENDS, admission.waiting)
        content, content_type = exposition.render(request.headers.get("Accept", ""))
        return Response(content, 200, {"Content-Type": content_type})

    return Route("/metrics", show)
