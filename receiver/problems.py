"""Errors of the control API as problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from schemas.codec import encode

MEDIA_TYPE: Final = "application/problem+json"


class FieldError(NamedTuple):
    """One bad field: its name, what is wrong, what would be right."""

    field: str
    message: str
    allowed: str


class Problem(Exception):  # noqa: N818 - it is an answer, raised where the request turns out to deserve it
    """An answer that says what went wrong."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers


def problem_answer(request: Request, problem: Problem) -> Response:
    """The problem as JSON, with the id of the request it answers."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "requestId": request.state.request_id,
    }
    if problem.errors:
        content["errors"] = [error._asdict() for error in problem.errors]
    return Response(encode(content), problem.status, problem.headers, MEDIA_TYPE)
