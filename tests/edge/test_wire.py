"""The endpoint on a real socket: keep-alive, framing, and everything a stranger may send instead of a request."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from receiver.protocol import FRAMING_LIMIT, HEADERS_LIMIT, IDLE_SWEEPS
from receiver.routes.reading import BODY_LIMIT
from receiver.server import SWEEP_SECONDS
from schemas.topics import NOTIFICATIONS
from tests.doubles.edge_server import Running, Wire, chunked, request, running
from tests.doubles.edge_world import Edge, call, notification, signed

BODY = notification()
LARGE = notification({"channelName": "room", "text": "x" * 250_000}, productId=1)


@pytest.fixture
async def server() -> AsyncGenerator[Running]:
    async with running(Edge(answer_within=timedelta(seconds=2))) as server:
        yield server


@pytest.fixture
async def wire(server: Running) -> AsyncGenerator[Wire]:
    async with await server.connect() as wire:
        yield wire


async def test_a_connection_serves_a_hundred_requests_and_more(server: Running, wire: Wire) -> None:
    for _ in range(150):
        assert (await wire.post(BODY, signed(BODY))).status == 200
    assert len(server.edge.appender.on(NOTIFICATIONS)) == 150


def test_an_idle_connection_lives_longer_than_the_vendor_recommends() -> None:
    assert IDLE_SWEEPS * SWEEP_SECONDS >= 10


@pytest.mark.parametrize("headers", [signed(BODY), {}, {"Content-Type": "text/plain"}])
async def test_an_answer_on_the_wire_is_the_answer_of_the_application(
    server: Running, wire: Wire, headers: dict[str, str]
) -> None:
    on_wire = await wire.post(BODY, headers)
    direct = await server.edge.post(BODY, headers)
    assert (on_wire.status, on_wire.body) == (direct.status, direct.body)
    assert on_wire.headers.pop("date").endswith("GMT")
    assert on_wire.headers == direct.headers


async def test_a_head_has_no_body_and_the_connection_goes_on(wire: Wire) -> None:
    await wire.say(request("HEAD", "/notifications"))
    reply = await wire.reply(bodiless=True)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (await wire.post(BODY, signed(BODY))).status == 200


async def test_http_1_0_is_answered_and_closed(wire: Wire) -> None:
    await wire.say(request("POST", "/notifications", signed(BODY), BODY, version="1.0"))
    reply = await wire.reply()
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert await wire.ended()


async def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    await wire.say(
        request("POST", "/notifications", signed(BODY), BODY)
        + request("POST", "/notifications", {}, BODY)
        + request("GET", "/livez")
        + request("POST", "/notifications", signed(BODY), BODY)
    )
    assert [(await wire.reply()).status for _ in range(4)] == [200, 401, 200, 200]


async def test_a_body_byte_by_byte_is_taken(wire: Wire) -> None:
    for byte in request("POST", "/notifications", signed(BODY), BODY):
        await wire.say(bytes([byte]))
    assert (await wire.reply()).status == 200


@pytest.mark.parametrize("size", [1_024, 65_536])
async def test_a_chunked_body_is_taken(wire: Wire, size: int) -> None:
    head = request("POST", "/notifications", signed(LARGE) | {"Transfer-Encoding": "chunked"})
    await wire.say(head, chunked(LARGE, size))
    assert (await wire.reply()).status == 200
    assert (await wire.post(LARGE, signed(LARGE))).status == 200


async def test_a_client_that_waits_for_leave_gets_it(wire: Wire) -> None:
    head = request(
        "POST", "/notifications", signed(BODY) | {"Expect": "100-continue", "Content-Length": str(len(BODY))}
    )
    await wire.say(head)
    assert (await wire.reply()).status == 100
    await wire.say(BODY)
    assert (await wire.reply()).status == 200


async def test_an_announced_body_over_the_cap_is_refused_before_it_is_sent(wire: Wire) -> None:
    await wire.say(request("POST", "/notifications", {"Content-Length": str(BODY_LIMIT + 1)}))
    reply = await wire.reply()
    assert (reply.status, reply.headers["connection"]) == (413, "close")


async def test_a_client_that_waits_for_leave_to_send_too_much_gets_none(wire: Wire) -> None:
    headers = {"Content-Length": str(BODY_LIMIT + 1), "Expect": "100-continue"}
    await wire.say(request("POST", "/notifications", headers))
    assert (await wire.reply()).status == 413


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_client_that_sends_too_much_regardless_still_reads_its_answer(wire: Wire, framing: str) -> None:
    body = b"x" * (3 * 1024 * 1024)
    if framing == "length":
        sending = asyncio.create_task(wire.say(request("POST", "/notifications", {}, body)))
    else:
        head = request("POST", "/notifications", {"Transfer-Encoding": "chunked"})
        sending = asyncio.create_task(wire.say(head, chunked(body, 4_096)))
    reply = await wire.reply()
    assert (reply.status, reply.json["cause"]) == (413, "too-large")
    await sending
    assert await wire.ended()


async def test_a_slow_body_is_408_and_holds_nobody_up() -> None:
    async with (
        running(Edge(answer_within=timedelta(milliseconds=100))) as server,
        await server.connect() as slow,
        await server.connect() as quick,
    ):
        await slow.say(request("POST", "/notifications", signed(BODY) | {"Content-Length": str(len(BODY))}), BODY[:9])
        assert (await quick.post(BODY, signed(BODY))).status == 200
        reply = await slow.reply()
        assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert await slow.ended()


async def test_a_client_that_leaves_in_the_middle_leaves_no_trace(server: Running) -> None:
    async with await server.connect() as wire:
        await wire.say(request("POST", "/notifications", signed(BODY) | {"Content-Length": str(len(BODY))}), BODY[:9])
    async with await server.connect() as wire:
        assert (await wire.post(BODY, signed(BODY))).status == 200
    assert len(server.edge.appender.records) == 1


async def refused_as_flood(server: Running, *pieces: bytes) -> None:
    """A flood ends in 431 and a closed connection; nothing of it is stored, and others are served."""
    async with await server.connect() as wire:
        sending = asyncio.create_task(wire.say(*pieces))
        statuses = [(await wire.reply()).status]
        if statuses == [408]:
            raise AssertionError("it was the deadline that ended it")
        assert statuses[-1] == 431
        await sending
        assert await wire.ended()
    assert not server.edge.appender.records
    async with await server.connect() as wire:
        assert (await wire.post(BODY, signed(BODY))).status == 200


POST = b"POST /notifications HTTP/1.1\r\nHost: localhost\r\n"


async def test_too_many_headers_are_431(server: Running) -> None:
    flood = POST + b"".join(b"X-%d: a\r\n" % number for number in range(HEADERS_LIMIT + 1)) + b"\r\n"
    await refused_as_flood(server, flood)


async def test_a_server_without_bounds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.server.BoundedProtocol", HttpToolsProtocol)
    async with running(Edge()) as unbounded:
        with pytest.raises(AssertionError):
            await test_too_many_headers_are_431(unbounded)


async def test_too_large_headers_are_431(server: Running) -> None:
    await refused_as_flood(server, POST + b"X-A: " + b"a" * FRAMING_LIMIT + b"\r\n\r\n")


async def test_one_header_without_end_is_431(server: Running) -> None:
    await refused_as_flood(server, POST + b"X-A: ", *[b"a" * 4_096] * 20)


async def test_a_path_without_end_is_431(server: Running) -> None:
    await refused_as_flood(server, b"GET /", *[b"a" * 4_096] * 20)


async def test_a_flood_of_tiny_headers_is_431(server: Running) -> None:
    await refused_as_flood(server, POST, *[b"a:b\r\n" * 500] * 100)


async def test_trailers_without_end_are_431(server: Running) -> None:
    head = request("POST", "/notifications", signed(b"ab") | {"Transfer-Encoding": "chunked"})
    await refused_as_flood(server, head, b"2\r\nab\r\n0\r\n", *[b"X-A: " + b"a" * 4_096 + b"\r\n"] * 20)


async def test_chunks_that_are_mostly_framing_are_431(server: Running) -> None:
    head = request("POST", "/notifications", signed(b"ab") | {"Transfer-Encoding": "chunked"})
    await refused_as_flood(server, head, *[b"1;" + b"a" * 4_096 + b"\r\nx\r\n"] * 20)


async def test_headers_up_to_the_bound_are_taken(wire: Wire) -> None:
    many = {f"X-{number}": "a" for number in range(HEADERS_LIMIT - 10)}
    assert (await wire.post(BODY, signed(BODY) | many)).status == 200
    assert (await wire.post(BODY, signed(BODY) | {"X-Long": "a" * (FRAMING_LIMIT - 2_000)})).status == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_400_and_closed(wire: Wire, garbage: bytes) -> None:
    await wire.say(garbage)
    assert (await wire.reply()).status == 400
    assert await wire.ended()


async def test_a_request_that_never_gets_complete_is_closed_and_an_idle_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("receiver.server.SWEEP_SECONDS", 0.02)
    async with (
        running(Edge()) as server,
        await server.connect() as silent,
        await server.connect() as slow,
        await server.connect() as idle,
    ):
        assert (await idle.post(BODY, signed(BODY))).status == 200
        assert (await slow.post(BODY, signed(BODY))).status == 200
        await slow.say(POST + b"X-Slow: ")
        assert await silent.ended()
        assert await slow.ended()
        assert (await idle.post(BODY, signed(BODY))).status == 200


async def test_a_connection_that_idles_for_all_its_sweeps_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.server.SWEEP_SECONDS", 0.01)
    async with running(Edge()) as server, await server.connect() as idle:
        assert (await idle.post(BODY, signed(BODY))).status == 200
        assert await idle.ended()


async def test_a_request_that_the_application_works_on_is_not_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.server.SWEEP_SECONDS", 0.01)
    edge = Edge()
    edge.appender.gate.clear()
    async with running(edge) as server, await server.connect() as wire, await server.connect() as silent:
        await wire.say(request("POST", "/notifications", signed(BODY), BODY))
        assert await silent.ended(), "both were swept as often"
        edge.appender.gate.set()
        assert (await wire.reply()).status == 200


async def test_an_escaped_path_reaches_the_same_endpoint(wire: Wire) -> None:
    assert (await wire.post(BODY, signed(BODY), "/notifications/trans%63oder?x=1")).status == 200


async def test_the_control_routes_are_answered_over_the_same_wire(server: Running, wire: Wire) -> None:
    await wire.say(request("GET", "/nothing", {"X-Request-ID": "r1"}))
    reply = await wire.reply()
    assert (reply.status, reply.headers["x-request-id"]) == (404, "r1")
    assert reply.headers["content-type"] == "application/problem+json"
    assert "server" not in reply.headers
    assert reply.body == (await call(server.edge.app, "GET", "/nothing", headers={"X-Request-ID": "r1"})).body
