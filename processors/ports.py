"""What the engine needs from the world. The docstrings are the contract.

Every sentence about behaviour is a test of `tests/conformance`, which every adapter passes. The exceptions named here
are those of `schemas.errors`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from schemas.record import Position, Record, Stored


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a partition of a topic begins and where its next record will stand (`first == end`: empty)."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Commit:
    """What becomes visible together: how far each input was read (next offset), and what that led to.

    State is records on `agora.internal.state`, timers are part of the state, so positions and records are everything.
    """

    positions: Mapping[str, int] = field(default_factory=dict[str, int])
    records: Sequence[Record] = ()


class Log(Protocol):
    """A partitioned, durable log of records. Records of one key stand in one partition, in order.

    Any process may append and read. `start` raises `Incompatible` for data of a newer version; a log that is merely out
    of reach starts, and every call raises `Unavailable` until it is back, without a restart.
    """

    @property
    def partitions(self) -> int:
        """How many partitions every topic has."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None:
        """Finish appends that were accepted, then let go of everything. Closing twice is closing once."""
        ...

    async def append(self, records: Sequence[Record]) -> Sequence[Position]:
        """Make records durable, all or none of them, in order per key.

        Returns, in the order given, when every record would survive the loss of this process: fsynced, or acknowledged
        by all in-sync replicas. Raises `Unavailable` when that cannot be promised; the records may then exist all the
        same, so callers that try again must accept a repeat with the same `Record.id`. Raises `Rejected` when a record
        can never be stored. A cancelled call may or may not have stored its records, never a part of them.
        """
        ...

    async def read(
        self,
        topic: str,
        partition: int,
        offset: int,
        *,
        limit: int = 500,
        wait: timedelta = timedelta(0),
    ) -> Sequence[Stored]:
        """Records at or after an offset, oldest first, at most `limit`; committed ones only.

        Returns as soon as there is one, else nothing after `wait`. An offset that retention has passed continues with
        the oldest record kept. Compacted topics hold the newest record of each key; older ones may be skipped. An
        append by another process is seen within 50 ms.
        """
        ...

    async def extent(self, topic: str, partition: int) -> Extent:
        """The first kept offset and the next one. Reading up to `end` is reading everything there was."""
        ...

    def lease(self, inputs: Sequence[str]) -> AbstractAsyncContextManager["Lease"]:
        """Take part in working the given input topics; raises `LeaseTaken` where only one process may.

        Inputs share partition numbers: who works partition n of one works it of all.
        """
        ...


class Lease(Protocol):
    """The share of the partitions that this process works; it may change while it is held."""

    async def assigned(self) -> frozenset[int]:
        """The partitions to work: at once the first time, later whenever the share changes, never without a change.

        A partition that left the share must be closed before the next call; only then may another process take it.
        """
        ...

    async def take(self, partition: int) -> "Partition":
        """Own an assigned partition: whoever worked it before is fenced, and its last commit is visible."""
        ...


class Partition(Protocol):
    """One partition, owned by one worker. Every call raises `Fenced` once another owns it."""

    @property
    def number(self) -> int: ...

    async def restore(self) -> Mapping[str, bytes]:
        """The committed state: machine key to value, tombstones left out."""
        ...

    async def poll(self, limit: int, wait: timedelta) -> Sequence[Stored]:
        """Input records after the committed positions, at most `limit`, in order per topic.

        Returns as soon as there is one, else nothing after `wait`. Polling again without a commit reads the same again:
        a failed commit needs no undoing.
        """
        ...

    async def lag(self) -> int:
        """How many input records stand after the committed positions."""
        ...

    async def commit(self, commit: Commit) -> None:
        """Make positions and records visible together, exactly once, or not at all.

        Raises `Unavailable` when it cannot be told whether it happened; `poll` then continues from what did happen.
        Raises `Rejected` when a record can never be stored; nothing happened.
        """
        ...

    async def close(self) -> None:
        """Give the partition up; nothing uncommitted survives."""
        ...


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> int:
        """Unix milliseconds."""
        ...

    async def sleep(self, duration: timedelta) -> None: ...
