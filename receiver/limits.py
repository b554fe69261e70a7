"""Bounds: how often an address is told why, how long a request may take, how many may wait."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

TICKS_PER_DEADLINE: Final = 20


class Buckets:
    """A token bucket per address, in bounded memory: the address unseen for longest is forgotten first."""

    def __init__(self, *, burst: int, per_second: float, addresses: int, now: Callable[[], float]) -> None:
        self._burst = burst
        self._per_second = per_second
        self._addresses = addresses
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Whether this address has a token left; takes it."""
        now = self._now()
        tokens, since = self._buckets.get(address, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - since) * self._per_second)
        granted = tokens >= 1
        self._buckets[address] = (tokens - granted, now)
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._addresses:
            self._buckets.popitem(last=False)
        return granted

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)


class Deadlines:
    """Cancels tasks that stay too long, with one timer for all of them.

    `asyncio.timeout` arms and cancels a timer per request, 3 µs each; here entering and leaving is one entry of a dict.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._tick = seconds / TICKS_PER_DEADLINE
        self._due: dict[asyncio.Task[None], float] = {}
        self._overdue: set[asyncio.Task[None]] = set()
        self._sweeping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self) -> "asyncio.Task[None]":
        """Put the current task under the deadline until it leaves; overdue, its running await is cancelled."""
        # Kept, because asking for the running loop is a system call (getpid) each time in Python 3.11.
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101 - coroutines run in tasks
        self._due[task] = loop.time() + self._seconds
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(self._tick, self._sweep, loop)
        return task

    def missed(self, task: "asyncio.Task[None]") -> bool:
        """Whether the cancellation that the task has just met is ours alone: then the task may go on."""
        return task in self._overdue and task.uncancel() == 0

    def leave(self, task: "asyncio.Task[None]") -> None:
        """Take the task out again."""
        del self._due[task]
        self._overdue.discard(task)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, due in self._due.items():
            if due <= now and task not in self._overdue:
                self._overdue.add(task)
                task.cancel()
        self._sweeping = bool(self._due)
        if self._sweeping:
            loop.call_later(self._tick, self._sweep, loop)
