"""The vendor's published payloads, as notifications that could arrive now."""

from collections.abc import Mapping
from importlib.resources import files
from re import match
from typing import Any, Final
from uuid import uuid4

from schemas.codec import decode, encode
from schemas.products import PULL_ID, PUSH_ID, TRANSCODER_ID, product_name

# The files' names begin with the product and the number of the event.
PRODUCT_IDS: Final[Mapping[str, int]] = {
    "ct": TRANSCODER_ID,
    "push": PUSH_ID,
    "pull": PULL_ID,
    "rtc": 1,
    "gateway": 10,
    "convoai": 17,
    "stt": 20,
}
DEFAULT: Final = "ct-110-started"


def names() -> list[str]:
    """The samples there are."""
    stems = (entry.name.removesuffix(".json") for entry in files("schemas.examples").iterdir())
    return sorted(stem for stem in stems if _event(stem))


def sample(name: str, now_ms: int) -> bytes:
    """The notification of a sample, with a notice id of its own and sent now; raises KeyError for another name."""
    event = _event(name)
    if event is None or name not in names():
        raise KeyError(name)
    product_id, event_type = event
    payload = decode(files("schemas.examples").joinpath(f"{name}.json").read_bytes())
    return fresh({"productId": product_id, "eventType": event_type, "payload": payload}, now_ms)


def product(name: str) -> str:
    """The name of a sample's product, empty for another name."""
    event = _event(name)
    return product_name(event[0]) if event else ""


def fresh(envelope: Mapping[str, Any], now_ms: int) -> bytes:
    """The body of an envelope as if it were news."""
    return encode({**envelope, "noticeId": str(uuid4()), "notifyMs": now_ms})


def _event(name: str) -> tuple[int, int] | None:
    matched = match(r"([a-z]+)-(\d+)(-|$)", name)
    product_id = PRODUCT_IDS.get(matched[1]) if matched else None
    return (product_id, int(matched[2])) if matched and product_id is not None else None
