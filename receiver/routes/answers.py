"""The answers of the notification endpoint, rendered once: the hot path only hands them over."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from schemas.codec import encode
from schemas.signature import ADVICE, Mismatch

Headers = list[tuple[bytes, bytes]]

_CLOSE: Final = (b"connection", b"close")
RETRY_AFTER_SECONDS: Final = 2  # the vendor tries again by itself; a human's client should not hammer


class Answer(NamedTuple):
    """One complete answer as ASGI messages; `lingers` says that unread bytes are still coming."""

    status: str
    start: dict[str, Any]
    body: dict[str, Any]
    lingers: bool


def answer(status: int, content: Mapping[str, str], *headers: tuple[bytes, bytes], lingers: bool = False) -> Answer:
    """An answer in JSON; what lingers is not `rendered` for our server to write at once (receiver/protocol.py)."""
    body = encode(dict(content))
    sent: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *headers,
    ]
    rendered = b"".join(b"%b: %b\r\n" % header for header in sent) + b"\r\n" + body
    return Answer(
        str(status),
        {
            "type": "http.response.start",
            "status": status,
            "headers": sent,
            "rendered": None if lingers or _CLOSE in headers else rendered,
        },
        {"type": "http.response.body", "body": body},
        lingers,
    )


def _unavailable(cause: str, detail: str) -> Answer:
    return answer(503, {"cause": cause, "detail": detail}, (b"retry-after", str(RETRY_AFTER_SECONDS).encode()))


_CHALLENGE: Final = (b"www-authenticate", b"Agora-Signature")  # RFC 9110 wants one on every 401

OK: Final = answer(200, {})
REFUSED: Final = {cause: answer(401, {"cause": cause.value, "detail": ADVICE[cause]}, _CHALLENGE) for cause in Mismatch}
REFUSED_BARELY: Final = answer(401, {}, _CHALLENGE)
UNKNOWN_SOURCE: Final = answer(
    404, {"cause": "unknown-source", "detail": "No source of this name is configured: the console's URL is wrong."}
)
METHOD_NOT_ALLOWED: Final = answer(
    405,
    {"cause": "method", "detail": "Notifications are sent with POST; GET and HEAD only probe."},
    (b"allow", b"POST, GET, HEAD"),
)
TOO_SLOW: Final = answer(408, {"cause": "slow-body", "detail": "The body did not arrive in time."}, _CLOSE)
TOO_LARGE: Final = answer(
    413, {"cause": "too-large", "detail": "A body has at most 262144 bytes."}, _CLOSE, lingers=True
)
NOT_JSON: Final = answer(
    415, {"cause": "content-type", "detail": "Send application/json; a missing Content-Type is taken for it."}
)
BUSY: Final = _unavailable("busy", "Too many notifications wait to become durable.")
NOT_DURABLE: Final = _unavailable("not-durable", "The notification could not be made durable.")
