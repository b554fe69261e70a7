"""The HTTP application: which surface a process shows is which parts it is built from."""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from receiver.middleware import Guarded, RequestIds, problem_from
from receiver.problems import Problem
from receiver.routes.health import Readiness, health_routes
from receiver.routes.notifications import Notifications

OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})


class Application(Starlette):
    """A Starlette application whose hot path does not pass through Starlette."""

    def __init__(self, routes: Sequence[BaseRoute], notifications: Notifications | None) -> None:
        super().__init__(
            routes=routes,
            middleware=[Middleware(RequestIds)],
            exception_handlers={HTTPException: problem_from, Problem: problem_from},
        )
        # A slash too many is a wrong address: a redirect would say otherwise, and in text.
        self.router.redirect_slashes = False
        self._notifications = notifications

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Notifications go straight to their endpoint: the middleware stack and the router cost 9 µs a request."""
        notifications = self._notifications
        if notifications is not None and scope["type"] == "http" and notifications.serves(scope["path"]):
            await notifications(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def build_app(
    readiness: Readiness, *, notifications: Notifications | None = None, routes: Sequence[Route] = ()
) -> Application:
    """One listener's application: the probes always, everything else as given.

    A public listener beside a control listener gets `notifications` and no routes, the control listener the routes, a
    process without HTTP duties `/metrics` alone. Raises ValueError for a route that neither asks for a token nor is
    meant to be open: a new route is closed until someone decides otherwise.
    """
    for route in routes:
        if not isinstance(route, Guarded) and route.path not in OPEN_PATHS:
            raise ValueError(f"{route.path} asks for no token and is not among the open paths")
    return Application([*health_routes(readiness), *routes], notifications)
