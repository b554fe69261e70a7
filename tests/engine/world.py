"""A whole engine in one process: memory log, manual clock, real workers, and what the world can see of it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from processors.adapters.memory import MemoryLog
from processors.core.machines import Machines
from processors.core.policy import Policy
from processors.engine.poison import SetAside
from processors.engine.worker import Limits, Worker
from processors.ports import Lease, Partition
from schemas.codec import decode
from schemas.metrics import Metric
from schemas.record import Record
from schemas.topics import NOTIFICATIONS, STATE
from tests.doubles.clock import ManualClock

INPUTS: Final = (NOTIFICATIONS,)
EAGER: Final = Limits(batch=7, idle=timedelta(0), backoff=timedelta(0))


class Tally:
    """Metrics as a dictionary."""

    def __init__(self) -> None:
        self.counted: dict[tuple[Metric, tuple[tuple[str, str], ...]], int] = {}

    def count(self, metric: Metric, amount: int = 1, **labels: str) -> None:
        key = (metric, tuple(sorted(labels.items())))
        self.counted[key] = self.counted.get(key, 0) + amount

    def observe(self, metric: Metric, *values: float, **labels: str) -> None: ...

    def set(self, metric: Metric, value: float, **labels: str) -> None: ...

    def total(self, metric: Metric) -> int:
        return sum(amount for (name, _), amount in self.counted.items() if name is metric)


class World:
    """Feeds a log, turns its workers, reads what became visible."""

    def __init__(self, partitions: int = 1, policy: Policy | None = None) -> None:
        self.clock = ManualClock()
        self.log = MemoryLog(partitions=partitions, clock=self.clock)
        self.metrics = Tally()
        self.machines = Machines(policy or Policy())

    def hire(self, partition: Partition, limits: Limits = EAGER) -> Worker:
        return Worker(
            partition,
            machines=self.machines,
            clock=self.clock,
            metrics=self.metrics,
            set_aside=SetAside(lambda clear: f"sealed {len(clear)} bytes"),
            limits=limits,
        )

    async def append(self, records: Sequence[Record]) -> None:
        await self.log.append(records)

    async def settle(self, owned: Callable[[Partition], Partition] = lambda partition: partition) -> None:
        """Take every partition, restore it and work it until nothing is left to do."""
        async with self.log.lease(INPUTS) as lease:
            for number in await lease.assigned():
                await self.settle_partition(lease, number, owned)

    async def settle_partition(
        self, lease: Lease, number: int, owned: Callable[[Partition], Partition] = lambda partition: partition
    ) -> None:
        partition = owned(await lease.take(number))
        worker = self.hire(partition)
        await worker.restore()
        written = -1
        while written != (written := await self._written()) or await partition.poll(1, timedelta(0)):
            await worker.turn()
        await partition.close()

    async def _written(self) -> int:
        partitions = range(self.log.partitions)
        return sum([(await self.log.extent(STATE, partition)).end for partition in partitions])

    async def records(self, topic: str) -> list[Record]:
        found: list[Record] = []
        for partition in range(self.log.partitions):
            found.extend(stored.record for stored in await self.log.read(topic, partition, 0, limit=100_000))
        return found

    async def values(self, topic: str) -> list[dict[str, Any]]:
        return [decode(record.value) for record in await self.records(topic) if record.value is not None]
