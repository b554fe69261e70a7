"""Notifications as the vendor sends them: whole bodies, for tests that start at the edge."""

import json
from collections.abc import Iterator
from typing import Any, Final

from receiver.normalise import Understood, normalise
from schemas.record import Record

BEGAN_MS: Final = 1_760_000_000_000


def body(product_id: int, event_type: int, payload: dict[str, Any], *, notice: str, notify_ms: int = BEGAN_MS) -> bytes:
    """The raw body of one notification."""
    envelope = {
        "noticeId": notice,
        "productId": product_id,
        "eventType": event_type,
        "notifyMs": notify_ms,
        "payload": payload,
    }
    return json.dumps(envelope, ensure_ascii=False).encode()


def transcoder(task_id: str, event_type: int, sequence: int, **fields: Any) -> bytes:
    """One transcoder notification; `fields` are those of `details`."""
    at = BEGAN_MS + 1000 * sequence
    details = {"createTs": BEGAN_MS - 500, "updateTs": at, **fields}
    payload = {
        "taskId": task_id,
        "instanceId": f"room-{task_id}",
        "sequence": sequence,
        "sendts": at,
        "serviceScene": "rtsc/cloud-transcoder",
        "details": details,
    }
    return body(3, event_type, payload, notice=f"{task_id}-{event_type}-{sequence}", notify_ms=at)


def life(task_id: str, *, runs: int = 1) -> Iterator[bytes]:
    """The documented life of a transcoder: started, connecting, running, updated, stopped."""
    yield transcoder(task_id, 110, 0, event="cloud_transcoder_started", state="Transcoder success")
    sequence = 1
    for _ in range(runs):
        yield transcoder(task_id, 112, sequence, event="cloud_transcoder_status", state="connecting")
        yield transcoder(task_id, 112, sequence + 1, event="cloud_transcoder_status", state="running")
        sequence += 2
    yield transcoder(task_id, 113, sequence, event="cloud_transcoder_updated", state="running")
    yield transcoder(task_id, 111, sequence + 1, event="cloud_transcoder_stopped", stopReason="Stop request")


def record(raw: bytes, received_ms: int = BEGAN_MS) -> Record:
    """The record the receiver makes of a body."""
    understood = normalise(raw, "transcoder", received_ms)
    assert isinstance(understood, Understood), understood
    return understood.record
