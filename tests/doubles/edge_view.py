"""A task view that shows what it is given and remembers what it was asked."""

from collections.abc import Mapping
from typing import Any


class ListedTasks:
    def __init__(self, *tasks: Mapping[str, Any]) -> None:
        self.tasks = list(tasks)
        self.asked: dict[str, Any] = {}
        self.ready = True

    def age_ms(self) -> int:
        return 12

    def get(self, product: str, task_id: str) -> Mapping[str, Any] | None:
        for task in self.tasks:
            if (task["product"], task["id"]) == (product, task_id):
                return {**task, "timeline": []}
        return None

    def page(self, **asked: Any) -> tuple[list[Mapping[str, Any]], str | None]:
        self.asked = asked
        return self.tasks[: asked["limit"]], "push/b" if len(self.tasks) > asked["limit"] else None
