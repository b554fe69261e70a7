"""What goes to the terminal: JSON lines for scripts, tables and colour for people."""

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from schemas.codec import encode

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]

# A pipe has no width; a table in it should not be folded to eighty columns.
PIPE_WIDTH: Final = 200
STATUS_STYLES: Final = {
    "STARTED": "green",
    "IN_PROGRESS": "green",
    "EXIT": "dim",
    "FAILURE_STOP": "red",
    "STOPPING": "yellow",
    "STOPPED": "yellow",
}


class ListByDefault(TyperGroup):
    """A group whose noun alone lists: `tasks` is `tasks list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` where no command stands."""
        asks_help = args[:1] in (["-h"], ["--help"])
        if not asks_help and (not args or args[0].startswith("-")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


class Terminal(Console):
    """A console that shows text as it is: what vendors and strangers wrote is never markup."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)
        if not self.is_terminal:
            self.width = PIPE_WIDTH

    def on_broken_pipe(self) -> None:
        """Leave it to the command line, which takes it for the end."""
        raise BrokenPipeError


def emit(value: object) -> None:
    """One object as one line of JSON."""
    sys.stdout.write(encode(value).decode() + "\n")


def say(*parts: str | tuple[str, str]) -> None:
    """One line for a person; a part may carry its style."""
    Terminal().print(assembled(*parts), soft_wrap=True)


def warn(*parts: str | tuple[str, str]) -> None:
    """One line on stderr."""
    Terminal(stderr=True).print(assembled(*parts), soft_wrap=True)


def fail(line: str) -> NoReturn:
    """Say why on stderr and end with 1."""
    warn(line)
    raise typer.Exit(1)


def assembled(*parts: str | tuple[str, str]) -> Text:
    """Styled text without anything that could command a terminal."""
    text = Text()
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        text.append(printable(words), style)
    return text


def printable(text: str) -> str:
    """The text with control characters replaced: a sender must not be able to drive the reader's terminal."""
    return "".join(
        character if character in "\n\t" or unicodedata.category(character)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def tabulate(columns: Sequence[str], rows: Iterable[Sequence[str | tuple[str, str]]]) -> None:
    """A table; nothing in it is cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(assembled(cell) for cell in row))
    Terminal().print(table)


def status_cell(status: str, *, suspect: bool = False) -> tuple[str, str]:
    """A status in its colour, with a question mark when it is in doubt."""
    return (f"{status} ?" if suspect else status), "yellow" if suspect else STATUS_STYLES.get(status, "")


def progress(items: Sequence[T], what: str) -> Iterable[T]:
    """The items, with a bar on stderr while they take their time; no bar where nobody watches."""
    terminal = Terminal(stderr=True)
    return track(items, what, console=terminal, transient=True, disable=not terminal.is_terminal)
