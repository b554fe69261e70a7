"""uvicorn's HTTP protocol with the bounds it lacks, and with one write per prepared answer.

uvicorn limits neither the size nor the number of headers, nor the time they take, so one connection could fill the
memory and a few thousand silent ones use up every descriptor. Bounded here are: the bytes of a message that are not
body (request line, headers, chunk framing, trailers), the number of headers, and the time until a request is complete
enough to reach the application, whose own deadlines take over then.
"""

import asyncio
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

FRAMING_LIMIT: Final = 32 * 1024
HEADERS_LIMIT: Final = 100
STALLED_SWEEPS: Final = 2
IDLE_SWEEPS: Final = 15  # 75 s; the vendor recommends at least 10 s and 100 requests; requests are not counted here

FLOOD_ANSWER: Final = (
    b'content-type: application/json\r\ncontent-length: 21\r\nconnection: close\r\n\r\n{"cause":"too-large"}'
)


MALFORMED_ANSWER: Final = (
    b'content-type: application/json\r\ncontent-length: 21\r\nconnection: close\r\n\r\n{"cause":"malformed"}'
)


class FloodError(Exception):
    """The headers are beyond a bound: the parser stops and the connection ends."""


class PreparedCycle(RequestResponseCycle):
    """Writes an answer that comes `rendered` at once.

    uvicorn checks every header and writes head and body apart: two system calls, two packets, two wake-ups of the
    client. `rendered` in the start message is everything after the Date header, body included.
    """

    _prepared = False
    _taken = False

    async def receive(self) -> Any:
        """The next ASGI message; a body that is here whole is handed over without asking the event."""
        if self.more_body or self._taken or self.waiting_for_100_continue or self.disconnected:
            return await super().receive()
        self._taken = True
        self.message_event.clear()
        return {"type": "http.request", "body": bytes(self.body), "more_body": False}

    async def send(self, message: Any) -> None:
        """Take one ASGI message."""
        if self._prepared:
            self._complete()
            return
        rendered = message.get("rendered")
        if rendered is None or not self.keep_alive or self.response_started or self.flow.write_paused:
            await super().send(message)
        elif not self.disconnected:
            self._write(message["status"], rendered)

    def _write(self, status: int, rendered: bytes) -> None:
        self._prepared = self.response_started = True
        self.waiting_for_100_continue = False
        self.transport.write(STATUS_LINE[status] + _dates(self.default_headers) + rendered)

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:  # a stop began in between
            self.transport.close()
        self.on_response()


def _parts(url: bytes) -> tuple[bytes, bytes]:
    """Path and query; a URL in the usual form is split by hand, which costs a quarter of parsing it."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path, parsed.query or b""


class _Dates:
    """The Date header as it is sent. uvicorn replaces its list once a second, so whose list it is says when."""

    made_of: Any = None
    rendered = b""


def _dates(default_headers: list[tuple[bytes, bytes]]) -> bytes:
    if _Dates.made_of is not default_headers:
        _Dates.made_of = default_headers
        _Dates.rendered = b"".join(b"%b: %b\r\n" % header for header in default_headers)
    return _Dates.rendered


class BoundedProtocol(HttpToolsProtocol):
    """`framing` counts the bytes since the last complete message that were not body."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._framing = 0
        self._flooded = False
        self._requests = 0
        self._seen_requests = -1
        self._sweeps = 0

    def data_received(self, data: bytes) -> None:
        """Count first, so that the callbacks know the bytes up to now."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > FRAMING_LIMIT and not self._flooded and not self.transport.is_closing():
            self._refuse_flood()

    def on_headers_complete(self) -> None:
        """Start the application: uvicorn's method without upgrades, and with our bounds and our cycle."""
        self._requests += 1
        if len(self.headers) > HEADERS_LIMIT or (
            self._framing > FRAMING_LIMIT and self._header_bytes() > FRAMING_LIMIT
        ):
            self._flooded = True
            raise FloodError
        parser: Any = self.parser
        version = parser.get_http_version()
        raw_path, query = _parts(self.url)
        path = raw_path.decode("ascii")
        scope = self.scope
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = raw_path
        scope["query_string"] = query
        app = cast("ASGI3Application", self.app)
        running = self.cycle
        self.cycle = PreparedCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if self._requests == 1 or running.response_complete:
            self._start_asgi_task(self.cycle, app)
        else:  # pipelined: one after the other
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))

    def on_body(self, body: bytes) -> None:
        """The application caps bodies; only what frames them counts here."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next message starts from nothing."""
        self._framing = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not JSON
        """What uvicorn calls when the parser stopped, for whatever reason."""
        if self._flooded:
            self._refuse_flood()
        elif not self.transport.is_closing():
            self.transport.write(STATUS_LINE[400] + MALFORMED_ANSWER)
            self.transport.close()

    def on_response_complete(self) -> None:
        """Go on with what is pipelined; idle connections are found by the sweep, a timer for each answer costs 3 µs."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def overdue(self) -> bool:
        """Whether to close: a request takes too long to get here, or none has begun. Asked once per sweep."""
        answering = self._requests > 0 and not self.cycle.response_complete
        if answering or self._requests != self._seen_requests:
            self._sweeps = 0
            self._seen_requests = self._requests
            return False
        self._sweeps += 1
        begun = self._requests == 0 or self._framing > 0
        return self._sweeps >= (STALLED_SWEEPS if begun else IDLE_SWEEPS)

    def _header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse_flood(self) -> None:
        self._flooded = True
        self.transport.write(STATUS_LINE[431] + FLOOD_ANSWER)
        self.transport.close()
