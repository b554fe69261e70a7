"""One group of waiting writes as a few statements of one transaction.

Few, because sqlite3 gives the interpreter lock away around every statement and has to win it back from a busy event
loop: what is many rows goes in as one statement with many rows.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from processors.adapters.sqlite.drafts import Draft, Place
from schemas.record import Position

# Bounds of one row of `batches`: a reader decodes whole rows.
ROW_RECORDS: Final = 512
ROW_BYTES: Final = 2 * 1024 * 1024
# One statement takes at most so many rows; fewer go in as powers of two, so that few statements have to be prepared.
STATEMENT_ROWS: Final = 256

Column = str | int | bytes | None
Row = tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """How rows enter a table: the statement around `VALUES`, and one row of placeholders."""

    into: str
    row: str
    conflict: str = ""

    def statement(self, rows: int) -> str:
        """The statement for so many rows at once."""
        return f"INSERT INTO {self.into} VALUES {', '.join([self.row] * rows)} {self.conflict}"  # noqa: S608 - constants of this module


BATCHES: Final = Table(
    "batches (topic, partition, base, count, appended_ms, records)",
    # Bound as bytes and cast: rendered JSON is known to be UTF-8, decoding it here would only copy it.
    "(?, ?, ?, ?, ?, CAST(? AS TEXT))",
)
LATEST: Final = Table(
    'latest (topic, partition, key, "offset", value, id, product, time_ms, appended_ms)',
    "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    """ON CONFLICT (topic, partition, key) DO UPDATE SET
        "offset" = excluded."offset", value = excluded.value, id = excluded.id, product = excluded.product,
        time_ms = excluded.time_ms, appended_ms = excluded.appended_ms""",
)
HEADS: Final = Table(
    "heads (topic, partition, next)",
    "(?, ?, ?)",
    "ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next",
)
POSITIONS: Final = Table(
    "positions (topic, partition, next)",
    "(?, ?, ?)",
    "ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next",
)


@dataclass(slots=True)
class Group:
    """What the writes of one transaction come to."""

    heads: Mapping[Place, int]
    moved: dict[Place, int] = field(default_factory=dict[Place, int])
    _batches: dict[Place, list[bytes]] = field(default_factory=dict[Place, list[bytes]])
    _latest: dict[tuple[Place, str], Row] = field(default_factory=dict[tuple[Place, str], Row])
    _positions: dict[Place, int] = field(default_factory=dict[Place, int])

    def place(self, drafts: Sequence[Draft], now_ms: int) -> list[Position]:
        """Give records their offsets, in the order given."""
        placed: list[Position] = []
        moved = self.moved
        for place, body in drafts:
            offset = moved.get(place)
            if offset is None:
                offset = self.heads.get(place, 0)
            moved[place] = offset + 1
            if isinstance(body, bytes):
                self._batches.setdefault(place, []).append(body)
            else:
                key, value, id_, product, time_ms = body
                self._latest[place, key] = (*place, key, offset, value, id_, product, time_ms, now_ms)
            placed.append(Position(*place, offset))
        return placed

    def advance(self, positions: Mapping[str, int], partition: int) -> None:
        """Move the read positions of a partition's inputs."""
        self._positions.update({(topic, partition): next_ for topic, next_ in positions.items()})

    def write(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Put everything into the open transaction."""
        insert(connection, BATCHES, list(self._batch_rows(now_ms)))
        insert(connection, LATEST, list(self._latest.values()))
        insert(connection, HEADS, [(*place, next_) for place, next_ in self.moved.items()])
        insert(connection, POSITIONS, [(*place, next_) for place, next_ in self._positions.items()])

    def _batch_rows(self, now_ms: int) -> Iterator[Row]:
        for place, bodies in self._batches.items():
            base = self.heads.get(place, 0)
            for chunk in _chunks(bodies):
                yield (*place, base, len(chunk), now_ms, b"[" + b",".join(chunk) + b"]")
                base += len(chunk)


def insert(connection: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows with as few statements as there are bits in their number."""
    start = 0
    while left := len(rows) - start:
        size = min(STATEMENT_ROWS, 1 << left.bit_length() - 1)
        connection.execute(table.statement(size), [column for row in rows[start : start + size] for column in row])
        start += size


def _chunks(bodies: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    start = size = 0
    for index, body in enumerate(bodies):
        if index > start and (index - start == ROW_RECORDS or size + len(body) > ROW_BYTES):
            yield bodies[start:index]
            start, size = index, 0
        size += len(body)
    yield bodies[start:]
