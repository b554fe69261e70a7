"""A record as a CloudEvent in JSON (structured mode), as `topics read` prints it."""

from typing import Any

from schemas.codec import decode, rfc3339
from schemas.record import Stored
from schemas.topics import TOPICS


def structured(stored: Stored) -> dict[str, Any]:
    """The CloudEvent of a stored record; a tombstone has null data. `partition` and `offset` say where it stands."""
    record = stored.record
    return {
        "specversion": "1.0",
        "id": record.id,
        "source": f"/agora-events/{record.product}",
        "type": TOPICS[record.topic].event_type or record.topic,
        "subject": record.key,
        "time": rfc3339(record.time_ms),
        "datacontenttype": "application/json",
        "partition": stored.position.partition,
        "offset": stored.position.offset,
        "data": None if record.value is None else decode(record.value),
    }
