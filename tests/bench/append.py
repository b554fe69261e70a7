"""What the SQLite log costs: CPU per durable append, and per input of a worker's commit.

    python -m tests.bench.append [--switch 0.0005] [--work 22] [--seconds 3] [--appenders 64]

`--work` burns so many microseconds per request on the event loop, as the HTTP side would.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import uvloop

from processors.adapters.clock import SystemClock
from processors.adapters.sqlite import SqliteLog
from processors.adapters.sqlite.writer import SWITCH_INTERVAL_SECONDS
from processors.ports import Commit
from schemas.record import Record
from schemas.topics import NOTIFICATIONS, STATE, TASKS, TRANSITIONS, VIEWS

VALUE = b'{"noticeId":"2000001428:4330:107","note":"' + b"x" * 850 + b'"}'
INPUTS = 500


async def appends(log: SqliteLog, appenders: int, seconds: float, work_us: float) -> None:
    """Closed loop: every appender waits for its answer before the next."""
    until = time.perf_counter() + seconds
    slowest = 0.0
    done = 0

    async def one(name: int) -> None:
        nonlocal done, slowest
        while (begun := time.perf_counter()) < until:
            burnt = begun + work_us / 1e6
            while time.perf_counter() < burnt:
                pass
            await log.append([Record(NOTIFICATIONS, f"cdn/{name}", VALUE, f"id-{done}", "cdn", 1_700_000_000_000)])
            slowest = max(slowest, time.perf_counter() - begun)
            done += 1

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(name) for name in range(appenders)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(  # noqa: T201 - a bench prints its row
        f"append  {done / wall:9.0f}/s  {cpu / done * 1e6:6.1f} us CPU each, of it {work_us:.0f} work"
        f"  {cpu / wall:4.0%} of a core  slowest {slowest * 1e3:.0f} ms"
    )


async def commits(log: SqliteLog, rounds: int) -> None:
    """A worker that reads 500 inputs and commits 4 records for each."""
    async with log.lease([NOTIFICATIONS]) as lease:
        partition = await lease.take(0)
        polled = committed = 0.0
        inputs = 0
        cpu = time.process_time()
        for turn in range(rounds):
            begun = time.perf_counter()
            found = await partition.poll(INPUTS, timedelta(0))
            polled += time.perf_counter() - begun
            if not found:
                break
            records = [
                Record(topic, f"cdn/{turn % 20}-{n}", VALUE, f"{turn}-{n}", "cdn", 1_700_000_000_000)
                for n in range(len(found))
                for topic in (TRANSITIONS, TASKS, STATE, VIEWS)
            ]
            begun = time.perf_counter()
            await partition.commit(Commit({NOTIFICATIONS: found[-1].position.offset + 1}, records))
            committed += time.perf_counter() - begun
            inputs += len(found)
        cpu = time.process_time() - cpu
    print(  # noqa: T201 - a bench prints its row
        f"commit  {inputs / (polled + committed):9.0f}/s  {cpu / inputs * 1e6:6.1f} us CPU each"
        f"  {INPUTS}: poll {polled / inputs * INPUTS * 1e3:.1f} ms, commit {committed / inputs * INPUTS * 1e3:.1f} ms"
    )


async def measure(asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = SqliteLog(Path(folder) / "log.db", SystemClock())
        await log.start()
        await appends(log, asked.appenders, asked.seconds, asked.work)
        await commits(log, 60)
        await log.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--switch", type=float, default=SWITCH_INTERVAL_SECONDS)
    parser.add_argument("--work", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--appenders", type=int, default=64)
    asked = parser.parse_args()
    sys.setswitchinterval(asked.switch)
    uvloop.run(measure(asked))
