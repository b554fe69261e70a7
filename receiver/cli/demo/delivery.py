"""How the vendor delivers: nothing lost here, but some of it twice, some of it by two paths, some of it late."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from receiver.cli.demo.lives import Life, Notice

RESENT: Final = 0.2
COPIED: Final = 0.15
LATE: Final = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to make: the notice, and whether it is a resend or a redundant copy (0: neither)."""

    notice: Notice
    resend: bool = False
    copy: int = 0


def deliveries(lives: Sequence[Life], dice: random.Random) -> list[Delivery]:
    """Every notice of every life in the order it is sent: mostly as it happened, some up to a few places late."""
    queues = [_of(life, dice) for life in lives]
    order: list[Delivery] = []
    while queues:
        queue = dice.choice(queues)
        order.append(queue.pop(0))
        if not queue:
            queues.remove(queue)
    return order


def _of(life: Life, dice: random.Random) -> list[Delivery]:
    sent: list[tuple[float, Delivery]] = []
    for place, notice in enumerate(life.notices):
        sent.append((_delay(place, dice), Delivery(notice)))
        if dice.random() < RESENT:
            sent.append((_delay(place, dice) + 1, Delivery(notice, resend=True)))
        if dice.random() < COPIED:
            sent.append((_delay(place, dice) + 1, Delivery(notice, copy=1)))
    # The first of a notice to arrive is no resend, whichever it was meant to be; what counts is that there are two.
    return [delivery for _, delivery in sorted(sent, key=lambda due: due[0])]


def _delay(place: int, dice: random.Random) -> float:
    return place + (dice.random() * LATE if dice.random() < 1 / LATE else 0.0)
