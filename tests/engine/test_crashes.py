"""A crash at every await of the engine, compared with the run that did not crash."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from processors.core.policy import Policy
from processors.ports import Commit, Partition
from schemas.errors import Unavailable
from schemas.record import Record, Stored
from schemas.topics import DEAD_LETTERS, SESSIONS, TASKS, TRANSITIONS, VIEWS
from tests.engine.world import World
from tests.vendor import life, record, transcoder


class Crash(BaseException):
    """The process dies here: nothing catches this, nothing runs after it."""


class Countdown:
    """Dies at the n-th await it is asked about, counted over the whole run."""

    def __init__(self, at: int, fault: type[BaseException] = Crash) -> None:
        self.left = at
        self.fault = fault
        self.points: list[str] = []

    def passing(self, point: str) -> None:
        self.points.append(point)
        self.left -= 1
        if self.left == 0:
            raise self.fault(point)


class Mortal:
    """A partition during whose awaits the process may die: before anything happened, or after all of it."""

    def __init__(self, partition: Partition, countdown: Countdown) -> None:
        self._partition = partition
        self._countdown = countdown

    @property
    def number(self) -> int:
        return self._partition.number

    async def restore(self) -> Mapping[str, bytes]:
        self._countdown.passing("before restore")
        restored = await self._partition.restore()
        self._countdown.passing("after restore")
        return restored

    async def poll(self, limit: int, wait: timedelta) -> Sequence[Stored]:
        self._countdown.passing("before poll")
        batch = await self._partition.poll(limit, wait)
        self._countdown.passing("after poll")
        return batch

    async def lag(self) -> int:
        self._countdown.passing("before lag")
        return await self._partition.lag()

    async def commit(self, commit: Commit) -> None:
        self._countdown.passing("before commit")
        await self._partition.commit(commit)
        self._countdown.passing("after commit")

    async def close(self) -> None:
        self._countdown.passing("before close")
        await self._partition.close()


class Torn(Mortal):
    """A flawed partition: records first, positions after, as at-least-once engines do."""

    async def commit(self, commit: Commit) -> None:
        await self._partition.commit(Commit({}, commit.records))
        self._countdown.passing("between records and positions")
        await self._partition.commit(Commit(commit.positions))


class Hasty(Mortal):
    """A flawed partition: positions first, records after, as at-most-once engines do."""

    async def commit(self, commit: Commit) -> None:
        await self._partition.commit(Commit(commit.positions))
        self._countdown.passing("between positions and records")
        await self._partition.commit(Commit({}, commit.records))


def input_records() -> list[Record]:
    """Lives with repeats and a resend, and one record that no machine understands."""
    pieces = [record(raw) for task in ("a", "b", "c") for raw in life(task, runs=2)]
    poison = record(transcoder("d", 110, 0))._replace(value=b'{"taskId":"d"}')
    return [*pieces, *pieces[3:6], poison, *(record(raw) for raw in life("e"))]


async def outcome(world: World) -> dict[str, Any]:
    """Everything the world can see, times of our own clock left out."""
    seen: dict[str, Any] = {}
    for topic in (TRANSITIONS, SESSIONS, DEAD_LETTERS):
        seen[topic] = [(item.id, item.key, item.value) for item in await world.records(topic)]
    for topic in (TASKS, VIEWS):
        seen[topic] = {item.key: item.value for item in await world.records(topic)}
    return seen


async def run(kind: type[Mortal], countdown: Countdown) -> dict[str, Any]:
    """Work the same input to the end, taking over as often as the process dies."""
    world = World(policy=Policy())
    await world.append(input_records())
    for _ in range(100):
        try:
            await world.settle(lambda partition: kind(partition, countdown))
        except (Crash, Unavailable):
            continue
        return await outcome(world)
    raise AssertionError("never came to an end")


async def points() -> list[str]:
    """Every await the engine passes on this input."""
    countdown = Countdown(at=-1)
    await run(Mortal, countdown)
    return countdown.points


@pytest.mark.parametrize("fault", [Crash, Unavailable])
async def test_a_crash_at_any_await_looks_like_no_crash(fault: type[BaseException]) -> None:
    undisturbed = await run(Mortal, Countdown(at=-1))
    passed = await points()
    assert len(passed) >= 25
    for at in range(1, len(passed) + 1):
        assert await run(Mortal, Countdown(at, fault)) == undisturbed, f"crash {passed[at - 1]} (await {at})"


@pytest.mark.parametrize("flawed", [Torn, Hasty])
async def test_a_torn_commit_would_be_caught(flawed: type[Mortal]) -> None:
    undisturbed = await run(Mortal, Countdown(at=-1))
    passed = await points()
    outcomes = [await run(flawed, Countdown(at)) for at in range(1, len(passed) + 1)]
    assert any(outcome != undisturbed for outcome in outcomes)
