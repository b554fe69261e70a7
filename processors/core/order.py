"""Which notification is newer, and which are missing.

A transcoder numbers its notifications; a push or a pull has only the vendor's time. The numbers of one task start
somewhere (facts A.7 documents 0, samples begin at 123), so a gap is only what is skipped between two seen numbers.
"""

from typing import Final

from schemas.events import Evidence
from schemas.state import Task

Ranges = tuple[tuple[int, int], ...]
REMEMBERED: Final = 200


def is_stale(task: Task, evidence: Evidence) -> bool:
    """Whether something newer than this is already known; undated evidence is taken as news."""
    if evidence.sequence is not None and task.sequence is not None:
        return evidence.sequence < task.sequence
    if evidence.vendor_ms is not None and task.newest_ms is not None:
        return evidence.vendor_ms < task.newest_ms
    return False


def missing_after(task: Task, sequence: int | None) -> Ranges:
    """The sequence ranges (first, last) still missing once this number is seen, the newest of them within a bound."""
    if sequence is None or task.sequence is None or task.lowest_sequence is None:
        return task.missing
    if sequence > task.sequence:
        found = (*task.missing, (task.sequence + 1, sequence - 1))
    elif sequence < task.lowest_sequence:
        found = ((sequence + 1, task.lowest_sequence - 1), *task.missing)
    else:
        found = tuple(part for span in task.missing for part in _without(span, sequence))
    return tuple((first, last) for first, last in found if first <= last)[-REMEMBERED:]


def _without(span: tuple[int, int], number: int) -> Ranges:
    first, last = span
    return ((first, number - 1), (number + 1, last)) if first <= number <= last else (span,)
