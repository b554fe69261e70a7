"""What a task remembers of its notifications, so that each is counted once.

Agora documents that a resend keeps `noticeId` and rewrites `notifyMs`; redundant copies may carry another `noticeId`.
So the notice is the delivery key, its meaning is the semantic key, and a repeat with the *same* `notifyMs` is not the
vendor's but ours (a log that acknowledged after we gave up waiting) and is not counted at all.
"""

from typing import Final

from processors.core.effects import Verdict
from schemas.events import Evidence
from schemas.state import Task

# A task that reconnects every 10 s for hours stays within this; its status needs no memory, only its counts do.
REMEMBERED: Final = 1000


def is_our_own_repeat(task: Task, evidence: Evidence) -> bool:
    """Whether the log holds this very delivery twice."""
    return evidence.notify_ms in task.notices.get(evidence.id, ())


def repetition(task: Task, evidence: Evidence) -> Verdict | None:
    """How the vendor has said this before: under the same notice, under another one, or (None) not at all."""
    if evidence.id in task.notices:
        return Verdict.DUPLICATE
    return Verdict.REDUNDANT if evidence.meaning in task.meanings else None


def remembered(task: Task, evidence: Evidence) -> tuple[dict[str, tuple[int | None, ...]], tuple[str, ...]]:
    """The notices and meanings with this delivery among them; the oldest goes when the memory is full."""
    notices = dict(task.notices)
    notices[evidence.id] = (*notices.get(evidence.id, ()), evidence.notify_ms)
    if len(notices) > REMEMBERED:
        del notices[next(iter(notices))]
    meaning, meanings = evidence.meaning, task.meanings
    if meaning is not None and meaning not in meanings:
        meanings = (*meanings, meaning)[-REMEMBERED:]
    return notices, meanings
