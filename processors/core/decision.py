"""What a step answers."""

from dataclasses import dataclass

from processors.core.effects import Effect
from schemas.state import Task


@dataclass(frozen=True, slots=True)
class Decision:
    """The state from now on (None: forgotten) and what it leads to, in order."""

    state: Task | None
    effects: tuple[Effect, ...] = ()
