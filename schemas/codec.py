"""JSON in and out: one codec for every record, answer and line printed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeGuard

import orjson

# 9999-12-31T23:59:59.999Z: the last instant RFC 3339 can write.
LAST_MS: Final = 253_402_300_799_999
# Below this a vendor time is in seconds, from it on in milliseconds (facts A.7: normalise by magnitude).
MILLISECONDS_FROM: Final = 100_000_000_000

DecodeError = orjson.JSONDecodeError


def decode(data: bytes | str) -> Any:
    """Parse JSON; raises DecodeError (a ValueError) for bad UTF-8, bad syntax and nesting beyond 1,024 levels."""
    return orjson.loads(data)


def encode(value: object) -> bytes:
    """Render JSON; raises TypeError for what JSON cannot hold, nesting beyond 254 levels included."""
    return orjson.dumps(value)


def encode_to_keep(value: object) -> bytes:
    """As `encode`, for what stays in memory: an answer of orjson's keeps its working buffer, some 4 KiB, alive."""
    return bytes(memoryview(encode(value)))


def array_of(encoded: Iterable[bytes]) -> orjson.Fragment:
    """A JSON array of values that are encoded already, to stand in a value that is not."""
    return orjson.Fragment(b"[" + b",".join(encoded) + b"]")


@lru_cache(maxsize=4096)
def rfc3339(unix_ms: int | None) -> str | None:
    """Unix milliseconds as RFC 3339 in UTC with milliseconds, None as None. The same instants recur, so remembered."""
    if unix_ms is None:
        return None
    seconds, rest = divmod(unix_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"


def unix_ms(text: str) -> int:
    """RFC 3339 (an offset is required) as Unix milliseconds; raises ValueError when it is not that."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write 2026-01-31T12:00:00Z")
    return round(moment.timestamp() * 1000)


def millis(value: object) -> int | None:
    """A vendor time, in seconds or milliseconds, as number or text, as Unix ms; None for what is no time.

    The vendor's own pages disagree about the unit of createTs, updateTs and lts (facts A.7, A.8).
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 < value <= LAST_MS:  # NaN fails both comparisons
        return None
    return int(value) if value >= MILLISECONDS_FROM else int(value * 1000)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether decoded JSON is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether decoded JSON is an array."""
    return isinstance(value, list)
