"""One partition, one worker, one transaction at a time.

A turn takes due timers, or else what the partition offers, folds it over the committed state, and commits read
positions, changed states and outgoing records together. Only then does the overlay become the state. A failed commit
drops the overlay and reads again: the step functions are pure, so nothing else has to be undone. An input that breaks
a turn is isolated by halving, tried again, and set aside in the same transaction that moves past it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import structlog

from processors.core.effects import Doubted, Effect, LostSight, Transitioned
from processors.core.effects import Folded as Weighed
from processors.core.inputs import Input, TimeCame
from processors.core.machines import Machines
from processors.engine.fold import Folded, fold, kept
from processors.engine.poison import REASON, Poison, SetAside
from processors.engine.timers import Timers
from processors.ports import Clock, Commit, Partition
from schemas.errors import Fenced, Unavailable
from schemas.metrics import Metric, Metrics
from schemas.record import Record, Stored
from schemas.state import Task, task_key

log = structlog.get_logger(__name__)

T = TypeVar("T")

MS_PER_SECOND: Final = 1000
SLICE: Final = 50
NO_TIME: Final = timedelta(0)
MEASURE_EVERY_MS: Final = 5_000
# After these the worker itself is lost: the partition is not ours any more, or what is committed is not known.
LOST: Final = (Unavailable, Fenced)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one turn takes and how patient it is.

    `batch`: inputs a transaction; on SQLite more gain nothing and keep requests waiting for the interpreter lock.
    `idle`: the longest a turn waits for input, so the longest a stop waits for an idle worker. `backoff`: the pause
    before a lone input is tried again, `attempts` times in all.
    """

    batch: int = 500
    idle: timedelta = timedelta(milliseconds=500)
    backoff: timedelta = timedelta(milliseconds=200)
    attempts: int = 3


class Worker:
    """Works one owned partition until told to stop or fenced."""

    def __init__(
        self,
        partition: Partition,
        *,
        machines: Machines,
        clock: Clock,
        metrics: Metrics,
        set_aside: SetAside,
        limits: Limits | None = None,
    ) -> None:
        self._partition = partition
        self._machines = machines
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or Limits()
        self._poison = Poison(self._limits.batch, self._limits.attempts)
        self._set_aside = set_aside
        self._states: dict[str, Task] = {}
        self._timers = Timers(machines)
        self._measured_ms = 0

    async def restore(self) -> None:
        """Load the committed state and arm its timers; raises NewerStateError, Unavailable, Fenced."""
        for part in _slices([*(await self._partition.restore()).items()]):
            for key, value in part:
                self._adopt(key, self._machines.load(value))
            await self._breathe()

    async def turn(self) -> None:
        """Take one batch of timers or records to its commit; a fault makes the next turn smaller.

        Raises Fenced, and Unavailable when it cannot be told what was committed: the partition must then be taken and
        restored again, because memory may be older than the log.
        """
        await self._measure()
        due = self._timers.due(self._clock.now_ms(), self._poison.batch)
        if due:
            await self._fire(due)
        else:
            await self._advance(await self._partition.poll(self._poison.batch, self._patience()))

    async def _measure(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._measured_ms < MEASURE_EVERY_MS:
            return
        self._measured_ms = now_ms
        partition = str(self._partition.number)
        self._metrics.set(Metric.LAG_RECORDS, await self._partition.lag(), partition=partition)
        self._metrics.set(Metric.MACHINES, len(self._states), partition=partition)

    async def _fire(self, due: Sequence[str]) -> None:
        inputs = ([(key, TimeCame()) for key in part] for part in _slices(due))
        fault = await self._attempt(inputs, {}, f"timer of {due[0]}", len(due))
        if fault is not None:
            self._timers.disarm(due[0])
            await self._bury(self._set_aside.timer(due[0], fault, self._clock.now_ms()), {})

    async def _advance(self, batch: Sequence[Stored]) -> None:
        if not batch:
            return
        positions = {stored.position.topic: stored.position.offset + 1 for stored in batch}
        inputs = (self._given(part) for part in _slices(batch))
        fault = await self._attempt(inputs, positions, str(batch[0].position), len(batch))
        if fault is not None:
            await self._bury(self._set_aside.record(batch[0], fault, self._clock.now_ms()), positions)

    async def _attempt(
        self, inputs: Iterable[Sequence[tuple[str, Input]]], positions: Mapping[str, int], first: str, size: int
    ) -> Exception | None:
        """Commit a batch; the fault when it is one lone input that has broken its turn often enough to be set aside."""
        try:
            await self._commit(inputs, positions)
        except LOST:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever breaks the core must not stop the partition
            if self._poison.isolate(first, size):
                return fault
            if size == 1:
                await self._clock.sleep(self._limits.backoff)
        return None

    async def _bury(self, letter: Record, positions: Mapping[str, int]) -> None:
        await self._partition.commit(Commit(positions, [letter]))
        self._metrics.count(Metric.DEAD_LETTERS, where="processor", reason=REASON)
        log.error("set_aside", key=letter.key, dead_letter=letter.id)

    def _given(self, batch: Sequence[Stored]) -> list[tuple[str, Input]]:
        return [given for stored in batch if (given := self._machines.given(stored.record))]

    async def _commit(self, inputs: Iterable[Sequence[tuple[str, Input]]], positions: Mapping[str, int]) -> None:
        folded = Folded()
        now_ms = self._clock.now_ms()
        for part in inputs:
            fold(folded, self._machines, self._states, part, now_ms)
            await self._breathe()
        for changed in _slices([*folded.overlay.items()]):
            folded.records.extend(kept(changed, self._machines, self._states, now_ms))
            await self._breathe()
        began_ms = self._clock.now_ms()
        await self._partition.commit(Commit(positions, folded.records))
        self._metrics.observe(Metric.COMMIT_SECONDS, (self._clock.now_ms() - began_ms) / MS_PER_SECOND)
        self._poison.clear()
        for key, state in folded.overlay.items():
            self._adopt(key, state)
        for effect in folded.effects:
            self._count(effect)

    async def _breathe(self) -> None:
        """Let others have the loop: in one process requests share it, and a whole batch would keep them waiting."""
        await self._clock.sleep(NO_TIME)

    def _adopt(self, key: str, state: Task | None) -> None:
        if state is None:
            self._states.pop(key, None)
        else:
            self._states[key] = state
        self._timers.arm(key, state)

    def _patience(self) -> timedelta:
        next_ms = self._timers.next_ms()
        if next_ms is None:
            return self._limits.idle
        return min(self._limits.idle, timedelta(milliseconds=max(0, next_ms - self._clock.now_ms())))

    def _count(self, effect: Effect) -> None:
        match effect:
            case Weighed(product, verdict):
                self._metrics.count(Metric.FOLDED, product=product.value, verdict=verdict.value)
            case Transitioned(product=product, after=after):
                self._metrics.count(Metric.TRANSITIONS, product=product.value, to=after.value)
                # Debug, because a busy log would write more lines than records; the timeline tells it anyway.
                log.debug("transition", key=task_key(product, effect.task_id), to=after.value, notice=effect.evidence)
            case Doubted(product, doubt):
                self._metrics.count(Metric.DOUBTS, product=product.value, doubt=doubt.value)
            case LostSight(product):
                self._metrics.count(Metric.LOST_SIGHT, product=product.value)
            case _:
                pass


def _slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]
