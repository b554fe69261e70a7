"""A quick look at notifications in the shape the vendor documents.

The models of `schemas.agora` decide; they cost 5 µs a notification, most of it for leniency that a well-formed one does
not need. What is exactly as documented is recognised here for a fraction of that; for everything else the answer is
None and the models are asked. So this file may be too strict, never too lenient: a property test holds it to that.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from schemas.codec import LAST_MS, MILLISECONDS_FROM, is_object, millis
from schemas.products import Product

ID_LENGTH: Final = 256
COUNT_END: Final = 2**63


# Plain tuples: a NamedTuple is made by a Python function, and two of them per notification can be seen in a profile.
Frame = tuple[str, int, int, int | None, dict[str, Any]]
"""Notice id, product number, event number, `notifyMs`, payload: what of an envelope is needed to file it."""
Identity = tuple[str, int | None]
"""The vendor's id of a task, and when the event happened (Unix ms)."""


def frame(sent: Mapping[str, Any]) -> Frame | None:
    """The envelope, when it is as documented."""
    notice_id, product_id, event_type = sent.get("noticeId"), sent.get("productId"), sent.get("eventType")
    payload = sent.get("payload")
    if _is_id(notice_id) and _is_count(product_id) and _is_count(event_type) and is_object(payload):
        return notice_id, product_id, event_type, _millis(sent.get("notifyMs")), payload
    return None


def identity(product: Product, payload: Mapping[str, Any]) -> Identity | None:
    """Which task a payload is about, when it is as documented and carries no configuration."""
    return _IDENTITY[product](payload)


def _transcoder(payload: Mapping[str, Any]) -> Identity | None:
    task_id, sequence, details = payload.get("taskId"), payload.get("sequence"), payload.get("details")
    if (
        _is_id(task_id)
        and (sequence is None or _is_count(sequence))
        and is_object(details)
        and "transcoder" not in details
        and _are_texts(payload.get("instanceId"), details.get("event"), details.get("state"), details.get("stopReason"))
    ):
        return task_id, _millis(payload.get("sendts"))
    return None


def _push(payload: Mapping[str, Any]) -> Identity | None:
    converter = payload.get("converter")
    if (
        is_object(converter)
        and _is_id(converter.get("id"))
        and "transcodeOptions" not in converter
        and "rawOptions" not in converter
        and _are_texts(
            converter.get("name"), converter.get("state"), payload.get("destroyReason"), payload.get("fields")
        )
    ):
        return converter["id"], _millis(payload.get("lts"))
    return None


def _pull(payload: Mapping[str, Any]) -> Identity | None:
    player = payload.get("player")
    if (
        is_object(player)
        and _is_id(player.get("id"))
        and _are_texts(player.get("name"), player.get("channelName"), player.get("status"))
        and _are_texts(payload.get("destroyReason"), payload.get("fields"))
    ):
        return player["id"], _millis(payload.get("lts"))
    return None


_IDENTITY: Final[Mapping[Product, Callable[[Mapping[str, Any]], Identity | None]]] = {
    Product.TRANSCODER: _transcoder,
    Product.PUSH: _push,
    Product.PULL: _pull,
}


def _is_id(value: object) -> TypeGuard[str]:
    return type(value) is str and 0 < len(value) <= ID_LENGTH


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < COUNT_END


def _are_texts(*values: object) -> bool:
    for value in values:  # noqa: SIM110 - `all` with a generator takes three times as long
        if value is not None and type(value) is not str:
            return False
    return True


def _millis(value: object) -> int | None:
    if type(value) is int and MILLISECONDS_FROM <= value <= LAST_MS:
        return value
    return millis(value)
