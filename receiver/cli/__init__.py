"""The command line: one module for each noun, loaded when it is used, so that every start is a fast one."""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

# Adding a command is adding a line: its module, whose Typer is `app` unless another name follows a colon, and the first
# line of its help, so that showing the list loads nothing.
COMMANDS: Final = {
    "all": ("receiver.cli.roles:all_app", "Receive notifications and fold them, in one process."),
    "receive": (
        "receiver.cli.roles:receive_app",
        "Receive notifications and serve every route; folding is another process's.",
    ),
    "process": (
        "receiver.cli.roles:process_app",
        "Fold the log into task statuses; serves only /livez, /readyz and /metrics.",
    ),
    "demo": (
        "receiver.cli.demo.command",
        "Watch the published life cycles of some dozens of tasks become statuses, then see whether all ended right.",
    ),
    "doctor": ("receiver.cli.doctor", "Check settings, log, topics, credentials, secrets and clock."),
    "topics": ("receiver.cli.topics", "List, create, check and read the topics."),
    "tasks": ("receiver.cli.tasks", "List the tasks, or show one with its timeline."),
    "dead-letters": ("receiver.cli.dead_letters", "Show what was set aside; replay or drop it."),
    "sign": ("receiver.cli.sign", "Sign a body; print both headers."),
    "send": ("receiver.cli.send", "Send a signed notification and print the answer."),
    "verify": ("receiver.cli.verify", "Say whose signature this is, or why it fits no secret."),
    "replay": (
        "receiver.cli.replay",
        "Fold a range of the log into a fresh state and print what differs. Nothing is written and nobody is told.",
    ),
    "schemas": ("receiver.cli.schemas", "Write the JSON Schema of every public record."),
}


class Commands(TyperGroup):
    """The table above as commands; errors a user can mend end in lines on stderr and exit code 1."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name=name, help=summary) for name, (_, summary) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer does, then with the module behind the name."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, name and _loaded(name), rest

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


def _loaded(name: str) -> TyperCommand | TyperGroup:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = typer.main.get_command(getattr(import_module(module), attribute or "app"))
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"{COMMANDS[name][0]} is no Typer")
    command.name = name
    return command


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
