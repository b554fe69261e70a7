"""Vendor notifications as typed models that accept what the vendor really sends (facts A.1, A.7 to A.9).

Numbers come as text and the reverse, times in seconds or milliseconds; fields we do not know are kept, and a state we
do not know stays the text it is. Only what a task cannot be known without is required: its id.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.codec import is_object, millis
from schemas.products import (
    PULL_ID,
    PUSH_ID,
    SERVICE_SCENE,
    TRANSCODER_EVENT_PREFIX,
    TRANSCODER_ID,
    Product,
)

VendorTime = Annotated[int | None, BeforeValidator(millis)]
VendorId = Annotated[str, Field(min_length=1, max_length=256)]


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")  # noqa: TRY004 - pydantic reports ValueError
    return value


Count = Annotated[int, BeforeValidator(_no_truth), Field(ge=0, lt=2**63)]


class Vendor(BaseModel):
    """Anything the vendor sends: unknown fields kept, numbers and text taken for each other."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True, frozen=True)


class Envelope(Vendor):
    """The frame of every notification; `productId` and `eventType` mean something only together."""

    noticeId: VendorId  # noqa: N815 - the vendor's spelling, as in every model of this file
    productId: Count  # noqa: N815
    eventType: Count  # noqa: N815
    notifyMs: VendorTime = None  # noqa: N815
    payload: dict[str, Any]


class Stream(Vendor):
    """One input or output of a transcoder; the shape for CDN addresses is not documented, so nothing is required."""

    rtcChannel: str | None = None  # noqa: N815


class TranscoderConfig(Vendor):
    """The running configuration of a transcoder; `outputs` is once documented as one object."""

    inputs: list[Stream] | Stream | None = None
    outputs: list[Stream] | Stream | None = None


class TranscoderDetails(Vendor):
    """What happened to a transcoder (110 to 113)."""

    event: str | None = None
    state: str | None = None
    stopReason: str | None = None  # noqa: N815
    createTs: VendorTime = None  # noqa: N815
    updateTs: VendorTime = None  # noqa: N815
    transcoder: TranscoderConfig | None = None


class TranscoderPayload(Vendor):
    """Cloud transcoding, events 110 to 113 (facts A.7)."""

    taskId: VendorId  # noqa: N815
    instanceId: str | None = None  # noqa: N815
    sequence: Count | None = None
    sendts: VendorTime = None
    details: TranscoderDetails


class ChannelOptions(Vendor):
    """The part of `transcodeOptions` or `rawOptions` that names the source channel."""

    rtcChannel: str | None = None  # noqa: N815


class Converter(Vendor):
    """A media push as its events show it; events 2 to 4 carry a part of it only."""

    id: VendorId
    name: str | None = None
    state: str | None = None
    createTs: VendorTime = None  # noqa: N815
    updateTs: VendorTime = None  # noqa: N815
    transcodeOptions: ChannelOptions | None = None  # noqa: N815
    rawOptions: ChannelOptions | None = None  # noqa: N815


class PushPayload(Vendor):
    """Media push, events 1 to 4 (facts A.8)."""

    converter: Converter
    lts: VendorTime = None
    destroyReason: str | None = None  # noqa: N815
    fields: str | None = None


class Player(Vendor):
    """A media pull as its events show it."""

    id: VendorId
    name: str | None = None
    channelName: str | None = None  # noqa: N815
    status: str | None = None
    createTs: VendorTime = None  # noqa: N815


class PullPayload(Vendor):
    """Media pull, events 1, 3 and 4 (facts A.9)."""

    player: Player
    lts: VendorTime = None
    destroyReason: str | None = None  # noqa: N815
    fields: str | None = None


Payload = TranscoderPayload | PushPayload | PullPayload

PAYLOADS: Final[Mapping[Product, type[Payload]]] = {
    Product.TRANSCODER: TranscoderPayload,
    Product.PUSH: PushPayload,
    Product.PULL: PullPayload,
}


TASK_PRODUCTS: Final[Mapping[int, Product]] = {
    PUSH_ID: Product.PUSH,
    PULL_ID: Product.PULL,
    TRANSCODER_ID: Product.TRANSCODER,
}


def task_product(product_id: int, payload: Mapping[str, Any]) -> Product | None:
    """Which reconciled product a payload belongs to, None for every other product.

    A transcoder is told by `serviceScene`, else by the prefix of `details.event`: its product number is 3 on one vendor
    page (where it is recording's too) and 22 on another (facts A.5).
    """
    if payload.get("serviceScene") == SERVICE_SCENE:
        return Product.TRANSCODER
    if product_id in TASK_PRODUCTS:
        return TASK_PRODUCTS[product_id]
    details = payload.get("details")
    if is_object(details):
        event = details.get("event")
        if isinstance(event, str) and event.startswith(TRANSCODER_EVENT_PREFIX):
            return Product.TRANSCODER
    return None


TEST_CHANNEL: Final = "test_webhook"


def is_console_test(payload: Mapping[str, Any]) -> bool:
    """Whether this is the vendor console's health check (facts A.3)."""
    return payload.get("channelName") == TEST_CHANNEL
