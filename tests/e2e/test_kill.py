"""kill -9 under load, many times: nothing answered is lost, nothing is told twice."""

import asyncio
import os
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from processors.adapters.http import Client
from schemas.codec import decode
from schemas.errors import Unavailable
from schemas.topics import NOTIFICATIONS, SESSIONS, TASKS, TRANSITIONS
from tests.e2e.process import environment, everything, notify, started, values
from tests.vendor import life
from tests.waiting import eventually

KILLS = 100 if os.environ.get("TEST_PROFILE") == "soak" else 12
SENDERS = 8


def audit(
    answered: Iterable[str],
    stored: Sequence[str],
    transitions: Sequence[Mapping[str, Any]],
    tasks: Mapping[str, Mapping[str, Any]],
) -> None:
    """The promises, checked against what is on the log."""
    lost = set(answered) - set(stored)
    assert not lost, f"answered 200 and lost: {sorted(lost)[:5]}"
    numbers: dict[str, list[int]] = {}
    for transition in transitions:
        numbers.setdefault(f"{transition['product']}/{transition['taskId']}", []).append(transition["number"])
    for key, told in numbers.items():
        assert told == list(range(1, len(told) + 1)), f"{key}: transitions {told}"
    heard: dict[str, set[str]] = {}
    for notice in stored:
        heard.setdefault(notice.split(":")[2].split("-")[0], set()).add(notice)
    for key, task in tasks.items():
        counts = task["counts"]
        # A stored repeat of ours is not counted, so what was counted is what is distinct.
        assert counts["notifications"] == len(heard[key.split("/")[1]]), f"{key}: {counts}"


class Load:
    """Sends lives as fast as they are answered and remembers what was answered 200."""

    def __init__(self) -> None:
        self.answered: list[str] = []
        self.finished: list[str] = []
        self._lives = 0

    async def send(self, url: str) -> None:
        async with Client(url) as client:
            while True:
                self._lives += 1
                await self._one(client, f"t{self._lives:06d}")

    async def _one(self, client: Client, task: str) -> None:
        for body in life(task):
            # What the vendor does: try again until it is answered, here until the server is gone.
            while await notify(client, body) != 200:
                pass
            envelope = decode(body)
            self.answered.append(f"{envelope['productId']}:{envelope['eventType']}:{envelope['noticeId']}")
        self.finished.append(task)


async def kill_under_load(folder: Path, load: Load, dice: random.Random) -> None:
    async with started("all", environment(folder)) as child:
        senders = [asyncio.create_task(load.send(child.url)) for _ in range(SENDERS)]
        before = len(load.answered)

        async def some_were_answered() -> bool:
            return len(load.answered) > before + dice.randrange(400)

        await eventually(some_were_answered)
        child.kill()
        await child.ended()
        for ended in await asyncio.gather(*senders, return_exceptions=True):
            assert isinstance(ended, Unavailable), ended


async def test_nothing_answered_is_lost_and_nothing_is_told_twice(tmp_path: Path) -> None:
    load, dice = Load(), random.Random(7)
    for _ in range(KILLS):
        await kill_under_load(tmp_path, load, dice)
    log = tmp_path / "log.db"
    async with started("all", environment(tmp_path)):

        async def every_finished_life_ended() -> bool:
            ended = {task["id"] for task in await values(log, TASKS) if task["status"] == "EXIT"}
            return ended >= set(load.finished)

        await eventually(every_finished_life_ended, within=60)
    stored = [item.record.id for item in await everything(log, NOTIFICATIONS)]
    tasks = {item.record.key: decode(item.record.value or b"{}") for item in await everything(log, TASKS)}
    audit(load.answered, stored, await values(log, TRANSITIONS), tasks)
    sessions = [session["taskId"] for session in await values(log, SESSIONS)]
    assert len(sessions) == len(set(sessions))
    assert set(sessions) >= set(load.finished)
    assert len(load.answered) > KILLS * 10


GOOD: dict[str, Any] = {
    "answered": ["3:110:a-110-0"],
    "stored": ["3:110:a-110-0", "3:112:a-112-1", "3:112:a-112-1"],
    "transitions": [
        {"product": "transcoder", "taskId": "a", "number": 1},
        {"product": "transcoder", "taskId": "a", "number": 2},
    ],
    "tasks": {"transcoder/a": {"counts": {"notifications": 2}}},
}


def test_the_audit_accepts_what_keeps_the_promises() -> None:
    audit(**GOOD)


@pytest.mark.parametrize(
    "flaw",
    [
        {"stored": ["3:112:a-112-1", "3:112:a-112-2"]},
        {"transitions": [GOOD["transitions"][0]] * 2},
        {"transitions": GOOD["transitions"][1:]},
        {"tasks": {"transcoder/a": {"counts": {"notifications": 3}}}},
    ],
    ids=["a lost answer", "a transition told twice", "a gap in the numbers", "a repeat counted"],
)
def test_the_audit_catches_a_broken_promise(flaw: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        audit(**(GOOD | flaw))
