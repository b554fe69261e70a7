"""The persisted state of a task: what the changelog holds. `dump` and `load` are the only two that serialise it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.codec import array_of, decode, encode, encode_to_keep
from schemas.products import Product

SCHEMA_VERSION: Final = 1


class Status(StrEnum):
    """Canonical task status, in rank order; EXIT and FAILURE_STOP end a task."""

    IDLE = "IDLE"
    PREPARED = "PREPARED"
    STARTING = "STARTING"
    CREATED = "CREATED"
    STARTED = "STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    EXIT = "EXIT"
    FAILURE_STOP = "FAILURE_STOP"


class Doubt(StrEnum):
    """Why a task is suspect."""

    FAILED = "failed"
    GAP = "gap"
    UNKNOWN = "unknown"
    DISAGREES = "disagrees"
    UNCONFIRMED_STOP = "unconfirmed_stop"
    SILENT = "silent"


class NewerStateError(Exception):
    """The state was written by a newer version of this program."""


class Counts(NamedTuple):
    """How often the vendor spoke of a task, and how each layer of it misbehaved."""

    notifications: int = 0
    duplicates: int = 0
    redundant: int = 0
    stale: int = 0
    noops: int = 0
    missed: int = 0
    late: int = 0


class Run(NamedTuple):
    """The span a session reports, from vendor times (Unix ms); `start_announced` says the first proof was the start."""

    created_ms: int | None = None
    started_ms: int | None = None
    start_announced: bool = False
    ended_ms: int | None = None
    end_reason: str | None = None
    outputs: int = 0
    reconnects: int = 0


class Task(NamedTuple):
    """One vendor task as observed. A named tuple, because a copy with changes is made at every step of the fold.

    `transitions` counts the accepted status changes, `version` every change of this value. `notices` remembers the
    `notifyMs` of every notice by evidence id, `meanings` what those notices said. `missing` holds the sequence ranges
    (first, last) that were skipped. `news_ms` is when we last heard of the task, our clock. `timeline` holds its
    entries as JSON objects, encoded once.
    """

    product: Product
    id: str
    status: Status = Status.IDLE
    doubt: Doubt | None = None
    name: str | None = None
    channel: str | None = None
    sequence: int | None = None
    lowest_sequence: int | None = None
    newest_ms: int | None = None
    run: Run = Run()
    config_versions: int = 0
    transitions: int = 0
    session_revision: int = 0
    version: int = 0
    news_ms: int = 0
    ended_seen_ms: int | None = None
    counts: Counts = Counts()
    notices: Mapping[str, tuple[int | None, ...]] = MappingProxyType({})
    meanings: tuple[str, ...] = ()
    missing: tuple[tuple[int, int], ...] = ()
    timeline: tuple[bytes, ...] = ()

    @property
    def key(self) -> str:
        """The task key: the key of every record about this task."""
        return task_key(self.product, self.id)

    def with_(self, **changes: Any) -> "Task":
        """A copy with these fields changed."""
        return self._replace(**changes)


def task_key(product: str, task_id: str) -> str:
    """`<product>/<vendor id>`."""
    return f"{product}/{task_id}"


def dump(task: Task) -> bytes:
    """The changelog's value for a task."""
    fields = task._asdict()
    fields["run"] = task.run._asdict()
    fields["counts"] = task.counts._asdict()
    fields["notices"] = dict(task.notices)
    fields["timeline"] = array_of(task.timeline)
    return encode({"v": SCHEMA_VERSION, "task": fields})


def load(data: bytes) -> Task:
    """The task a changelog value holds; raises NewerStateError for a version this program does not know."""
    value = decode(data)
    if value["v"] > SCHEMA_VERSION:
        raise NewerStateError(
            f"state version {value['v']} is newer than this program's {SCHEMA_VERSION}: run the newer program"
        )
    return _task(value["task"])


def _task(fields: dict[str, Any]) -> Task:
    doubt = fields["doubt"]
    typed: dict[str, Any] = {
        "product": Product(fields["product"]),
        "status": Status(fields["status"]),
        "doubt": Doubt(doubt) if doubt else None,
        "run": Run(**fields["run"]),
        "counts": Counts(**fields["counts"]),
        "notices": {notice: tuple(sent) for notice, sent in fields["notices"].items()},
        "meanings": tuple(fields["meanings"]),
        "missing": tuple((first, last) for first, last in fields["missing"]),
        "timeline": tuple(encode_to_keep(moment) for moment in fields["timeline"]),
    }
    return Task(**(fields | typed))
