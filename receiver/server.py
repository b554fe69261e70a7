"""Listening, and stopping in order: say not ready, serve on for a moment, stop accepting, finish, return.

The caller closes the log after `serve` returns, so every answer given was durable.
"""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import structlog
import uvicorn
from starlette.types import ASGIApp

from receiver.protocol import BoundedProtocol

log = structlog.get_logger(__name__)

DRAIN: Final = timedelta(seconds=1)
GRACE: Final = timedelta(seconds=10)
SWEEP_SECONDS: Final = 5.0
BACKLOG: Final = 2048

Address = tuple[str, int]


class CannotListen(Exception):  # noqa: N818 - a state of the world, not a bug
    """The address cannot be listened on; the text says why in one line."""


class Listener(NamedTuple):
    """An application and where it listens; port 0 takes any free one."""

    app: ASGIApp
    host: str
    port: int


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: several servers stop together, in our order."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT ask for a stop in order; the second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        if stop.is_set():
            loop.remove_signal_handler(number)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)


async def serve(
    listeners: Sequence[Listener],
    stop: asyncio.Event,
    *,
    on_drain: Callable[[], None],
    on_listening: Callable[[Sequence[Address]], None] = lambda _: None,
    drain: timedelta = DRAIN,
    grace: timedelta = GRACE,
) -> None:
    """Serve until `stop` is set, then stop in order. Raises CannotListen before anything is served.

    `on_listening` is told the bound addresses once all of them accept connections, `on_drain` that the stop begins.
    """
    with contextlib.ExitStack() as bound:
        sockets = [bound.enter_context(_bind(listener)) for listener in listeners]
        servers = [_Server(_config(listener.app, grace)) for listener in listeners]
        async with asyncio.TaskGroup() as group:
            for server, listening in zip(servers, sockets, strict=True):
                group.create_task(server.serve([listening]))
            await asyncio.gather(*(server.up.wait() for server in servers))
            addresses = [_address(listening) for listening in sockets]
            for host, port in addresses:
                log.info("listening", host=host, port=port)
            on_listening(addresses)
            sweeper = group.create_task(_close_overdue(servers))
            await stop.wait()
            log.info("draining", seconds=drain.total_seconds())
            on_drain()
            await asyncio.sleep(drain.total_seconds())
            sweeper.cancel()
            for server in servers:
                server.should_exit = True
    log.info("stopped_serving")


def _config(app: ASGIApp, grace: timedelta) -> uvicorn.Config:
    return uvicorn.Config(
        _typed(app),
        http=BoundedProtocol,
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        log_level="error",  # uvicorn would write a line for every malformed request of a flood
        access_log=False,
        server_header=False,
        proxy_headers=False,  # it would believe X-Forwarded-For from any process of this machine
        timeout_graceful_shutdown=max(1, round(grace.total_seconds())),
    )


def _typed(app: ASGIApp) -> Any:
    # Starlette and uvicorn type the same protocol differently.
    return app


def _bind(listener: Listener) -> socket.socket:
    where = f"{listener.host}:{listener.port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(f"{where} is in use: stop the other process or listen elsewhere") from error
        raise CannotListen(f"cannot listen on {where}: {error.strerror or error}") from error
    bound.setblocking(False)
    return bound


def _address(bound: socket.socket) -> Address:
    host, port = bound.getsockname()[:2]
    return host, port


async def _close_overdue(servers: Sequence[uvicorn.Server]) -> None:
    """Close connections whose request never gets complete, and those that idle; uvicorn would wait for the former."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        for server in servers:
            connections: list[object] = list(server.server_state.connections)
            for connection in connections:
                if isinstance(connection, BoundedProtocol) and connection.overdue():
                    connection.transport.close()
