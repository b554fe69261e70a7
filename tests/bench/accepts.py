"""Durable accepts per second on one core against an application that only reads and answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.load import SECRET, drive, script, server

SECONDS = 5
ROUNDS = 5
BARE_PORT, OURS_PORT = 9911, 9912


def rows(folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """The two in turn, so that a drifting machine drifts for both; medians, and the median of the ratios."""
    lua = script(folder)
    bare: list[float] = []
    ours: list[float] = []
    latencies: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        with server(
            ["-m", "uvicorn", "tests.bench.bare:app", "--port", str(BARE_PORT), "--no-access-log"], BARE_PORT, {}
        ):
            bare.append(drive(BARE_PORT, lua, SECONDS)[0])
        environment = {
            "AGORA_EVENTS_LOG": f"sqlite:///{folder}/accepts{number}.db",
            "AGORA_EVENTS_DATA": f"{folder}/accepts{number}",
            "AGORA_EVENTS_LISTEN": f"127.0.0.1:{OURS_PORT}",
            "AGORA_EVENTS_NOTIFICATION_SECRETS": json.dumps({"transcoder": SECRET}),
        }
        with server(["-c", "from receiver.cli import main; main()", "receive"], OURS_PORT, environment):
            rate, others, p50, p99 = drive(OURS_PORT, lua, SECONDS)
            if others:
                raise SystemExit(f"{others} requests were not answered 200")
            ours.append(rate)
            latencies.append((p50, p99))
    ratio = median(mine / peer for mine, peer in zip(ours, bare, strict=True))
    p50, p99 = (median(latency[which] for latency in latencies) for which in (0, 1))
    yield (
        "durable accepts, 64 connections, server on one core",
        f"{median(ours):.0f}/s (p50 {p50:.1f} ms, p99 {p99:.1f} ms)",
        f"bare uvicorn {median(bare):.0f}/s",
        f"{ratio:.2f}",
        "≥ 0.45",
    )
