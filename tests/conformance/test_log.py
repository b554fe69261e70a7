"""The sentences of `ports.Log`, over every adapter."""

import asyncio
import time
from datetime import timedelta
from functools import partial

import pytest

from processors.ports import Extent, Log
from schemas.errors import Rejected, Unavailable
from schemas.partitioning import partition_of
from schemas.record import Record, Stored
from schemas.topics import NOTIFICATIONS, STATE, TASKS
from tests.conformance.worlds import MAX_RECORD_BYTES, World

SOON = timedelta(seconds=2)


def note(key: str = "cdn/1", value: bytes = b'{"n":1}', topic: str = NOTIFICATIONS) -> Record:
    return Record(topic, key, value, f"id of {key}", "cdn", 1_700_000_000_000)


def notes(count: int, key: str = "cdn/1") -> list[Record]:
    return [note(key, b'{"n":%d}' % n) for n in range(count)]


def huge() -> Record:
    return note("cdn/huge", b'"' + b"x" * MAX_RECORD_BYTES + b'"')


async def everything(log: Log, topic: str = NOTIFICATIONS) -> list[Stored]:
    return [
        stored for partition in range(log.partitions) for stored in await log.read(topic, partition, 0, limit=100_000)
    ]


async def values(log: Log, topic: str = NOTIFICATIONS) -> list[bytes | None]:
    return [stored.record.value for stored in await everything(log, topic)]


async def test_append_returns_positions_in_the_order_given(world: World) -> None:
    records = [note(f"cdn/{n}", topic=topic) for n in range(20) for topic in (NOTIFICATIONS, TASKS)]
    positions = await world.log.append(records)
    for record, position in zip(records, positions, strict=True):
        (stored, *_) = await world.log.read(position.topic, position.partition, position.offset)
        assert (stored.record, stored.position) == (record, position)


async def test_offsets_rise_within_a_partition(world: World) -> None:
    answers = await asyncio.gather(*(world.log.append(notes(3)) for _ in range(20)))
    assert [[position.offset for position in positions] for positions in answers] == [
        [n, n + 1, n + 2] for n in range(0, 60, 3)
    ]


async def test_records_of_one_key_stand_in_one_partition_in_order(world: World) -> None:
    keys = [f"cdn/{n}" for n in range(9)]
    for n in range(5):
        await asyncio.gather(*(world.log.append([note(key, b"%d" % n)]) for key in keys))
    for key in keys:
        kept = [stored for stored in await everything(world.log) if stored.record.key == key]
        assert {stored.position.partition for stored in kept} == {partition_of(key, world.log.partitions)}
        assert [stored.record.value for stored in kept] == [b"%d" % n for n in range(5)]


async def test_append_stores_all_or_none(world: World) -> None:
    with pytest.raises(Rejected):
        await world.log.append([note(), huge()])
    assert await everything(world.log) == []


@pytest.mark.parametrize(
    "never",
    [
        huge(),
        huge()._replace(topic=TASKS),
        note(value=b"\xff"),
        note(key="\ud800"),
        note(topic="agora.no-such-topic"),
    ],
    ids=["too large", "too large and compacted", "value is no UTF-8", "key is no UTF-8", "no such topic"],
)
async def test_append_raises_rejected_when_a_record_can_never_be_stored(world: World, never: Record) -> None:
    with pytest.raises(Rejected):
        await world.log.append([never])


async def test_a_rejected_append_does_not_harm_those_beside_it(world: World) -> None:
    answers = await asyncio.gather(
        *(world.log.append([huge() if n % 3 == 0 else note(value=b"%d" % n)]) for n in range(30)),
        return_exceptions=True,
    )
    assert [isinstance(answer, Rejected) for answer in answers] == [n % 3 == 0 for n in range(30)]
    assert await values(world.log) == [b"%d" % n for n in range(30) if n % 3]


async def test_an_answered_append_survives_the_loss_of_this_process(world: World) -> None:
    await asyncio.gather(*(world.log.append([note(f"cdn/{n}")]) for n in range(30)))
    assert {stored.record.key for stored in await everything(await world.remains())} == {f"cdn/{n}" for n in range(30)}


