"""What the metrics are told about requests, in batches: once per turn of the loop instead of five times per request."""

import asyncio
from collections import Counter
from typing import Final

from schemas.metrics import Metric, Metrics
from schemas.products import PRODUCT_NAMES

_LABELLED: Final = frozenset(PRODUCT_NAMES.values())

Durable = tuple[str, str, int | None, float]
"""A notification that became durable: source, product, its age at arrival in ms, the seconds its append took."""


class Tally:
    """Collects what happened and counts it when the answers are out."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._answers: list[str] = []
        self._durable: list[Durable] = []

    def answered(self, status: str) -> None:
        """An answer of this status was given."""
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._count)
        self._answers.append(status)

    def durable(self, notification: Durable) -> None:
        """A notification became durable; it is counted with the next answer."""
        self._durable.append(notification)

    def _count(self) -> None:
        answers, self._answers = self._answers, []
        durable, self._durable = self._durable, []
        metrics = self._metrics
        for status, many in Counter(answers).items():
            metrics.count(Metric.ANSWERS, many, status=status)
        for (source, product), many in Counter(one[:2] for one in durable).items():
            label = product if product in _LABELLED else "other"
            metrics.count(Metric.NOTIFICATIONS, many, source=source, product=label)
        metrics.observe(Metric.APPEND_SECONDS, *(seconds for _, _, _, seconds in durable))
        ages = (max(0, age_ms) / 1000 for _, _, age_ms, _ in durable if age_ms is not None)
        metrics.observe(Metric.EVENT_AGE_SECONDS, *ages)
