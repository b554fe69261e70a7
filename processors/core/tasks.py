"""The task machine: one vendor task as observed.

Weighing one notification has two halves. What can be *joined* is, whatever its place in the order: the status, the
span the task ran, the numbers seen. Joins commute, so no order of arrival and no repeat changes them. What belongs to
the *newest* evidence alone (doubt, configuration, reconnects) is left untouched by anything older. An end absorbs all.
"""

from typing import Final

from processors.core.decision import Decision
from processors.core.effects import Doubted, Effect, Folded, LostSight, SessionReported, Transitioned, Verdict
from processors.core.inputs import Input, Noticed, TimeCame
from processors.core.memory import is_our_own_repeat, remembered, repetition
from processors.core.order import is_stale, missing_after
from processors.core.policy import Policy
from processors.core.runs import earliest, joined
from processors.core.statuses import CONNECTED, TERMINAL, Reading, contradicts, join, read
from processors.core.timeline import continued, doubted, noted, told
from processors.core.timers import Timer, armed
from schemas.events import Event, Evidence
from schemas.state import Counts, Doubt, Task

COUNTED_AS: Final = {
    Verdict.DUPLICATE: "duplicates",
    Verdict.REDUNDANT: "redundant",
    Verdict.STALE: "stale",
    Verdict.NOOP: "noops",
}


def step(task: Task | None, given: Input, now_ms: int, policy: Policy) -> Decision:
    """What a task becomes by one input. Total for everything the receiver lets through; pure."""
    match given:
        case Noticed(evidence):
            return _weigh(task, evidence, now_ms, policy)
        case TimeCame():
            return Decision(None) if task is None else _tick(task, now_ms, policy)


def _weigh(before: Task | None, evidence: Evidence, now_ms: int, policy: Policy) -> Decision:
    known = before or Task(evidence.product, evidence.task_id)
    if is_our_own_repeat(known, evidence):
        return Decision(before)
    reading = read(evidence, can_ask=policy.can_ask)
    repeat = repetition(known, evidence)
    learned = _joined(known, evidence, reading)
    learned = _as_newest(known, learned, evidence, reading, repeat)
    worth = repeat or _worth(known, learned, evidence)
    effects: list[Effect] = [Folded(evidence.product, worth)]
    story = [told(evidence, worth)]
    if learned.doubt is not known.doubt:
        effects.extend([Doubted(learned.product, learned.doubt)] if learned.doubt else ())
        story.append(doubted(learned.doubt, now_ms))
    if learned.status is not known.status:
        transition = _transition(before, learned, evidence, now_ms)
        effects.append(transition)
        story.append(noted(transition))
    ends = learned.status in TERMINAL and known.status not in TERMINAL
    reports = ends or (learned.status in TERMINAL and learned.run != known.run)
    effects.extend([SessionReported()] if reports else ())
    notices, meanings = remembered(known, evidence)
    return Decision(
        learned.with_(
            counts=_counted(known.counts, worth),
            notices=notices,
            meanings=meanings,
            version=known.version + 1,
            transitions=known.transitions + (learned.status is not known.status),
            session_revision=known.session_revision + reports,
            news_ms=max(known.news_ms, evidence.received_ms),
            ended_seen_ms=evidence.received_ms if ends else known.ended_seen_ms,
            timeline=continued(known.timeline, story),
        ),
        tuple(effects),
    )


def _worth(known: Task, learned: Task, evidence: Evidence) -> Verdict:
    """What a notification that is no repeat is worth."""
    if is_stale(known, evidence):
        return Verdict.STALE
    return Verdict.NOOP if _told_of(learned) == _told_of(known) else Verdict.APPLIED


def _joined(task: Task, evidence: Evidence, reading: Reading) -> Task:
    sequence = evidence.sequence
    return task.with_(
        status=join(task.status, reading.proves),
        run=joined(task.run, evidence, reading),
        name=task.name or evidence.instance_name,
        channel=task.channel or evidence.channel,
        missing=missing_after(task, sequence),
        sequence=_highest(task.sequence, sequence),
        lowest_sequence=earliest(task.lowest_sequence, sequence),
        newest_ms=_highest(task.newest_ms, evidence.vendor_ms),
    )


def _as_newest(known: Task, learned: Task, evidence: Evidence, reading: Reading, repeat: Verdict | None) -> Task:
    """What only the newest evidence may change, and what late evidence may put right."""
    if learned.status in TERMINAL:
        return learned.with_(doubt=None) if learned.doubt else learned
    if repeat is not None:
        return learned
    if is_stale(known, evidence):
        gap_closed = known.doubt is Doubt.GAP and not learned.missing
        return learned.with_(doubt=None) if gap_closed else learned
    reconnects = reading.connects and known.status in CONNECTED[known.product]
    return learned.with_(
        doubt=_doubt(known, learned, reading),
        config_versions=learned.config_versions + (evidence.event is Event.UPDATED),
        run=learned.run._replace(reconnects=learned.run.reconnects + 1) if reconnects else learned.run,
    )


def _told_of(task: Task) -> tuple[object, ...]:
    """What a notification can teach about a task; its place in the order, a gap before it included, teaches nothing."""
    doubt = None if task.doubt is Doubt.GAP else task.doubt
    return (task.status, doubt, task.config_versions, task.run, task.channel)


def _doubt(known: Task, learned: Task, reading: Reading) -> Doubt | None:
    if reading.doubt is not None:
        return reading.doubt
    if contradicts(known.status, reading.proves):
        return Doubt.DISAGREES
    return Doubt.GAP if learned.missing != known.missing and learned.missing else None


def _transition(before: Task | None, learned: Task, evidence: Evidence, now_ms: int) -> Transitioned:
    return Transitioned(
        product=learned.product,
        task_id=learned.id,
        number=learned.transitions + 1,
        before=before.status if before else None,
        after=learned.status,
        cause="notification",
        evidence=evidence.id,
        vendor_ms=evidence.vendor_ms,
        recorded_ms=now_ms,
    )


def _tick(task: Task, now_ms: int, policy: Policy) -> Decision:
    timer = armed(task, policy)
    if timer is None or timer.due_ms > now_ms:
        return Decision(task)
    match timer.timer:
        case Timer.FORGET:
            return Decision(None)
        case Timer.LOST:
            return Decision(None, (LostSight(task.product),))
        case Timer.SILENT:
            story = continued(task.timeline, [doubted(Doubt.SILENT, now_ms)])
            silent = task.with_(doubt=Doubt.SILENT, version=task.version + 1, timeline=story)
            return Decision(silent, (Doubted(task.product, Doubt.SILENT),))


def _counted(counts: Counts, worth: Verdict) -> Counts:
    name = COUNTED_AS.get(worth)
    repeats = {name: getattr(counts, name) + 1} if name else {}
    return counts._replace(notifications=counts.notifications + 1, **repeats)


def _highest(known: int | None, seen: int | None) -> int | None:
    if known is None or seen is None:
        return known if seen is None else seen
    return max(known, seen)
