"""The core's settings as one value: what an operator may change about decisions."""

from dataclasses import dataclass
from typing import Final

SECOND_MS: Final = 1_000
HOUR_MS: Final = 3_600 * SECOND_MS
DAY_MS: Final = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Policy:
    """Waits in milliseconds; `can_ask`: the vendor's API can be asked about a task."""

    can_ask: bool = False
    silent_after_ms: int = 24 * HOUR_MS
    lost_after_ms: int = 7 * DAY_MS
    # Longer than any resend of the vendor's: what an ended task remembered still counts its late repeats.
    keep_ended_ms: int = 72 * HOUR_MS
