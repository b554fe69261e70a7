"""What the demo shows: every task's status as it changes, then whether each ended where it should."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from processors.core.statuses import RUNNING
from receiver.cli.demo.lives import Life
from receiver.cli.demo.stage import Progress
from receiver.cli.terminal import status_cell
from schemas.products import Product
from schemas.state import Status


def picture(progress: Progress) -> RenderableType:
    """The state of things, to be drawn again and again."""
    board = Table.grid(padding=(0, 3))
    columns = [_column(progress, product) for product in Product]
    board.add_row(*columns)
    sent, planned = len(progress.sent), len(progress.planned)
    line = Text.assemble(
        (f"{sent}", "bold"),
        f" of {planned} notifications answered 200 and durable; ",
        (f"{sum(delivery.resend for delivery in progress.sent)}", "bold"),
        " sent twice, ",
        (f"{sum(bool(delivery.copy) for delivery in progress.sent)}", "bold"),
        " by two paths, many out of order",
    )
    bar = Table.grid()
    bar.add_row(ProgressBar(total=planned, completed=sent, width=60))
    where = Text.assemble("curl ", (f"{progress.url}/tasks", "cyan"))
    return Panel(
        Group(board, Text(), bar, line, where),
        title="agora-events: notifications become statuses",
        border_style="blue",
    )


def _column(progress: Progress, product: Product) -> Table:
    table = Table(
        title=product.value, box=None, pad_edge=False, title_style="bold", title_justify="left", show_header=False
    )
    table.add_column("channel", style="dim")
    table.add_column("status", min_width=14)
    for life in progress.lives:
        if life.product is product:
            table.add_row(*_row(progress.task(life)))
    return table


def _row(task: Mapping[str, Any] | None) -> tuple[str, Text]:
    if task is None:
        return "…", Text("unseen", style="dim")
    words, style = status_cell(task["status"], suspect=task["suspect"])
    return task["channel"] or task["name"] or task["id"][:8], Text(words, style=style)


def summary(progress: Progress, console: Console) -> None:
    """The truth at the end, wrong ones by name."""
    table = Table(title="Did every task end where it should?", title_style="bold")
    for column in ("product", "tasks", "running", "EXIT", "FAILURE_STOP", "notifications", "duplicates", "redundant"):
        table.add_column(column, justify="left" if column == "product" else "right")
    table.add_column("as it should")
    for product in Product:
        table.add_row(*_totals(progress, product))
    console.print(table)
    for life in progress.lives:
        if not progress.ended_right(life):
            console.print(_complaint(progress, life), style="red")
    if progress.refused:
        console.print(f"{progress.refused} notifications were not answered 200", style="red")


def _totals(progress: Progress, product: Product) -> list[str | Text]:
    own = [life for life in progress.lives if life.product is product]
    tasks = [task for life in own if (task := progress.task(life))]
    statuses = [Status(task["status"]) for task in tasks]
    right = sum(progress.ended_right(life) for life in own)
    return [
        product.value,
        str(len(own)),
        str(sum(status in RUNNING for status in statuses)),
        str(statuses.count(Status.EXIT)),
        str(statuses.count(Status.FAILURE_STOP)),
        *(str(sum(task["counts"][name] for task in tasks)) for name in ("notifications", "duplicates", "redundant")),
        Text(f"{right} of {len(own)}", style="green" if right == len(own) else "red"),
    ]


def _complaint(progress: Progress, life: Life) -> str:
    task = progress.task(life)
    found = "unseen" if task is None else f"{task['status']} with counts {task['counts']}"
    return f"{life.product}/{life.task_id}: {found}; should be {life.ends} with {progress.repeats(life)}"


def story(task: Mapping[str, Any], console: Console) -> None:
    """One task's reasons."""
    table = Table(title=f"Why {task['product']}/{task['id'][:12]}… is {task['status']}", title_style="bold", box=None)
    for column in ("at", "kind", "what"):
        table.add_column(column, style="dim" if column == "at" else "")
    for moment in task["timeline"]:
        table.add_row(moment["at"][11:23], moment["kind"], Text(moment["what"]))
    console.print(table)
