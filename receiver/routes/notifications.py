"""`POST /notifications` over HTTP: cap and deadline before, one of the prepared answers after.

Raw ASGI, because a Request, a Response and the router would cost as much as everything else together. What can wait
(metrics) happens after the answer.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import structlog
from starlette.types import Receive, Scope, Send

from receiver.addresses import Network
from receiver.admission import Admission
from receiver.limits import Deadlines
from receiver.ports import Clock, Sealer
from receiver.routes import answers
from receiver.routes.answers import Answer
from receiver.routes.intake import Intake
from receiver.routes.reading import Bodies, Disconnected, discard, is_json, is_too_long, joined
from receiver.routes.tally import Tally
from schemas.metrics import Metrics
from schemas.signature import Secrets

log = structlog.get_logger(__name__)

PATH: Final = "/notifications"
ANSWER_WITHIN: Final = timedelta(seconds=5)  # body and append together; the vendor gives up at 10 s
DISCARD_SECONDS: Final = 1.0
END: Final = {"type": "http.response.body", "body": b""}


class Notifications:
    """The endpoint. `secrets` holds every source; a path that names a source is verified against that one only."""

    def __init__(
        self,
        admission: Admission,
        clock: Clock,
        seal: Sealer,
        metrics: Metrics,
        secrets: Secrets,
        *,
        accept_v1_alone: bool = True,
        trusted_proxies: Sequence[Network] = (),
        answer_within: timedelta = ANSWER_WITHIN,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admission = admission
        self._tally = Tally(metrics)
        self._intake = Intake(
            admission,
            clock,
            seal,
            metrics,
            secrets,
            tally=self._tally,
            accept_v1_alone=accept_v1_alone,
            trusted_proxies=trusted_proxies,
            now=now,
        )
        self._tried: dict[str, Secrets] = {PATH: secrets}
        self._tried |= {f"{PATH}/{source}": {source: live} for source, live in secrets.items()}
        self._bodies = Bodies()
        self._deadlines = Deadlines(answer_within.total_seconds())

    def serves(self, path: str) -> bool:
        """Whether a path is this endpoint's, known source or not."""
        return path in self._tried or path.startswith(f"{PATH}/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that left gets none."""
        headers = joined(scope["headers"])
        answer = self._refuse_early(scope, headers)
        if answer is None:
            try:
                answer = await self._take(scope, headers, receive)
            except Disconnected:
                return
            except Exception:  # a bug must not become a 200, and after a 503 the vendor sends again
                log.exception("notification_failed")
                answer = answers.NOT_DURABLE
        if answer.lingers or scope["method"] == "HEAD":
            await _send_in_parts(answer, scope, receive, send)
        else:
            await send(answer.start)
            await send(answer.body)
        self._tally.answered(answer.status)

    def _refuse_early(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Answer | None:
        """What can be said before anything is read."""
        if scope["path"] not in self._tried:
            return answers.UNKNOWN_SOURCE
        method = scope["method"]
        if method != "POST":
            return answers.OK if method in {"GET", "HEAD"} else answers.METHOD_NOT_ALLOWED
        content_type = headers.get(b"content-type", b"application/json")
        if content_type != b"application/json" and not is_json(content_type):
            return answers.NOT_JSON
        length = headers.get(b"content-length")
        if length is not None and is_too_long(length):
            return answers.TOO_LARGE
        return answers.BUSY if self._admission.full else None

    async def _take(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        too_late = answers.TOO_SLOW
        task = self._deadlines.enter()
        try:
            body = await self._bodies.read(receive)
            if isinstance(body, Answer):
                return body
            too_late = answers.NOT_DURABLE
            source = self._intake.verify(scope, self._tried[scope["path"]], headers, body)
            if isinstance(source, Answer):
                return source
            return await self._intake.keep(source, headers, body)
        except asyncio.CancelledError:
            if not self._deadlines.missed(task):
                raise
            return too_late
        finally:
            self._deadlines.leave(task)


async def _send_in_parts(answer: Answer, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    if scope["method"] == "HEAD":
        await send({**answer.start, "rendered": None})
        await send(END)
        return
    await send(answer.start)
    # Closing while bytes are unread resets the connection, and the reset overtakes the answer: read on for a moment.
    await send({**answer.body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            await discard(receive)
    await send(END)
