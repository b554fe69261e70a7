"""The control routes: who may, what is asked wrongly, what comes back."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from receiver.app import OPEN_PATHS, build_app
from receiver.middleware import Access, ApiToken, Guarded, Role
from receiver.problems import Problem
from receiver.routes.health import metrics_route
from receiver.routes.tasks import task_routes
from tests.doubles.edge_view import ListedTasks
from tests.doubles.edge_world import Edge, Reply, call

TASKS = [{"product": "push", "id": "a"}, {"product": "push", "id": "b/c d"}, {"product": "pull", "id": "é"}]
READER = ApiToken("grafana", "reader-token", Role.READ)
OPERATOR = ApiToken("on-call", "operator-token", Role.OPERATE)
AS_READER = {"Authorization": "Bearer reader-token"}
LOOPBACK = ("127.0.0.1", 5000)


class Exposed:
    def render(self, accept: str) -> tuple[bytes, str]:
        return b"metrics 1\n", accept or "text/plain"


async def operate(request: Request) -> Response:
    return Response(request.state.operator)


async def stumble(_: Request) -> Response:
    raise ZeroDivisionError("canary")


def control(view: ListedTasks | None = None, tokens: Sequence[ApiToken] = (READER, OPERATOR), **access: Any) -> Edge:
    """A receiver with every route there is, and two of a test's own."""
    guard = Access(tokens, **access)

    def routes(edge: Edge) -> list[Route]:
        return [
            metrics_route(Exposed(), edge.metrics, edge.admission),
            *task_routes(view or ListedTasks(*TASKS), guard),
            Guarded("/operate", operate, guard, Role.OPERATE, methods=["POST"]),
            Guarded("/stumble", stumble, guard, Role.READ, methods=["GET"]),
        ]

    return Edge(routes=routes)


def assert_problem(reply: Reply, status: int) -> dict[str, Any]:
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = reply.json
    assert problem["status"] == status
    assert problem["requestId"] == reply.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    return problem


def matrix() -> list[tuple[str, str]]:
    """Every route of the application and every method of it, from the router itself."""
    app: Any = control().app
    routes = [route for route in app.routes if isinstance(route, Route)]
    filled = [(route.path.replace("{product}", "push").replace("{id:path}", "a"), route) for route in routes]
    return [(path, method) for path, route in filled for method in sorted(route.methods or ())]


@pytest.mark.parametrize(("path", "method"), matrix())
async def test_every_route_asks_for_a_token_unless_it_is_meant_to_be_open(path: str, method: str) -> None:
    replies = {
        "nobody": await call(control().app, method, path),
        "wrong": await call(control().app, method, path, headers={"Authorization": "Bearer nonsense"}),
        "no-tokens": await call(control(tokens=()).app, method, path, client=LOOPBACK),
    }
    statuses = {who: reply.status for who, reply in replies.items()}
    if path in OPEN_PATHS:
        assert statuses == {"nobody": 200, "wrong": 200, "no-tokens": 200}
    else:
        assert statuses == {"nobody": 401, "wrong": 401, "no-tokens": 403}
        assert replies["nobody"].headers["www-authenticate"] == "Bearer"
        assert replies["wrong"].headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_new_route_without_a_token_does_not_start() -> None:
    with pytest.raises(ValueError, match="/secrets asks for no token"):
        build_app(Edge().readiness, routes=[Route("/secrets", operate)])


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "reader-token",
        "Basic reader-token",
        "Bearer reader-token x",
        "Bearer reader-toke",
        "Bearer é",
    ],
)
async def test_what_is_almost_a_token_is_none(authorization: str) -> None:
    reply = await control().get("/tasks", {"Authorization": authorization})
    assert_problem(reply, 401)
    assert b"reader-token" not in reply.body


@pytest.mark.parametrize("authorization", ["Bearer reader-token", "bearer  reader-token", "BEARER operator-token"])
async def test_a_token_opens_what_its_role_may_see(authorization: str) -> None:
    assert (await control().get("/tasks", {"Authorization": authorization})).status == 200


async def test_a_reader_may_not_operate() -> None:
    edge = control()
    refused = await call(edge.app, "POST", "/operate", headers=AS_READER)
    assert "grafana" in assert_problem(refused, 403)["detail"]
    done = await call(edge.app, "POST", "/operate", headers={"Authorization": "Bearer operator-token"})
    assert (done.status, done.body) == (200, b"on-call")


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        (LOOPBACK, {"Host": "127.0.0.1:8080"}, 200),
        (("::1", 1), {"Host": "localhost:8080"}, 200),
        (("203.0.113.9", 1), {"Host": "127.0.0.1:8080"}, 403),
        (LOOPBACK, {"Host": "evil.example.com"}, 403),
        (LOOPBACK, {"Host": "localhost", "X-Forwarded-For": "203.0.113.9"}, 403),
        (None, {"Host": "localhost"}, 403),
    ],
)
async def test_a_demo_is_open_to_a_person_on_this_machine_only(
    client: tuple[str, int] | None, headers: dict[str, str], status: int
) -> None:
    edge = control(tokens=(), open_on_loopback=True)
    assert (await edge.get("/tasks", headers, client=client)).status == status


async def test_with_tokens_this_machine_needs_one_too() -> None:
    edge = control(open_on_loopback=True)
    assert (await edge.get("/tasks", {"Host": "localhost"}, client=LOOPBACK)).status == 401


