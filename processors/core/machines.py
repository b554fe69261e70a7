"""The machines as the engine sees them: which machine an input goes to, what it becomes, what becomes known.

The engine knows only this; a further machine (an instance, an account) joins here and nowhere in the engine.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from processors.core import publication
from processors.core.decision import Decision
from processors.core.effects import Effect
from processors.core.evidence import evidence_of
from processors.core.inputs import Input, Noticed
from processors.core.policy import Policy
from processors.core.tasks import step
from processors.core.timers import armed
from schemas.codec import decode
from schemas.record import Record
from schemas.state import Task, load


@dataclass(frozen=True, slots=True)
class Machines:
    """All machines under one policy."""

    policy: Policy

    def given(self, record: Record) -> tuple[str, Input] | None:
        """The machine a record is for and what it tells it, None when it concerns no machine."""
        if record.value is None:
            return None
        evidence = evidence_of(record.id, decode(record.value))
        return None if evidence is None else (record.key, Noticed(evidence))

    def step(self, state: Task | None, given: Input, now_ms: int) -> Decision:
        """What the machine becomes."""
        return step(state, given, now_ms, self.policy)

    def due_ms(self, state: Task) -> int | None:
        """When time alone will change the machine."""
        timer = armed(state, self.policy)
        return None if timer is None else timer.due_ms

    def announced(self, state: Task, effects: Iterable[Effect]) -> Iterator[Record]:
        """The public records of a step's effects."""
        for effect in effects:
            record = publication.announced(state, effect)
            if record is not None:
                yield record

    def kept(self, before: Task | None, after: Task | None, now_ms: int) -> Iterator[Record]:
        """The compacted records that carry a machine from one committed state to the next."""
        if after is not None:
            yield from publication.kept(after)
        elif before is not None:
            yield from publication.forgotten(before, now_ms)

    def load(self, value: bytes) -> Task:
        """A machine's state from the changelog; raises NewerStateError."""
        return load(value)
