"""Every metric there is, in one closed table: dashboards and alert rules are checked against it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol


class Metric(StrEnum):
    """Metric names; labels are bounded sets, never ids."""

    ANSWERS = "agora_events_answers_total"
    NOTIFICATIONS = "agora_events_notifications_total"
    REFUSED_SIGNATURES = "agora_events_refused_signatures_total"
    CONSOLE_TESTS = "agora_events_console_tests_total"
    DEAD_LETTERS = "agora_events_dead_letters_total"
    EVENT_AGE_SECONDS = "agora_events_event_age_seconds"
    APPEND_SECONDS = "agora_events_append_seconds"
    PENDING_APPENDS = "agora_events_pending_appends"
    FOLDED = "agora_events_folded_total"
    TRANSITIONS = "agora_events_transitions_total"
    DOUBTS = "agora_events_doubts_total"
    LOST_SIGHT = "agora_events_lost_sight_total"
    COMMIT_SECONDS = "agora_events_commit_seconds"
    COMMIT_FAILURES = "agora_events_commit_failures_total"
    LAG_RECORDS = "agora_events_lag_records"
    MACHINES = "agora_events_machines"


@dataclass(frozen=True, slots=True)
class Description:
    """What a metric is: how it behaves, what it means, its labels."""

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


DESCRIPTIONS: Final[dict[Metric, Description]] = {
    Metric.ANSWERS: Description("counter", "Answers of the notification endpoint", ("status",)),
    Metric.NOTIFICATIONS: Description("counter", "Authentic notifications made durable", ("source", "product")),
    Metric.REFUSED_SIGNATURES: Description("counter", "Refused signatures by what a human can check", ("cause",)),
    Metric.CONSOLE_TESTS: Description("counter", "Health checks of the vendor's console", ("signed",)),
    Metric.DEAD_LETTERS: Description("counter", "Records set aside", ("where", "reason")),
    Metric.EVENT_AGE_SECONDS: Description("histogram", "Age of an event at arrival, by the vendor's notifyMs"),
    Metric.APPEND_SECONDS: Description("histogram", "Time to make a notification durable"),
    Metric.PENDING_APPENDS: Description("gauge", "Notifications waiting to become durable"),
    Metric.FOLDED: Description("counter", "Notifications folded into tasks", ("product", "verdict")),
    Metric.TRANSITIONS: Description("counter", "Accepted status changes", ("product", "to")),
    Metric.DOUBTS: Description("counter", "Tasks that became suspect", ("product", "doubt")),
    Metric.LOST_SIGHT: Description("counter", "Tasks removed after days without news", ("product",)),
    Metric.COMMIT_SECONDS: Description("histogram", "Time of one engine transaction"),
    Metric.COMMIT_FAILURES: Description("counter", "Engine transactions that failed and were read again"),
    Metric.LAG_RECORDS: Description("gauge", "Notifications not yet folded", ("partition",)),
    Metric.MACHINES: Description("gauge", "Tasks held in memory", ("partition",)),
}


class Metrics(Protocol):
    """Counting and measuring; never raises, never waits."""

    def count(self, metric: Metric, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, metric: Metric, *values: float, **labels: str) -> None:
        """Record values of a histogram."""
        ...

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Set a gauge."""
        ...