async def test_tasks_are_listed_with_the_next_cursor() -> None:
    view = ListedTasks(*TASKS)
    query = b"product=push&status=IN_PROGRESS&instance=room%201&limit=2&cursor=push%2Fa"
    reply = await control(view).get("/tasks", AS_READER, query=query)
    assert reply.json == {"tasks": TASKS[:2], "next": "push/b"}
    assert reply.headers["content-type"] == "application/json"
    assert view.asked == {
        "product": "push",
        "status": "IN_PROGRESS",
        "instance": "room 1",
        "limit": 2,
        "cursor": "push/a",
    }


async def test_tasks_are_listed_a_hundred_at_a_time_unless_asked_otherwise() -> None:
    view = ListedTasks(*TASKS)
    assert (await control(view).get("/tasks", AS_READER)).json == {"tasks": TASKS, "next": None}
    assert view.asked == {"product": None, "status": None, "instance": None, "limit": 100, "cursor": None}


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        (b"product=recorder", "product", "transcoder, push, pull"),
        (b"status=running", "status", "IN_PROGRESS"),
        (b"limit=0", "limit", "1 to 1000"),
        (b"limit=1001", "limit", "1 to 1000"),
        (b"limit=ten", "limit", "1 to 1000"),
        (b"limit=%D9%A1", "limit", "1 to 1000"),
        (b"limit=" + b"9" * 5000, "limit", "1 to 1000"),
        (b"limit=", "limit", "1 to 1000"),
        (b"cursor=push/" + b"x" * 2000, "cursor", "1024"),
        (b"cursor=bogus", "cursor", "next"),
        (b"produkt=push", "produkt", "product, status"),
        (b"product=push&product=pull", "product", "once"),
    ],
)
async def test_a_bad_parameter_is_400_and_named(query: bytes, field: str, allowed: str) -> None:
    problem = assert_problem(await control().get("/tasks", AS_READER, query=query), 400)
    [error] = problem["errors"]
    assert error["field"] == field
    assert allowed in error["allowed"]
    assert error["message"]


async def test_every_bad_parameter_is_named() -> None:
    problem = assert_problem(await control().get("/tasks", AS_READER, query=b"limit=x&status=y&z=1"), 400)
    assert [error["field"] for error in problem["errors"]] == ["limit", "status", "z"]


@pytest.mark.parametrize("path", ["/tasks/push/a", "/tasks/push/b/c d", "/tasks/pull/é"])
async def test_one_task_is_shown_with_its_timeline(path: str) -> None:
    reply = await control().get(path, AS_READER)
    assert reply.status == 200
    assert reply.json["timeline"] == []
    assert path.endswith(reply.json["id"])


@pytest.mark.parametrize("path", ["/tasks/push/zzz", "/tasks/recorder/a", "/tasks/push/"])
async def test_an_unknown_task_is_404(path: str) -> None:
    assert_problem(await control().get(path, AS_READER), 404)


async def test_while_the_view_is_read_nothing_is_shown_and_it_says_so() -> None:
    view = ListedTasks(*TASKS)
    view.ready = False
    for path in ("/tasks", "/tasks/push/a"):
        reply = await control(view).get(path, AS_READER)
        assert_problem(reply, 503)
        assert reply.headers["retry-after"]


async def test_the_age_of_the_view_is_shown() -> None:
    assert (await control().get("/tasks", AS_READER)).headers["x-view-age-ms"] == "12"


async def test_an_unknown_route_is_a_404_problem() -> None:
    for path in ("/nothing", "/notification", "/notificationsx", "/tasks/", "/livez/"):
        assert_problem(await control().get(path, AS_READER), 404)


async def test_a_wrong_method_is_a_405_problem_that_names_the_right_ones() -> None:
    reply = await call(control().app, "DELETE", "/tasks", headers=AS_READER)
    assert_problem(reply, 405)
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_a_bug_is_a_500_problem_that_tells_nothing() -> None:
    reply = await control().get("/stumble", AS_READER)
    assert_problem(reply, 500)
    assert b"canary" not in reply.body


@pytest.mark.parametrize("request_id", ["a", "req-1:2@x/=+._", "x" * 128])
async def test_a_harmless_request_id_is_echoed(request_id: str) -> None:
    for path in ("/tasks", "/livez", "/nothing"):
        reply = await control().get(path, AS_READER | {"X-Request-ID": request_id})
        assert reply.headers["x-request-id"] == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "a\r\nSet-Cookie: x", "é", '"'])
async def test_another_request_id_is_replaced(request_id: str) -> None:
    first = await control().get("/tasks", AS_READER | {"X-Request-ID": request_id})
    second = await control().get("/tasks", AS_READER | {"X-Request-ID": request_id})
    assert len(first.headers["x-request-id"]) == 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_listener_without_notifications_knows_no_such_route() -> None:
    edge = Edge()
    apart = build_app(edge.readiness)
    for method in ("GET", "POST"):
        assert (await call(apart, method, "/notifications")).status == 404
    assert (await call(apart, "GET", "/readyz")).status == 200


async def test_a_public_listener_beside_a_control_listener_serves_only_its_three_routes() -> None:
    edge = Edge()
    assert [(await edge.get(path)).status for path in ("/notifications", "/livez", "/readyz")] == [200, 200, 200]
    assert [(await edge.get(path)).status for path in ("/tasks", "/metrics", "/")] == [404, 404, 404]


def test_a_problem_reads_as_its_detail() -> None:
    assert str(Problem(404, "gone")) == "gone"
