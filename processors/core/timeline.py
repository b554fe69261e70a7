"""A task's story in words and data: evidence, what it was worth, what followed. The newest entries are kept."""

from typing import Final

from processors.core.effects import Transitioned, Verdict
from schemas.codec import rfc3339
from schemas.events import Evidence
from schemas.state import Doubt, Moment, Task

KEPT: Final = 100

WORTH: Final = {
    Verdict.APPLIED: "",
    Verdict.DUPLICATE: ": a duplicate, counted",
    Verdict.REDUNDANT: ": a redundant copy, counted",
    Verdict.STALE: ": older than what is known, joined",
    Verdict.NOOP: ": nothing new",
}

DOUBTS: Final = {
    Doubt.FAILED: "the vendor says it failed, which is no end",
    Doubt.GAP: "a sequence number is missing",
    Doubt.UNKNOWN: "the vendor said something undocumented",
    Doubt.DISAGREES: "newer evidence proves less than is known",
    Doubt.UNCONFIRMED_STOP: "it stopped for an unexpected reason",
    Doubt.SILENT: "no news for a day and nobody can ask",
}


def told(task: Task, evidence: Evidence, worth: Verdict) -> Task:
    """With the entry of a notification."""
    word = f" ({evidence.word})" if evidence.word else ""
    return _with(
        task,
        Moment(
            evidence.received_ms,
            "notification",
            f"{evidence.name}{word}{WORTH[worth]}",
            {
                "evidence": evidence.id,
                "verdict": worth.value,
                "sequence": evidence.sequence,
                "vendorTime": rfc3339(evidence.vendor_ms),
            },
        ),
    )


def noted(task: Task, transition: Transitioned) -> Task:
    """With the entry of a transition."""
    before = transition.before.value if transition.before else "unseen"
    return _with(
        task,
        Moment(
            transition.recorded_ms,
            "transition",
            f"{before} → {transition.after.value}",
            {"number": transition.number, "cause": transition.cause, "evidence": transition.evidence},
        ),
    )


def doubted(task: Task, at_ms: int) -> Task:
    """With the entry of a doubt that arose or was laid."""
    what = f"suspect: {DOUBTS[task.doubt]}" if task.doubt else "no longer suspect"
    return _with(task, Moment(at_ms, "decision", what, {"doubt": task.doubt}))


def _with(task: Task, moment: Moment) -> Task:
    return task.with_(timeline=(*task.timeline, moment)[-KEPT:])
