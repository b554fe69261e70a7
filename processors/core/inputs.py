"""What a machine can be told. Each later voice (a Query's answer, a command, mail) becomes one more member."""

from dataclasses import dataclass

from schemas.events import Evidence


@dataclass(frozen=True, slots=True)
class Noticed:
    """A notification about the task was read from the log."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class TimeCame:
    """The task's next timer is due."""


Input = Noticed | TimeCame
