"""The memory log's partitions among several members, as a broker shares them."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from processors.adapters.memory import MemoryLease, MemoryLog
from processors.ports import Commit, Lease
from schemas.errors import Fenced
from schemas.topics import NOTIFICATIONS
from tests.doubles.clock import ManualClock

INPUTS = (NOTIFICATIONS,)


async def changed(lease: Lease) -> frozenset[int]:
    return await asyncio.wait_for(lease.assigned(), 1)


async def test_a_member_that_joins_gets_its_share_once_the_other_has_let_go() -> None:
    log = MemoryLog(ManualClock(), partitions=4)
    async with log.lease(INPUTS) as one, AsyncExitStack() as later:
        assert await changed(one) == {0, 1, 2, 3}
        two = await later.enter_async_context(log.lease(INPUTS))
        assert await changed(two) == frozenset()
        assert await changed(one) == {0, 2}
        waiting = asyncio.create_task(one.assigned())
        assert await changed(two) == {1, 3}
        await later.aclose()
        assert await waiting == {0, 1, 2, 3}


async def test_two_members_at_once_share_from_the_beginning() -> None:
    log = MemoryLog(ManualClock(), partitions=3)
    async with log.lease(INPUTS) as one, log.lease(INPUTS) as two:
        assert await changed(one) == {0, 2}
        assert await changed(two) == {1}


async def test_a_member_that_fell_silent_loses_everything_and_is_fenced() -> None:
    log = MemoryLog(ManualClock(), partitions=2)
    async with log.lease(INPUTS) as silent, log.lease(INPUTS) as other:
        await changed(silent)
        await changed(other)
        zombie = await silent.take(0)
        assert isinstance(silent, MemoryLease)
        log.group.leave(silent)
        assert await changed(other) == {0, 1}
        await other.take(0)
        with pytest.raises(Fenced):
            await zombie.commit(Commit())
        assert await changed(silent) == frozenset()


async def test_a_broker_believes_whoever_takes_last() -> None:
    log = MemoryLog(ManualClock())
    async with log.lease(INPUTS) as one, log.lease(INPUTS) as two:
        first = await one.take(0)
        second = await two.take(0)
        with pytest.raises(Fenced):
            await first.commit(Commit())
        await second.commit(Commit())
