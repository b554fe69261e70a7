"""`GET /tasks` and `GET /tasks/{product}/{id}`: what is known about each task, from the view."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from receiver.middleware import Access, Guarded, Role
from receiver.ports import TaskView
from receiver.problems import FieldError, Problem
from schemas.codec import encode
from schemas.products import Product
from schemas.state import Status

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1000
TEXT_LIMIT: Final = 1024
VIEW_AGE: Final = "X-View-Age-Ms"

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "product": tuple(product.value for product in Product),
    "status": tuple(status.value for status in Status),
}
PARAMETERS: Final = ("product", "status", "instance", "limit", "cursor")


def task_routes(view: TaskView, access: Access) -> list[Route]:
    """The routes that show tasks."""

    async def page(request: Request) -> Response:
        asked = _parameters(request)
        _ensure_ready(view)
        tasks, after = view.page(
            product=asked.get("product"),
            status=asked.get("status"),
            instance=asked.get("instance"),
            limit=int(asked.get("limit", LIMIT_DEFAULT)),
            cursor=asked.get("cursor"),
        )
        return _answer(view, {"tasks": tasks, "next": after})

    async def one(request: Request) -> Response:
        product, task_id = request.path_params["product"], request.path_params["id"]
        _ensure_ready(view)
        task = view.get(product, task_id) if product in CHOICES["product"] else None
        if task is None:
            raise Problem(404, "No task of this product and id is known; ended tasks are forgotten after a while.")
        return _answer(view, task)

    return [
        Guarded("/tasks", page, access, Role.READ, methods=["GET"]),
        Guarded("/tasks/{product}/{id:path}", one, access, Role.READ, methods=["GET"]),
    ]


def _answer(view: TaskView, content: Mapping[str, Any]) -> Response:
    headers = {VIEW_AGE: str(view.age_ms()), "Cache-Control": "no-store"}
    return Response(encode(content), 200, headers, "application/json")


def _ensure_ready(view: TaskView) -> None:
    if not view.ready:
        raise Problem(503, "The view is still being read from the log.", headers={"Retry-After": "1"})


def _parameters(request: Request) -> dict[str, str]:
    """The query, checked; raises Problem naming every bad field."""
    asked: dict[str, str] = {}
    errors: list[FieldError] = []
    for name, value in request.query_params.multi_items():
        error = FieldError(name[:64], "given twice", "once") if name in asked else _error(name, value)
        if error:
            errors.append(error)
        asked[name] = value
    if errors:
        raise Problem(400, "The query has bad parameters.", errors=errors)
    return asked


def _error(name: str, value: str) -> FieldError | None:
    if name not in PARAMETERS:
        return FieldError(name[:64], "not a parameter of this route", ", ".join(PARAMETERS))
    if name in CHOICES and value not in CHOICES[name]:
        return FieldError(name, "not one of the allowed values", ", ".join(CHOICES[name]))
    if name == "limit" and not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= LIMIT_MAX):
        return FieldError(name, "not a number in the allowed range", f"1 to {LIMIT_MAX}")
    if name == "cursor" and value.partition("/")[0] not in CHOICES["product"]:
        return FieldError(name, "not a cursor", "`next` of the page before")
    if len(value) > TEXT_LIMIT:
        return FieldError(name, "too long", f"at most {TEXT_LIMIT} characters")
    return None
