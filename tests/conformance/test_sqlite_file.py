"""The SQLite log's file: groups, retention, versions, what it refuses, what an operator sees in it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from processors.adapters.clock import SystemClock
from processors.adapters.sqlite import Retention, SqliteLog
from processors.adapters.sqlite.schema import MIGRATIONS, migrate, open_to_write
from processors.ports import Commit, Extent
from schemas.errors import Incompatible, Unavailable
from schemas.record import Record
from schemas.topics import NOTIFICATIONS, SESSIONS, STATE, TASKS
from tests.doubles.clock import ManualClock
from tests.waiting import eventually

DAY_MS = 86_400_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def log(path: Path, clock: ManualClock) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(path, clock, retention=Retention(age=timedelta(days=7), size_bytes=2_000_000))
    await log.start()
    yield log
    await log.close()


def note(key: str = "cdn/1", size: int = 10, topic: str = NOTIFICATIONS) -> Record:
    return Record(topic, key, b'{"text":"' + b"x" * size + b'"}', "id", "cdn", 5)


def rows(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


async def test_appends_that_wait_are_committed_together(log: SqliteLog, path: Path) -> None:
    for _ in range(10):
        await asyncio.gather(*(log.append([note(f"cdn/{n}")]) for n in range(100)))
    ((commits, records),) = rows(path, "SELECT count(*), sum(count) FROM batches")
    assert records == 1_000
    assert isinstance(commits, int)
    assert commits <= 50


async def test_a_large_append_is_cut_into_rows_that_are_cheap_to_read(log: SqliteLog, path: Path) -> None:
    await log.append([note(size=700_000) for _ in range(7)] + [note() for _ in range(2_000)])
    cut = rows(path, "SELECT base, count FROM batches WHERE length(records) < 2200000 ORDER BY base")
    assert sum(int(str(count)) for _, count in cut) == 2_007
    assert [(await log.read(NOTIFICATIONS, 0, n, limit=1))[0].position.offset for n in (0, 5, 6, 7, 2_006)] == [
        0,
        5,
        6,
        7,
        2_006,
    ]


async def test_records_can_be_inspected_with_sql(log: SqliteLog, path: Path) -> None:
    await log.append([note("cdn/1"), note("cdn/2"), note("cdn/3", topic=TASKS)])
    plain = rows(
        path,
        """SELECT base + each.key, each.value ->> 0, json_extract(each.value ->> 1, '$.text'), each.value ->> 3
            FROM batches, json_each(records) AS each""",
    )
    assert plain == [(0, "cdn/1", "x" * 10, "cdn"), (1, "cdn/2", "x" * 10, "cdn")]
    assert rows(path, "SELECT topic, key, value ->> 'text' FROM latest") == [(TASKS, "cdn/3", "x" * 10)]


async def test_very_large_records_are_read_in_smaller_answers(path: Path, clock: ManualClock) -> None:
    log = SqliteLog(path, clock)
    await log.start()
    for topic in (NOTIFICATIONS, STATE):
        for n in range(10):
            await log.append([note(f"{n}", 7_900_000, topic)])
        kept = await log.read(topic, 0, 0)
        assert 0 < len(kept) < 10
        seen = 0
        while kept := await log.read(topic, 0, seen):
            seen = kept[-1].position.offset + 1
        assert seen == 10
    await log.close()


async def test_commits_are_synced_and_the_file_is_a_write_ahead_log(path: Path) -> None:
    with closing(open_to_write(path, 1)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_retention_deletes_what_is_too_old(log: SqliteLog, clock: ManualClock) -> None:
    await log.append([note()])
    await clock.advance(timedelta(days=4))
    await log.append([note(), note()])
    await log.sweep(clock.now_ms())
    assert await log.extent(NOTIFICATIONS, 0) == Extent(0, 3)
    await log.sweep(clock.now_ms() + 4 * DAY_MS)
    assert await log.extent(NOTIFICATIONS, 0) == Extent(1, 3)
    await log.sweep(clock.now_ms() + 8 * DAY_MS)
    assert await log.extent(NOTIFICATIONS, 0) == Extent(3, 3)


async def test_retention_deletes_the_oldest_when_the_file_is_too_large(log: SqliteLog, clock: ManualClock) -> None:
    for _ in range(300):
        await log.append([note(size=20_000)])
    await log.sweep(clock.now_ms())
    extent = await log.extent(NOTIFICATIONS, 0)
    assert extent.end == 300
    assert 200 <= extent.first < 300


async def test_retention_never_deletes_what_the_worker_has_not_read(log: SqliteLog, clock: ManualClock) -> None:
    for _ in range(4):
        await log.append([note(), note()])
        await log.append([note(topic=SESSIONS)])
    async with log.lease([NOTIFICATIONS]) as lease:
        partition = await lease.take(0)
        # Within the second append: its row holds an unread record, so it stays whole.
        await partition.commit(Commit({NOTIFICATIONS: 3}))
    await log.sweep(clock.now_ms() + 100 * DAY_MS)
    assert await log.extent(NOTIFICATIONS, 0) == Extent(2, 8)
    assert await log.extent(SESSIONS, 0) == Extent(4, 4)


async def test_retention_guards_every_partition_of_a_topic_that_is_worked(path: Path, clock: ManualClock) -> None:
    log = SqliteLog(path, clock, partitions=3)
    await log.start()
    await log.append([note(f"cdn/{n}") for n in range(50)])
    async with log.lease([NOTIFICATIONS]) as lease:
        partition = await lease.take(0)
        await partition.commit(Commit({NOTIFICATIONS: (await log.extent(NOTIFICATIONS, 0)).end}))
    await log.sweep(clock.now_ms() + 100 * DAY_MS)
    empty = [extent.first == extent.end for extent in [await log.extent(NOTIFICATIONS, n) for n in range(3)]]
    assert empty == [True, False, False]
    await log.close()


async def test_retention_goes_in_steps(log: SqliteLog, clock: ManualClock, path: Path) -> None:
    for _ in range(200):
        await log.append([note()])
    await log.append([Record(TASKS, f"cdn/{n}", None) for n in range(1_200)])
    await log.sweep(clock.now_ms() + 100 * DAY_MS)
    assert await log.extent(NOTIFICATIONS, 0) == Extent(200, 200)
    assert rows(path, "SELECT count(*) FROM latest") == [(0,)]


async def test_the_newest_records_of_compacted_topics_are_kept_for_ever(log: SqliteLog, clock: ManualClock) -> None:
    await log.append([note(topic=TASKS), note(topic=STATE)])
    await log.sweep(clock.now_ms() + 1_000 * DAY_MS)
    assert len(await log.read(TASKS, 0, 0)) == len(await log.read(STATE, 0, 0)) == 1


async def test_tombstones_stay_for_a_while(log: SqliteLog, clock: ManualClock) -> None:
    await log.append([note("cdn/1", topic=TASKS), note("cdn/2", topic=TASKS)])
    await log.append([Record(TASKS, "cdn/1", None)])
    await log.sweep(clock.now_ms() + 3_500_000)
    assert [stored.record.value for stored in await log.read(TASKS, 0, 2)] == [None]
    await log.sweep(clock.now_ms() + 3_700_000)
    assert [stored.record.key for stored in await log.read(TASKS, 0, 0)] == ["cdn/2"]
    assert await log.extent(TASKS, 0) == Extent(1, 3)


async def test_retention_passes_by_itself(log: SqliteLog, clock: ManualClock) -> None:
    await log.append([note()])
    await clock.advance(timedelta(days=8))

    async def gone() -> bool:
        return await log.extent(NOTIFICATIONS, 0) == Extent(1, 1)

    assert await eventually(gone)


async def test_an_empty_file_becomes_todays_version(path: Path) -> None:
    path.touch()
    with closing(open_to_write(path, 1)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


async def test_an_older_file_is_brought_to_todays_version_with_what_it_holds(log: SqliteLog, path: Path) -> None:
    await log.append([note()])
    await log.close()
    tomorrow = [*MIGRATIONS, ["ALTER TABLE meta ADD COLUMN one", "ALTER TABLE meta ADD COLUMN two"], ["SELECT 1"]]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, 1, tomorrow)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(tomorrow),)
        assert connection.execute("SELECT one, two FROM meta").fetchall() == [(None, None)]
        assert connection.execute("SELECT count FROM batches").fetchall() == [(1,)]


async def test_a_migration_that_fails_changes_nothing(log: SqliteLog, path: Path, clock: ManualClock) -> None:
    await log.close()
    broken = [*MIGRATIONS, ["ALTER TABLE meta ADD COLUMN one", "ALTER TABLE no_such_table ADD COLUMN two"]]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, 1, broken)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM meta").fetchall() == [("partitions", 1)]
    again = SqliteLog(path, clock)
    await again.start()
    await again.append([note()])
    await again.close()


async def refused(path: Path, partitions: int = 1) -> str:
    before = path.read_bytes()
    log = SqliteLog(path, SystemClock(), partitions=partitions)
    with pytest.raises(Incompatible) as caught:
        await log.start()
    with pytest.raises(Unavailable):
        await log.append([note()])
    assert path.read_bytes() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_newer_file_is_refused_and_both_versions_are_named(log: SqliteLog, path: Path) -> None:
    await log.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 41")
        connection.commit()
    assert f"has version 41, this program knows up to {len(MIGRATIONS)}" in await refused(path)


@pytest.mark.parametrize("content", [b"hello", b"no database at all\n" * 1_000])
async def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is no database" in await refused(path)


async def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    assert "another program" in await refused(path)


async def test_another_number_of_partitions_is_refused(log: SqliteLog, path: Path) -> None:
    await log.close()
    assert "was made with 1 partitions, not 3" in await refused(path, partitions=3)


async def test_a_busy_reader_does_not_hold_up_appends(log: SqliteLog, path: Path) -> None:
    await log.append([note()])
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM batches").fetchone()
        await asyncio.wait_for(asyncio.gather(*(log.append([note()]) for _ in range(50))), 2)
        assert reader.execute("SELECT count(*) FROM batches").fetchone() == (1,)


async def test_a_writer_elsewhere_makes_appends_wait_not_fail(log: SqliteLog, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        append = asyncio.create_task(log.append([note()]))
        done, _ = await asyncio.wait({append}, timeout=0.1)
        assert not done
        assert list(await log.read(NOTIFICATIONS, 0, 0)) == []
        writer.execute("ROLLBACK")
        assert [position.offset for position in await append] == [0]
