"""Reading a time range of the log again into a fresh state, and saying what differs from what is kept.

Nothing is written and nobody is told: a replay is how one finds out what today's code makes of yesterday's log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from processors.core.inputs import TimeCame
from processors.core.machines import Machines
from processors.core.views import task_view
from processors.engine.scan import everything, latest
from processors.engine.timers import Timers
from processors.ports import Log
from schemas.codec import decode
from schemas.record import Stored
from schemas.state import Task
from schemas.topics import NOTIFICATIONS, TASKS

BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one task: what is kept, what the replay made of the same notifications."""

    key: str
    field: str
    kept: Any
    replayed: Any


class Replay:
    """A fresh state fed from the log; time is the log's own, so timers fire where they would have."""

    def __init__(self, machines: Machines) -> None:
        self.read = 0
        self.broken: list[str] = []
        self.states: dict[str, Task] = {}
        self._machines = machines
        self._timers = Timers(machines)

    def feed(self, stored: Stored) -> None:
        """Fold one record at the time it was appended; a record that breaks the core is noted and passed over."""
        self.let_time_pass(stored.appended_ms)
        self.read += 1
        try:
            given = self._machines.given(stored.record)
            if given is not None:
                key, heard = given
                self._adopt(key, self._machines.step(self.states.get(key), heard, stored.appended_ms).state)
        except Exception:  # noqa: BLE001 - the live engine sets such a record aside; here it is reported
            self.broken.append(stored.record.id)

    def let_time_pass(self, now_ms: int) -> None:
        """Fire every timer that was due by then."""
        while due := self._timers.due(now_ms, BATCH):
            for key in due:
                self._adopt(key, self._machines.step(self.states.get(key), TimeCame(), now_ms).state)

    def differences(self, kept: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
        """What differs from the kept views, for the tasks the replay heard of or should still know."""
        found: list[Difference] = []
        for key, state in sorted(self.states.items()):
            replayed = task_view(state)
            view = kept.get(key, {})
            found.extend(
                Difference(key, field, view.get(field), value)
                for field, value in replayed.items()
                if view.get(field) != value
            )
        return found

    def _adopt(self, key: str, state: Task | None) -> None:
        if state is None:
            self.states.pop(key, None)
        else:
            self.states[key] = state
        self._timers.arm(key, state)


async def replay(
    source: Log, machines: Machines, *, from_ms: int, to_ms: int, progress: Callable[[int], None]
) -> Replay:
    """Feed every notification appended in [from_ms, to_ms); `progress` hears how many. Raises Unavailable."""
    fresh = Replay(machines)
    async for stored in everything(source, NOTIFICATIONS):
        if from_ms <= stored.appended_ms < to_ms:
            fresh.feed(stored)
            progress(fresh.read)
    fresh.let_time_pass(to_ms)
    return fresh


async def kept_views(source: Log) -> dict[str, dict[str, Any]]:
    """The task views the log holds now, by key. Raises Unavailable."""
    return {key: decode(stored.record.value or b"") for key, stored in (await latest(source, TASKS)).items()}
