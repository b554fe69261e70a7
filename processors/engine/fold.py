"""One batch of inputs folded over committed state: nothing here is visible to anyone until it is committed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from processors.core.effects import Effect
from processors.core.inputs import Input
from processors.core.machines import Machines
from schemas.record import Record
from schemas.state import Task


@dataclass(slots=True)
class Folded:
    """What a batch would change: the overlay over committed state, the records to append, the effects to count."""

    overlay: dict[str, Task | None] = field(default_factory=dict[str, Task | None])
    records: list[Record] = field(default_factory=list[Record])
    effects: list[Effect] = field(default_factory=list[Effect])


def fold(
    folded: Folded, machines: Machines, states: Mapping[str, Task], inputs: Iterable[tuple[str, Input]], now_ms: int
) -> None:
    """Step every input in order, adding to what was folded before."""
    for key, given in inputs:
        before = folded.overlay[key] if key in folded.overlay else states.get(key)
        decision = machines.step(before, given, now_ms)
        folded.effects.extend(decision.effects)
        if decision.state is before:
            continue
        folded.overlay[key] = decision.state
        if decision.state is not None:
            folded.records.extend(machines.announced(decision.state, decision.effects))


def kept(
    changed: Iterable[tuple[str, Task | None]], machines: Machines, states: Mapping[str, Task], now_ms: int
) -> Iterator[Record]:
    """The states and views of changed machines: rendered once per machine, however many inputs it had."""
    for key, after in changed:
        yield from machines.kept(states.get(key), after, now_ms)
