"""`ports.Log` in memory: what tests and trials run on, with partitions shared among members as a broker does it."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from heapq import merge
from itertools import islice
from typing import Final

from processors.ports import Clock, Commit, Extent, Lease
from schemas.errors import Fenced, Rejected, Unavailable
from schemas.partitioning import partition_of
from schemas.record import Position, Record, Stored
from schemas.topics import STATE, TOPICS

MAX_RECORD_BYTES: Final = 8 * 1024 * 1024

Place = tuple[str, int]
"""A partition of a topic."""


class MemoryLog:
    """`ports.Log` that lives as long as this object: `close` and `start` restart the process, not the log."""

    def __init__(self, clock: Clock, *, partitions: int = 1, max_record_bytes: int = MAX_RECORD_BYTES) -> None:
        self.moved = Moved()
        self.group = Group(partitions, self.moved)
        self.owners: dict[int, MemoryPartition] = {}
        self._clock = clock
        self._partitions = partitions
        self._max_record_bytes = max_record_bytes
        self._plain: dict[Place, list[Stored]] = {}
        self._latest: dict[Place, dict[str, Stored]] = {}
        self._ends: dict[Place, int] = {}
        self._positions: dict[Place, int] = {}
        self._closed = False

    @property
    def partitions(self) -> int:
        """How many partitions every topic has."""
        return self._partitions

    async def start(self) -> None:
        """Open the log, also again."""
        self._closed = False

    async def close(self) -> None:
        """Refuse every call until the next `start`."""
        self._closed = True
        self.moved.wake()

    async def append(self, records: Sequence[Record]) -> Sequence[Position]:
        """As `ports.Log.append`, as durable as this object."""
        return await self.store(records)

    async def read(
        self, topic: str, partition: int, offset: int, *, limit: int = 500, wait: timedelta = timedelta(0)
    ) -> Sequence[Stored]:
        """As `ports.Log.read`."""
        return await self.first(lambda: self.after((topic, partition), offset, limit), wait)

    async def extent(self, topic: str, partition: int) -> Extent:
        """As `ports.Log.extent`."""
        self.check_open()
        place = (topic, partition)
        end = self._ends.get(place, 0)
        kept = self.after(place, 0, 1)
        return Extent(kept[0].position.offset if kept else end, end)

    @asynccontextmanager
    async def _lease(self, inputs: Sequence[str]) -> AsyncGenerator[Lease, None]:
        self.check_open()
        lease = MemoryLease(self, inputs)
        self.group.join(lease)
        try:
            yield lease
        finally:
            lease.end()

    def lease(self, inputs: Sequence[str]) -> AbstractAsyncContextManager[Lease]:
        """As `ports.Log.lease`; every member gets its share."""
        return self._lease(inputs)

    def forget(self, topic: str, partition: int, before: int) -> None:
        """Let retention pass: the records of a plain topic before an offset are gone."""
        place = (topic, partition)
        self._plain[place] = [stored for stored in self._plain.get(place, ()) if stored.position.offset >= before]

    # For leases and partitions.

    def check_open(self) -> None:
        """Raise Unavailable while the log is closed."""
        if self._closed:
            raise Unavailable("the log is closed")

    def check_owner(self, partition: "MemoryPartition") -> None:
        """Raise Fenced when another owns the partition, or nobody."""
        if self.owners.get(partition.number) is not partition:
            raise Fenced(f"partition {partition.number} was closed or has another worker now")

    def disown(self, partition: "MemoryPartition") -> None:
        """Let nobody own a partition any more, unless another took it already."""
        if self.owners.get(partition.number) is partition:
            del self.owners[partition.number]
        self.moved.wake()

    async def store(
        self, records: Sequence[Record], owner: "MemoryPartition | None" = None, commit: Commit | None = None
    ) -> Sequence[Position]:
        """Make records, and the positions of a commit, visible together.

        The turns given to others before and after are those in which a real log is on its way to the disk.
        """
        self.check_open()
        places = [self._place(record) for record in records]
        await asyncio.sleep(0)
        self.check_open()
        if owner and commit:
            self.check_owner(owner)
            self._positions.update({(topic, owner.number): next_ for topic, next_ in commit.positions.items()})
        now_ms = self._clock.now_ms()
        positions = [self._put(place, record, now_ms) for place, record in zip(places, records, strict=True)]
        self.moved.wake()
        await asyncio.sleep(0)
        return positions

    async def first(self, question: Callable[[], list[Stored]], wait: timedelta) -> list[Stored]:
        """The first answer with records in it, asked again whenever something moved; else none after `wait`."""
        enough: asyncio.Future[None] | None = None
        try:
            while True:
                self.check_open()
                found = question()
                if found or wait <= timedelta(0) or (enough and enough.done()):
                    await asyncio.sleep(0)
                    return found
                enough = enough or asyncio.ensure_future(self._clock.sleep(wait))
                await self.moved.next(enough)
        finally:
            if enough:
                enough.cancel()

    def after(self, place: Place, offset: int, limit: int) -> list[Stored]:
        """Records of a place at or after an offset."""
        if (plain := self._plain.get(place)) is not None:
            start = max(0, offset - plain[0].position.offset) if plain else 0
            return plain[start : start + limit]
        latest = self._latest.get(place, {}).values()
        return list(islice((stored for stored in latest if stored.position.offset >= offset), limit))

    def inputs(self, topics: Sequence[str], partition: int, limit: int) -> list[Stored]:
        """Records after the committed positions of some topics: in order per topic, the oldest topic head first."""
        places = [(topic, partition) for topic in topics]
        waiting = [self.after(place, self._positions.get(place, 0), limit) for place in places]
        return list(islice(merge(*waiting, key=lambda stored: stored.appended_ms), limit))

    def state(self, partition: int) -> dict[str, bytes]:
        """The newest value of every key of the changelog, tombstones left out."""
        newest = self._latest.get((STATE, partition), {})
        return {key: stored.record.value for key, stored in newest.items() if stored.record.value is not None}

    def _place(self, record: Record) -> Place:
        if record.topic not in TOPICS:
            raise Rejected(f"there is no topic {record.topic!r}: schemas/topics.py names them all")
        try:
            (record.value or b"").decode()
            place = (record.topic, partition_of(record.key, self._partitions))
            size = sum(map(len, (record.key.encode(), record.value or b"", record.id.encode())))
        except UnicodeError as error:
            raise Rejected(f"a record of {record.topic} is not UTF-8: {error}") from error
        if size > self._max_record_bytes:
            raise Rejected(f"a record of {record.topic} takes {size} bytes, the log takes {self._max_record_bytes}")
        return place

    def _put(self, place: Place, record: Record, now_ms: int) -> Position:
        offset = self._ends.get(place, 0)
        self._ends[place] = offset + 1
        stored = Stored(record, Position(*place, offset), now_ms)
        if TOPICS[record.topic].compacted:
            latest = self._latest.setdefault(place, {})
            latest.pop(record.key, None)  # a dictionary keeps an updated key where it was; its record moves to the end
            latest[record.key] = stored
        else:
            self._plain.setdefault(place, []).append(stored)
        return stored.position


class Moved:
    """Wakes whoever waits for something to change."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Wake everyone who waits."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def next(self, enough: asyncio.Future[None] | None = None) -> None:
        """Return at the next `wake`, or when `enough` is done."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(woken)
        try:
            await asyncio.wait({woken, enough} if enough else {woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.discard(woken)


class Group:
    """Who works which partition: spread evenly, and moved only once its member has let go of it."""

    def __init__(self, partitions: int, moved: Moved) -> None:
        self._partitions = partitions
        self._moved = moved
        self._members: list[MemoryLease] = []
        self._holders: dict[int, MemoryLease] = {}

    def join(self, member: "MemoryLease") -> None:
        """Take part."""
        self._members.append(member)
        self._moved.wake()

    def leave(self, member: "MemoryLease") -> None:
        """Take part no more: a member that ends, or one that fell silent and is expelled as a broker would."""
        if member in self._members:
            self._members.remove(member)
        self.release(member, frozenset(range(self._partitions)))

    def release(self, member: "MemoryLease", partitions: frozenset[int]) -> None:
        """Let go of partitions."""
        for partition in partitions:
            if self._holders.get(partition) is member:
                del self._holders[partition]
        self._moved.wake()

    def share(self, member: "MemoryLease") -> frozenset[int]:
        """What a member is to work: its part of the partitions, without those that another has yet to let go of."""
        if member not in self._members:
            return frozenset()
        place, members = self._members.index(member), len(self._members)
        mine = range(place, self._partitions, members)
        share = frozenset(partition for partition in mine if self._holders.get(partition, member) is member)
        self._holders.update(dict.fromkeys(share, member))
        return share


class MemoryLease:
    """`ports.Lease` of one member."""

    def __init__(self, log: MemoryLog, inputs: Sequence[str]) -> None:
        self._log = log
        self._inputs = inputs
        self._share: frozenset[int] | None = None
        self._leaving: frozenset[int] = frozenset()
        self._ended = False

    async def assigned(self) -> frozenset[int]:
        """As `ports.Lease.assigned`: asking again says that what left the share is closed."""
        self._log.group.release(self, self._leaving)
        while (share := self._log.group.share(self)) == self._share:
            await self._log.moved.next()
        self._leaving = (self._share or frozenset()) - share
        self._share = share
        return share

    async def take(self, partition: int) -> "MemoryPartition":
        """As `ports.Lease.take`; like a broker it believes whoever asks last."""
        self._log.check_open()
        if self._ended or partition not in range(self._log.partitions):
            raise Fenced(f"partition {partition} is not in the share of this worker")
        owned = self._log.owners[partition] = MemoryPartition(self._log, self, self._inputs, partition)
        self._log.moved.wake()
        await asyncio.sleep(0)
        return owned

    def end(self) -> None:
        """Leave the group; what was taken belongs to nobody."""
        self._ended = True
        for owner in tuple(self._log.owners.values()):
            if owner.lease is self:
                self._log.disown(owner)
        self._log.group.leave(self)


class MemoryPartition:
    """`ports.Partition` of one worker."""

    def __init__(self, log: MemoryLog, lease: MemoryLease, inputs: Sequence[str], number: int) -> None:
        self.lease = lease
        self._log = log
        self._inputs = inputs
        self._number = number

    @property
    def number(self) -> int:
        """The number of the partition."""
        return self._number

    async def restore(self) -> Mapping[str, bytes]:
        """As `ports.Partition.restore`."""
        self._log.check_open()
        self._log.check_owner(self)
        await asyncio.sleep(0)
        return self._log.state(self._number)

    async def poll(self, limit: int, wait: timedelta) -> Sequence[Stored]:
        """As `ports.Partition.poll`."""
        return await self._log.first(lambda: self._waiting(limit), wait)

    async def lag(self) -> int:
        """As `ports.Partition.lag`."""
        await asyncio.sleep(0)
        return len(self._waiting(sys.maxsize))

    async def commit(self, commit: Commit) -> None:
        """As `ports.Partition.commit`."""
        self._log.check_owner(self)
        await self._log.store(commit.records, self, commit)

    async def close(self) -> None:
        """As `ports.Partition.close`."""
        self._log.disown(self)
        await asyncio.sleep(0)

    def _waiting(self, limit: int) -> list[Stored]:
        self._log.check_owner(self)
        return self._log.inputs(self._inputs, self._number, limit)
