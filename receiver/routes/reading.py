"""A notification's request before anyone looks into its body: headers, content type, the capped bytes."""

from collections.abc import Sequence
from typing import Final

from starlette.types import Receive

from receiver.routes.answers import BUSY, TOO_LARGE, Answer

BODY_LIMIT: Final = 256 * 1024
# Bodies that arrive in pieces are held while we wait: at most this many, so that slow senders cost at most 64 MiB.
PARTIAL_BODIES: Final = 256
# After an early refusal the rest is thrown away for a moment, or the reset would overtake the answer.
DISCARD_LIMIT: Final = 4 * 1024 * 1024


class Disconnected(Exception):  # noqa: N818 - a state of the world, not a bug
    """The client left before its request was complete: nobody is there to answer."""


def joined(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name; different values of one name are joined (RFC 9110), so two signatures never pass for one."""
    found = dict(headers)
    if len(found) == len(headers):
        return found
    values: dict[bytes, dict[bytes, None]] = {}
    for name, value in headers:
        values.setdefault(name, {})[value] = None
    return {name: b", ".join(distinct) for name, distinct in values.items()}


def is_json(content_type: bytes) -> bool:
    """Whether a content type is JSON, in any case and with any parameters."""
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == b"application/json" or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )


def is_too_long(content_length: bytes) -> bool:
    """Whether the announced length is beyond the cap; what is no number is left to the count of real bytes."""
    return content_length.isdigit() and int(content_length[:20]) > BODY_LIMIT


class Bodies:
    """Reads request bodies up to the cap."""

    def __init__(self) -> None:
        self._partial = 0

    async def read(self, receive: Receive) -> bytes | Answer:
        """The whole body, or the answer that refuses it; raises Disconnected."""
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            return await self._rest(receive, body)
        return body if len(body) <= BODY_LIMIT else TOO_LARGE

    async def _rest(self, receive: Receive, first: bytes) -> bytes | Answer:
        if self._partial >= PARTIAL_BODIES:
            return BUSY
        self._partial += 1
        try:
            body = bytearray(first)
            while len(body) <= BODY_LIMIT:
                message = await receive()
                if message["type"] != "http.request":
                    raise Disconnected
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            return bytes(body) if len(body) <= BODY_LIMIT else TOO_LARGE
        finally:
            self._partial -= 1


async def discard(receive: Receive) -> None:
    """Throw away what is still coming, up to a bound."""
    seen = 0
    while seen < DISCARD_LIMIT:
        message = await receive()
        seen += len(message.get("body", b""))
        if not message.get("more_body"):
            return
