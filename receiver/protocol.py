"""HTTP from strangers: uvicorn's protocol with the bounds it lacks on headers.

uvicorn limits neither the size nor the number of headers, nor the time they take, so one connection could fill the
memory and a few thousand silent ones use up every descriptor. Bounded here are: the bytes of a message that are not
body (request line, headers, chunk framing, trailers), the number of headers, and the time until a request is complete
enough to reach the application, whose own deadlines take over then.
"""

import asyncio
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

FRAMING_LIMIT: Final = 32 * 1024
HEADERS_LIMIT: Final = 100
STALLED_SWEEPS: Final = 2

FLOOD_ANSWER: Final = (
    b'content-type: application/json\r\ncontent-length: 21\r\nconnection: close\r\n\r\n{"cause":"too-large"}'
)


class FloodError(Exception):
    """The headers are beyond a bound: the parser stops and the connection ends."""


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
        """Count first, so that what the callbacks see is the bytes up to now."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > FRAMING_LIMIT and not self._flooded and not self.transport.is_closing():
            self._refuse_flood()

    def on_headers_complete(self) -> None:
        """Let a request through to the application when its headers are within bounds."""
        self._requests += 1
        if len(self.headers) > HEADERS_LIMIT or (
            self._framing > FRAMING_LIMIT and self._header_bytes() > FRAMING_LIMIT
        ):
            self._flooded = True
            raise FloodError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """The application caps bodies; only what frames them counts here."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next message starts from nothing."""
        self._framing = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser stopped, for whatever reason."""
        if self._flooded:
            self._refuse_flood()
        elif not self.transport.is_closing():
            super().send_400_response(msg)

    def stalled(self) -> bool:
        """Whether a request has been on its way here since the sweep before last: asked once per sweep."""
        waiting = self._requests == 0 or (self.cycle.response_complete and self._framing > 0)
        if not waiting or self._requests != self._seen_requests:
            self._sweeps = 0
            self._seen_requests = self._requests
            return False
        self._sweeps += 1
        return self._sweeps >= STALLED_SWEEPS

    def _header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse_flood(self) -> None:
        self._flooded = True
        self.transport.write(STATUS_LINE[431] + FLOOD_ANSWER)
        self.transport.close()
