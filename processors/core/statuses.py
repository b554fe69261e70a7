"""What each piece of evidence proves.

The vendor tells us about a task by two voices: notifications (fast, unreliable) and Query (slow, reliable). Neither
arrives in order, so a status is never assigned: every piece of evidence *proves* one, and a task's status is the
highest rank that anything has proved.

* Ranks only rise. STARTED and IN_PROGRESS are one plateau: the task runs.
* EXIT and FAILURE_STOP end the task and absorb everything after them.
* `failed` proves nothing: the vendor documents no failure as an end but the end itself, so it makes the task suspect.
* A word the vendor never documented proves nothing either; it is kept as text and makes the task suspect.
* An end for an unexpected reason is an end, but whether a normal one must be asked. Where nobody can ask it is a
  failure at once: a stream that died unnoticed costs more than one that is reported dead too early.

Everything that decides what is proved stands in this file. It does not know who asks, when, or what follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.events import Event, Evidence
from schemas.products import Product
from schemas.state import Doubt, Status

RANK: Final[Mapping[Status, int]] = {status: rank for rank, status in enumerate(Status)} | {Status.FAILURE_STOP: 8}
RUNNING: Final = frozenset({Status.STARTED, Status.IN_PROGRESS})
TERMINAL: Final = frozenset({Status.EXIT, Status.FAILURE_STOP})
# From where on `connecting` is a reconnect. A transcoder connects for the first time after it was announced as started.
CONNECTED: Final[Mapping[Product, frozenset[Status]]] = {
    Product.TRANSCODER: frozenset({Status.IN_PROGRESS}),
    Product.PUSH: RUNNING,
    Product.PULL: RUNNING,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a piece of evidence says: the status it proves, the doubt it raises, what else it tells.

    `announces_start`: this is how the vendor announces that a task of this product runs. `connects`: the task is
    connecting, which is a reconnect when it already ran.
    """

    proves: Status | None = None
    doubt: Doubt | None = None
    announces_start: bool = False
    connects: bool = False


_CONNECTING: Final = Reading(Status.STARTING, connects=True)
_FAILED: Final = Reading(doubt=Doubt.FAILED)
_RUNS: Final = Reading(Status.IN_PROGRESS)
_RUNS_FROM_HERE: Final = Reading(Status.IN_PROGRESS, announces_start=True)
_UNKNOWN: Final = Reading(doubt=Doubt.UNKNOWN)
_UNEXPECTED_END: Final = Reading(Status.STOPPED, Doubt.UNCONFIRMED_STOP)
_UNASKABLE_END: Final = Reading(Status.FAILURE_STOP)

# What an event proves whatever words it carries.
BY_EVENT: Final[Mapping[tuple[Product, Event], Reading]] = {
    (Product.TRANSCODER, Event.STARTED): Reading(Status.STARTED, announces_start=True),
    (Product.PUSH, Event.CREATED): Reading(Status.STARTING),
    (Product.PULL, Event.CREATED): Reading(Status.STARTING),
}

# What the vendor's state words prove, by event; words are compared without case.
BY_STATE: Final[Mapping[tuple[Product, Event], Mapping[str, Reading]]] = {
    (Product.TRANSCODER, Event.STATE): {"connecting": _CONNECTING, "running": _RUNS, "failed": _FAILED},
    (Product.TRANSCODER, Event.UPDATED): {"connecting": _CONNECTING, "running": _RUNS, "failed": _FAILED},
    (Product.PUSH, Event.STATE): {"connecting": _CONNECTING, "running": _RUNS_FROM_HERE, "failed": _FAILED},
    (Product.PUSH, Event.UPDATED): {"connecting": _CONNECTING, "running": _RUNS, "failed": _FAILED},
    (Product.PULL, Event.STATE): {
        "connecting": _CONNECTING,
        "success": Reading(Status.STARTED, announces_start=True),
        "running": _RUNS_FROM_HERE,
        "failed": _FAILED,
        "stopped": Reading(Status.STOPPED),
    },
}

# How a task ends for the reasons the vendor documents; every other reason is an unexpected end.
BY_END_REASON: Final[Mapping[Product, Mapping[str, Status]]] = {
    Product.TRANSCODER: {"stop request": Status.EXIT},
    Product.PUSH: {
        "delete request": Status.EXIT,
        "idle timeout": Status.EXIT,
        "internal error": Status.FAILURE_STOP,
    },
    Product.PULL: {
        "delete request": Status.EXIT,
        "idle timeout": Status.EXIT,
        "stream stopped": Status.EXIT,
        "internal error": Status.FAILURE_STOP,
    },
}


def read(evidence: Evidence, *, can_ask: bool) -> Reading:
    """What a piece of evidence says. Total: whatever the vendor sends has a reading."""
    word = (evidence.word or "").strip().casefold()
    if evidence.event is Event.ENDED:
        end = BY_END_REASON[evidence.product].get(word)
        if end is not None:
            return Reading(end)
        return _UNEXPECTED_END if can_ask else _UNASKABLE_END
    kind = (evidence.product, evidence.event)
    return BY_EVENT.get(kind) or BY_STATE.get(kind, {}).get(word, _UNKNOWN)


def join(status: Status, proved: Status | None) -> Status:
    """The higher of two statuses; an end absorbs everything, another kind of end included."""
    if proved is None or status in TERMINAL or RANK[proved] <= RANK[status]:
        return status
    return proved


def contradicts(status: Status, proved: Status | None) -> bool:
    """Whether newest evidence proves less than is known of a task that had stopped running."""
    return proved is not None and status not in TERMINAL and RANK[proved] < RANK[status] and status not in RUNNING
