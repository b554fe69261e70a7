"""From a decision to the records that make it known, all of one transaction."""

from collections.abc import Iterator

from processors.core.effects import Effect, SessionReported, Transitioned
from processors.core.views import session_view, task_view, transition_view
from schemas.codec import array_of, encode
from schemas.record import Record
from schemas.state import Task, dump
from schemas.topics import SESSIONS, STATE, TASKS, TRANSITIONS, VIEWS


def announced(task: Task, effect: Effect) -> Record | None:
    """The public record of an effect, None for what is only counted."""
    match effect:
        case Transitioned(number=number, vendor_ms=vendor_ms, recorded_ms=recorded_ms):
            value = encode(transition_view(task, effect))
            time_ms = recorded_ms if vendor_ms is None else vendor_ms
            return Record(TRANSITIONS, task.key, value, f"{task.key}/transitions/{number}", task.product.value, time_ms)
        case SessionReported():
            value = encode(session_view(task))
            name = f"{task.key}/sessions/{task.session_revision}"
            return Record(SESSIONS, task.key, value, name, task.product.value, task.run.ended_ms or task.news_ms)
        case _:
            return None


def kept(task: Task) -> Iterator[Record]:
    """The compacted records of a task's newest state: for us, for pages, for the public."""
    key, product, name = task.key, task.product.value, f"{task.key}/versions/{task.version}"
    view = task_view(task)
    yield Record(STATE, key, dump(task), name, product, task.news_ms)
    yield Record(TASKS, key, encode(view), name, product, task.news_ms)
    yield Record(VIEWS, key, encode(view | {"timeline": array_of(task.timeline)}), name, product, task.news_ms)


def forgotten(task: Task, now_ms: int) -> Iterator[Record]:
    """Tombstones: the task is gone from the state and from every view."""
    for topic in (STATE, TASKS, VIEWS):
        yield Record(topic, task.key, None, f"{task.key}/forgotten", task.product.value, now_ms)
