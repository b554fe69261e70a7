"""A restart with 10,000 live tasks and 100,000 retained notifications: seconds to ready, and memory."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from processors.adapters.clock import SystemClock
from processors.adapters.sqlite.log import SqliteLog
from processors.engine.worker import Limits
from tests.bench.folding import fold_everything
from tests.bench.load import SECRET, server, until
from tests.vendor import record, transcoder

TASKS = 10_000
EACH = 10
PORT = 9913


def rows(folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """Fill a log, fold it, then start the whole program on it."""
    asyncio.run(_fill(folder / "restart.db"))
    environment = {
        "AGORA_EVENTS_LOG": f"sqlite:///{folder}/restart.db",
        "AGORA_EVENTS_DATA": f"{folder}/restart",
        "AGORA_EVENTS_LISTEN": f"127.0.0.1:{PORT}",
        "AGORA_EVENTS_NOTIFICATION_SECRETS": json.dumps({"transcoder": SECRET}),
        "AGORA_EVENTS_API_TOKENS": json.dumps({"bench": "bench-token-long-enough"}),
    }
    began = time.perf_counter()
    with server(["-c", "from receiver.cli import main; main()", "all"], PORT, environment) as pid:
        taking = time.perf_counter() - began
        until(_serves)
        serving = time.perf_counter() - began
        memory = psutil.Process(pid).memory_info().rss / 2**20
    yield (
        f"restart with {TASKS:,} live tasks, {TASKS * EACH:,} notifications",
        f"takes notifications after {taking:.1f} s, folds and shows all after {serving:.1f} s, {memory:.0f} MiB",
        "-",
        "-",
        "report",
    )


def _serves() -> bool:
    """Whether everything is folded and shown; a view that is still being read answers 503, which is an OSError here."""
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/tasks?limit=1")
    request.add_header("Authorization", "Bearer bench-token-long-enough")
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz") as ready, urllib.request.urlopen(request):
        return json.loads(ready.read())["degraded"] is None


async def _fill(path: Path) -> None:
    clock = SystemClock()
    log = SqliteLog(path, clock)
    await log.start()
    for place in range(EACH):
        kind, state = (110, "Transcoder success") if place == 0 else (112, "running")
        for start in range(0, TASKS, 1000):
            raws = (transcoder(f"t{task:06d}", kind, place, state=state) for task in range(start, start + 1000))
            await log.append([record(raw, clock.now_ms()) for raw in raws])
    await fold_everything(log, Limits())
    await log.close()
