"""What a task remembers of its notifications, so that each is counted once.

Agora documents that a resend keeps `noticeId` and rewrites `notifyMs`; redundant copies may carry another `noticeId`.
So the notice is the delivery key, its meaning is the semantic key, and a repeat with the *same* `notifyMs` is not the
vendor's but ours (a log that acknowledged after we gave up waiting) and is not counted at all.
"""

from typing import Final

from processors.core.effects import Verdict
from processors.core.order import is_stale
from schemas.events import Evidence
from schemas.state import Task

# A task that reconnects every 10 s for hours stays within this; its status needs no memory, only its counts do.
REMEMBERED: Final = 1000


def is_our_own_repeat(task: Task, evidence: Evidence) -> bool:
    """Whether the log holds this very delivery twice."""
    return evidence.notify_ms in task.notices.get(evidence.id, ())


def is_repeat(task: Task, evidence: Evidence) -> bool:
    """Whether the vendor has said this before, under the same notice or another."""
    return evidence.id in task.notices or (evidence.meaning is not None and evidence.meaning in task.meanings)


def verdict(task: Task, evidence: Evidence, *, proves_new: bool) -> Verdict:
    """What a notification is worth: the first that fits."""
    if evidence.id in task.notices:
        return Verdict.DUPLICATE
    if is_repeat(task, evidence):
        return Verdict.REDUNDANT
    if is_stale(task, evidence):
        return Verdict.STALE
    return Verdict.APPLIED if proves_new else Verdict.NOOP


def remember(task: Task, evidence: Evidence) -> Task:
    """The task with this delivery in its memory; the oldest goes when it is full."""
    notices = dict(task.notices)
    notices[evidence.id] = (*notices.get(evidence.id, ()), evidence.notify_ms)
    if len(notices) > REMEMBERED:
        del notices[next(iter(notices))]
    meanings = task.meanings
    if evidence.meaning is not None and evidence.meaning not in meanings:
        meanings = (*meanings, evidence.meaning)[-REMEMBERED:]
    return task.with_(notices=notices, meanings=meanings)
