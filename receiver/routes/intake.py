"""From raw bytes to a durable record: verify, parse, mask, key, append."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from receiver.addresses import Network
from receiver.admission import Admission, Full
from receiver.limits import Buckets
from receiver.normalise import NotUnderstood, Reason, normalise
from receiver.ports import Clock, Sealer
from receiver.routes import answers
from receiver.routes.answers import Answer
from receiver.routes.refusals import Refusals
from receiver.routes.setting_aside import set_aside
from receiver.routes.tally import Tally
from schemas.agora import TEST_CHANNEL, is_console_test
from schemas.codec import DecodeError, decode, is_object
from schemas.errors import Rejected, Unavailable
from schemas.metrics import Metric, Metrics
from schemas.record import Record
from schemas.signature import V1_HEADER, V2_HEADER, Secrets, source_of

log = structlog.get_logger(__name__)

# An outage fails every request: a few lines a second say it, thousands would only fill the disk.
LINES_AT_ONCE: Final = 10
LINES_PER_SECOND: Final = 1.0

_V1: Final = V1_HEADER.lower().encode()
_V2: Final = V2_HEADER.lower().encode()
_TEST_CHANNEL: Final = TEST_CHANNEL.encode()


class Intake:
    """Takes one body in. `secrets` holds every source there is."""

    def __init__(
        self,
        admission: Admission,
        clock: Clock,
        seal: Sealer,
        metrics: Metrics,
        secrets: Secrets,
        *,
        tally: Tally,
        accept_v1_alone: bool,
        trusted_proxies: Sequence[Network],
        now: Callable[[], float],
    ) -> None:
        self._admission = admission
        self._clock = clock
        self._seal = seal
        self._metrics = metrics
        self._tally = tally
        self._accept_v1 = accept_v1_alone
        self._now = now
        self._refusals = Refusals(secrets, metrics, accept_v1=accept_v1_alone, trusted_proxies=trusted_proxies, now=now)
        self._lines = Buckets(burst=LINES_AT_ONCE, per_second=LINES_PER_SECOND, addresses=2, now=now)

    def verify(
        self, scope: Mapping[str, Any], tried: Secrets, headers: Mapping[bytes, bytes], body: bytes
    ) -> str | Answer:
        """The source that signed a body, or the answer to one that nobody did."""
        v2, v1 = _text(headers.get(_V2)), _text(headers.get(_V1))
        source = source_of(tried, body, v2, v1, accept_v1=self._accept_v1)
        if source is not None:
            return source
        if v2 is None and v1 is None and _is_unsigned_test(body):
            self._metrics.count(Metric.CONSOLE_TESTS, signed="false")
            return answers.OK
        return self._refusals.answer(scope, tried, body, v2, v1)

    async def keep(self, source: str, headers: Mapping[bytes, bytes], body: bytes) -> Answer:
        """Make an authentic body durable, as what it says or as a dead letter."""
        received_ms = self._clock.now_ms()
        meaning = normalise(body, source, received_ms)
        if isinstance(meaning, NotUnderstood):
            return await self._set_aside(meaning, source, headers, body, received_ms)
        record, product, notify_ms, console_test = meaning
        began = self._now()
        try:
            await self._admission.append((record,))
        except Unavailable as reason:
            return self._not_durable(record, reason)
        except Rejected:
            unusable = NotUnderstood(Reason.TOO_LARGE, "the log can never store this record", record.key)
            return await self._set_aside(unusable, source, headers, body, received_ms)
        age_ms = None if notify_ms is None else received_ms - notify_ms
        self._tally.durable((source, product, age_ms, self._now() - began))
        if console_test:
            self._metrics.count(Metric.CONSOLE_TESTS, signed="true")
        return answers.OK

    async def _set_aside(
        self, unusable: NotUnderstood, source: str, headers: Mapping[bytes, bytes], body: bytes, received_ms: int
    ) -> Answer:
        letter = set_aside(unusable, body, headers, source=source, received_ms=received_ms, seal=self._seal)
        try:
            await self._admission.append((letter,))
        except (Unavailable, Rejected) as reason:
            return self._not_durable(letter, reason)
        self._metrics.count(Metric.DEAD_LETTERS, where="receiver", reason=unusable.reason.value)
        if self._lines.take("set-aside"):
            log.warning(
                "notification_set_aside",
                key=letter.key,
                dead_letter=letter.id,
                source=source,
                reason=unusable.reason.value,
                detail=unusable.detail,
            )
        return answers.OK

    def _not_durable(self, record: Record, reason: Exception) -> Answer:
        if isinstance(reason, Full):
            return answers.BUSY
        if self._lines.take("append"):
            log.warning("append_failed", topic=record.topic, key=record.key, notice=record.id, reason=str(reason))
        return answers.NOT_DURABLE


def _text(value: bytes | None) -> str | None:
    """A header's text; an empty one says nothing."""
    return value.decode("latin-1") if value else None


def _is_unsigned_test(body: bytes) -> bool:
    """Whether an unsigned body is the console's health check; nothing else of it is believed."""
    if _TEST_CHANNEL not in body:
        return False
    try:
        sent = decode(body)
    except DecodeError:
        return False
    payload = sent.get("payload") if is_object(sent) else None
    return is_object(payload) and is_console_test(payload)
