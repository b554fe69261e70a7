"""The span of time a task ran: a join like the status, so the order of arrival does not matter."""

from typing import Final

from processors.core.statuses import RUNNING, TERMINAL, Reading
from schemas.events import Event, Evidence
from schemas.state import Run

MS_PER_SECOND: Final = 1000


def joined(run: Run, evidence: Evidence, reading: Reading) -> Run:
    """The run with what this evidence adds: earliest creation, earliest proof of running, earliest end."""
    at_ms = evidence.vendor_ms if evidence.vendor_ms is not None else evidence.received_ms
    proves_running = reading.proves in RUNNING
    ends = reading.proves in TERMINAL or evidence.event is Event.ENDED
    return Run(
        created_ms=earliest(run.created_ms, evidence.created_ms),
        started_ms=earliest(run.started_ms, at_ms if proves_running else None),
        start_announced=run.start_announced or reading.announces_start,
        ended_ms=earliest(run.ended_ms, at_ms if ends else None),
        end_reason=run.end_reason if run.end_reason is not None or not ends else evidence.word,
        outputs=max(run.outputs, evidence.outputs or 0),
        reconnects=run.reconnects,
    )


def running_seconds(run: Run) -> float:
    """From the first proof of running to the end; 0 when nothing proved that it ran."""
    if run.started_ms is None or run.ended_ms is None:
        return 0.0
    return max(0, run.ended_ms - run.started_ms) / MS_PER_SECOND


def uncertainty_seconds(run: Run) -> float | None:
    """By how much `running_seconds` may be too small: 0 when the start was announced, None when nothing bounds it.

    An unannounced start lies between the vendor's creation of the task and the first proof of running (or the end).
    """
    if run.start_announced:
        return 0.0
    until = run.started_ms if run.started_ms is not None else run.ended_ms
    if run.created_ms is None or until is None:
        return None
    return max(0, until - run.created_ms) / MS_PER_SECOND


def earliest(one: int | None, other: int | None) -> int | None:
    """The smaller of two numbers of which either may be unknown."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)
