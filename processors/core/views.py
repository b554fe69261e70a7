"""What people and programs are shown of a machine: the public shapes, rendered from the state."""

from typing import Any

from processors.core.effects import Transitioned
from processors.core.runs import running_seconds, uncertainty_seconds
from schemas.codec import rfc3339
from schemas.state import Task


def task_view(task: Task) -> dict[str, Any]:
    """The public Task."""
    counts = task.counts
    return {
        "product": task.product.value,
        "id": task.id,
        "status": task.status.value,
        "suspect": task.doubt is not None,
        "doubt": task.doubt.value if task.doubt else None,
        "instance": None,
        "generation": None,
        "name": task.name,
        "channel": task.channel,
        "sequence": task.sequence,
        "startedAt": rfc3339(task.run.started_ms),
        "updatedAt": rfc3339(task.news_ms),
        "endedAt": rfc3339(task.run.ended_ms),
        "endReason": task.run.end_reason,
        "reconnects": task.run.reconnects,
        "check": None,
        "counts": {
            "notifications": counts.notifications,
            "duplicates": counts.duplicates,
            "redundant": counts.redundant,
            "stale": counts.stale,
            "noops": counts.noops,
            "missed": counts.missed,
            "late": counts.late,
        },
    }


def transition_view(task: Task, transition: Transitioned) -> dict[str, Any]:
    """The public Transition."""
    return {
        "product": task.product.value,
        "taskId": task.id,
        "instance": None,
        "generation": None,
        "number": transition.number,
        "from": transition.before.value if transition.before else None,
        "to": transition.after.value,
        "cause": transition.cause,
        "evidence": transition.evidence,
        "vendorTime": rfc3339(transition.vendor_ms),
        "recordedAt": rfc3339(transition.recorded_ms),
    }


def session_view(task: Task) -> dict[str, Any]:
    """The public Session of an ended task."""
    run = task.run
    return {
        "product": task.product.value,
        "taskId": task.id,
        "instance": None,
        "generation": None,
        "channel": task.channel,
        "startedAt": rfc3339(run.started_ms),
        "endedAt": rfc3339(run.ended_ms),
        "runningSeconds": running_seconds(run),
        "endReason": run.end_reason,
        "finalStatus": task.status.value,
        "outputs": run.outputs,
        "reconnects": run.reconnects,
        "revision": task.session_revision,
        "uncertaintySeconds": uncertainty_seconds(run),
    }
