"""Short, honest builders of evidence and of the vendor's notifications."""

from typing import Any, Final

from processors.core.decision import Decision
from processors.core.effects import Effect, Transitioned
from processors.core.inputs import Noticed, TimeCame
from processors.core.policy import Policy
from processors.core.tasks import step
from schemas.events import Event, Evidence
from schemas.products import Product
from schemas.state import Task

T0: Final = 1_760_000_000_000
RECEIVE_ONLY: Final = Policy()
ASKING: Final = Policy(can_ask=True)

NUMBERS: Final = {
    (Product.TRANSCODER, Event.STARTED): 110,
    (Product.TRANSCODER, Event.ENDED): 111,
    (Product.TRANSCODER, Event.STATE): 112,
    (Product.TRANSCODER, Event.UPDATED): 113,
    (Product.PUSH, Event.CREATED): 1,
    (Product.PUSH, Event.UPDATED): 2,
    (Product.PUSH, Event.STATE): 3,
    (Product.PUSH, Event.ENDED): 4,
    (Product.PULL, Event.CREATED): 1,
    (Product.PULL, Event.ENDED): 3,
    (Product.PULL, Event.STATE): 4,
}


def transcoder(event: Event, word: str | None, sequence: int | None, **fields: Any) -> Evidence:
    """Evidence about transcoder `t1`; its vendor time rises with its sequence."""
    number = NUMBERS.get((Product.TRANSCODER, event), 199)
    at = T0 + 1000 * (sequence or 0)
    piece = Evidence(
        id=f"22:{number}:n{sequence}{word or ''}",
        notify_ms=at,
        product=Product.TRANSCODER,
        task_id="t1",
        event=event,
        name=f"cloud_transcoder_{event.value}",
        word=word,
        sequence=sequence,
        vendor_ms=at,
        created_ms=T0 - 500,
        received_ms=at + 50,
    )
    return piece._replace(**fields)


def started(sequence: int = 0, **fields: Any) -> Evidence:
    return transcoder(Event.STARTED, "Transcoder success", sequence, **fields)


def connecting(sequence: int = 1, **fields: Any) -> Evidence:
    return transcoder(Event.STATE, "connecting", sequence, **fields)


def running(sequence: int = 2, **fields: Any) -> Evidence:
    return transcoder(Event.STATE, "running", sequence, **fields)


def failed(sequence: int = 3, **fields: Any) -> Evidence:
    return transcoder(Event.STATE, "failed", sequence, **fields)


def updated(sequence: int = 3, **fields: Any) -> Evidence:
    return transcoder(Event.UPDATED, "running", sequence, **fields)


def stopped(sequence: int = 9, reason: str | None = "Stop request", **fields: Any) -> Evidence:
    return transcoder(Event.ENDED, reason, sequence, **fields)


def timed(product: Product, event: Event, word: str | None, at_s: int, **fields: Any) -> Evidence:
    """Evidence about a push or a pull, which are ordered by the vendor's time alone."""
    number = NUMBERS.get((product, event), 99)
    at = T0 + 1000 * at_s
    piece = Evidence(
        id=f"{product}:{number}:n{at_s}{word or ''}",
        notify_ms=at,
        product=product,
        task_id="t1",
        event=event,
        name=f"{product.value}_{event.value}",
        word=word,
        vendor_ms=at,
        created_ms=T0 - 1000,
        received_ms=at + 50,
    )
    return piece._replace(**fields)


def history(
    *pieces: Evidence, policy: Policy = RECEIVE_ONLY, task: Task | None = None
) -> tuple[Task, tuple[Effect, ...]]:
    """A task told these pieces in this order, and everything that led to."""
    effects: list[Effect] = []
    for piece in pieces:
        decision = step(task, Noticed(piece), piece.received_ms, policy)
        task = decision.state
        effects.extend(decision.effects)
    assert task is not None
    return task, tuple(effects)


def fold(*pieces: Evidence, policy: Policy = RECEIVE_ONLY) -> Task:
    """A task told these pieces in this order."""
    return history(*pieces, policy=policy)[0]


def tick(task: Task, now_ms: int, policy: Policy = RECEIVE_ONLY) -> Decision:
    """A task told that its time has come."""
    return step(task, TimeCame(), now_ms, policy)


def transitions(effects: tuple[Effect, ...]) -> list[Transitioned]:
    """The accepted status changes among effects."""
    return [effect for effect in effects if isinstance(effect, Transitioned)]
