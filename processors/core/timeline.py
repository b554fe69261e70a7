"""A task's story in words and data: evidence, what it was worth, what followed. Entries are encoded once, here."""

from collections.abc import Sequence
from typing import Final

from processors.core.effects import Transitioned, Verdict
from schemas.codec import encode_to_keep, rfc3339
from schemas.events import Evidence
from schemas.state import Doubt

TIMELINE_KEPT: Final = 100
TRANSITION: Final = b'{"kind":"transition"'

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


def continued(timeline: tuple[bytes, ...], story: Sequence[bytes]) -> tuple[bytes, ...]:
    """The timeline with what followed, within its bound. Transitions stay: they are few, and the reason for it all."""
    whole = (*timeline, *story)
    excess = len(whole) - TIMELINE_KEPT
    if excess <= 0:
        return whole
    passing = [place for place, entry in enumerate(whole) if not entry.startswith(TRANSITION)][:excess]
    return tuple(entry for place, entry in enumerate(whole) if place not in passing)


def told(evidence: Evidence, worth: Verdict) -> bytes:
    """The entry of a notification."""
    word = f" ({evidence.word})" if evidence.word else ""
    return encode_to_keep(
        {
            "kind": "notification",
            "at": rfc3339(evidence.received_ms),
            "what": f"{evidence.name}{word}{WORTH[worth]}",
            "evidence": evidence.id,
            "verdict": worth,
            "sequence": evidence.sequence,
            "vendorTime": rfc3339(evidence.vendor_ms),
        }
    )


def noted(transition: Transitioned) -> bytes:
    """The entry of a transition."""
    return encode_to_keep(
        {
            "kind": "transition",
            "at": rfc3339(transition.recorded_ms),
            "what": f"{transition.before or 'unseen'} → {transition.after}",
            "number": transition.number,
            "cause": transition.cause,
            "evidence": transition.evidence,
        }
    )


def doubted(doubt: Doubt | None, at_ms: int) -> bytes:
    """The entry of a doubt that arose or was laid."""
    what = f"suspect: {DOUBTS[doubt]}" if doubt else "no longer suspect"
    return encode_to_keep({"kind": "decision", "at": rfc3339(at_ms), "what": what, "doubt": doubt})
