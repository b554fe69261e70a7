"""Every command helps: what it does, and an example that begins as one would type it."""

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from receiver.cli import COMMANDS, app

NAME = "agora-events"


def commands(path: tuple[str, ...], group: TyperGroup) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        assert isinstance(command, TyperCommand | TyperGroup)
        yield (*path, name), command
        if isinstance(command, TyperGroup):
            yield from commands((*path, name), command)


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


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    _, summary = COMMANDS[name]
    assert (ALL[(name,)].help or "").splitlines()[0] == summary


def test_the_command_line_as_a_whole_helps_too() -> None:
    shown = CliRunner().invoke(app, ["--help"], prog_name=NAME)
    assert shown.exit_code == 0
    assert all(path[0] in shown.stdout for path in ALL)
