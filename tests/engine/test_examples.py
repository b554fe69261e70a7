"""Every payload the vendor has published, through the whole path: endpoint's normaliser, log, engine, view."""

from pathlib import Path
from typing import Any, Final

import pytest

from receiver.normalise import Understood, normalise
from schemas.codec import decode, encode
from schemas.topics import NOTIFICATIONS, TASKS
from tests.engine.world import World

EXAMPLES: Final = Path(__file__).parents[2] / "schemas" / "examples"

# The published payloads of tasks: product number, event, and the status a task first seen through it is in.
TASK_PAYLOADS: Final = {
    "ct-110-started": (3, 110, "STARTED"),
    "ct-111-stopped": (22, 111, "EXIT"),
    "ct-112-status-running": (3, 112, "IN_PROGRESS"),
    "ct-113-updated": (22, 113, "IN_PROGRESS"),
    "push-1-created": (5, 1, "STARTING"),
    "push-2-updated-audio": (5, 2, "IN_PROGRESS"),
    "push-2-updated-layout": (5, 2, "IN_PROGRESS"),
    "push-2-updated-rtmpurl": (5, 2, "IN_PROGRESS"),
    "push-2-updated-rtmpurl-cn": (5, 2, "STARTING"),
    "push-3-state-changed": (5, 3, "IN_PROGRESS"),
    "push-4-destroyed": (5, 4, "EXIT"),
    "pull-1-created": (4, 1, "STARTING"),
    "pull-1-created-cn": (4, 1, "STARTING"),
    "pull-3-destroyed": (4, 3, "EXIT"),
    "pull-3-destroyed-cn": (4, 3, "EXIT"),
    "pull-4-status-changed": (4, 4, "IN_PROGRESS"),
}
OTHER_PRODUCTS: Final = {"rtc": 1, "gateway": 10, "convoai": 17, "stt": 20}
# What is published of recording are `payload.details` alone.
RECORDING: Final = {"recording-31-uploaded-details": 31, "recording-71-web_recorder_stopped-details": 71}


def names(prefix: str) -> list[str]:
    return sorted(path.stem for path in EXAMPLES.glob(f"{prefix}-*.json") if "-rest-" not in path.stem)


def example(name: str) -> dict[str, Any]:
    content: dict[str, Any] = decode((EXAMPLES / f"{name}.json").read_bytes())
    return content


async def through(world: World, envelope: dict[str, Any]) -> Understood:
    understood = normalise(encode(envelope), "vendor", world.clock.now_ms())
    assert isinstance(understood, Understood), understood
    await world.append([understood.record])
    await world.settle()
    return understood


def envelope(product_id: int, event_type: int, payload: dict[str, Any]) -> dict[str, Any]:
    return {"noticeId": "n", "productId": product_id, "eventType": event_type, "notifyMs": 1, "payload": payload}


@pytest.mark.parametrize("name", sorted(TASK_PAYLOADS))
async def test_a_published_task_payload_becomes_a_status(name: str) -> None:
    product_id, event_type, status = TASK_PAYLOADS[name]
    world = World()
    await through(world, envelope(product_id, event_type, example(name)))
    [task] = await world.values(TASKS)
    assert (task["status"], task["suspect"]) == (status, False)
    [notification] = await world.values(NOTIFICATIONS)
    assert notification["event"] is not None


@pytest.mark.parametrize("name", [name for prefix in OTHER_PRODUCTS for name in names(prefix)])
async def test_a_payload_of_another_product_passes_through_with_its_documented_name(name: str) -> None:
    prefix, number, *_ = name.split("-")
    world = World()
    understood = await through(world, envelope(OTHER_PRODUCTS[prefix], int(number), example(name)))
    [notification] = await world.values(NOTIFICATIONS)
    assert notification["event"] is not None
    assert (notification["taskId"], notification["product"]) == (None, understood.product)
    assert await world.values(TASKS) == []


@pytest.mark.parametrize("name", sorted(RECORDING))
async def test_recording_passes_through_although_it_shares_its_number_with_transcoders(name: str) -> None:
    world = World()
    payload = {"cname": "room", "uid": "1", "sid": "s", "sequence": 0, "sendts": 1, "details": example(name)}
    await through(world, envelope(3, RECORDING[name], payload))
    [notification] = await world.values(NOTIFICATIONS)
    assert (notification["product"], notification["event"]) == ("recording", example(name)["msgName"])
    assert await world.values(TASKS) == []


@pytest.mark.parametrize("name", names("envelope"))
async def test_a_published_envelope_passes_through(name: str) -> None:
    world = World()
    await through(world, example(name))
    assert len(await world.values(NOTIFICATIONS)) == 1
    assert await world.values(TASKS) == []


def test_every_example_is_used_by_a_test() -> None:
    used = {*TASK_PAYLOADS, *RECORDING, *names("envelope")} | {name for kind in OTHER_PRODUCTS for name in names(kind)}
    # The signature vectors are verified by the edge's tests, the index names the source of each file.
    assert {path.stem for path in EXAMPLES.glob("*.json")} == used | {"signature-vectors", "INDEX"}
