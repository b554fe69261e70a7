"""Records on their way into the file: checked and rendered by the caller, so that a bad one fails alone."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import orjson

from schemas.errors import Rejected
from schemas.partitioning import partition_of
from schemas.record import Record
from schemas.topics import TOPICS

MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
_INTEGER_BITS: Final = 64  # the sign is one of them

Place = tuple[str, int]
"""A partition of a topic."""


class Newest(NamedTuple):
    """A record of a compacted topic, as its columns."""

    key: str
    value: str | None
    id: str
    product: str
    time_ms: int


class Draft(NamedTuple):
    """A record that can be stored: rendered JSON for a batch, columns for a compacted topic."""

    place: Place
    body: bytes | Newest


def draft(records: Iterable[Record], partitions: int, max_bytes: int) -> list[Draft]:
    """Render records; raises Rejected for one that can never be stored."""
    drafts: list[Draft] = []
    for topic, key, value, id_, product, time_ms in records:
        described = TOPICS.get(topic)
        if described is None:
            raise Rejected(f"there is no topic {topic!r}: schemas/topics.py names them all")
        compacted = described.compacted
        try:
            text = None if value is None else value.decode()
            # What a compacted topic keeps in columns is rendered here without its value, for the checks alone.
            body = orjson.dumps([key, None if compacted else text, id_, product, time_ms])
            place = (topic, partition_of(key, partitions))
        except (UnicodeError, TypeError) as error:
            raise Rejected(f"a record of {topic} cannot be written as JSON in UTF-8: {error}") from error
        size = len(body) + len(value or b"") if compacted else len(body)
        if size > max_bytes:
            raise Rejected(f"a record of {topic} takes {size} bytes, the log takes {max_bytes}")
        if not compacted:
            drafts.append(Draft(place, body))
        elif time_ms.bit_length() < _INTEGER_BITS:
            drafts.append(Draft(place, Newest(key, text, id_, product, time_ms)))
        else:
            raise Rejected(f"a record of {topic} has a time of more than 64 bits: {time_ms}")
    return drafts
