"""The suite can fail: each broken promise is caught by the sentence that promises it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from processors.adapters.memory import MemoryLog
from tests.conformance import test_log, test_worker
from tests.conformance.worlds import World, memory
from tests.doubles import flawed

CAUGHT: list[tuple[type[MemoryLog], Callable[[World], Awaitable[None]]]] = [
    (flawed.AcknowledgesEarly, test_log.test_an_answered_append_survives_the_loss_of_this_process),
    (flawed.StoresHalf, test_log.test_append_stores_all_or_none),
    (flawed.ReusesOffsets, test_log.test_offsets_are_never_reused),
    (flawed.SleepsThrough, test_log.test_read_returns_as_soon_as_there_is_one),
    (flawed.Expands, test_log.test_read_gives_at_most_limit),
    (flawed.KeepsTombstones, test_worker.test_restore_gives_the_committed_state_without_tombstones),
    (flawed.MovesPositionsAlone, test_worker.test_commit_makes_positions_and_records_visible_together),
    (flawed.MovesPositionsFirst, test_worker.test_after_a_rejected_commit_nothing_happened),
    (flawed.Trusting, test_worker.test_take_fences_whoever_worked_it_before),
    (flawed.Trusting, test_worker.test_a_fenced_commit_changes_nothing),
    (flawed.ConsumesByPolling, test_worker.test_polling_again_without_a_commit_reads_the_same_again),
]


@pytest.mark.parametrize(
    ("make", "sentence"), CAUGHT, ids=[f"{make.__name__}-{sentence.__name__[5:]}" for make, sentence in CAUGHT]
)
async def test_the_suite_catches(
    make: type[MemoryLog], sentence: Callable[[World], Awaitable[None]], tmp_path: Path
) -> None:
    async with memory(tmp_path) as sound:
        await sentence(sound)
    async with memory(tmp_path, make=make) as world:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            await sentence(world)
