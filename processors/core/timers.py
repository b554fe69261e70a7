"""When time alone changes a task. A timer is a function of the state: it is durable because the state is.

* An ended task is kept so that late repeats still meet their memory, then forgotten.
* A task that nobody can ask about falls silent: suspect after a day, removed after a week (settings).
"""

from dataclasses import dataclass
from enum import StrEnum

from processors.core.policy import Policy
from processors.core.statuses import TERMINAL
from schemas.state import Doubt, Task


class Timer(StrEnum):
    """What is due."""

    FORGET = "forget"
    SILENT = "silent"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Armed:
    """A timer and when it is due (Unix ms)."""

    due_ms: int
    timer: Timer


def armed(task: Task, policy: Policy) -> Armed | None:
    """The next timer of a task, None when only news can change it."""
    if task.status in TERMINAL:
        ended_ms = task.ended_seen_ms if task.ended_seen_ms is not None else task.news_ms
        return Armed(ended_ms + policy.keep_ended_ms, Timer.FORGET)
    if policy.can_ask:
        return None
    if task.doubt is Doubt.SILENT:
        return Armed(task.news_ms + policy.lost_after_ms, Timer.LOST)
    return Armed(task.news_ms + policy.silent_after_ms, Timer.SILENT)
