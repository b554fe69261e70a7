"""Starting and stopping: addresses, and the order of an end."""

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from datetime import timedelta

import pytest

from receiver.app import build_app
from receiver.server import Address, CannotListen, Listener, serve, stop_on_signals
from schemas.topics import NOTIFICATIONS
from tests.doubles.edge_server import Wire, request, running
from tests.doubles.edge_world import Edge, notification, signed

BODY = notification()


async def test_a_stop_drains_then_finishes_then_returns() -> None:
    edge = Edge()
    async with (
        running(edge, drain=timedelta(milliseconds=150)) as server,
        await server.connect() as busy,
        await server.connect() as other,
    ):
        assert (await other.post(BODY, signed(BODY))).status == 200
        edge.appender.gate.clear()
        await busy.say(request("POST", "/notifications", signed(BODY), BODY))
        await edge.appender.arrivals(2)
        server.stop.set()
        await server.draining.wait()
        await other.say(request("GET", "/readyz"))
        reply = await other.reply()
        assert (reply.status, reply.json["reason"]) == (503, "draining")
        await other.say(request("GET", "/notifications"))
        assert (await other.reply()).status == 200, "requests are still served while it drains"
        assert await other.ended(), "an idle connection is closed"
        with pytest.raises(ConnectionRefusedError):
            await server.connect()
        edge.appender.gate.set()
        reply = await busy.reply()
        assert (reply.status, reply.headers.get("connection")) in {(200, "close"), (200, None)}
        assert await busy.ended()
    assert len(edge.appender.on(NOTIFICATIONS)) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_a_stop(number: signal.Signals) -> None:
    edge = Edge()
    async with running(edge) as server:
        stop_on_signals(server.stop)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await server.stop.wait()
        await server.draining.wait()


async def test_a_request_that_never_finishes_does_not_stop_the_stop() -> None:
    edge = Edge(answer_within=timedelta(seconds=60))
    edge.appender.gate.clear()
    stop, addresses = asyncio.Event(), asyncio.Future[Sequence[Address]]()
    serving = asyncio.create_task(
        serve(
            [Listener(edge.app, "127.0.0.1", 0)],
            stop,
            on_drain=edge.readiness.drain,
            on_listening=addresses.set_result,
            drain=timedelta(0),
            grace=timedelta(seconds=1),
        )
    )
    async with await Wire.open((await addresses)[0]) as wire:
        await wire.say(request("POST", "/notifications", signed(BODY), BODY))
        await edge.appender.arrivals(1)
        stop.set()
        async with asyncio.timeout(5):
            await serving
    assert not edge.appender.records


async def test_several_listeners_are_several_surfaces() -> None:
    edge = Edge()
    stop, addresses = asyncio.Event(), asyncio.Future[Sequence[Address]]()
    listeners = [Listener(edge.app, "127.0.0.1", 0), Listener(build_app(edge.readiness), "127.0.0.1", 0)]
    serving = asyncio.create_task(
        serve(listeners, stop, on_drain=lambda: None, on_listening=addresses.set_result, drain=timedelta(0))
    )
    public, control = await addresses
    assert public[1] != control[1] != 0
    statuses: list[int] = []
    for address in (public, control):
        async with await Wire.open(address) as wire:
            await wire.say(request("GET", "/notifications"))
            statuses.append((await wire.reply()).status)
    stop.set()
    await serving
    assert statuses == [200, 404]


async def test_a_busy_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"^127.0.0.1:{port} is in use[^\n]*$"):
            await serve([Listener(Edge().app, "127.0.0.1", port)], asyncio.Event(), on_drain=lambda: None)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_that_is_not_ours_is_one_line(host: str) -> None:
    with pytest.raises(CannotListen, match=f"^cannot listen on {host}:1: [^\n]+$"):
        await serve([Listener(Edge().app, host, 1)], asyncio.Event(), on_drain=lambda: None)
