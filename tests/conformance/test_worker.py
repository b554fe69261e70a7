"""The sentences of `ports.Lease` and `ports.Partition`, over every adapter."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest

from processors.ports import Commit, Lease, Partition
from schemas.errors import Fenced, Rejected
from schemas.partitioning import partition_of
from schemas.record import Record, Stored
from schemas.topics import NOTIFICATIONS, PROBES, SESSIONS, STATE, TASKS, TRANSITIONS
from tests.conformance.worlds import MAX_RECORD_BYTES, World

NOW = timedelta(0)
SOON = timedelta(seconds=2)
INPUTS = (NOTIFICATIONS, SESSIONS)
HUGE = b'"' + b"x" * MAX_RECORD_BYTES + b'"'


def key_in(world: World, partition: int) -> str:
    """A key whose records stand in a partition."""
    return next(key for n in range(1_000) if partition_of(key := f"cdn/{n}", world.log.partitions) == partition)


def last(world: World) -> int:
    return world.log.partitions - 1


def notes(world: World, count: int, partition: int | None = None, topic: str = NOTIFICATIONS) -> list[Record]:
    key = key_in(world, last(world) if partition is None else partition)
    return [Record(topic, key, b"%d" % n, f"{n}") for n in range(count)]


def offsets(found: Sequence[Stored]) -> list[int]:
    return [stored.position.offset for stored in found]


async def taken(world: World, lease: Lease) -> Partition:
    await lease.assigned()
    return await lease.take(last(world))


async def test_assigned_gives_the_share_at_once_and_then_only_when_it_changes(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        assert await lease.assigned() == frozenset(range(world.log.partitions))
        again = asyncio.create_task(lease.assigned())
        done, _ = await asyncio.wait({again}, timeout=0.05)
        assert not done
        again.cancel()


async def test_a_partition_knows_its_number(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        assert [(await lease.take(number)).number for number in sorted(await lease.assigned())] == list(
            range(world.log.partitions)
        )


async def test_take_fences_whoever_worked_it_before(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        earlier = await taken(world, lease)
        await lease.take(last(world))
        for call in (earlier.restore, partial(earlier.poll, 1, NOW), partial(earlier.commit, Commit())):
            with pytest.raises(Fenced):
                await call()


async def test_a_fenced_commit_changes_nothing(world: World) -> None:
    await world.log.append(notes(world, 3))
    async with world.log.lease(INPUTS) as lease:
        earlier = await taken(world, lease)
        later = await lease.take(last(world))
        with pytest.raises(Fenced):
            await earlier.commit(Commit({NOTIFICATIONS: 3}, [Record(STATE, key_in(world, last(world)), b"1")]))
        assert await later.restore() == {}
        assert offsets(await later.poll(9, NOW)) == [0, 1, 2]


async def test_a_poll_that_waits_is_fenced_too(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        earlier = await taken(world, lease)
        waiting = asyncio.create_task(earlier.poll(1, SOON))
        await asyncio.wait({waiting}, timeout=0.02)
        await lease.take(last(world))
        with pytest.raises(Fenced):
            await asyncio.wait_for(waiting, 1)


async def test_the_last_commit_of_whoever_worked_it_before_is_visible(world: World) -> None:
    key = key_in(world, last(world))
    await world.log.append(notes(world, 50))
    async with world.log.lease(INPUTS) as lease:
        earlier = await taken(world, lease)
        for n in range(1, 20):
            committing = asyncio.create_task(
                earlier.commit(Commit({NOTIFICATIONS: n}, [Record(STATE, key, b"%d" % n)]))
            )
            await asyncio.sleep(0)
            later = await lease.take(last(world))
            state, found = await later.restore(), await later.poll(1, NOW)
            (answer,) = await asyncio.gather(committing, return_exceptions=True)
            if answer is None:
                assert (state, offsets(found)) == ({key: b"%d" % n}, [n])
            else:
                assert isinstance(answer, Fenced)
                assert offsets(found) == [int(state.get(key, b"0"))]
            earlier = later


async def test_an_ended_lease_fences_its_partitions(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
    for call in (partition.restore, partial(partition.poll, 1, NOW), partial(lease.take, 0)):
        with pytest.raises(Fenced):
            await call()
    async with world.log.lease(INPUTS) as lease:
        assert await lease.assigned() == frozenset(range(world.log.partitions))


async def test_only_partitions_that_exist_can_be_taken(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        with pytest.raises(Fenced):
            await lease.take(world.log.partitions)


async def test_restore_gives_the_committed_state_without_tombstones(world: World) -> None:
    keys = [key for n in range(50) if partition_of(key := f"cdn/{n}", world.log.partitions) == last(world)]
    elsewhere = [] if world.log.partitions == 1 else [Record(STATE, key_in(world, 0), b"0")]
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        await partition.commit(Commit({}, [*elsewhere, *(Record(STATE, key, b"1") for key in keys)]))
        await partition.commit(Commit({}, [Record(STATE, keys[0], b"2"), Record(STATE, keys[1], None)]))
        assert await partition.restore() == {keys[0]: b"2"} | dict.fromkeys(keys[2:], b"1")


async def test_restore_gives_a_large_state_whole(world: World) -> None:
    keys = [key for n in range(15_000) if partition_of(key := f"cdn/{n}", world.log.partitions) == last(world)]
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        await partition.commit(Commit({}, [Record(STATE, key, key.encode()) for key in keys]))
        assert await partition.restore() == {key: key.encode() for key in keys}


async def test_lag_is_how_many_input_records_stand_after_the_committed_positions(world: World) -> None:
    await world.log.append(notes(world, 5))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        assert await partition.lag() == 5
        await partition.commit(Commit({NOTIFICATIONS: 3}))
        assert await partition.lag() == 2


async def test_poll_gives_input_records_after_the_committed_positions(world: World) -> None:
    await world.log.append(notes(world, 10))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        assert offsets(await partition.poll(4, NOW)) == [0, 1, 2, 3]
        await partition.commit(Commit({NOTIFICATIONS: 3}))
        assert offsets(await partition.poll(4, NOW)) == [3, 4, 5, 6]
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        assert offsets(await partition.poll(4, NOW)) == [3, 4, 5, 6]


async def test_poll_gives_every_input_in_order_and_nothing_else(world: World) -> None:
    for _ in range(5):
        for topic in (NOTIFICATIONS, SESSIONS, TRANSITIONS):
            await world.log.append(notes(world, 2, topic=topic))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        found = await partition.poll(100, NOW)
        assert len(found) == 20
        for topic in INPUTS:
            assert offsets([stored for stored in found if stored.record.topic == topic]) == list(range(10))


async def test_an_input_with_a_long_queue_does_not_starve_another(world: World) -> None:
    await world.log.append(notes(world, 50))
    await world.log.append(notes(world, 1, topic=SESSIONS))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        seen: list[str] = []
        while SESSIONS not in seen:
            found = await partition.poll(10, NOW)
            seen += [stored.record.topic for stored in found]
            await partition.commit(Commit({stored.record.topic: stored.position.offset + 1 for stored in found}))
        await world.log.append(notes(world, 10))
        assert len(seen) <= 60


async def test_poll_leaves_other_partitions_alone(world: World) -> None:
    for number in range(world.log.partitions):
        await world.log.append(notes(world, number + 1, number))
    async with world.log.lease(INPUTS) as lease:
        for number in await lease.assigned():
            partition = await lease.take(number)
            assert len(await partition.poll(100, NOW)) == number + 1
            await partition.commit(Commit({NOTIFICATIONS: number + 1}))
            assert list(await partition.poll(100, NOW)) == []


async def test_poll_returns_as_soon_as_there_is_one(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        for topic in INPUTS:
            polling = asyncio.create_task(partition.poll(10, SOON))
            done, _ = await asyncio.wait({polling}, timeout=0.05)
            assert not done
            begun = time.monotonic()
            await world.log.append(notes(world, 1, topic=topic))
            assert len(await polling) == 1
            assert time.monotonic() - begun < SOON.total_seconds() / 2
            await partition.commit(Commit({topic: 1}))


async def test_poll_returns_nothing_after_wait(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        begun = time.monotonic()
        assert list(await partition.poll(10, timedelta(seconds=0.1))) == []
        assert 0.1 <= time.monotonic() - begun < SOON.total_seconds()


async def test_polling_again_without_a_commit_reads_the_same_again(world: World) -> None:
    await world.log.append(notes(world, 5))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        assert await partition.poll(3, NOW) == await partition.poll(3, NOW)


async def test_poll_continues_with_the_oldest_record_that_retention_kept(world: World) -> None:
    await world.log.append(notes(world, 5))
    await world.let_retention_pass(NOTIFICATIONS)
    await world.log.append(notes(world, 2))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        assert offsets(await partition.poll(3, NOW)) == [5, 6]


async def test_commit_makes_positions_and_records_visible_together(world: World) -> None:
    key = key_in(world, last(world))
    await world.log.append(notes(world, 4))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        records = [Record(STATE, key, b"1"), Record(TRANSITIONS, key, b"2"), Record(TASKS, key, b"3")]
        await partition.commit(Commit({NOTIFICATIONS: 2}, records))
        assert offsets(await partition.poll(9, NOW)) == [2, 3]
        assert await partition.restore() == {key: b"1"}
        for topic, value in ((TRANSITIONS, b"2"), (TASKS, b"3")):
            assert [kept.record.value for kept in await world.log.read(topic, last(world), 0)] == [value]


async def test_a_commit_survives_the_loss_of_this_process(world: World) -> None:
    key = key_in(world, last(world))
    await world.log.append(notes(world, 4))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        await partition.commit(Commit({NOTIFICATIONS: 2}, [Record(STATE, key, b"1")]))
    remains = await world.remains()
    async with remains.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        assert offsets(await partition.poll(9, NOW)) == [2, 3]
        assert await partition.restore() == {key: b"1"}


async def test_a_commit_happens_while_others_append(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        for n in range(20):
            await asyncio.gather(
                *(world.log.append(notes(world, 1)) for _ in range(5)),
                partition.commit(Commit({NOTIFICATIONS: 5 * n}, notes(world, 3, topic=TRANSITIONS))),
            )
        assert offsets(await partition.poll(100, NOW)) == [95, 96, 97, 98, 99]
        assert offsets(await world.log.read(TRANSITIONS, last(world), 0)) == list(range(60))


async def test_after_a_rejected_commit_nothing_happened(world: World) -> None:
    key = key_in(world, last(world))
    await world.log.append(notes(world, 3))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        with pytest.raises(Rejected):
            await partition.commit(Commit({NOTIFICATIONS: 2}, [Record(STATE, key, b"1"), Record(STATE, key, HUGE)]))
        assert offsets(await partition.poll(9, NOW)) == [0, 1, 2]
        assert await partition.restore() == {}
        await partition.commit(Commit({NOTIFICATIONS: 1}))
        assert offsets(await partition.poll(9, NOW)) == [1, 2]


async def test_a_commit_may_be_empty(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        await partition.commit(Commit())
        assert await partition.restore() == {}


async def test_a_commit_may_reach_other_partitions(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        await partition.commit(
            Commit({}, [notes(world, 1, number, PROBES)[0] for number in range(world.log.partitions)])
        )
    for number in range(world.log.partitions):
        assert len(await world.log.read(PROBES, number, 0)) == 1


async def test_closing_gives_the_partition_up(world: World) -> None:
    await world.log.append(notes(world, 3))
    async with world.log.lease(INPUTS) as lease:
        partition = await taken(world, lease)
        await partition.commit(Commit({NOTIFICATIONS: 1}))
        await partition.close()
        await partition.close()
        with pytest.raises(Fenced):
            await partition.commit(Commit({NOTIFICATIONS: 2}))
        partition = await lease.take(last(world))
        assert offsets(await partition.poll(9, NOW)) == [1, 2]
        await partition.commit(Commit({NOTIFICATIONS: 3}))


async def test_closing_an_earlier_partition_leaves_the_later_one_alone(world: World) -> None:
    async with world.log.lease(INPUTS) as lease:
        earlier = await taken(world, lease)
        later = await lease.take(last(world))
        await earlier.close()
        await later.commit(Commit({NOTIFICATIONS: 0}))
