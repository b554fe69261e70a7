"""The public records: what analytics consumers, dashboards and scripts may build on.

Names and shapes are a contract: fields may be added, never renamed, and `schemas/json/` holds the committed JSON
Schemas. The hot path renders the same shapes without these models; a test holds the two together.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from schemas.products import Product
from schemas.state import Status

Natural = Annotated[int, Field(ge=0)]


class Public(BaseModel):
    """Camel-case JSON, times in RFC 3339 UTC, null for unknown; readers must ignore fields they do not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class Check(Public):
    """An armed question to the vendor."""

    why: str
    attempt: Natural
    next_at: AwareDatetime


class Counts(Public):
    """Each notification is counted once, under the first that fits."""

    notifications: Natural
    duplicates: Natural
    redundant: Natural
    stale: Natural
    noops: Natural
    missed: Natural
    late: Natural


class Task(Public):
    """The latest view of one vendor task."""

    product: Product
    id: str
    status: Status
    suspect: bool
    instance: str | None
    generation: Natural | None
    channel: str | None
    sequence: Natural | None
    started_at: AwareDatetime | None
    updated_at: AwareDatetime
    ended_at: AwareDatetime | None
    end_reason: str | None
    check: Check | None
    counts: Counts


class Transition(Public):
    """One accepted status change; `number` counts a task's transitions from 1 without gaps."""

    product: Product
    task_id: str
    instance: str | None
    generation: Natural | None
    number: Annotated[int, Field(ge=1)]
    from_: Annotated[Status | None, Field(alias="from")]
    to: Status
    cause: Literal["notification", "query", "command", "timer"]
    evidence: str
    vendor_time: AwareDatetime | None
    recorded_at: AwareDatetime


class Session(Public):
    """One ended task; a correction is a new record with the next `revision`."""

    product: Product
    task_id: str
    instance: str | None
    generation: Natural | None
    channel: str | None
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    running_seconds: Annotated[float, Field(ge=0)]
    end_reason: str | None
    final_status: Status
    outputs: Natural
    reconnects: Natural
    revision: Annotated[int, Field(ge=1)]
    uncertainty_seconds: Annotated[float, Field(ge=0)] | None


class Notification(Public):
    """One authentic notification, secrets masked, the vendor's field names kept."""

    notice_id: str
    product_id: int
    event_type: int
    event: str | None
    notify_ms: int | None
    payload: dict[str, Any]
    product: str
    task_id: str | None
    source: str
    received_at: AwareDatetime


class DeadLetter(Public):
    """Something authentic that could not be used; `body` is base64 of the sealed original bytes."""

    reason: str
    detail: str
    where: Literal["receiver", "processor"]
    received_at: AwareDatetime
    source: str
    body: str
    headers: dict[str, str]


RECORDS: dict[str, type[Public]] = {
    "notification": Notification,
    "transition": Transition,
    "task": Task,
    "session": Session,
    "dead-letter": DeadLetter,
}
