"""Reading the log from a command: no server needed, no lock taken."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
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


async def everything(log: Log, topic: str) -> AsyncIterator[Stored]:
    """What is on a topic now, partition by partition, oldest first; ends at the end there was at the call."""
    for partition in range(log.partitions):
        extent = await log.extent(topic, partition)
        offset = extent.first
        while offset < extent.end:
            batch = await log.read(topic, partition, offset, limit=BATCH)
            for stored in batch:
                if stored.position.offset < extent.end:
                    yield stored
            # Nothing at or after the offset: compaction or retention took the rest.
            offset = batch[-1].position.offset + 1 if batch else extent.end


async def latest(log: Log, topic: str) -> Mapping[str, Stored]:
    """The newest record of each key of a compacted topic, tombstones left out."""
    newest = {stored.record.key: stored async for stored in everything(log, topic)}
    return {key: stored for key, stored in newest.items() if stored.record.value is not None}


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
