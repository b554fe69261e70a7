"""What an authentic body says, as the record to be stored: pure, total, from bytes and two facts alone.

Order matters twice. Masking comes before anything is read out of the body, so no key, id or error can carry a secret.
And nothing of the body's values stands in a refusal's detail, because details are shown where bodies are not.
"""

from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from receiver import shapes
from receiver.shapes import Frame, Identity
from schemas.agora import PAYLOADS, Envelope, PushPayload, TranscoderPayload, is_console_test, task_product
from schemas.codec import DecodeError, decode, encode, is_object, millis, rfc3339
from schemas.masking import mask
from schemas.products import Product, event_name, product_name
from schemas.record import Record
from schemas.state import task_key
from schemas.topics import NOTIFICATIONS

KEY_LENGTH: Final = 256
ERRORS_SHOWN: Final = 5

# `StrEnum.value` is a property written in Python.
_NAMES: Final = {product: product.value for product in Product}


class Reason(StrEnum):
    """Why an authentic body is set aside."""

    NOT_JSON = "not-json"
    BAD_ENVELOPE = "bad-envelope"
    BAD_PAYLOAD = "bad-payload"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"


class Understood(NamedTuple):
    """A notification ready to be stored; `product` is a name from the vendor's table or `product-<number>`."""

    record: Record
    product: str
    notify_ms: int | None
    console_test: bool


class NotUnderstood(NamedTuple):
    """Authentic, and not usable; `key` is the record key it would have had, as far as that can be told."""

    reason: Reason
    detail: str
    key: str | None = None
    product: str | None = None


def normalise(body: bytes, source: str, received_ms: int) -> Understood | NotUnderstood:
    """The record of an authentic body. Total: every body has an answer, none raises."""
    try:
        sent = decode(body)
    except DecodeError as error:
        return NotUnderstood(Reason.NOT_JSON, f"not JSON in UTF-8 from line {error.lineno}, column {error.colno}")
    if not is_object(sent):
        return NotUnderstood(Reason.BAD_ENVELOPE, "the body is not a JSON object")
    mask(sent)
    frame = shapes.frame(sent)
    if frame is None:
        try:
            frame = _modelled_frame(sent)
        except ValidationError as error:
            return NotUnderstood(Reason.BAD_ENVELOPE, _places(error))
    return _understand(sent, frame, source, received_ms)


def _understand(sent: dict[str, Any], frame: Frame, source: str, received_ms: int) -> Understood | NotUnderstood:
    notice_id, product_id, event_type, notify_ms, payload = frame
    task_of = task_product(product_id, payload)
    console_test = is_console_test(payload)
    if task_of is None or console_test:
        product = _NAMES[task_of] if task_of else product_name(product_id)
        task_id, vendor_ms = None, _vendor_ms(payload)
        key = _pass_through_key(product_id, notice_id, payload)
    else:
        try:
            task_id, vendor_ms = shapes.identity(task_of, payload) or _modelled_identity(task_of, payload)
        except ValidationError as error:
            key = _pass_through_key(product_id, notice_id, payload)
            return NotUnderstood(Reason.BAD_PAYLOAD, _places(error, "payload"), key, task_of)
        product = _NAMES[task_of]
        key = task_key(product, task_id)
    sent["noticeId"] = notice_id
    sent["productId"] = product_id
    sent["eventType"] = event_type
    sent["event"] = event_name(product, event_type)
    if type(sent.get("notifyMs")) is not int:
        sent["notifyMs"] = notify_ms
    sent["product"] = product
    sent["taskId"] = task_id
    sent["source"] = source
    sent["receivedAt"] = rfc3339(received_ms)
    try:
        value = encode(sent)
    except TypeError:
        return NotUnderstood(Reason.TOO_DEEP, "nested more deeply than a record may be", key, product)
    evidence = f"{product_id}:{event_type}:{notice_id}"
    record = Record(NOTIFICATIONS, key, value, evidence, product, vendor_ms or notify_ms or received_ms)
    return Understood(record, product, notify_ms, console_test)


def _modelled_frame(sent: dict[str, Any]) -> Frame:
    envelope = Envelope.model_validate(sent)
    return envelope.noticeId, envelope.productId, envelope.eventType, envelope.notifyMs, envelope.payload


def _modelled_identity(product: Product, sent: dict[str, Any]) -> Identity:
    payload = PAYLOADS[product].model_validate(sent)
    if isinstance(payload, TranscoderPayload):
        return payload.taskId, payload.sendts
    if isinstance(payload, PushPayload):
        return payload.converter.id, payload.lts
    return payload.player.id, payload.lts


def _vendor_ms(payload: dict[str, Any]) -> int | None:
    """When an event of another product happened: recording says `sendts`, RTC `ts` (facts A.10)."""
    return millis(payload.get("sendts")) or millis(payload.get("lts")) or millis(payload.get("ts"))


def _pass_through_key(product_id: int, notice_id: str, payload: dict[str, Any]) -> str:
    """`<productId>/<channel or noticeId>`: events of one channel stay in order."""
    rtc_info = payload.get("rtcInfo")
    gateway_channel = rtc_info.get("channel") if is_object(rtc_info) else None
    channels = (payload.get("channelName"), payload.get("channel"), payload.get("cname"), gateway_channel)
    for channel in channels:
        if isinstance(channel, str) and 0 < len(channel) <= KEY_LENGTH:
            return f"{product_id}/{channel}"
    return f"{product_id}/{notice_id}"


def _places(error: ValidationError, root: str = "") -> str:
    """Where a body breaks its model and how, without a word of what it said."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [
        f"{'.'.join(str(part) for part in ((root,) if root else ()) + one['loc'])}: {one['type']}"
        for one in errors[:ERRORS_SHOWN]
    ]
    hidden = len(errors) - len(shown)
    return "; ".join(shown) + (f"; and {hidden} more" if hidden else "")
