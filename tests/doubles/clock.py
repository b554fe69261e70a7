"""A clock that moves only when a test says so."""

import asyncio
from datetime import timedelta


class ManualClock:
    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep(self, duration: timedelta) -> None:
        if duration <= timedelta(0):
            await asyncio.sleep(0)
            return
        sleeper: tuple[int, asyncio.Future[None]] = (
            self._now_ms + -(-duration // timedelta(milliseconds=1)),
            asyncio.get_running_loop().create_future(),
        )
        self._sleepers.append(sleeper)
        try:
            await sleeper[1]
        finally:
            self._sleepers.remove(sleeper)

    async def advance(self, duration: timedelta) -> None:
        """Let time pass and give everyone it wakes a turn."""
        self._now_ms += duration // timedelta(milliseconds=1)
        for due_ms, woken in self._sleepers:
            if due_ms <= self._now_ms and not woken.done():
                woken.set_result(None)
        for _ in range(10):
            await asyncio.sleep(0)
