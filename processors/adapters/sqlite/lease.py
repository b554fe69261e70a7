"""The worker lease: a lock of the kernel, so that it ends with its process, however that ends."""

import fcntl
import os
from pathlib import Path

from schemas.errors import LeaseTaken, Unavailable


class FileLease:
    """The exclusive lock beside a log file."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._path = log.with_name(f"{log.name}.lease")
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock; raises LeaseTaken, naming the process that holds it."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise Unavailable(f"cannot open {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise LeaseTaken(f"process {holder} works {self._log}: stop it first, or only receive here") from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        # The file stays when the lock goes: removing it would let two processes lock two files of one name.
        self._file = file

    def release(self) -> None:
        """Give the lock up."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
