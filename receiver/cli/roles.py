"""`all`, `receive`, `process`: the long-running roles."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import typer
import uvloop

from processors.settings import Settings, load, warnings
from receiver import logs
from receiver.cli.terminal import warn
from receiver.server import Address, stop_on_signals
from receiver.wiring import Role, run

all_app = typer.Typer(add_completion=False)
receive_app = typer.Typer(add_completion=False)
process_app = typer.Typer(add_completion=False)


@all_app.command("all", epilog='Example: AGORA_EVENTS_NOTIFICATION_SECRETS=\'{"push":"s"}\' agora-events all')
def run_all() -> None:
    """Receive notifications and fold them, in one process."""
    _run(Role.ALL)


@receive_app.command("receive", epilog="Example: agora-events receive")
def run_receive() -> None:
    """Receive notifications and serve every route; folding is another process's."""
    _run(Role.RECEIVE)


@process_app.command("process", epilog="Example: AGORA_EVENTS_LISTEN=127.0.0.1:8081 agora-events process")
def run_process() -> None:
    """Fold the log into task statuses; serves only /livez, /readyz and /metrics."""
    _run(Role.PROCESS)


def _run(role: Role) -> None:
    settings = load(receives=role.receives)
    logs.configure(settings.log_level, settings.log_format)
    _say_what_is_unusual(settings)
    in_loop(_until_signalled(role, settings))


def in_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run on the event loop that the hot path is measured with."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def _until_signalled(role: Role, settings: Settings) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await run(role, settings, stop, on_listening=_say_where(role))


def _say_where(role: Role) -> Callable[[Sequence[Address]], None]:
    def say(addresses: Sequence[Address]) -> None:
        warn(
            (f"agora-events {role}", "bold"),
            " listens on ",
            ", ".join(f"http://{host}:{port}" for host, port in addresses),
        )

    return say


def _say_what_is_unusual(settings: Settings) -> None:
    if settings.receive_only:
        warn("No vendor credentials: receive-only mode, nobody is asked about a task that falls silent.")
    for line in warnings(settings):
        warn(line)
