"""The SQLite log among processes: kills, several writers, full and read-only disks, the worker lease."""

import asyncio
import os
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from processors.adapters.clock import SystemClock
from processors.adapters.sqlite import SqliteLog
from schemas.errors import LeaseTaken
from schemas.record import Stored
from schemas.topics import NOTIFICATIONS
from tests.waiting import eventually


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[SqliteLog, None]:
    log = SqliteLog(path, SystemClock())
    await log.start()
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def child(*arguments: object, by: tuple[str, ...] = ()) -> AsyncGenerator[Process, None]:
    command = [*by, "tests.doubles.log_child", *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *command, stdin=PIPE, stdout=PIPE)
    try:
        assert await line(process) == "started"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()


async def told(process: Process, order: str) -> str:
    assert process.stdin
    process.stdin.write(f"{order}\n".encode())
    return await line(process)


async def answered(process: Process, count: int) -> list[str]:
    return [await line(process) for _ in range(count)]


async def buried(process: Process) -> list[str]:
    """Kill a process; what it had still said."""
    process.kill()
    rest, _ = await process.communicate()
    return rest.decode().split("\n")[:-1]  # the last line may have been cut


async def everything(log: SqliteLog) -> list[Stored]:
    found: list[Stored] = []
    while more := await log.read(NOTIFICATIONS, 0, found[-1].position.offset + 1 if found else 0, limit=10_000):
        found += more
    return found


async def test_what_was_answered_survives_sigkill(tmp_path: Path) -> None:
    path, said = tmp_path / "log.db", set[str]()
    for life in range(5):
        async with child(path, "flood", f"life{life}") as process:
            said |= set(await answered(process, 100 + 97 * life))
            said |= set(await buried(process))
    async with opened(path) as log:
        kept = await everything(log)
    assert said <= {stored.record.key for stored in kept}
    assert [stored.position.offset for stored in kept] == list(range(len(kept)))


async def test_processes_that_append_at_once_share_the_offsets(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with child(path, "flood", "one") as one, child(path, "flood", "two") as two, opened(path) as log:
        said = [*await answered(one, 300), *await answered(two, 300), *await answered(one, 300)]
        said += [*await buried(one), *await buried(two)]
        kept = await everything(log)
    assert [stored.position.offset for stored in kept] == list(range(len(kept)))
    keys = [stored.record.key for stored in kept]
    assert set(said) <= set(keys)
    for name in ("one", "two"):
        for appender in range(8):
            mine = [int(key.rsplit("-")[-1]) for key in keys if key.startswith(f"{name}-{appender}-")]
            assert mine == list(range(len(mine)))


async def test_processes_that_start_at_once_make_one_file(tmp_path: Path) -> None:
    for attempt in range(5):
        logs = [SqliteLog(tmp_path / f"{attempt}.db", SystemClock()) for _ in range(4)]
        await asyncio.gather(*(log.start() for log in logs))
        assert [(await log.extent(NOTIFICATIONS, 0)).end for log in logs] == [0] * 4
        await asyncio.gather(*(log.close() for log in logs))


async def test_a_full_disk_is_unavailable_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with child(path, "obey") as process:
        assert await told(process, "append before 1000") == "done"
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        for attempt in range(3):
            said = await told(process, f"append full-{attempt} 200000")
            assert said.startswith("Unavailable cannot write")
            assert str(path) in said
        assert await told(process, "read") == "done"
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert await told(process, "append after 200000") == "done"
        await buried(process)
    async with opened(path) as log:
        keys = [stored.record.key for stored in await everything(log)]
    # An append that was not answered may have happened all the same, but never a part of it.
    assert [key for key in keys if not key.startswith("full")] == ["before", "after"]


async def test_a_read_only_file_is_unavailable_and_recovers(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / "log.db"
    async with opened(path):
        pass
    path.chmod(0o444)
    folder.chmod(0o555)
    async with child(path, "obey", by=("tests.doubles.mortal",)) as process:
        assert (await told(process, "append no 10")).startswith("Unavailable")
        assert (await told(process, "lease")).startswith("Unavailable")
        folder.chmod(0o755)
        path.chmod(0o644)
        assert await told(process, "append yes 10") == "done"
        assert await told(process, "read") == "done"
        assert await told(process, "lease") == "done"


async def test_a_folder_that_is_missing_is_unavailable_until_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "later" / "log.db"
    async with child(path, "obey") as process:
        assert (await told(process, "append no 10")).startswith("Unavailable")
        assert (await told(process, "read")).startswith("Unavailable")
        path.parent.mkdir()
        assert await told(process, "read") == "done"
        assert await told(process, "append yes 10") == "done"


async def test_a_second_worker_is_refused_and_told_who_holds_the_lease(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with child(path, "obey") as process, opened(path) as log:
        assert await told(process, "lease") == "done"
        with pytest.raises(LeaseTaken, match=f"process {process.pid} works"):
            async with log.lease([NOTIFICATIONS]):
                pass
        await buried(process)

        async def leased() -> bool:
            async with log.lease([NOTIFICATIONS]):
                return True

        assert await eventually(leased)


async def test_the_lease_is_free_again_when_it_ends(tmp_path: Path) -> None:
    async with opened(tmp_path / "log.db") as one, opened(tmp_path / "log.db") as two:
        async with one.lease([NOTIFICATIONS]):
            with pytest.raises(LeaseTaken, match=f"process {os.getpid()} works"):
                await two.lease([NOTIFICATIONS]).__aenter__()
        async with two.lease([NOTIFICATIONS]):
            pass


async def test_a_child_that_is_done_closes_the_file(tmp_path: Path) -> None:
    async with child(tmp_path / "log.db", "obey") as process:
        assert await told(process, "append one 10") == "done"
        assert process.stdin
        process.stdin.close()
        assert await line(process) == "closed"
        assert await process.wait() == 0
    assert not (tmp_path / "log.db-wal").exists()
