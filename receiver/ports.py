"""What the edge needs from the world. The docstrings are the contract."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from schemas.record import Position, Record


class Appender(Protocol):
    """The writing side of the log."""

    async def append(self, records: Sequence[Record]) -> Sequence[Position]:
        """Return when every record would survive the loss of this process.

        Raises `Unavailable` when that cannot be promised now, `Rejected` when a record can never be stored.
        """
        ...


class Clock(Protocol):
    """The time of records and answers."""

    def now_ms(self) -> int:
        """Unix milliseconds."""
        ...


class Sealer(Protocol):
    """Keeps original bytes so that only a holder of the keys can read them."""

    def seal(self, clear: bytes) -> str:
        """Encrypted and authenticated, as text."""
        ...


class Exposition(Protocol):
    """What `/metrics` shows."""

    def render(self, accept: str) -> tuple[bytes, str]:
        """All metrics and their content type, in the format the `Accept` header asks for."""
        ...


class TaskView(Protocol):
    """The tasks as pages show them, in the public shape; behind the log by `age_ms`."""

    @property
    def ready(self) -> bool:
        """Whether everything that was written before the start has been read."""
        ...

    def age_ms(self) -> int:
        """How long ago the view last agreed with the log."""
        ...

    def get(self, product: str, task_id: str) -> Mapping[str, Any] | None:
        """One task with its `timeline`, None when it is not known."""
        ...

    def page(
        self, *, product: str | None, status: str | None, instance: str | None, limit: int, cursor: str | None
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """Tasks that fit, in a stable order, at most `limit` after the cursor, and the next page's cursor."""
        ...
