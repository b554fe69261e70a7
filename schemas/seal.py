"""Sealing what must be kept but never shown: original bytes of dead letters, and later tokens and stream keys.

Fernet (AES-128-CBC with HMAC-SHA256) from `cryptography`: the first key seals, every key opens, so keys rotate by
putting a new one in front.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class CannotOpenError(Exception):
    """None of the keys opens this: it was sealed with a key that is no longer configured, or was altered."""


class Seal:
    """A ring of keys that seals and opens."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError when there is no key or one is not URL-safe base64 of 32 bytes."""
        if not keys:
            raise ValueError("no seal key")
        self._ring = MultiFernet([Fernet(key) for key in keys])

    def seal(self, clear: bytes) -> str:
        """Encrypted and authenticated, as text."""
        return self._ring.encrypt(clear).decode("ascii")

    def open(self, sealed: str) -> bytes:
        """The bytes that were sealed; raises CannotOpenError."""
        try:
            return self._ring.decrypt(sealed.encode("ascii", "replace"))
        except InvalidToken as error:
            raise CannotOpenError("no configured seal key opens this: add the key it was sealed with") from error


def new_key() -> str:
    """A fresh key."""
    return Fernet.generate_key().decode("ascii")
