"""Refusing a signature: with a cause a human can act on, until an address asks too often."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from receiver.addresses import Addresses, Network
from receiver.limits import Buckets
from receiver.routes.answers import REFUSED, REFUSED_BARELY, Answer
from schemas.metrics import Metric, Metrics
from schemas.signature import Secrets, explain

log = structlog.get_logger(__name__)

# A human who sets a console up sees every cause; a flood costs the bare minimum.
EXPLAINED_AT_ONCE: Final = 60
EXPLAINED_PER_SECOND: Final = 0.5
ADDRESSES_REMEMBERED: Final = 10_000
# Lines for all addresses together: many addresses must not fill the disk.
LINES_AT_ONCE: Final = 20
LINES_PER_SECOND: Final = 1.0


class Refusals:
    """Answers requests whose signature does not fit."""

    def __init__(
        self,
        known: Secrets,
        metrics: Metrics,
        *,
        accept_v1: bool,
        trusted_proxies: Sequence[Network],
        now: Callable[[], float],
    ) -> None:
        self._known = known
        self._metrics = metrics
        self._accept_v1 = accept_v1
        self._addresses = Addresses(trusted_proxies)
        self._explained = Buckets(
            burst=EXPLAINED_AT_ONCE, per_second=EXPLAINED_PER_SECOND, addresses=ADDRESSES_REMEMBERED, now=now
        )
        self._lines = Buckets(burst=LINES_AT_ONCE, per_second=LINES_PER_SECOND, addresses=1, now=now)

    def answer(self, scope: Mapping[str, Any], tried: Secrets, body: bytes, v2: str | None, v1: str | None) -> Answer:
        """401, explained while the address has explanations left."""
        address = self._addresses.client(scope)
        if not self._explained.take(address):
            self._metrics.count(Metric.REFUSED_SIGNATURES, cause="limited")
            return REFUSED_BARELY
        cause = explain(tried, self._known, body, v2, v1, accept_v1=self._accept_v1)
        self._metrics.count(Metric.REFUSED_SIGNATURES, cause=cause.value)
        if self._lines.take("all"):
            log.warning("signature_refused", cause=cause.value, address=address, path=scope["path"][:64])
        return REFUSED[cause]