async def test_a_cancelled_append_stored_all_or_nothing_and_harms_nobody(world: World) -> None:
    appends = [asyncio.create_task(world.log.append(notes(4, f"cdn/{n}"))) for n in range(40)]
    await asyncio.sleep(0)
    for append in appends[::2]:
        append.cancel()
    answers = await asyncio.gather(*appends, return_exceptions=True)
    assert not any(isinstance(answer, BaseException) for answer in answers[1::2])
    keys = [stored.record.key for stored in await everything(world.log)]
    assert {keys.count(f"cdn/{n}") for n in range(1, 40, 2)} == {4}
    assert {keys.count(f"cdn/{n}") for n in range(0, 40, 2)} <= {0, 4}


async def test_appending_nothing_is_allowed(world: World) -> None:
    assert list(await world.log.append([])) == []


@pytest.mark.parametrize("topic", [NOTIFICATIONS, TASKS])
@pytest.mark.parametrize("value", [b'{"a": "\xc3\xa4 \\u0000 \\" \xf0\x9f\x8e\xa5"}', b"", b"[\n]", None])
async def test_a_record_comes_back_as_it_was_given(world: World, topic: str, value: bytes | None) -> None:
    record = Record(topic, 'cdn/"ä\n\x00"', value, "an id", "ct", -1)
    before_ms = time.time_ns() // 1_000_000
    (position,) = await world.log.append([record])
    (stored,) = await world.log.read(topic, position.partition, 0)
    assert stored.record == record
    assert stored.position == position
    assert before_ms <= stored.appended_ms <= time.time_ns() // 1_000_000


async def test_read_gives_records_at_or_after_an_offset_oldest_first(world: World) -> None:
    partition = (await world.log.append(notes(10)))[0].partition
    await world.log.append(notes(10))
    for offset in range(22):
        kept = await world.log.read(NOTIFICATIONS, partition, offset)
        assert [stored.position.offset for stored in kept] == list(range(offset, 20))


async def test_read_gives_at_most_limit(world: World) -> None:
    partition = (await world.log.append(notes(10)))[0].partition
    for limit in (1, 3, 10):
        kept = await world.log.read(NOTIFICATIONS, partition, 4, limit=limit)
        assert [stored.position.offset for stored in kept] == list(range(4, min(10, 4 + limit)))


async def test_reading_on_in_steps_reads_everything_once(world: World) -> None:
    for count in (700, 1, 1_300, 30):
        await world.log.append(notes(count))
    partition, offset, seen = partition_of("cdn/1", world.log.partitions), 0, list[int]()
    while kept := await world.log.read(NOTIFICATIONS, partition, offset, limit=333):
        seen += [stored.position.offset for stored in kept]
        offset = seen[-1] + 1
    assert seen == list(range(2_031))


async def test_read_returns_as_soon_as_there_is_one(world: World) -> None:
    reading = asyncio.create_task(
        world.log.read(NOTIFICATIONS, partition_of("cdn/1", world.log.partitions), 0, wait=SOON)
    )
    done, _ = await asyncio.wait({reading}, timeout=0.05)
    assert not done
    begun = time.monotonic()
    await world.log.append(notes(1))
    assert len(await reading) == 1
    assert time.monotonic() - begun < SOON.total_seconds() / 2


async def test_read_returns_nothing_after_wait(world: World) -> None:
    begun = time.monotonic()
    assert list(await world.log.read(NOTIFICATIONS, 0, 0, wait=timedelta(seconds=0.1))) == []
    assert 0.1 <= time.monotonic() - begun < SOON.total_seconds()


async def test_an_append_elsewhere_does_not_end_a_wait(world: World) -> None:
    reading = asyncio.create_task(world.log.read(NOTIFICATIONS, 0, 0, wait=timedelta(seconds=0.1)))
    await world.log.append([note(topic=TASKS)])
    assert list(await reading) == []


async def test_an_offset_that_retention_has_passed_continues_with_the_oldest_record_kept(world: World) -> None:
    partition = (await world.log.append(notes(10)))[0].partition
    await world.let_retention_pass(NOTIFICATIONS)
    await world.log.append(notes(3))
    kept = await world.log.read(NOTIFICATIONS, partition, 4, limit=2)
    assert [stored.position.offset for stored in kept] == [10, 11]


async def test_offsets_are_never_reused(world: World) -> None:
    await world.log.append(notes(10))
    await world.let_retention_pass(NOTIFICATIONS)
    (position,) = await world.log.append(notes(1))
    assert position.offset == 10


