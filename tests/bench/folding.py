"""Notifications folded per second by one worker on SQLite, batched and one commit a record."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from processors.adapters.clock import SystemClock
from processors.adapters.prometheus import PrometheusMetrics
from processors.adapters.sqlite.log import SqliteLog
from processors.core.machines import Machines
from processors.core.policy import Policy
from processors.engine.poison import SetAside
from processors.engine.worker import Limits, Worker
from schemas.topics import NOTIFICATIONS
from tests.vendor import life, record

NOTIFICATIONS_FOLDED = 50_000
ONE_BY_ONE = 3_000


def rows(folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """One worker over the same input, in batches as it runs in production and with a commit for every record."""
    batched = asyncio.run(_rate(folder / "batched.db", NOTIFICATIONS_FOLDED, Limits()))
    single = asyncio.run(_rate(folder / "single.db", ONE_BY_ONE, Limits(batch=1)))
    yield (
        "notifications folded by one worker on SQLite",
        f"{batched:.0f}/s",
        f"one commit a record {single:.0f}/s",
        f"{batched / single:.1f}",
        "≥ 10",
    )


async def _rate(path: Path, count: int, limits: Limits) -> float:
    clock = SystemClock()
    log = SqliteLog(path, clock)
    await log.start()
    pieces = [record(raw, clock.now_ms()) for task in range(count // 5) for raw in life(f"t{task:06d}")]
    # Lives run side by side, as they do: every batch holds many tasks.
    pieces = [piece for place in range(5) for piece in pieces[place::5]]
    for start in range(0, count, 1000):
        await log.append(pieces[start : start + 1000])
    took = await fold_everything(log, limits)
    await log.close()
    return count / took


async def fold_everything(log: SqliteLog, limits: Limits) -> float:
    """Fold what the log holds with one worker; how many seconds that takes."""
    async with log.lease([NOTIFICATIONS]) as lease:
        partition = await lease.take(0)
        worker = Worker(
            partition,
            machines=Machines(Policy()),
            clock=SystemClock(),
            metrics=PrometheusMetrics(),
            set_aside=SetAside(lambda _: ""),
            limits=limits,
        )
        await worker.restore()
        began = time.perf_counter()
        while await partition.lag():
            await worker.turn()
        took = time.perf_counter() - began
        await partition.close()
        return took
