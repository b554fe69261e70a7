"""The command itself."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.live import Live

from processors.settings import load
from receiver import logs
from receiver.cli.demo.screen import picture, story, summary
from receiver.cli.demo.stage import Progress, perform
from receiver.cli.roles import in_loop
from receiver.cli.terminal import Terminal, say
from receiver.server import stop_on_signals

app = typer.Typer(add_completion=False)

USUAL_SECONDS: Final = 60.0
# The end needs time too: the last statuses, the shutdown in order.
ENDING_SECONDS: Final = 3.0


@app.command(epilog="Example: agora-events demo --for 30")
def demo(
    *,
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=5, metavar="SECONDS", help="How long; unset: a minute, or until Ctrl-C."),
    ] = None,
) -> None:
    """Watch the published life cycles of some dozens of tasks become statuses, then see whether all ended right.

    Everything is real: the endpoint, the signatures, the log, which is a file in a folder that is removed afterwards.
    Notifications arrive twice, by two paths and out of order. Exit code 0 only if every task ended where it should.
    """
    logs.configure("error", None)
    with TemporaryDirectory(prefix="agora-events-demo-") as folder:
        right = False

        async def show() -> None:
            nonlocal right
            right = await _show(Path(folder), max(2.0, (seconds or USUAL_SECONDS) - ENDING_SECONDS))

        in_loop(show())
    raise typer.Exit(0 if right else 1)


async def _show(folder: Path, seconds: float) -> bool:
    stop = asyncio.Event()
    stop_on_signals(stop)
    screen = Terminal()
    told = 0
    with Live(console=screen, refresh_per_second=8, transient=True) as live:

        def watch(progress: Progress) -> None:
            nonlocal told
            tenths = 10 * len(progress.sent) // len(progress.planned)
            if screen.is_terminal:
                live.update(picture(progress))
            elif tenths > told:
                told = tenths
                say(f"{len(progress.sent)} of {len(progress.planned)} notifications answered 200 and durable")

        progress = await perform(load(), folder, seconds, stop, watch)
    summary(progress, screen)
    if progress.story is not None:
        story(progress.story, screen)
    return progress.settled and not progress.refused