async def test_compacted_topics_hold_the_newest_record_of_each_key(world: World) -> None:
    await world.log.append([note("cdn/1", b"1", TASKS), note("cdn/2", b"2", TASKS), note("cdn/1", b"3", TASKS)])
    positions = await world.log.append([note("cdn/2", b"4", TASKS)])
    newest = {stored.record.key: stored.record.value for stored in await everything(world.log, TASKS)}
    assert newest == {"cdn/1": b"3", "cdn/2": b"4"}
    (last,) = await world.log.read(TASKS, positions[0].partition, positions[0].offset)
    assert last.record.value == b"4"


async def test_a_reader_of_a_compacted_topic_sees_every_key_that_changed(world: World) -> None:
    await world.log.append([note(f"cdn/{n}", b"1", TASKS) for n in range(20)])
    ends = [(await world.log.extent(TASKS, partition)).end for partition in range(world.log.partitions)]
    changed = {f"cdn/{n}" for n in range(0, 20, 3)}
    for value in (b"2", None):
        await world.log.append([Record(TASKS, key, value) for key in sorted(changed)])
    seen = [
        stored.record for partition, end in enumerate(ends) for stored in await world.log.read(TASKS, partition, end)
    ]
    assert {record.key for record in seen} == changed
    assert {record.value for record in seen} == {None}


async def test_an_append_by_another_process_is_seen_within_50_ms(world: World) -> None:
    other = await world.another()
    partition = partition_of("cdn/1", world.log.partitions)
    delays: list[float] = []
    for offset in range(9):
        reading = asyncio.create_task(world.log.read(NOTIFICATIONS, partition, offset, wait=SOON))
        await asyncio.wait({reading}, timeout=0.02)
        await other.append(notes(1))
        answered = time.monotonic()
        assert len(await reading) == 1
        delays.append(time.monotonic() - answered)
    assert sorted(delays)[4] < 0.05  # the median: a busy test machine may hold up single ones


async def test_extent_gives_the_first_kept_offset_and_the_next_one(world: World) -> None:
    partition = partition_of("cdn/1", world.log.partitions)
    assert await world.log.extent(NOTIFICATIONS, partition) == Extent(0, 0)
    await world.log.append(notes(3))
    assert await world.log.extent(NOTIFICATIONS, partition) == Extent(0, 3)
    await world.let_retention_pass(NOTIFICATIONS)
    assert await world.log.extent(NOTIFICATIONS, partition) == Extent(3, 3)
    await world.log.append(notes(2))
    assert await world.log.extent(NOTIFICATIONS, partition) == Extent(3, 5)


async def test_reading_up_to_end_is_reading_everything_there_was(world: World) -> None:
    for topic in (NOTIFICATIONS, STATE):
        await world.log.append([note(f"cdn/{n % 7}", topic=topic) for n in range(40)])
        for partition in range(world.log.partitions):
            extent = await world.log.extent(topic, partition)
            kept = await world.log.read(topic, partition, 0)
            assert [stored.position.offset + 1 for stored in kept][-1:] == [extent.end][: len(kept)]
            assert [stored.position.offset for stored in kept][:1] == [extent.first][: len(kept)]


async def test_close_finishes_appends_that_were_accepted(world: World) -> None:
    appends = [asyncio.create_task(world.log.append([note(f"cdn/{n}")])) for n in range(30)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(world.log.close())
    stored = [append for append in await asyncio.gather(*appends, return_exceptions=True) if isinstance(append, list)]
    await closing
    assert len(await everything(await world.remains())) == len(stored)


async def test_closing_twice_is_closing_once(world: World) -> None:
    await world.log.append(notes(1))
    await asyncio.gather(world.log.close(), world.log.close())
    await world.log.close()


async def test_a_closed_log_is_unavailable(world: World) -> None:
    waiting = asyncio.create_task(world.log.read(NOTIFICATIONS, 0, 0, wait=SOON))
    await asyncio.wait({waiting}, timeout=0.02)
    await world.log.close()
    with pytest.raises(Unavailable):
        await waiting
    for call in (
        partial(world.log.append, notes(1)),
        partial(world.log.read, TASKS, 0, 0),
        partial(world.log.extent, TASKS, 0),
    ):
        with pytest.raises(Unavailable):
            await call()
