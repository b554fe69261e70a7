"""Every topic in one table: what it holds, how it is kept, which CloudEvents type its records carry."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `compacted` keeps the newest record of each key for ever, else retention applies."""

    name: str
    what: str
    compacted: bool = False
    event_type: str | None = None

    @property
    def public(self) -> bool:
        """Whether the topic is a contract with readers outside this project."""
        return not self.name.startswith(INTERNAL)


INTERNAL: Final = "agora.internal."

NOTIFICATIONS: Final = "agora.notifications"
TRANSITIONS: Final = "agora.transitions"
TASKS: Final = "agora.tasks"
SESSIONS: Final = "agora.sessions"
DEAD_LETTERS: Final = "agora.dead-letters"
STATE: Final = "agora.internal.state"
VIEWS: Final = "agora.internal.views"
RESOLUTIONS: Final = "agora.internal.dead-letter-resolutions"
PROBES: Final = "agora.internal.probes"

TOPICS: Final[dict[str, Topic]] = {
    topic.name: topic
    for topic in (
        Topic(
            NOTIFICATIONS,
            "every authentic notification, secrets masked",
            event_type="agora-events.notification.v1",
        ),
        Topic(
            TRANSITIONS,
            "one record per accepted status change",
            event_type="agora-events.transition.v1",
        ),
        Topic(
            TASKS,
            "the latest view of each task",
            compacted=True,
            event_type="agora-events.task.v1",
        ),
        Topic(
            SESSIONS,
            "one record per ended task, and its corrections",
            event_type="agora-events.session.v1",
        ),
        Topic(
            DEAD_LETTERS,
            "what could not be understood: original bytes, sealed",
            event_type="agora-events.dead-letter.v1",
        ),
        Topic(STATE, "the machines' states: the changelog", compacted=True),
        Topic(VIEWS, "what pages and GET routes show", compacted=True),
        Topic(RESOLUTIONS, "dead letters an operator replayed or dropped", compacted=True),
        Topic(PROBES, "readiness proofs, one per process", compacted=True),
    )
}
