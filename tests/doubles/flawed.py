"""Logs that break one promise each, to show that the suite would notice."""

from collections.abc import Sequence
from datetime import timedelta

from processors.adapters.memory import MemoryLog, MemoryPartition
from processors.ports import Commit
from schemas.errors import Rejected
from schemas.record import Position, Record, Stored
from schemas.topics import STATE


class AcknowledgesEarly(MemoryLog):
    """Answers before the records are safe; here they never will be."""

    async def append(self, records: Sequence[Record]) -> Sequence[Position]:
        return [Position(record.topic, 0, offset) for offset, record in enumerate(records)]


class StoresHalf(MemoryLog):
    """Stores what stands before a record that cannot be stored."""

    async def append(self, records: Sequence[Record]) -> Sequence[Position]:
        return [(await self.store([record]))[0] for record in records]


class ReusesOffsets(MemoryLog):
    """Counts from the beginning once retention has passed."""

    def forget(self, topic: str, partition: int, before: int) -> None:
        super().forget(topic, partition, before)
        self._ends.pop((topic, partition))


class KeepsTombstones(MemoryLog):
    """Restores removed keys, as empty."""

    def state(self, partition: int) -> dict[str, bytes]:
        newest = self._latest.get((STATE, partition), {})
        return {key: stored.record.value or b"" for key, stored in newest.items()}


class MovesPositionsAlone(MemoryLog):
    """Makes the positions of a commit visible without its records."""

    async def store(
        self, records: Sequence[Record], owner: MemoryPartition | None = None, commit: Commit | None = None
    ) -> Sequence[Position]:
        return await super().store(() if commit else records, owner, commit)


class MovesPositionsFirst(MemoryLog):
    """Moves on before it knows whether the records can be stored."""

    async def store(
        self, records: Sequence[Record], owner: MemoryPartition | None = None, commit: Commit | None = None
    ) -> Sequence[Position]:
        try:
            return await super().store(records, owner, commit)
        except Rejected:
            await super().store((), owner, commit)
            raise


class SleepsThrough(MemoryLog):
    """Looks for records only when the wait is over."""

    async def read(
        self, topic: str, partition: int, offset: int, *, limit: int = 500, wait: timedelta = timedelta(0)
    ) -> Sequence[Stored]:
        await self._clock.sleep(wait)
        return await super().read(topic, partition, offset, limit=limit)


class Trusting(MemoryLog):
    """Lets a worker go on after another took its partition."""

    def check_owner(self, partition: MemoryPartition) -> None: ...


class ConsumesByPolling(MemoryLog):
    """Takes a poll for a commit."""

    def inputs(self, topics: Sequence[str], partition: int, limit: int) -> list[Stored]:
        found = super().inputs(topics, partition, limit)
        self._positions.update({(stored.record.topic, partition): stored.position.offset + 1 for stored in found})
        return found


class Expands(MemoryLog):
    """Gives more records than asked for."""

    def after(self, place: tuple[str, int], offset: int, limit: int) -> list[Stored]:
        return super().after(place, offset, limit * 2)
