"""Keeps one worker on every partition of this process's share; a partition whose worker is lost is taken over again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from processors.engine.worker import LOST, Worker
from processors.ports import Lease, Partition

log = structlog.get_logger(__name__)

RETAKE_AFTER: Final = timedelta(milliseconds=500)


class Supervisor:
    """Works the partitions of a lease until told to stop."""

    def __init__(self, lease: Lease, hire: Callable[[Partition], Worker]) -> None:
        """`hire` makes the worker of a partition that was taken."""
        self._lease = lease
        self._hire = hire
        self._working: set[int] = set()
        self._assigned: frozenset[int] | None = None

    @property
    def ready(self) -> bool:
        """Whether every assigned partition is restored and worked."""
        return self._assigned is not None and self._working >= self._assigned

    async def run(self, stop: asyncio.Event) -> None:
        """Keep workers on what is assigned; a partition that left the share is closed before the next is awaited.

        Returns when `stop` is set and every worker has finished its turn. Raises NewerStateError and Incompatible, and
        whatever is a bug: there is nothing to wait for then.
        """
        workers: dict[int, tuple[asyncio.Event, asyncio.Task[None]]] = {}
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                changed = asyncio.ensure_future(self._lease.assigned())
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
                    workers[number] = (dismissed, asyncio.create_task(self._work(number, dismissed)))
        finally:
            stopping.cancel()
            await _dismiss(workers.values())

    async def _work(self, number: int, dismissed: asyncio.Event) -> None:
        while not dismissed.is_set():
            try:
                await self._own(number, dismissed)
            except LOST as reason:
                log.warning("partition_lost", partition=number, reason=str(reason) or type(reason).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(dismissed.wait(), RETAKE_AFTER.total_seconds())
            finally:
                self._working.discard(number)

    async def _own(self, number: int, dismissed: asyncio.Event) -> None:
        partition = await self._lease.take(number)
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
    await asyncio.gather(*(task for _, task in leaving), return_exceptions=True)


async def _raise_failed(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            await task
