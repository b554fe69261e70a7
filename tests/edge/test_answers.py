"""The table of answers, row by row."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from receiver.routes.reading import BODY_LIMIT
from schemas.errors import Unavailable
from schemas.metrics import Metric
from schemas.topics import DEAD_LETTERS, NOTIFICATIONS
from tests.doubles.edge_world import Edge, call, notification, signed


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.mark.parametrize("path", ["/notifications", "/notifications/transcoder"])
async def test_authentic_and_durable_is_200_with_an_empty_object(edge: Edge, path: str) -> None:
    reply = await edge.post(notification(), path=path)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"{}", "application/json")
    [stored] = edge.appender.values(NOTIFICATIONS)
    assert stored["source"] == "transcoder"


async def test_authentic_and_not_understood_is_200_and_set_aside(edge: Edge) -> None:
    reply = await edge.post(b"not json")
    assert (reply.status, reply.body) == (200, b"{}")
    assert len(edge.appender.on(DEAD_LETTERS)) == 1
    assert not edge.appender.on(NOTIFICATIONS)


async def test_a_missing_signature_is_401_with_a_cause(edge: Edge) -> None:
    reply = await edge.post(notification(), {"Content-Type": "application/json"})
    assert reply.status == 401
    assert reply.json["cause"] == "missing"
    assert reply.headers["content-type"] == "application/json"
    assert not edge.appender.records


async def test_a_wrong_signature_is_401_with_a_cause(edge: Edge) -> None:
    reply = await edge.post(notification(), signed(notification(), b"another"))
    assert (reply.status, reply.json["cause"]) == (401, "unknown")
    assert not edge.appender.records


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/notifications", "/notifications/push"])
async def test_a_probe_is_200(edge: Edge, method: str, path: str) -> None:
    reply = await call(edge.app, method, path)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.body == (b"{}" if method == "GET" else b"")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
async def test_another_method_is_405_and_names_the_right_ones(edge: Edge, method: str) -> None:
    reply = await call(edge.app, method, "/notifications", (notification(),), signed(notification()))
    assert (reply.status, reply.headers["allow"]) == (405, "POST, GET, HEAD")
    assert reply.json["cause"] == "method"
    assert not edge.appender.records


@pytest.mark.parametrize("path", ["/notifications/nobody", "/notifications/", "/notifications/push/more"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_source_is_404(edge: Edge, method: str, path: str) -> None:
    reply = await call(edge.app, method, path, (notification(),), signed(notification()))
    assert (reply.status, reply.json["cause"]) == (404, "unknown-source")


async def test_an_announced_body_over_the_cap_is_413_before_any_of_it_is_read(edge: Edge) -> None:
    headers = signed(b"") | {"Content-Length": str(BODY_LIMIT + 1)}
    sent: list[str] = []

    async def receive() -> dict[str, object]:
        assert sent, "read before it was answered"
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(str(message.get("status", message["type"])))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/notifications",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await edge.app(scope, receive, send)
    assert sent[0] == "413"


async def test_an_unannounced_body_over_the_cap_is_413_while_it_streams(edge: Edge) -> None:
    body = b"x" * (BODY_LIMIT + 1)
    pieces = [body[start : start + 65_536] for start in range(0, len(body), 65_536)]
    reply = await call(edge.app, "POST", "/notifications", pieces, signed(body))
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert reply.json["cause"] == "too-large"


async def test_a_body_of_exactly_the_cap_is_taken(edge: Edge) -> None:
    empty = notification({"channelName": ""}, productId=1)
    body = notification({"channelName": "x" * (BODY_LIMIT - len(empty))}, productId=1)
    assert len(body) == BODY_LIMIT
    headers = signed(body) | {"Content-Length": str(BODY_LIMIT)}
    assert (await edge.post(body, headers)).status == 200
    assert len(edge.appender.on(NOTIFICATIONS)) == 1


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json;charset=utf-8", "application/cloudevents+json ; a=b"],
)
async def test_json_under_any_of_its_names_is_taken(edge: Edge, content_type: str) -> None:
    body = notification()
    assert (await edge.post(body, signed(body) | {"Content-Type": content_type})).status == 200


async def test_a_missing_content_type_is_taken_for_json(edge: Edge) -> None:
    headers = signed(notification())
    del headers["Content-Type"]
    assert (await edge.post(notification(), headers)).status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/jsonp", "text/json+json", "multipart/form-data"]
)
async def test_other_content_is_415(edge: Edge, content_type: str) -> None:
    body = notification()
    reply = await edge.post(body, signed(body) | {"Content-Type": content_type})
    assert (reply.status, reply.json["cause"]) == (415, "content-type")
    assert not edge.appender.records


async def test_nothing_durable_is_503_with_retry_after(edge: Edge) -> None:
    edge.appender.failures = [Unavailable("the disk is full")]
    reply = await edge.post(notification())
    assert (reply.status, reply.json["cause"]) == (503, "not-durable")
    assert int(reply.headers["retry-after"]) > 0


async def test_no_failure_of_ours_becomes_anything_but_503(edge: Edge) -> None:
    edge.appender.failures = [ZeroDivisionError("a bug")]
    assert (await edge.post(notification())).status == 503


async def test_a_stalled_body_is_408_and_the_connection_ends() -> None:
    edge = Edge(answer_within=timedelta(milliseconds=40))
    body = notification()
    reply = await call(edge.app, "POST", "/notifications", (body[:20],), signed(body), stalls=True)
    assert (reply.status, reply.headers["connection"]) == (408, "close")


async def test_a_client_that_leaves_gets_no_answer_and_leaves_no_trace(edge: Edge) -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        raise AssertionError(f"answered {message}")

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/notifications", "headers": []}
    await edge.app(scope, receive, send)
    assert not edge.appender.records


async def test_partial_bodies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.routes.reading.PARTIAL_BODIES", 2)
    edge = Edge(answer_within=timedelta(milliseconds=100))
    body = notification()

    def slow() -> "asyncio.Task[object]":
        return asyncio.create_task(call(edge.app, "POST", "/notifications", (body[:9],), signed(body), stalls=True))

    held = [slow(), slow()]
    await asyncio.sleep(0)
    assert (await call(edge.app, "POST", "/notifications", (body[:9], body[9:]), signed(body))).status == 503
    assert (await edge.post(body)).status == 200, "a body that comes at once is not held up by those that do not"
    await asyncio.gather(*held)
    assert (await call(edge.app, "POST", "/notifications", (body[:9], body[9:]), signed(body))).status == 200


async def test_every_answer_is_counted_after_it_was_given(edge: Edge) -> None:
    await edge.post(notification())
    await edge.post(notification(), {})
    await edge.get("/notifications")
    assert edge.metrics.counts[Metric.ANSWERS, "200"] == 2
    assert edge.metrics.counts[Metric.ANSWERS, "401"] == 1
    assert edge.metrics.counts[Metric.NOTIFICATIONS, "transcoder", "transcoder"] == 1
    assert edge.metrics.observed[Metric.EVENT_AGE_SECONDS] == [1.0]
    assert len(edge.metrics.observed[Metric.APPEND_SECONDS]) == 1


async def test_a_product_nobody_knows_is_counted_as_other(edge: Edge) -> None:
    await edge.post(notification({}, productId=987_654))
    assert edge.metrics.counts[Metric.NOTIFICATIONS, "transcoder", "other"] == 1
