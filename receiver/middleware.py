"""What every control route shares: a request id, bearer tokens, problem details."""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from receiver.addresses import is_loopback
from receiver.problems import Problem, problem_answer

log = structlog.get_logger(__name__)

REQUEST_ID: Final = "X-Request-ID"
ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9._:@/+=-]{1,128}")

Endpoint = Callable[[Request], Awaitable[Response]]


class RequestIds:
    """Gives every answer an `X-Request-ID`, the caller's where it is harmless, and every bug a 500 with that id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        asked = request.headers.get(REQUEST_ID, "")
        request_id = asked if ACCEPTABLE_ID.fullmatch(asked) else secrets.token_hex(16)
        request.state.request_id = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request_failed", request_id=request_id)
            if started:
                raise
            bug = Problem(500, "This is a bug; the log has the details under the request id.")
            await problem_answer(request, bug)(scope, receive, send_with_id)


async def problem_from(request: Request, error: Exception) -> Response:
    """Any refusal as problem details: ours, and those of the router."""
    if isinstance(error, Problem):
        return problem_answer(request, error)
    if isinstance(error, HTTPException):
        return problem_answer(request, Problem(error.status_code, str(error.detail), headers=error.headers))
    raise error


class Role(StrEnum):
    """What a token may do; who may operate may read."""

    READ = "read"
    OPERATE = "operate"


class ApiToken(NamedTuple):
    """One configured bearer token; the name is shown to people, the token never."""

    name: str
    token: str
    role: Role


class Access:
    """Who may use the control routes. Without tokens nobody may, except this machine where a demo says so."""

    def __init__(self, tokens: Sequence[ApiToken], *, open_on_loopback: bool = False) -> None:
        self._open_on_loopback = open_on_loopback
        self._tokens = [(sha256(token.token.encode()).digest(), token) for token in tokens]

    def admit(self, request: Request, role: Role) -> str:
        """The name of whoever asks; raises Problem when that one may not."""
        if not self._tokens:
            if self._open_on_loopback and _is_local(request):
                return "loopback"
            raise Problem(403, "No API token is configured here: set AGORA_EVENTS_API_TOKENS to use the control API.")
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(401, "Send Authorization: Bearer <token>.", headers=_challenge())
        holder = self._holder(presented.strip())
        if holder is None:
            raise Problem(401, "The token is not one of those configured here.", headers=_challenge("invalid_token"))
        if role is Role.OPERATE and holder.role is not Role.OPERATE:
            headers = _challenge("insufficient_scope")
            raise Problem(403, f"The token {holder.name!r} may read only.", headers=headers)
        return holder.name

    def _holder(self, presented: str) -> ApiToken | None:
        # Digests have one length, and every token is compared: the time tells nothing.
        digest = sha256(presented.encode()).digest()
        found = None
        for known, token in self._tokens:
            if hmac.compare_digest(known, digest):
                found = token
        return found


class Guarded(Route):
    """A route for holders of a token; its endpoint finds their name in `request.state.operator`."""

    def __init__(self, path: str, endpoint: Endpoint, access: Access, role: Role, *, methods: Sequence[str]) -> None:
        async def admitted(request: Request) -> Response:
            request.state.operator = access.admit(request, role)
            return await endpoint(request)

        super().__init__(path, admitted, methods=list(methods))
        self.role = role


def _challenge(error: str | None = None) -> Mapping[str, str]:
    return {"WWW-Authenticate": f'Bearer error="{error}"' if error else "Bearer"}


def _is_local(request: Request) -> bool:
    """Whether a person on this machine asks: not through a proxy, and not a page that rebound its name to us."""
    forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded"))
    return is_loopback(request.scope) and not forwarded and request.url.hostname in {"127.0.0.1", "localhost", "::1"}
