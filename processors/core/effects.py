"""What a decision leads to besides the new state. They become records of the same transaction, or counts after it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from schemas.products import Product
from schemas.state import Doubt, Status


class Verdict(StrEnum):
    """What a notification was worth: each is counted once, under the first that fits."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    REDUNDANT = "redundant"
    STALE = "stale"
    NOOP = "noop"


@dataclass(frozen=True, slots=True)
class Transitioned:
    """An accepted change of status: one public record, whatever is retried or crashes."""

    product: Product
    task_id: str
    number: int
    before: Status | None
    after: Status
    cause: Literal["notification", "query", "command", "timer"]
    evidence: str
    vendor_ms: int | None
    recorded_ms: int


@dataclass(frozen=True, slots=True)
class SessionReported:
    """The task ended, or what is known of an ended one was corrected: its session is published at this revision."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A notification was weighed."""

    product: Product
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Doubted:
    """The task became suspect, or suspect for another reason."""

    product: Product
    doubt: Doubt


@dataclass(frozen=True, slots=True)
class LostSight:
    """A task nobody could ask about went without news for too long and was removed."""

    product: Product


Effect = Transitioned | SessionReported | Folded | Doubted | LostSight
