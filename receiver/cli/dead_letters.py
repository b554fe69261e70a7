"""`dead-letters`: what could not be understood, and what an operator decides about it."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from processors.adapters.clock import SystemClock
from processors.ports import Log
from processors.settings import load
from processors.wiring import open_seal
from receiver.cli.letters import Letter, Refused, Resolution, open_letters, replay, resolution
from receiver.cli.reading import opened
from receiver.cli.terminal import AsJson, ListByDefault, emit, fail, printable, progress, say, tabulate, warn
from schemas.record import Record
from schemas.seal import Seal

Act = Callable[[Letter], Record | Refused | None]

app = typer.Typer(
    cls=ListByDefault,
    add_completion=False,
    help="Show what was set aside; replay or drop it.",
    epilog="Example: agora-events dead-letters list --open --json",
)

LetterId = Annotated[str, typer.Argument(metavar="ID", help="The letter's id, as `list` shows it.")]
OneId = Annotated[str | None, typer.Argument(metavar="[ID]", help="The letter's id, as `list` shows it.")]
All = Annotated[bool, typer.Option("--all", help="Every open letter.")]


@app.command("list", epilog="Example: agora-events dead-letters list --open --json | jq -r .body | base64 -d")
def list_(
    *,
    unseal: Annotated[bool, typer.Option("--open", help="Open the original bytes: base64 in `body`.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what is waiting for a decision."""
    settings = load()
    seal = open_seal(settings) if unseal else None

    async def read() -> Sequence[Letter]:
        async with opened(settings) as log:
            return await open_letters(log)

    letters = asyncio.run(read())
    if as_json:
        for letter in letters:
            emit(_shown(letter, seal))
    elif not letters:
        say(f"No dead letters in {settings.log}.")
    else:
        tabulate(("id", "received", "where", "source", "reason", "detail"), map(_row, letters))


@app.command(epilog="Example: agora-events dead-letters show 1f0c7a… --json")
def show(letter_id: LetterId, *, as_json: AsJson = False) -> None:
    """Show one letter with its original bytes opened."""
    settings = load()
    seal = open_seal(settings)

    async def read() -> Letter:
        async with opened(settings) as log:
            return _one(await open_letters(log), letter_id)

    letter = asyncio.run(read())
    if as_json:
        emit(_shown(letter, seal))
        return
    for name, value in _shown(letter, None).items():
        if name != "body":
            say((f"{name:<11}", "bold"), str(value))
    say("")
    original = seal.open(letter.shown["body"])
    try:
        typer.echo(printable(original.decode()))
    except UnicodeDecodeError:
        say(("not UTF-8; base64:", "dim"))
        typer.echo(b64encode(original))


@app.command("replay", epilog="Example: agora-events dead-letters replay --all")
def replay_(letter_id: OneId = None, *, every: All = False, as_json: AsJson = False) -> None:
    """Read a letter again with today's program; what is understood now goes on its way."""
    settings = load()
    seal = open_seal(settings)
    _resolve(letter_id, "replayed", lambda letter: replay(letter, seal), every=every, as_json=as_json)


@app.command(epilog="Example: agora-events dead-letters drop 1f0c7a…")
def drop(letter_id: OneId = None, *, every: All = False, as_json: AsJson = False) -> None:
    """Close a letter without using it; its bytes stay on the log, sealed, until retention takes them."""
    _resolve(letter_id, "dropped", lambda _: None, every=every, as_json=as_json)


def _resolve(letter_id: str | None, resolved: Resolution, act: Act, *, every: bool, as_json: bool) -> None:
    if every == (letter_id is not None):
        raise typer.BadParameter("name one letter, or --all")
    settings = load()

    async def resolve() -> bool:
        async with opened(settings) as log:
            letters = await open_letters(log)
            chosen = letters if letter_id is None else [_one(letters, letter_id)]
            outcomes = [await _close(log, one, resolved, act, as_json=as_json) for one in progress(chosen, resolved)]
            if not outcomes:
                warn(f"No dead letters in {settings.log}.")
            return all(outcomes)

    if not asyncio.run(resolve()):
        raise typer.Exit(1)


async def _close(log: Log, letter: Letter, resolved: Resolution, act: Act, *, as_json: bool) -> bool:
    record = act(letter)
    if isinstance(record, Refused):
        warn((letter.id, "bold"), f"  not {resolved}: {record.why}")
        return False
    closing = resolution(letter, resolved, SystemClock().now_ms())
    # Together, or a crash between them would replay the letter twice.
    await log.append([closing] if record is None else [record, closing])
    if as_json:
        emit({"id": letter.id, "resolution": resolved, "key": record.key if record else letter.key})
    else:
        say((letter.id, "bold"), f"  {resolved}", f" as {record.key}" if record else "")
    return True


def _one(letters: Sequence[Letter], letter_id: str) -> Letter:
    letter = next((letter for letter in letters if letter.id == letter_id), None)
    if letter is None:
        fail(f"{letter_id}: no such open dead letter: `agora-events dead-letters list` shows them")
    return letter


def _row(letter: Letter) -> Sequence[str]:
    return (letter.id, *(letter.shown[name] for name in ("receivedAt", "where", "source", "reason", "detail")))


def _shown(letter: Letter, seal: Seal | None) -> dict[str, Any]:
    shown = {"id": letter.id, "key": letter.key, **letter.shown}
    if seal is not None:
        shown["body"] = b64encode(seal.open(letter.shown["body"])).decode()
    return shown
