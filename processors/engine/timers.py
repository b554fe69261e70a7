"""The timers of one partition: a heap of due times over the states, stale entries dropped when they surface."""

import heapq

from processors.core.machines import Machines
from schemas.state import Task


class Timers:
    """When each machine is next due. The states are the truth; this only finds the earliest quickly."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._heap: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}

    def arm(self, key: str, state: Task | None) -> None:
        """Take the machine's next timer from its new state."""
        due_ms = None if state is None else self._machines.due_ms(state)
        if due_ms is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due_ms:
            self._due[key] = due_ms
            heapq.heappush(self._heap, (due_ms, key))

    def disarm(self, key: str) -> None:
        """Drop the machine's timer until its state changes."""
        self._due.pop(key, None)

    def due(self, now_ms: int, limit: int) -> list[str]:
        """The machines that are due, earliest first; they stay armed until their state changes."""
        found: list[tuple[int, str]] = []
        while self._heap and self._heap[0][0] <= now_ms and len(found) < limit:
            due_ms, key = heapq.heappop(self._heap)
            if self._due.get(key) == due_ms:
                found.append((due_ms, key))
        for entry in found:
            heapq.heappush(self._heap, entry)
        return [key for _, key in found]

    def next_ms(self) -> int | None:
        """When the earliest timer is due."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
