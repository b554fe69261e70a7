"""The one door to the log: so many may wait, and the last success is remembered as proof that appends work."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from receiver.ports import Appender
from schemas.errors import Unavailable
from schemas.record import Record

WAITING_LIMIT: Final = 2_000


class Full(Unavailable):
    """As many as may wait are waiting already."""


class Admission:
    """Appends while there is room; the bound makes overload a quick 503 instead of a slow time-out."""

    def __init__(
        self, appender: Appender, *, limit: int = WAITING_LIMIT, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._appender = appender
        self._limit = limit
        self._now = now
        self.waiting = 0
        self.proved_at = float("-inf")

    @property
    def full(self) -> bool:
        """Whether an append would be refused now."""
        return self.waiting >= self._limit

    async def append(self, records: Sequence[Record]) -> None:
        """Make records durable; raises Full, else what the port raises."""
        if self.full:
            raise Full("too many appends are waiting")
        self.waiting += 1
        try:
            await self._appender.append(records)
        except Unavailable:
            self.proved_at = float("-inf")
            raise
        finally:
            self.waiting -= 1
        self.proved_at = self._now()

    def proved_within(self, seconds: float) -> bool:
        """Whether an append succeeded that recently."""
        return self._now() - self.proved_at <= seconds
