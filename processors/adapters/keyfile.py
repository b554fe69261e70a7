"""Seal keys in a file beside the embedded log, made once and shared by every process that shares the log."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from schemas.codec import DecodeError, decode, encode, is_array
from schemas.errors import Incompatible, Unavailable
from schemas.seal import Seal, new_key


def key_file(log_file: Path) -> Path:
    """Where the keys of an embedded log are."""
    return log_file.with_name(f"{log_file.name}.seal-keys")


def read_or_create(path: Path) -> list[str]:
    """The keys of the file; the first caller makes it, and every other one, however close behind, reads that one.

    The file holds what `AGORA_EVENTS_SEAL_KEYS` would: a JSON list, the first seals. Raises Unavailable when it can not
    be read or made, Incompatible when it is not a list of keys: a new key would not open what the old one sealed.
    """
    try:
        if not path.exists():
            _create(path)
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path}: the seal keys can not be read or made: {error.strerror}") from error
    return keys_in(content, path)


def keys_in(content: bytes, path: Path) -> list[str]:
    """The keys in the content of a key file; raises Incompatible."""
    refusal = Incompatible(f"{path}: not a list of seal keys: restore it from a backup, or remove it to start anew")
    try:
        keys = decode(content)
    except DecodeError:
        # From None: the parser's error carries the whole content.
        raise refusal from None
    if not is_array(keys) or not all(isinstance(key, str) for key in keys):
        raise refusal
    try:
        Seal(keys)
    except ValueError:
        raise refusal from None
    return keys


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes it readable by its owner alone.
    descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode([new_key()]))
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all, and only where nothing is: whoever comes second keeps the first's keys.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink()
    _make_durable(path.parent)


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
