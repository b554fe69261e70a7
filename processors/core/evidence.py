"""From a notification on the log to evidence about one task."""

from collections.abc import Mapping
from typing import Any, Final

from schemas.agora import PAYLOADS, PullPayload, PushPayload, Stream, TranscoderPayload
from schemas.codec import unix_ms
from schemas.events import Event, Evidence
from schemas.products import Product

EVENTS: Final[Mapping[Product, Mapping[int, Event]]] = {
    Product.TRANSCODER: {110: Event.STARTED, 111: Event.ENDED, 112: Event.STATE, 113: Event.UPDATED},
    Product.PUSH: {1: Event.CREATED, 2: Event.UPDATED, 3: Event.STATE, 4: Event.ENDED},
    Product.PULL: {1: Event.CREATED, 3: Event.ENDED, 4: Event.STATE},
}


def evidence_of(event_id: str, notification: Mapping[str, Any]) -> Evidence | None:
    """The evidence in a notification record, None when it is about no task. Raises for a shape the receiver refuses."""
    if notification["taskId"] is None:
        return None
    product = Product(notification["product"])
    event_type = int(notification["eventType"])
    event = EVENTS[product].get(event_type, Event.UNKNOWN)
    payload = PAYLOADS[product].model_validate(notification["payload"])
    return Evidence(
        id=event_id,
        notify_ms=notification["notifyMs"],
        product=product,
        task_id=notification["taskId"],
        event=event,
        name=notification["event"] or f"event {event_type}",
        received_ms=unix_ms(notification["receivedAt"]),
        **_said(payload, event),
    )


def _said(payload: TranscoderPayload | PushPayload | PullPayload, event: Event) -> dict[str, Any]:
    match payload:
        case TranscoderPayload():
            return _transcoder(payload, event)
        case PushPayload(converter=converter):
            options = converter.transcodeOptions or converter.rawOptions
            return {
                "word": payload.destroyReason if event is Event.ENDED else converter.state,
                "vendor_ms": payload.lts,
                "created_ms": converter.createTs,
                "instance_name": converter.name,
                "channel": options.rtcChannel if options else None,
                "outputs": 1,
            }
        case PullPayload(player=player):
            return {
                "word": payload.destroyReason if event is Event.ENDED else player.status,
                "vendor_ms": payload.lts,
                "created_ms": player.createTs,
                "instance_name": player.name,
                "channel": player.channelName,
                "outputs": 1,
            }


def _transcoder(payload: TranscoderPayload, event: Event) -> dict[str, Any]:
    details = payload.details
    inputs = _streams(details.transcoder.inputs if details.transcoder else None)
    outputs = _streams(details.transcoder.outputs if details.transcoder else None)
    channels = [stream.rtcChannel for stream in (*inputs, *outputs) if stream.rtcChannel]
    return {
        "word": details.stopReason if event is Event.ENDED else details.state,
        "sequence": payload.sequence,
        "vendor_ms": payload.sendts,
        "created_ms": details.createTs,
        "instance_name": payload.instanceId,
        "channel": channels[0] if channels else None,
        "outputs": len(outputs) or None,
    }


def _streams(streams: list[Stream] | Stream | None) -> list[Stream]:
    if streams is None:
        return []
    return [streams] if isinstance(streams, Stream) else streams
