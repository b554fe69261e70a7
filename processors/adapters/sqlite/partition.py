"""Working partitions of the file: one process holds the lease and owns every partition it takes."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from processors.adapters.sqlite import reader
from processors.adapters.sqlite.drafts import Draft
from processors.adapters.sqlite.reader import Reader
from processors.adapters.sqlite.tail import Tail
from processors.adapters.sqlite.writer import Tenure, Writer
from processors.ports import Commit
from schemas.errors import Fenced
from schemas.record import Record, Stored


@dataclass(frozen=True, slots=True)
class Access:
    """What a worker needs of the log."""

    writer: Writer
    reader: Reader
    tail: Tail
    draft: Callable[[Sequence[Record]], list[Draft]]
    inputs: Sequence[str]


class SqliteLease:
    """`ports.Lease` of the only worker process: all partitions, for as long as it is held."""

    def __init__(self, access: Access, partitions: int) -> None:
        self._access = access
        self._share = frozenset(range(partitions))
        self._tenures: dict[int, Tenure] = {}
        self._told = False

    async def assigned(self) -> frozenset[int]:
        """All partitions the first time; afterwards it waits, because the share never changes."""
        if self._told:
            await asyncio.get_running_loop().create_future()
        self._told = True
        return self._share

    async def take(self, partition: int) -> "SqlitePartition":
        """As `ports.Lease.take`."""
        if partition not in self._share:
            raise Fenced(f"partition {partition} is not in the share of this worker")
        self._fence(partition)
        tenure = self._tenures[partition] = Tenure(partition)
        # An empty transaction stands behind the last commit of whoever worked the partition before, here or in another
        # process: either it is visible now, or it will find its tenure lost.
        await self._access.writer.write(())
        return SqlitePartition(self._access, tenure)

    def end(self) -> None:
        """Fence every partition that was taken."""
        self._share = frozenset[int]()
        for partition in tuple(self._tenures):
            self._fence(partition)

    def _fence(self, partition: int) -> None:
        if earlier := self._tenures.pop(partition, None):
            earlier.lost = True
            self._access.tail.wake()


class SqlitePartition:
    """`ports.Partition` of the file."""

    def __init__(self, access: Access, tenure: Tenure) -> None:
        self._access = access
        self._tenure = tenure

    @property
    def number(self) -> int:
        """The number of the partition."""
        return self._tenure.partition

    async def restore(self) -> Mapping[str, bytes]:
        """As `ports.Partition.restore`."""
        return await self._access.reader.ask(self._state)

    async def poll(self, limit: int, wait: timedelta) -> Sequence[Stored]:
        """As `ports.Partition.poll`; reads the positions anew each time, so a commit in doubt needs no care."""
        places = [(topic, self.number) for topic in self._access.inputs]
        return await self._access.tail.first(places, partial(self._waiting, limit=limit), wait)

    async def lag(self) -> int:
        """As `ports.Partition.lag`."""
        return await self._access.reader.ask(self._behind)

    async def commit(self, commit: Commit) -> None:
        """As `ports.Partition.commit`: one transaction, shared with whatever else was waiting."""
        self._tenure.check()
        await self._access.writer.write(self._access.draft(commit.records), self._tenure, commit.positions)

    async def close(self) -> None:
        """As `ports.Partition.close`."""
        self._tenure.lost = True
        self._access.tail.wake()

    # Asked in a thread of the reader.

    def _state(self, connection: sqlite3.Connection) -> Mapping[str, bytes]:
        self._tenure.check()
        return reader.state(connection, self.number)

    def _waiting(self, connection: sqlite3.Connection, limit: int) -> list[Stored]:
        self._tenure.check()
        return reader.inputs(connection, self._access.inputs, self.number, limit)

    def _behind(self, connection: sqlite3.Connection) -> int:
        self._tenure.check()
        return reader.lag(connection, self._access.inputs, self.number)
