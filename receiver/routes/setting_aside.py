"""Authentic bodies that cannot be used, as dead letters: sealed, and with nothing secret in clear."""

from collections.abc import Mapping
from typing import Final

from receiver.normalise import NotUnderstood
from receiver.ports import Sealer
from schemas.deadletters import dead_letter
from schemas.masking import mask
from schemas.record import Record

# What helps to find out where a body came from. Any other header may hold a credential, whatever it is called.
OPEN_HEADERS: Final = frozenset(
    {
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "user-agent",
        "via",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
    }
)


def set_aside(
    unusable: NotUnderstood,
    body: bytes,
    headers: Mapping[bytes, bytes],
    *,
    source: str,
    received_ms: int,
    seal: Sealer,
) -> Record:
    """The dead letter of a body, under the key it would have had."""
    return dead_letter(
        key=unusable.key or source,
        product=unusable.product,
        reason=unusable.reason.value,
        detail=unusable.detail,
        where="receiver",
        received_ms=received_ms,
        source=source,
        original=body,
        sealed=seal.seal(body),
        headers=open_headers(headers),
    )


def open_headers(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The headers that may be shown."""
    texts = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.items()}
    shown: dict[str, str] = mask({name: value for name, value in texts.items() if name in OPEN_HEADERS})
    return shown
