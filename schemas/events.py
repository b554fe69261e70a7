"""Evidence: what one notification says about one task, in our words.

The vendor's shapes end here: behind this file nobody knows how a converter differs from a player.
"""

from enum import StrEnum
from typing import NamedTuple

from schemas.products import Product


class Event(StrEnum):
    """What kind of thing the vendor says happened."""

    CREATED = "created"
    STARTED = "started"
    STATE = "state"
    UPDATED = "updated"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Evidence(NamedTuple):
    """One notification about one task. Times are Unix ms; None means the vendor did not say.

    `id` is `<productId>:<eventType>:<noticeId>`, so a resend has the same one. `word` is the vendor's state or stop
    reason as sent. `sequence` counts a transcoder's notifications; pushes and pulls have only `vendor_ms`.
    """

    id: str
    notify_ms: int | None
    product: Product
    task_id: str
    event: Event
    name: str
    word: str | None = None
    sequence: int | None = None
    vendor_ms: int | None = None
    created_ms: int | None = None
    instance_name: str | None = None
    channel: str | None = None
    outputs: int | None = None
    received_ms: int = 0

    @property
    def meaning(self) -> str | None:
        """What makes another notice say the same thing again (facts H.3), None when it cannot be told.

        A transcoder's event is its sequence; a push's or pull's is its time and state. `notifyMs` is never part of it.
        """
        order = self.sequence if self.sequence is not None else self.vendor_ms
        if order is None:
            return None
        word = "" if self.sequence is not None else self.word or ""
        return f"{self.event.value}:{order}:{word}"
