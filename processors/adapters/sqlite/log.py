"""`ports.Log` as one SQLite file: for one machine, with nothing else to install."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from processors.adapters.lockfile import locked
from processors.adapters.sqlite import reader, retention
from processors.adapters.sqlite.drafts import MAX_RECORD_BYTES, Draft, draft
from processors.adapters.sqlite.partition import Access, SqliteLease
from processors.adapters.sqlite.reader import Reader
from processors.adapters.sqlite.retention import DEFAULT_RETENTION, Retention
from processors.adapters.sqlite.tail import Tail
from processors.adapters.sqlite.writer import Writer
from processors.ports import Clock, Extent, Lease
from schemas.errors import Incompatible, Unavailable
from schemas.record import Position, Record, Stored

SWEEP_EVERY: Final = timedelta(seconds=30)


class SqliteLog:
    """`ports.Log` over a file that any process on this machine may share.

    The directory must exist. Beside the file stand `-wal` and `-shm` (SQLite's) and `.lease` (the worker's lock).
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        partitions: int = 1,
        retention: Retention = DEFAULT_RETENTION,
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        self._path = path
        self._clock = clock
        self._partitions = partitions
        self._retention = retention
        self._max_record_bytes = max_record_bytes
        self._writer = Writer(path, partitions, clock)
        self._reader = Reader(path, self._writer)
        self._tail = Tail(path, self._reader, clock)
        self._sweeping: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def partitions(self) -> int:
        """How many partitions every topic has."""
        return self._partitions

    async def start(self) -> None:
        """Open the file, or go on trying at every call when it is merely out of reach; raises Incompatible."""
        self._writer.start(self._tail.advance)
        try:
            with suppress(Unavailable):
                await self._writer.reach()
        except Incompatible:
            await self.close()
            raise
        self._sweeping = asyncio.create_task(self._sweep_for_ever())

    async def close(self) -> None:
        """Finish appends that were accepted, then let go of everything."""
        if self._closed:
            return
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait({self._sweeping})
        await self._writer.close()
        await self._reader.close()
        await self._tail.close()

    async def append(self, records: Sequence[Record]) -> Sequence[Position]:
        """As `ports.Log.append`: returns when the records are synced to the disk."""
        return await self._writer.write(self._draft(records))

    async def read(
        self, topic: str, partition: int, offset: int, *, limit: int = 500, wait: timedelta = timedelta(0)
    ) -> Sequence[Stored]:
        """As `ports.Log.read`."""
        question = partial(reader.records, topic=topic, partition=partition, offset=offset, limit=limit)
        return await self._tail.first([(topic, partition)], question, wait)

    async def extent(self, topic: str, partition: int) -> Extent:
        """As `ports.Log.extent`."""
        return await self._reader.ask(partial(reader.extent, topic=topic, partition=partition))

    def lease(self, inputs: Sequence[str]) -> AbstractAsyncContextManager[Lease]:
        """As `ports.Log.lease`; one process at a time, and it works all partitions."""
        return self._lease(tuple(inputs))

    async def sweep(self, now_ms: int) -> None:
        """Delete what retention lets go, one small transaction after the other between those of appends."""
        while await self._writer.run(partial(retention.sweep, retention=self._retention, now_ms=now_ms)):
            pass

    def _draft(self, records: Sequence[Record]) -> list[Draft]:
        return draft(records, self._partitions, self._max_record_bytes)

    async def _sweep_for_ever(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_EVERY)
            with suppress(Unavailable, Incompatible):  # appends tell it to those who can act
                await self.sweep(self._clock.now_ms())

    @asynccontextmanager
    async def _lease(self, inputs: Sequence[str]) -> AsyncGenerator[Lease, None]:
        held_by = f"process {{pid}} works {self._path}: stop it first, or only receive here"
        with locked(self._path.with_name(f"{self._path.name}.lease"), held_by):
            lease = SqliteLease(Access(self._writer, self._reader, self._tail, self._draft, inputs), self._partitions)
            try:
                yield lease
            finally:
                lease.end()
