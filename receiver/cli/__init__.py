"""The command line: one module for each noun, loaded when it is used, so that every start is a fast one."""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

# Adding a command is adding a line: the module, whose Typer is called `app` unless another name follows a colon.
COMMANDS: Final = {
    "all": "receiver.cli.roles:all_app",
    "receive": "receiver.cli.roles:receive_app",
    "process": "receiver.cli.roles:process_app",
    "demo": "receiver.cli.demo.command",
    "doctor": "receiver.cli.doctor",
    "topics": "receiver.cli.topics",
    "tasks": "receiver.cli.tasks",
    "dead-letters": "receiver.cli.dead_letters",
    "sign": "receiver.cli.sign",
    "send": "receiver.cli.send",
    "verify": "receiver.cli.verify",
    "replay": "receiver.cli.replay",
    "schemas": "receiver.cli.schemas",
}


class Commands(TyperGroup):
    """The table above as commands; errors a user can mend end in lines on stderr and exit code 1."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the name is part of what is overridden
        """Every name, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002 - likewise
        """The command of a name, its module loaded now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = typer.main.get_command(getattr(import_module(module), attribute or "app"))
        command.name = cmd_name
        if not isinstance(command, TyperCommand | TyperGroup):
            raise TypeError(f"{COMMANDS[cmd_name]} is no Typer")
        self.commands[cmd_name] = command
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer does; for a wrong name everything is loaded first, so that the nearest can be suggested."""
        if args[0] not in COMMANDS:
            for name in COMMANDS:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. A reader that has seen enough (`| head`) is no failure."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            _silence()
        except Exception as error:
            # Here, because it loads what most commands load anyway, and a start that only shows help does not need.
            from receiver.cli.faults import explained  # noqa: PLC0415 - keeps the start fast

            lines = explained(error)
            if lines is None:
                raise
            for line in lines:
                typer.echo(line, err=True)
            raise typer.Exit(1) from None


def _silence() -> None:
    # The interpreter flushes once more when it ends, and would complain then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"agora-events {version('agora-events')}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    # Its traceback would show the values of variables, secrets among them.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: agora-events doctor",
)


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Turns Agora's unreliable notifications into task statuses you can trust."""


def main() -> None:
    """The console script."""
    app(prog_name="agora-events")
