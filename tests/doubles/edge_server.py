"""A real server in this loop, and a client that says exactly what it is told, byte by byte."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from receiver.server import Address, Listener, serve
from tests.doubles.edge_world import Edge, Headers, Reply


@dataclass
class Running:
    """A server that serves until `stop`."""

    edge: Edge
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    addresses: list[Address] = field(default_factory=list[Address])
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self) -> "Wire":
        return await Wire.open(self.addresses[0])


@asynccontextmanager
async def running(edge: Edge, drain: timedelta = timedelta(0)) -> AsyncGenerator[Running]:
    """Serve an edge on a free port."""
    server = Running(edge)
    up = asyncio.Event()

    def listening(addresses: Sequence[Address]) -> None:
        server.addresses.extend(addresses)
        up.set()

    def drains() -> None:
        server.draining.set()
        edge.readiness.drain()

    serving = asyncio.create_task(
        serve([Listener(edge.app, "127.0.0.1", 0)], server.stop, on_drain=drains, on_listening=listening, drain=drain)
    )
    async with asyncio.timeout(30):
        await up.wait()
        try:
            yield server
        finally:
            server.stop.set()
            await serving


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: Address) -> Self:
        return cls(*await asyncio.open_connection(*address))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()

    async def say(self, *pieces: bytes) -> None:
        """Send bytes as they are; a server that hung up meanwhile is no failure of the client's."""
        try:
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()
        except ConnectionError:
            return

    async def post(self, body: bytes, headers: Headers, path: str = "/notifications") -> Reply:
        await self.say(request("POST", path, headers, body))
        return await self.reply()

    async def reply(self, *, bodiless: bool = False) -> Reply:
        """The next answer; its body is as long as it says."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = 0 if bodiless else int(headers.get("content-length", 0))
        return Reply(int(status.split()[1]), headers, await self._reader.readexactly(length))

    async def ended(self) -> bool:
        """Wait for the server to hang up; what it still says is lost."""
        try:
            while await self._reader.read(65_536):
                pass
        except ConnectionError:
            pass
        return True


def request(method: str, path: str, headers: Headers = (), body: bytes = b"", version: str = "1.1") -> bytes:
    """A whole request, with its Content-Length unless the test frames the body itself."""
    pairs = dict(headers)
    if body and not {"Transfer-Encoding", "Content-Length"} & set(pairs):
        pairs["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *(f"{name}: {text}" for name, text in pairs.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body: bytes, size: int) -> bytes:
    """A body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
