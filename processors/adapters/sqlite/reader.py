"""Reading: own connections in own threads, so that a reader waits for no writer and no event loop for a reader.

Every question is one statement that answers with one row of JSON: fetching rows one by one would have to win the
interpreter lock back for each (500 rows beside a busy thread: 231 ms, as one row 12 ms).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TypeVar

from processors.adapters.sqlite.schema import open_to_read
from processors.adapters.sqlite.writer import Writer
from processors.ports import Extent
from schemas.codec import decode
from schemas.errors import Incompatible, Unavailable
from schemas.record import Position, Record, Stored
from schemas.topics import STATE, TOPICS

THREADS: Final = 3
RESTORE_ROWS: Final = 2_000

# Offsets of a plain topic have no gaps after the first one kept, so the rows that hold a range are known by arithmetic.
_BATCHES: Final = """
    SELECT '[' || group_concat('[' || base || ',' || appended_ms || ',' || records || ']') || ']' FROM (
        SELECT base, appended_ms, records FROM batches WHERE topic = :topic AND partition = :partition
            AND base >= coalesce((SELECT max(base) FROM batches
                WHERE topic = :topic AND partition = :partition AND base <= :offset), 0)
            AND base < :limit + max(:offset, coalesce((SELECT min(base) FROM batches
                WHERE topic = :topic AND partition = :partition), 0))
            AND base + count > :offset
        ORDER BY base)
"""
_LATEST: Final = """
    SELECT json_group_array(json_array("offset", appended_ms, key, value, id, product, time_ms)) FROM (
        SELECT * FROM latest WHERE topic = :topic AND partition = :partition AND "offset" >= :offset
        ORDER BY "offset" LIMIT :limit)
"""
_RESTORE: Final = """
    SELECT json_group_array(json_array("offset", key, value)) FROM (
        SELECT * FROM latest WHERE topic = :topic AND partition = :partition AND "offset" >= :offset
            AND value IS NOT NULL
        ORDER BY "offset" LIMIT :limit)
"""
_POSITIONS: Final = "SELECT json_group_object(topic, next) FROM positions WHERE partition = ?"
_EXTENT: Final = """
    SELECT coalesce((SELECT min({offset}) FROM {table} WHERE topic = :topic AND partition = :partition), next), next
    FROM heads WHERE topic = :topic AND partition = :partition
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """Some records of a place."""

    topic: str
    partition: int
    offset: int
    limit: int


class Reader:
    """Runs questions on connections of its own."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._threads = ThreadPoolExecutor(THREADS, "log-reader")
        self._idle: list[sqlite3.Connection] = []

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer to a question, from one snapshot; raises Unavailable."""
        return await self.run(partial(self._answer, question))

    async def run(self, work: Callable[[], T]) -> T:
        """Do work on the file in a thread; raises Unavailable."""
        try:
            await self._writer.reach()  # a file that is not there yet is made by the writer
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (sqlite3.Error, Incompatible) as error:
            raise Unavailable(f"cannot read {self._path}: {error}; try again once that is mended") from error
        except RuntimeError as error:  # the threads are gone
            raise Unavailable(f"the log {self._path} is closed") from error

    async def close(self) -> None:
        """Finish the questions that run, then let go of the file."""
        await asyncio.to_thread(self._threads.shutdown)
        while self._idle:
            self._idle.pop().close()

    def _answer(self, question: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._idle.pop() if self._idle else open_to_read(self._path)
        try:
            connection.execute("BEGIN")
            answer = question(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.close()
            raise
        self._idle.append(connection)
        return answer


def records(connection: sqlite3.Connection, topic: str, partition: int, offset: int, limit: int) -> list[Stored]:
    """Records at or after an offset, oldest first; fewer than there are when they are very large."""
    read = _latest if _compacted(topic) else _batched
    return list(islice(read(connection, Range(topic, partition, offset, limit)), limit))


def inputs(connection: sqlite3.Connection, topics: Sequence[str], partition: int, limit: int) -> list[Stored]:
    """Records after the committed positions of some topics: in order per topic, the oldest topic head first."""
    positions = _positions(connection, partition)
    waiting = [records(connection, topic, partition, positions.get(topic, 0), limit) for topic in topics]
    return list(islice(merge(*waiting, key=lambda stored: stored.appended_ms), limit))


def lag(connection: sqlite3.Connection, topics: Sequence[str], partition: int) -> int:
    """How many records of some topics stand after the committed positions."""
    positions = _positions(connection, partition)
    extents = {topic: extent(connection, topic, partition) for topic in topics}
    return sum(reach.end - max(reach.first, positions.get(topic, 0)) for topic, reach in extents.items())


def state(connection: sqlite3.Connection, partition: int) -> dict[str, bytes]:
    """The newest value of every key of the changelog, tombstones left out."""
    values: dict[str, bytes] = {}
    offset = 0
    while rows := _rows(connection, _RESTORE, Range(STATE, partition, offset, RESTORE_ROWS)):
        values.update((key, value.encode()) for _, key, value in rows)
        offset = rows[-1][0] + 1
    return values


def extent(connection: sqlite3.Connection, topic: str, partition: int) -> Extent:
    """The first kept offset and the next one."""
    compacted = _compacted(topic)
    question = _EXTENT.format(offset='"offset"' if compacted else "base", table="latest" if compacted else "batches")
    row = connection.execute(question, {"topic": topic, "partition": partition}).fetchone()
    return Extent(*row) if row else Extent(0, 0)


def _positions(connection: sqlite3.Connection, partition: int) -> dict[str, int]:
    (known,) = connection.execute(_POSITIONS, (partition,)).fetchone()
    positions: dict[str, int] = decode(known)
    return positions


def _compacted(topic: str) -> bool:
    return topic in TOPICS and TOPICS[topic].compacted


def _batched(connection: sqlite3.Connection, wanted: Range) -> Iterator[Stored]:
    for base, appended_ms, bodies in _rows(connection, _BATCHES, wanted):
        skipped = max(0, wanted.offset - base)
        for offset, body in enumerate(bodies[skipped:], base + skipped):
            yield _stored(Position(wanted.topic, wanted.partition, offset), appended_ms, body)


def _latest(connection: sqlite3.Connection, wanted: Range) -> Iterator[Stored]:
    for offset, appended_ms, *body in _rows(connection, _LATEST, wanted):
        yield _stored(Position(wanted.topic, wanted.partition, offset), appended_ms, body)


def _stored(position: Position, appended_ms: int, body: Sequence[Any]) -> Stored:
    key, value, id_, product, time_ms = body
    record = Record(position.topic, key, None if value is None else value.encode(), id_, product, time_ms)
    return Stored(record, position, appended_ms)


def _rows(connection: sqlite3.Connection, question: str, wanted: Range) -> list[list[Any]]:
    """The rows of an answer that is one row of JSON, by offset; for fewer records when it would be too long."""
    try:
        (answer,) = connection.execute(question, asdict(wanted)).fetchone()
    except sqlite3.DataError:
        if wanted.limit == 1:
            raise
        return _rows(connection, question, replace(wanted, limit=max(1, wanted.limit // 8)))
    rows: list[list[Any]] = decode(answer) if answer else []
    rows.sort(key=itemgetter(0))  # SQLite promises no order inside an aggregate
    return rows
