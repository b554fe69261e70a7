"""Reading the log from a command: no server needed, no lock taken."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from processors.ports import Log
from processors.settings import Settings
from processors.wiring import open_log
from schemas.record import Stored

BATCH: Final = 1000
PATIENCE: Final = timedelta(seconds=1)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Log]:
    """The configured log, started, and closed at the end."""
    log = open_log(settings)
    await log.start()
    try:
        yield log
    finally:
        await log.close()


async def arriving(log: Log, topic: str, *, from_end: bool) -> AsyncIterator[Stored]:
    """Every record of a topic, then each new one as it comes, without end."""
    # Bounded, so that a slow terminal holds the readers back and not the memory.
    waiting: asyncio.Queue[Stored | Exception] = asyncio.Queue(BATCH)

    async def follow(partition: int) -> None:
        try:
            extent = await log.extent(topic, partition)
            offset = extent.end if from_end else extent.first
            while True:
                for stored in await log.read(topic, partition, offset, limit=BATCH, wait=PATIENCE):
                    await waiting.put(stored)
                    offset = stored.position.offset + 1
        except Exception as fault:  # noqa: BLE001 - raised below, where someone waits
            await waiting.put(fault)

    readers = [asyncio.create_task(follow(partition)) for partition in range(log.partitions)]
    try:
        while True:
            arrival = await waiting.get()
            if isinstance(arrival, Exception):
                raise arrival
            yield arrival
    finally:
        for reader in readers:
            reader.cancel()
