"""Every command helps: what it does, and an example that begins as one would type it."""

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from receiver.cli import app

NAME = "agora-events"


def commands(path: tuple[str, ...], command: TyperGroup) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    context = typer.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert isinstance(found, TyperCommand | TyperGroup)
        yield (*path, name), found
        if isinstance(found, TyperGroup):
            yield from commands((*path, name), found)


def root() -> TyperGroup:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


ALL = dict(commands((), root()))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_says_what_it_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    command = ALL[path]
    assert command.help
    assert command.epilog
    assert command.epilog.startswith("Example: ")
    assert f"{NAME} {' '.join(path)}" in command.epilog
    shown = CliRunner().invoke(app, [*path, "--help"], prog_name=NAME)
    assert shown.exit_code == 0
    assert "Example:" in shown.stdout


def test_the_command_line_as_a_whole_helps_too() -> None:
    shown = CliRunner().invoke(app, ["--help"], prog_name=NAME)
    assert shown.exit_code == 0
    assert all(path[0] in shown.stdout for path in ALL)
