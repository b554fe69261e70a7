"""What pages and GET routes read: a fold of `agora.internal.views`, kept by each serving process.

In one process with the engine the code is the same: the log wakes the reader, so the view is behind by one read.
"""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, NamedTuple

import structlog

from processors.ports import Clock, Log
from schemas.codec import decode
from schemas.errors import Unavailable
from schemas.record import Stored
from schemas.state import task_key
from schemas.topics import VIEWS

log = structlog.get_logger(__name__)

PATIENCE: Final = timedelta(seconds=1)
BACKOFF: Final = timedelta(milliseconds=200)
BATCH: Final = 1000


class Known(NamedTuple):
    """One task as the view keeps it: what lists are filtered by, and the rest as it was written."""

    product: str
    status: str
    instance: str | None
    encoded: bytes


class TaskView:
    """All known tasks by key. They stay encoded until someone looks at one: most never are."""

    def __init__(self, source: Log, clock: Clock) -> None:
        self._log = source
        self._clock = clock
        self._known: dict[str, Known] = {}
        self._keys: list[str] = []
        self._offsets: dict[int, int] = dict.fromkeys(range(source.partitions), 0)
        self._read_ms: dict[int, int] = {}

    @property
    def ready(self) -> bool:
        """Whether everything that was written before the start has been read."""
        return len(self._read_ms) == len(self._offsets)

    def age_ms(self) -> int:
        """How long ago the view last agreed with the log, in its slowest partition."""
        oldest = min(self._read_ms.values(), default=0)
        return max(0, self._clock.now_ms() - oldest)

    def get(self, product: str, task_id: str) -> Mapping[str, Any] | None:
        """One task with its timeline."""
        known = self._known.get(task_key(product, task_id))
        return None if known is None else decode(known.encoded)

    def page(
        self,
        *,
        product: str | None = None,
        status: str | None = None,
        instance: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """Tasks in key order after the cursor, and the cursor of the next page (None at the end)."""
        wanted = (product, status, instance)
        found: list[Mapping[str, Any]] = []
        start = bisect_right(self._keys, cursor) if cursor is not None else 0
        last = None
        for index in range(start, len(self._keys)):
            known = self._known[self._keys[index]]
            if any(value not in (None, has) for value, has in zip(wanted, known, strict=False)):
                continue
            if len(found) == limit:
                return found, last
            found.append(_summary(known))
            last = self._keys[index]
        return found, None

    async def follow(self, stop: asyncio.Event) -> None:
        """Keep the view in step with the log until told to stop."""
        async with asyncio.TaskGroup() as group:
            for partition in self._offsets:
                group.create_task(self._follow_partition(partition, stop))

    async def catch_up(self) -> None:
        """Read everything there is now, once; raises Unavailable."""
        for partition in self._offsets:
            await self._catch_up(partition)

    async def _follow_partition(self, partition: int, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._catch_up(partition)
                await self._advance(partition, PATIENCE)
            except Unavailable as reason:
                log.warning("view_behind", partition=partition, reason=str(reason))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), BACKOFF.total_seconds())

    async def _catch_up(self, partition: int) -> None:
        end = (await self._log.extent(VIEWS, partition)).end
        while self._offsets[partition] < end and await self._advance(partition, timedelta(0)):
            pass
        self._read_ms[partition] = self._clock.now_ms()

    async def _advance(self, partition: int, wait: timedelta) -> bool:
        batch = await self._log.read(VIEWS, partition, self._offsets[partition], limit=BATCH, wait=wait)
        for stored in batch:
            self._apply(stored)
            self._offsets[partition] = stored.position.offset + 1
        return bool(batch)

    def _apply(self, stored: Stored) -> None:
        key, value = stored.record.key, stored.record.value
        if value is None:
            if self._known.pop(key, None) is not None:
                del self._keys[bisect_right(self._keys, key) - 1]
            return
        if key not in self._known:
            insort(self._keys, key)
        task = decode(value)
        self._known[key] = Known(task["product"], task["status"], task["instance"], value)


def _summary(known: Known) -> Mapping[str, Any]:
    task: dict[str, Any] = decode(known.encoded)
    del task["timeline"]
    return task
