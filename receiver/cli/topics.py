"""`topics`: what is on the log, and the records themselves."""

import asyncio
import sys
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from processors.engine.scan import everything
from processors.ports import Extent
from processors.settings import load
from receiver.cli.reading import arriving, opened
from receiver.cli.terminal import AsJson, ListByDefault, emit, say, status_cell, tabulate
from schemas.cloudevents import structured
from schemas.codec import encode
from schemas.record import Stored
from schemas.topics import TOPICS, TRANSITIONS, Topic

app = typer.Typer(
    cls=ListByDefault,
    add_completion=False,
    help="List, create, check and read the topics.",
    epilog="Example: agora-events topics read agora.transitions --follow",
)

NOTHING_TO_CREATE: Final = "every topic of an embedded log exists from its first record on: nothing to create"
NOTHING_TO_DRIFT: Final = "as they should be; an embedded log has no partitions, replicas or policies that could drift"


class Start(StrEnum):
    """Where reading begins."""

    BEGINNING = "beginning"
    END = "end"


@app.command("list", epilog="Example: agora-events topics list --json")
def list_(*, as_json: AsJson = False) -> None:
    """List the topics with how far each reaches."""
    extents = asyncio.run(_extents())
    if as_json:
        for topic in TOPICS.values():
            emit(_described(topic, extents[topic.name]))
        return
    rows = ((topic.name, _kept(topic), _reach(extents[topic.name]), topic.what) for topic in TOPICS.values())
    tabulate(("topic", "kept", "offsets", "what"), rows)


@app.command(epilog="Example: agora-events topics create")
def create(*, as_json: AsJson = False) -> None:
    """Create the topics that are missing."""
    extents = asyncio.run(_extents())
    if as_json:
        emit({"created": [], "existing": list(extents), "note": NOTHING_TO_CREATE})
    else:
        say(f"{len(extents)} topics: {NOTHING_TO_CREATE}.")


@app.command(epilog="Example: agora-events topics check")
def check(*, as_json: AsJson = False) -> None:
    """Check the topics against the table they should follow; exit code 1 where they differ."""
    extents = asyncio.run(_extents())
    if as_json:
        for topic in TOPICS.values():
            emit({**_described(topic, extents[topic.name]), "drift": []})
    else:
        say(f"{len(extents)} topics: {NOTHING_TO_DRIFT}.")


@app.command(epilog="Example: agora-events topics read agora.transitions --from beginning --follow --json")
def read(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The topic, agora.transitions for example.")],
    *,
    start: Annotated[Start, typer.Option("--from", help="Where to begin.")] = Start.BEGINNING,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the records of a topic, one CloudEvent a line."""
    if name not in TOPICS:
        raise typer.BadParameter(f"{name!r} is no topic: choose from {', '.join(TOPICS)}", param_hint="NAME")
    try:
        asyncio.run(_read(name, start, follow=follow, as_json=as_json))
    except KeyboardInterrupt:
        # The way to end --follow is no failure.
        if not follow:
            raise


async def _read(name: str, start: Start, *, follow: bool, as_json: bool) -> None:
    async with opened(load()) as log:
        if start is Start.END and not follow:
            return
        records = arriving(log, name, from_end=start is Start.END) if follow else everything(log, name)
        async for stored in records:
            if as_json:
                emit(structured(stored))
            else:
                _print(stored)
            if follow:
                sys.stdout.flush()


async def _extents() -> dict[str, list[Extent]]:
    async with opened(load()) as log:
        return {name: [await log.extent(name, partition) for partition in range(log.partitions)] for name in TOPICS}


def _described(topic: Topic, extents: list[Extent]) -> dict[str, Any]:
    return {
        "name": topic.name,
        "what": topic.what,
        "compacted": topic.compacted,
        "public": topic.public,
        "partitions": [
            {"partition": partition, "first": extent.first, "end": extent.end}
            for partition, extent in enumerate(extents)
        ],
    }


def _kept(topic: Topic) -> tuple[str, str]:
    return ("newest of each key", "") if topic.compacted else ("retention", "dim")


def _reach(extents: list[Extent]) -> str:
    return " ".join("empty" if one.first == one.end else f"{one.first}…{one.end - 1}" for one in extents)


def _print(stored: Stored) -> None:
    event = structured(stored)
    say((f"{event['time']}  ", "dim"), (f"{event['subject']}  ", "bold"), *_told(stored.record.topic, event["data"]))


def _told(topic: str, data: Any) -> list[str | tuple[str, str]]:
    if data is None:
        return [("removed", "dim")]
    if topic == TRANSITIONS:
        return [f"{data['number']}: {data['from'] or 'unseen'} → ", status_cell(data["to"]), f" by {data['cause']}"]
    return [encode(data).decode()]
