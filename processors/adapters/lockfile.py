"""An exclusive lock of the kernel on a file: it ends with its process, however that ends."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import LeaseTaken, Unavailable


@contextmanager
def locked(path: Path, held_by: str) -> Generator[None]:
    """Hold the lock of a file, made where it is missing.

    Raises LeaseTaken with `held_by`, in which `{pid}` is the process that holds it, and Unavailable when the file can
    not be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Unavailable(f"{path}: can not be made: {error.strerror}") from error
    try:
        _take(file, held_by)
        # The file stays when the lock goes: removing it would let two processes lock two files of one name.
        yield
    finally:
        os.close(file)


def _take(file: int, held_by: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        pid = os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
        raise LeaseTaken(held_by.replace("{pid}", pid)) from error
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
