"""The vendor console's health check."""

from pathlib import Path

import pytest

from schemas.codec import decode, encode
from schemas.metrics import Metric
from schemas.topics import NOTIFICATIONS
from tests.doubles.edge_world import Edge, notification, signed

QUOTED = encode(decode(Path("schemas/examples/envelope-test_webhook-101.json").read_bytes()))


@pytest.mark.parametrize("body", [QUOTED, notification({"channelName": "test_webhook", "uid": 12121212}, productId=22)])
async def test_unsigned_it_is_answered_counted_and_stored_nowhere(body: bytes) -> None:
    edge = Edge()
    reply = await edge.post(body, {"Content-Type": "application/json"})
    assert (reply.status, reply.body) == (200, b"{}")
    assert edge.metrics.counts[Metric.CONSOLE_TESTS, "false"] == 1
    assert not edge.appender.records


@pytest.mark.parametrize("header", ["Agora-Signature", "Agora-Signature-V2"])
async def test_with_a_wrong_signature_it_is_refused(header: str) -> None:
    edge = Edge()
    assert (await edge.post(QUOTED, {header: "0" * 64})).status == 401
    assert not edge.metrics.counts[Metric.CONSOLE_TESTS, "false"]


@pytest.mark.parametrize("product_id", [1, 3, 4, 5, 22])
async def test_rightly_signed_it_is_recorded_and_belongs_to_no_task(product_id: int) -> None:
    edge = Edge()
    body = notification({"channelName": "test_webhook", "taskId": "x", "uid": 12121212}, productId=product_id)
    assert (await edge.post(body)).status == 200
    [value] = edge.appender.values(NOTIFICATIONS)
    assert value["taskId"] is None
    assert edge.appender.records[0].key == f"{product_id}/test_webhook"
    assert edge.metrics.counts[Metric.CONSOLE_TESTS, "true"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"test_webhook",
        b'{"payload":"test_webhook"}',
        b'{"payload":{"channel":"test_webhook"}}',
        b'{"payload":{"channelName":["test_webhook"]}}',
        b'["test_webhook"]',
        b'"test_webhook',
        b"[" * 100_000 + b'"test_webhook"',
        b'{"payload":{"channelName":"test_webhook"}}\xff',
    ],
)
async def test_an_unsigned_body_that_only_resembles_it_is_refused(body: bytes) -> None:
    edge = Edge()
    reply = await edge.post(body, {})
    assert (reply.status, reply.json["cause"]) == (401, "missing")


async def test_it_is_answered_however_often_an_address_was_refused() -> None:
    edge = Edge()
    for _ in range(100):
        await edge.post(notification(), {})
    assert (await edge.post(QUOTED, {})).status == 200
    assert (await edge.post(QUOTED, signed(QUOTED))).status == 200
