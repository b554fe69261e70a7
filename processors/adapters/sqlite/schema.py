"""The file: its tables, how older ones become today's, and which files are refused."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.errors import Incompatible

APPLICATION_ID: Final = 0x61676F72  # "agor": `file` and we tell our files by it
BUSY_SECONDS: Final = 5.0  # how long another process may hold the write lock before we say Unavailable
PAGE_BYTES: Final = 8192  # measured: 4,096 costs an append 5 % more CPU, 32,768 8 %
CHECKPOINT_PAGES: Final = 250  # 2 MiB: the log file itself stays in the processor's cache, and no append waits for long
CACHE_KIB: Final = 2_048  # more is slower: appends would run through all of it and find it cold in the processor
ANSWER_BYTES: Final = 64 * 1024 * 1024  # the longest value a reader is given; one record always fits

# One entry per version, in order; what stands here once released is never edited.
MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
        # The next offset of every partition, kept apart so that offsets outlive the records.
        """CREATE TABLE heads (
            topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
        ) WITHOUT ROWID""",
        """CREATE TABLE positions (
            topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
        ) WITHOUT ROWID""",
        # Plain topics: one row per partition and commit; `records` is [[key, value, id, product, time_ms], …].
        """CREATE TABLE batches (
            sequence INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, base INTEGER NOT NULL,
            count INTEGER NOT NULL, appended_ms INTEGER NOT NULL, records TEXT NOT NULL
        )""",
        "CREATE UNIQUE INDEX batches_by_base ON batches (topic, partition, base, count)",
        # Compacted topics: the newest record of each key; a tombstone is a NULL value.
        """CREATE TABLE latest (
            topic TEXT NOT NULL, partition INTEGER NOT NULL, key TEXT NOT NULL, "offset" INTEGER NOT NULL, value TEXT,
            id TEXT NOT NULL, product TEXT NOT NULL, time_ms INTEGER NOT NULL, appended_ms INTEGER NOT NULL
        )""",
        "CREATE UNIQUE INDEX latest_by_key ON latest (topic, partition, key)",
        'CREATE UNIQUE INDEX latest_by_offset ON latest (topic, partition, "offset")',
        "CREATE INDEX latest_tombstones ON latest (appended_ms) WHERE value IS NULL",
    ),
)


def open_to_write(path: Path, partitions: int) -> sqlite3.Connection:
    """Open or make the file, today's version of it, durable at every commit.

    Raises Incompatible for a file that is not ours, is newer or has another number of partitions (nothing was changed
    then), and sqlite3.Error when it is out of reach.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        migrate(connection, path, partitions)
        _make_durable(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError(f"the file system allows no write-ahead log (journal mode {mode})")
    for pragma in (
        # FULL, because in WAL mode NORMAL does not sync at commit: an answered append must survive a power cut.
        "synchronous = FULL",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        f"journal_size_limit = {64 * 1024 * 1024}",
        f"cache_size = -{CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a file that exists, for reading only; raises sqlite3.Error when it is out of reach."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, ANSWER_BYTES)
    return connection


def migrate(
    connection: sqlite3.Connection, path: Path, partitions: int, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring the file to the newest version in one transaction, or refuse it.

    After an exception the connection may stand in a transaction: close it.
    """
    # From one snapshot: another process may be making the file right now.
    connection.execute("BEGIN")
    version = _version(connection, path, partitions, migrations)
    connection.execute("COMMIT")
    if version == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    # Again, under the lock: it may have been faster.
    version = _version(connection, path, partitions, migrations)
    for step in migrations[version:]:
        for statement in step:
            connection.execute(statement)
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("INSERT INTO meta VALUES ('partitions', ?)", (partitions,))
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: Path, partitions: int, migrations: Sequence[Sequence[str]]) -> int:
    """The version of a file that is ours, 0 for an empty one."""
    try:
        ours = _pragma(connection, "application_id") == APPLICATION_ID
        version = int(_pragma(connection, "user_version"))
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise Incompatible(f"{path} is no database: give another path, or move that file away") from error
        raise
    if not ours:
        if version or tables:
            raise Incompatible(f"{path} is a database of another program: give another path")
        return 0
    if version > len(migrations):
        raise Incompatible(
            f"{path} has version {version}, this program knows up to {len(migrations)}: install the newer program"
        )
    kept = connection.execute("SELECT value FROM meta WHERE name = 'partitions'").fetchone()[0]
    if kept != partitions:
        raise Incompatible(f"{path} was made with {kept} partitions, not {partitions}: the number cannot change")
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int | str:
    value: int | str = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
