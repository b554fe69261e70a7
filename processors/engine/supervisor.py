"""Keeps one worker on every partition of this process's share; a partition whose worker is lost is taken over again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from processors.engine.worker import LOST, Worker
from processors.ports import Lease, Log, Partition

log = structlog.get_logger(__name__)

RETAKE_AFTER: Final = timedelta(milliseconds=500)


class Supervisor:
    """Works the input topics until told to stop."""

    def __init__(self, source: Log, inputs: Sequence[str], hire: Callable[[Partition], Worker]) -> None:
        """`hire` makes the worker of a partition that was taken."""
        self._log = source
        self._inputs = inputs
        self._hire = hire
        self._working: set[int] = set()
        self._assigned: frozenset[int] | None = None

    @property
    def ready(self) -> bool:
        """Whether every assigned partition is restored and worked."""
        return self._assigned is not None and self._working >= self._assigned

    async def run(self, stop: asyncio.Event) -> None:
        """Hold the lease and work until `stop`; raises LeaseTaken, Incompatible, NewerStateError."""
        async with self._log.lease(self._inputs) as lease:
            await self._follow(lease, stop)

    async def _follow(self, lease: Lease, stop: asyncio.Event) -> None:
        """Keep workers on what is assigned; a partition that left the share is closed before the next is awaited."""
        workers: dict[int, tuple[asyncio.Event, asyncio.Task[None]]] = {}
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                changed = asyncio.ensure_future(lease.assigned())
                running = [task for _, task in workers.values()]
                await asyncio.wait({changed, stopping, *running}, return_when=asyncio.FIRST_COMPLETED)
                await _raise_failed(running)
                if not changed.done():
                    changed.cancel()
                    continue
                self._assigned = changed.result()
                await _dismiss([workers.pop(number) for number in [*workers] if number not in self._assigned])
                for number in self._assigned - workers.keys():
                    dismissed = asyncio.Event()
                    workers[number] = (dismissed, asyncio.create_task(self._work(lease, number, dismissed)))
        finally:
            stopping.cancel()
            await _dismiss(workers.values())

    async def _work(self, lease: Lease, number: int, dismissed: asyncio.Event) -> None:
        while not dismissed.is_set():
            try:
                await self._own(lease, number, dismissed)
            except LOST as reason:
                log.warning("partition_lost", partition=number, reason=str(reason) or type(reason).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(dismissed.wait(), RETAKE_AFTER.total_seconds())
            finally:
                self._working.discard(number)

    async def _own(self, lease: Lease, number: int, dismissed: asyncio.Event) -> None:
        partition = await lease.take(number)
        try:
            worker = self._hire(partition)
            await worker.restore()
            self._working.add(number)
            while not dismissed.is_set():
                await worker.turn()
        finally:
            await partition.close()


async def _dismiss(workers: Iterable[tuple[asyncio.Event, asyncio.Task[None]]]) -> None:
    leaving = list(workers)
    for dismissed, _ in leaving:
        dismissed.set()
    for _, task in leaving:
        await task


async def _raise_failed(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            await task
