"""`doctor`: what would go wrong, before it does."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import typer

from processors.adapters.clock import SystemClock
from processors.settings import Settings, SettingsError, load
from receiver.cli.findings import Finding, State, of_folders, of_line, of_log, of_settings
from receiver.cli.reading import opened
from receiver.cli.terminal import AsJson, emit, say
from schemas.errors import Incompatible

app = typer.Typer(add_completion=False)


class Role(StrEnum):
    """What this machine is to run."""

    ALL = "all"
    RECEIVE = "receive"
    PROCESS = "process"


MARKS: Final = {State.OK: ("✓", "green"), State.WARN: ("!", "yellow"), State.FAIL: ("✗", "red")}


@app.command(epilog="Example: agora-events doctor --role process --json")
def doctor(
    *,
    role: Annotated[Role, typer.Option(help="What this machine is to run.")] = Role.ALL,
    as_json: AsJson = False,
) -> None:
    """Check settings, log, topics, credentials, secrets and clock.

    Exit code 1 when something is in the way.
    """
    findings = _examine(receives=role is not Role.PROCESS)
    for finding in findings:
        if as_json:
            emit(finding)
        else:
            _print(finding)
    if any(finding.state is State.FAIL for finding in findings):
        raise typer.Exit(1)


def _examine(*, receives: bool) -> Sequence[Finding]:
    try:
        settings = load()
    except SettingsError as error:
        return [of_line(line, State.FAIL) for line in error.lines]
    findings = list(of_settings(settings, receives=receives))
    findings += asyncio.run(_log(settings))
    findings += of_folders({"data": settings.data, "disk": settings.log.path.parent})
    return findings


async def _log(settings: Settings) -> Sequence[Finding]:
    try:
        async with opened(settings) as log:
            return await of_log(log, settings, SystemClock().now_ms())
    except Incompatible as error:
        return [Finding("log", State.FAIL, str(error), "use the program that wrote it, or another file")]


def _print(finding: Finding) -> None:
    advice = f": {finding.do}" if finding.do else ""
    say(MARKS[finding.state], f" {finding.check:<12}", finding.what, (advice, "bold"))
