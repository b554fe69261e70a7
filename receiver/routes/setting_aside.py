"""Authentic bodies that cannot be used, as dead letters: sealed, and with nothing secret in clear."""

from collections.abc import Mapping
from typing import Final

from receiver.normalise import NotUnderstood
from receiver.ports import Sealer
from schemas.deadletters import dead_letter
from schemas.masking import mask
from schemas.record import Record

# A header whose name holds one of these may hold a credential, whoever put it there.
SECRET_HEADER_PARTS: Final = ("signature", "auth", "cookie", "token", "secret", "key", "password", "session")


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
    shown: dict[str, str] = mask(
        {name: value for name, value in texts.items() if not any(part in name for part in SECRET_HEADER_PARTS)}
    )
    return shown
