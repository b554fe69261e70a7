"""From settings to a running role: which parts a process is made of, and in which order they start and stop."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, ExitStack
from enum import StrEnum
from typing import Any, cast

import structlog

from processors.adapters.clock import SystemClock
from processors.adapters.lockfile import locked
from processors.adapters.prometheus import PrometheusMetrics
from processors.engine.supervisor import Supervisor
from processors.engine.view import TaskView
from processors.ports import Log
from processors.settings import Settings
from processors.wiring import INPUTS, hiring, open_log, open_seal, tune_interpreter
from receiver.admission import Admission
from receiver.app import Application, build_app
from receiver.middleware import Access, ApiToken
from receiver.middleware import Role as TokenRole
from receiver.routes.health import Readiness, metrics_route
from receiver.routes.notifications import Notifications
from receiver.routes.tasks import task_routes
from receiver.server import Address, Listener, serve

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What a long-running process does."""

    ALL = "all"
    RECEIVE = "receive"
    PROCESS = "process"

    @property
    def receives(self) -> bool:
        """Whether it takes notifications and serves every route."""
        return self is not Role.PROCESS

    @property
    def processes(self) -> bool:
        """Whether it folds the log."""
        return self is not Role.RECEIVE

    @property
    def plain(self) -> "tuple[Role, ...]":
        """The roles it stands for: `all` is both."""
        return (Role.RECEIVE, Role.PROCESS) if self is Role.ALL else (self,)


async def run(
    role: Role,
    settings: Settings,
    stop: asyncio.Event,
    *,
    on_listening: Callable[[Sequence[Address]], None] = lambda _: None,
    open_on_loopback: bool = False,
) -> None:
    """Be a role until `stop`: then answer what was asked, finish the turn, flush the log.

    Raises LeaseTaken, Incompatible, CannotListen and NewerStateError before or instead of serving.
    """
    tune_interpreter()
    async with AsyncExitStack() as held:
        held.enter_context(_own_folder(role, settings))
        source = open_log(settings)
        held.push_async_callback(source.close)
        await source.start()
        parts = _Parts(role, settings, source, open_on_loopback=open_on_loopback)
        background: list[Coroutine[Any, Any, None]] = []
        quiet = asyncio.Event()
        if role.processes:
            lease = await held.enter_async_context(source.lease(INPUTS))
            parts.engine = Supervisor(lease, hiring(settings, parts.clock, parts.metrics, parts.seal))
            background.append(parts.engine.run(quiet))
        if role.receives:
            background.append(parts.view.follow(quiet))
        await _together(background, quiet, parts.serve(stop, on_listening))


def _own_folder(role: Role, settings: Settings) -> ExitStack:
    """The data folder, a role at a time: a receiver and a processor keep different things there and may share it."""
    owned = ExitStack()
    for plain in role.plain:
        held_by = (
            f"process {{pid}} keeps its {plain} things in {settings.data}: stop it, or give this one another "
            "AGORA_EVENTS_DATA"
        )
        owned.enter_context(locked(settings.data / f"{plain}.lock", held_by))
    return owned


async def _together(
    background: Sequence[Coroutine[Any, Any, None]], quiet: asyncio.Event, foreground: Coroutine[Any, Any, None]
) -> None:
    """Run all of them; what works in the background is told to finish when the foreground ended, or any part failed."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in background:
                group.create_task(part)
            try:
                await foreground
            finally:
                quiet.set()
    except ExceptionGroup as failed:
        raise _first(failed) from failed


def _first(failure: Exception) -> Exception:
    """The failure itself, out of however many groups it was wrapped in."""
    while isinstance(failure, ExceptionGroup):
        [failure, *_] = cast("tuple[Exception, ...]", failure.exceptions)
    return failure


class _Parts:
    """What a process is made of."""

    def __init__(self, role: Role, settings: Settings, source: Log, *, open_on_loopback: bool) -> None:
        self.clock = SystemClock()
        self.metrics = PrometheusMetrics()
        self.seal = open_seal(settings)
        self.view = TaskView(source, self.clock)
        self.engine: Supervisor | None = None
        self._role = role
        self._settings = settings
        self._admission = Admission(source)
        self._open_on_loopback = open_on_loopback
        self._readiness = Readiness(
            self._admission,
            self.clock,
            name=f"{role}@{settings.listen}",
            conditions={} if role.receives else {"restoring": lambda: self.engine is not None and self.engine.ready},
            degraded=self._degraded,
        )

    async def serve(self, stop: asyncio.Event, on_listening: Callable[[Sequence[Address]], None]) -> None:
        """Answer until `stop`."""
        await serve(self._listeners(), stop, on_drain=self._readiness.drain, on_listening=on_listening)

    def _degraded(self) -> str | None:
        # Notifications can be taken all the same, so the process stays ready.
        return "processing" if self.engine is not None and not self.engine.ready else None

    def _listeners(self) -> list[Listener]:
        settings, public = self._settings, self._settings.listen
        metrics = metrics_route(self.metrics, self.metrics, self._admission)
        if not self._role.receives:
            return [Listener(build_app(self._readiness, routes=[metrics]), public.host, public.port)]
        routes = [metrics, *task_routes(self.view, self._access())]
        control = settings.control_listen
        if control is None:
            return [Listener(self._public([*routes]), public.host, public.port)]
        return [
            Listener(self._public([]), public.host, public.port),
            Listener(build_app(self._readiness, routes=routes), control.host, control.port),
        ]

    def _public(self, routes: Sequence[Any]) -> Application:
        notifications = Notifications(
            self._admission,
            self.clock,
            self.seal,
            self.metrics,
            self._settings.signing_secrets,
            accept_v1_alone=self._settings.accept_v1,
            trusted_proxies=self._settings.trusted_proxies,
        )
        return build_app(self._readiness, notifications=notifications, routes=routes)

    def _access(self) -> Access:
        tokens = [
            ApiToken(name, token.token.get_secret_value(), TokenRole(token.role))
            for name, token in self._settings.api_tokens.items()
        ]
        return Access(tokens, open_on_loopback=self._open_on_loopback)
