"""`tasks`: what each task is doing, and why we think so."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from processors.adapters.clock import SystemClock
from processors.engine.view import TaskView
from processors.settings import Settings, load
from receiver.cli.reading import opened
from receiver.cli.terminal import AsJson, ListByDefault, emit, fail, say, status_cell, tabulate
from schemas.products import Product
from schemas.state import Status

app = typer.Typer(
    cls=ListByDefault,
    add_completion=False,
    help="List the tasks, or show one with its timeline.",
    epilog="Example: agora-events tasks --status IN_PROGRESS",
)

# More tasks than one log can hold: the terminal shows all of them.
ALL: Final = 10**9


@app.command("list", epilog="Example: agora-events tasks list --product transcoder --status IN_PROGRESS --json")
def list_(
    *,
    product: Annotated[Product | None, typer.Option(help="Only this product's.")] = None,
    status: Annotated[Status | None, typer.Option(case_sensitive=False, help="Only in this status.")] = None,
    instance: Annotated[str | None, typer.Option(help="Only this instance's.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks in the order of their keys."""
    settings = load()
    view = asyncio.run(_view(settings))
    tasks, _ = view.page(product=product, status=status, instance=instance, limit=ALL)
    if as_json:
        for task in tasks:
            emit(task)
    elif not tasks:
        filtered = product or status or instance
        say(f"No such task in {settings.log}." if filtered else f"No tasks yet in {settings.log}.")
    else:
        tabulate(("product", "id", "status", "channel", "started", "updated", "end reason"), map(_row, tasks))


@app.command(epilog="Example: agora-events tasks show transcoder 4c014467d647bb87 --json")
def show(
    product: Annotated[str, typer.Argument(help="The product, or the whole key: PRODUCT/ID.")],
    task_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The vendor's id of the task.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one task with its timeline: what came, what was made of it."""
    name, _, rest = product.partition("/")
    wanted = (product, task_id) if task_id is not None else (name, rest)
    if not wanted[1]:
        raise typer.BadParameter("name a task: PRODUCT ID, or PRODUCT/ID")
    settings = load()
    task = asyncio.run(_view(settings)).get(*wanted)
    if task is None:
        fail(f"{wanted[0]}/{wanted[1]}: no such task in {settings.log}: `agora-events tasks` lists them")
    if as_json:
        emit(task)
        return
    _print(task)


async def _view(settings: Settings) -> TaskView:
    async with opened(settings) as log:
        view = TaskView(log, SystemClock())
        await view.catch_up()
    return view


def _row(task: Mapping[str, Any]) -> Sequence[str | tuple[str, str]]:
    return (
        task["product"],
        (task["id"], "bold"),
        status_cell(task["status"], suspect=task["suspect"]),
        *(task[name] or "" for name in ("channel", "startedAt", "updatedAt", "endReason")),
    )


def _print(task: Mapping[str, Any]) -> None:
    doubt = f"  in doubt: {task.get('doubt') or 'yes'}" if task["suspect"] else ""
    say((f"{task['product']}/{task['id']}", "bold"), "  ", status_cell(task["status"]), (doubt, "yellow"))
    told = ("channel", "startedAt", "updatedAt", "endedAt", "endReason", "sequence")
    say(("  ".join(f"{name} {task[name]}" for name in told if task[name] is not None), "dim"))
    say(("  ".join(f"{name} {count}" for name, count in task["counts"].items()), "dim"))
    say("")
    rows = (((moment["at"], "dim"), moment["kind"], moment["what"]) for moment in task["timeline"])
    tabulate(("at", "kind", "what"), rows)
