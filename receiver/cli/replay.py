"""`replay`: a time range of the log read again into a fresh state, and what differs from what is kept."""

import asyncio
from typing import Annotated, Final

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from processors.adapters.clock import SystemClock
from processors.engine.replay import Difference, Replay, kept_views, replay
from processors.settings import Settings, load
from processors.wiring import machines
from receiver.cli.reading import opened
from receiver.cli.terminal import AsJson, Terminal, emit, say, tabulate
from schemas.codec import unix_ms

app = typer.Typer(add_completion=False)

SHOW_EVERY: Final = 500


@app.command("replay", epilog="Example: agora-events replay --from 2026-01-31T00:00:00Z --json")
def run_replay(
    *,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="RFC 3339, as 2026-01-31T12:00:00Z; unset: the beginning."),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="RFC 3339; unset: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fold a range of the log into a fresh state and print what differs. Nothing is written and nobody is told.

    A task whose life began before the range or went on after it differs, because a part of it is missing. Exit code 1
    when anything differs.
    """
    from_ms = 0 if from_ is None else _moment("--from", from_)
    to_ms = SystemClock().now_ms() if to is None else _moment("--to", to)
    if from_ms >= to_ms:
        raise typer.BadParameter("the range is empty: --from must be before --to")
    fresh, differences = asyncio.run(_replayed(load(), from_ms, to_ms))
    for difference in differences if as_json else ():
        emit(
            {
                "key": difference.key,
                "field": difference.field,
                "kept": difference.kept,
                "replayed": difference.replayed,
            }
        )
    if not as_json:
        _print(fresh, differences)
    if differences or fresh.broken:
        raise typer.Exit(1)


def _moment(option: str, text: str) -> int:
    try:
        return unix_ms(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None


async def _replayed(settings: Settings, from_ms: int, to_ms: int) -> tuple[Replay, list[Difference]]:
    console = Terminal(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed} notifications"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        reading = progress.add_task("replay", total=None)

        def show(read: int) -> None:
            if read % SHOW_EVERY == 0:
                progress.update(reading, completed=read)

        async with opened(settings) as log:
            fresh = await replay(log, machines(settings), from_ms=from_ms, to_ms=to_ms, progress=show)
            return fresh, fresh.differences(await kept_views(log))


def _print(fresh: Replay, differences: list[Difference]) -> None:
    if differences:
        tabulate(
            ("task", "field", "kept", "replayed"),
            [(found.key, found.field, str(found.kept), (str(found.replayed), "yellow")) for found in differences],
        )
    for notice in fresh.broken:
        say(("✗ ", "red"), f"{notice}: breaks the core")
    verdict = f"{len(differences)} differences" if differences else "no difference"
    say(f"{fresh.read} notifications, {len(fresh.states)} tasks: {verdict}")
