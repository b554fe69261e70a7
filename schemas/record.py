"""What goes on the log and what comes back from it.

A record *is* a CloudEvent: its attributes are fields here and become `ce_*` headers (Kafka) or columns (SQLite)
at the adapter, so the hot path never renders headers that only a reader wants.
"""

from typing import NamedTuple


class Record(NamedTuple):
    """One record to be appended; `value` is JSON in UTF-8, or None for a tombstone of a compacted topic.

    `id` is the CloudEvents id: the same fact has the same id however often it is produced.
    `product` becomes the CloudEvents source `/agora-events/<product>`; `time_ms` is vendor time, else ours (Unix ms).
    """

    topic: str
    key: str
    value: bytes | None
    id: str = ""
    product: str = ""
    time_ms: int = 0


class Position(NamedTuple):
    """Where a record stands: offsets rise within a partition and are never reused; compaction leaves gaps."""

    topic: str
    partition: int
    offset: int


class Stored(NamedTuple):
    """A record read back, with its position and the time the log took it in (Unix ms)."""

    record: Record
    position: Position
    appended_ms: int
