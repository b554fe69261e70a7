"""Every published payload and envelope goes through the endpoint onto a log and fits the public model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processors.adapters.memory import MemoryLog
from schemas import public
from schemas.codec import decode, encode
from schemas.topics import NOTIFICATIONS
from tests.doubles.clock import ManualClock
from tests.doubles.edge_world import Edge

EXAMPLES = Path("schemas/examples")
PRODUCTS = {"ct": 22, "push": 5, "pull": 4, "rtc": 1, "gateway": 10, "recording": 3, "convoai": 17, "stt": 20}
NO_NOTIFICATIONS = {"INDEX.json", "signature-vectors.json", "ncs-ip-200.json"}


def notifications() -> Iterator[Any]:
    """Every example that is a payload, a part of one, or an envelope, as a whole notification."""
    for file in sorted(EXAMPLES.glob("*.json")):
        product, *rest = file.stem.split("-")
        if file.name in NO_NOTIFICATIONS or "rest" in rest:
            continue
        content = decode(file.read_bytes())
        if product == "envelope":
            yield pytest.param(content, id=file.stem)
            continue
        payload = {"cname": "room", "details": content} if file.stem.endswith("-details") else content
        number = int(rest[0])
        envelope = {"noticeId": f"n-{file.stem}", "productId": PRODUCTS[product], "eventType": number}
        yield pytest.param(envelope | {"notifyMs": 1_611_566_412_672, "payload": payload}, id=file.stem)


def test_every_example_of_a_notification_is_tried() -> None:
    assert len(list(notifications())) >= 40


@pytest.mark.parametrize("envelope", list(notifications()))
async def test_a_published_notification_is_stored_as_the_public_model_says(envelope: dict[str, Any]) -> None:
    log = MemoryLog(ManualClock())
    edge = Edge(appender=log)
    body = encode(envelope)
    assert (await edge.post(body)).status == 200
    [stored] = await log.read(NOTIFICATIONS, 0, 0)
    value = public.Notification.model_validate_json(stored.record.value or b"")
    assert stored.record.id == f"{envelope['productId']}:{envelope['eventType']}:{envelope['noticeId']}"
    assert value.notify_ms == envelope["notifyMs"]
    console_test = envelope["payload"].get("channelName") == "test_webhook"
    is_task = value.product in {"transcoder", "push", "pull"} and not console_test
    assert (value.task_id is not None) is is_task
    if is_task:
        assert value.event is not None
        assert stored.record.key == f"{value.product}/{value.task_id}"


@pytest.mark.parametrize("envelope", [one for one in notifications() if str(one.id).startswith("ct-")])
async def test_a_transcoder_is_known_under_both_of_its_product_numbers(envelope: dict[str, Any]) -> None:
    edge = Edge()
    for number in (3, 22):
        await edge.post(encode(envelope | {"productId": number}))
    first, second = edge.appender.on(NOTIFICATIONS)
    assert first.key == second.key
    assert first.key.startswith("transcoder/")
