"""Reading what a topic holds now, from beginning to end."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from processors.ports import Log
from schemas.record import Stored

BATCH: Final = 1000


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
