"""Where the suite runs: each adapter, and what only its surroundings can do."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from processors.adapters.clock import SystemClock
from processors.adapters.memory import MemoryLog
from processors.adapters.sqlite import SqliteLog
from processors.ports import Log

MAX_RECORD_BYTES: Final = 100_000


class World(Protocol):
    @property
    def log(self) -> Log: ...

    async def another(self) -> Log:
        """The same log as another process sees it."""
        ...

    async def remains(self) -> Log:
        """What would be found if this process were gone now."""
        ...

    async def let_retention_pass(self, topic: str) -> None:
        """Everything that stands in a plain topic and was read is older than what is kept."""
        ...


class MemoryWorld:
    def __init__(self, log: MemoryLog) -> None:
        self.log = log

    async def another(self) -> Log:
        return self.log

    async def remains(self) -> Log:
        await self.log.start()
        return self.log

    async def let_retention_pass(self, topic: str) -> None:
        for partition in range(self.log.partitions):
            end = (await self.log.extent(topic, partition)).end
            self.log.forget(topic, partition, end)


class SqliteWorld:
    def __init__(self, folder: Path, partitions: int) -> None:
        self.clock = SystemClock()
        self.path = folder / "log.db"
        self._partitions = partitions
        self.log = self._open(self.path)
        self._others: list[SqliteLog] = []

    def _open(self, path: Path) -> SqliteLog:
        return SqliteLog(path, self.clock, partitions=self._partitions, max_record_bytes=MAX_RECORD_BYTES)

    async def _start(self, path: Path) -> Log:
        log = self._open(path)
        self._others.append(log)
        await log.start()
        return log

    async def another(self) -> Log:
        return await self._start(self.path)

    async def remains(self) -> Log:
        # The files as they are, without the shared memory: what a recovery would begin with.
        copies = self.path.parent / f"remains-{len(self._others)}"
        copies.mkdir()
        for name in ("log.db", "log.db-wal"):
            if (file := self.path.with_name(name)).exists():
                shutil.copy(file, copies)
        return await self._start(copies / "log.db")

    async def let_retention_pass(self, topic: str) -> None:  # noqa: ARG002 - it passes for all of them
        await self.log.sweep(self.clock.now_ms() + timedelta(days=8) // timedelta(milliseconds=1))

    async def close(self) -> None:
        for log in (self.log, *self._others):
            await log.close()


@asynccontextmanager
async def memory(
    _folder: Path, *, make: type[MemoryLog] = MemoryLog, partitions: int = 1
) -> AsyncGenerator[World, None]:
    log = make(SystemClock(), partitions=partitions, max_record_bytes=MAX_RECORD_BYTES)
    await log.start()
    yield MemoryWorld(log)
    await log.close()


@asynccontextmanager
async def sqlite(folder: Path, *, partitions: int) -> AsyncGenerator[World, None]:
    world = SqliteWorld(folder, partitions)
    await world.log.start()
    try:
        yield world
    finally:
        await asyncio.wait_for(world.close(), 10)


WORLDS: Final[dict[str, Callable[[Path], AbstractAsyncContextManager[World]]]] = {
    "memory": memory,
    "memory-3": partial(memory, partitions=3),
    "sqlite": partial(sqlite, partitions=1),
    "sqlite-3": partial(sqlite, partitions=3),
}
