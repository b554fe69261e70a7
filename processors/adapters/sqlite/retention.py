"""What is old or too much goes, in steps so small that no append has to wait for them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from heapq import merge
from itertools import islice, takewhile
from typing import Final, NamedTuple

from schemas.codec import encode

STEP_BATCHES: Final = 64
STEP_TOMBSTONES: Final = 500


@dataclass(frozen=True, slots=True)
class Retention:
    """How long plain topics keep records and how large the file may grow before the oldest go early.

    Whichever comes first. What a worker has not read yet never goes, so `size_bytes` bounds everything else. Tombstones
    of compacted topics stay long enough for readers that tail them.
    """

    age: timedelta = timedelta(days=7)
    size_bytes: int = 8 * 1024**3
    tombstones: timedelta = timedelta(hours=1)


DEFAULT_RETENTION: Final = Retention()


class Batch(NamedTuple):
    """A row of `batches` without its records."""

    sequence: int
    appended_ms: int


def sweep(connection: sqlite3.Connection, retention: Retention, now_ms: int) -> bool:
    """Delete one step of what may go, in a transaction; whether there may be more."""
    connection.execute("BEGIN IMMEDIATE")
    tombstones = connection.execute(
        """DELETE FROM latest WHERE rowid IN
            (SELECT rowid FROM latest WHERE value IS NULL AND appended_ms < ? LIMIT ?)""",
        (now_ms - _ms(retention.tombstones), STEP_TOMBSTONES),
    ).rowcount
    # Below the position; for a topic that nobody works, all of it.
    places = connection.execute(
        """SELECT topic, partition, iif(topic IN (SELECT topic FROM positions), coalesce(positions.next, 0), heads.next)
            FROM heads LEFT JOIN positions USING (topic, partition)"""
    ).fetchall()
    old_before_ms = now_ms - _ms(retention.age)
    if _used_bytes(connection) > retention.size_bytes:
        old_before_ms = now_ms + 1
    # The oldest first over all topics: `sequence` counts in the order of commits.
    going = [
        batch.sequence
        for batch in islice(merge(*(_old(connection, place, old_before_ms) for place in places)), STEP_BATCHES)
    ]
    connection.execute(
        "DELETE FROM batches WHERE sequence IN (SELECT value FROM json_each(?))", (encode(going).decode(),)
    )
    connection.execute("COMMIT")
    return len(going) == STEP_BATCHES or tombstones == STEP_TOMBSTONES


def _old(connection: sqlite3.Connection, place: tuple[str, int, int], before_ms: int) -> Iterator[Batch]:
    """The batches at the beginning of a place (topic, partition) that lie wholly before a position and are old.

    Never one behind a younger one, whatever the clock did: offsets that are kept have no gaps.
    """
    rows = connection.execute(
        """SELECT sequence, appended_ms FROM batches
            WHERE topic = ? AND partition = ? AND base + count <= ? ORDER BY base LIMIT ?""",
        (*place, STEP_BATCHES),
    )
    return takewhile(lambda batch: batch.appended_ms < before_ms, map(Batch._make, rows))


def _used_bytes(connection: sqlite3.Connection) -> int:
    """The size of what is in the file; pages that deletions left free are used again and do not count."""
    pages, free, page_bytes = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page_bytes)


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
