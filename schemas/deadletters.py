"""What is set aside: authentic, durable, not usable as it is."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

from schemas.codec import encode, rfc3339
from schemas.record import Record
from schemas.topics import DEAD_LETTERS


def dead_letter(
    *,
    key: str,
    product: str | None,
    reason: str,
    detail: str,
    where: Literal["receiver", "processor"],
    received_ms: int,
    source: str,
    original: bytes,
    sealed: str,
    headers: Mapping[str, str],
) -> Record:
    """The record of a dead letter; its id comes from the original bytes, so the same letter has the same id.

    `original` only makes the id; what is stored of it is `sealed`. `detail` must hold nothing of the original's values.
    """
    name = sha256(b"\0".join((where.encode(), source.encode(), key.encode(), original))).hexdigest()[:32]
    value = {
        "reason": reason,
        "detail": detail,
        "where": where,
        "receivedAt": rfc3339(received_ms),
        "source": source,
        "body": sealed,
        "headers": dict(headers),
    }
    return Record(DEAD_LETTERS, key, encode(value), name, product or "unknown", received_ms)
