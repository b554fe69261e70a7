"""The public records' committed schemas: what is written is what is true, and no change breaks a reader."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import decode
from schemas.jsonschema import breaking, generated, rendered

COMMITTED = Path(__file__).parents[2] / "schemas" / "json"
TASK = "task.v1.json"

Change = Callable[[dict[str, Any]], object]


def test_every_committed_schema_is_the_generated_one() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == generated().keys()
    for name, schema in generated().items():
        assert (COMMITTED / name).read_bytes() == rendered(schema), f"{name}: run `make schemas`"


def test_no_schema_breaks_the_committed_one() -> None:
    for name, schema in generated().items():
        assert breaking(decode((COMMITTED / name).read_bytes()), schema) == []


def changed(change: Change) -> list[str]:
    """What `breaking` says of a task schema after a change to it."""
    schema = deepcopy(generated()[TASK])
    change(schema)
    return breaking(generated()[TASK], schema)


def rename(schema: dict[str, Any]) -> None:
    schema["properties"]["currentStatus"] = schema["properties"].pop("status")
    schema["required"] = ["currentStatus" if name == "status" else name for name in schema["required"]]


def require_new(schema: dict[str, Any]) -> None:
    schema["properties"]["colour"] = {"type": "string"}
    schema["required"].append("colour")


BREAKING: dict[str, tuple[Change, list[str]]] = {
    "a field is removed": (lambda task: task["properties"].pop("channel"), ["$.channel: removed"]),
    "a field is renamed": (
        rename,
        ["$.status: removed", "$.currentStatus: new and required, older records lack it"],
    ),
    "a new field is required": (require_new, ["$.colour: new and required, older records lack it"]),
    "a field is no longer certain": (
        lambda task: task["required"].remove("status"),
        ["$.status: no longer required"],
    ),
    "a type is another": (
        lambda task: task["properties"].update(id={"type": "integer"}),
        ["$.id: type was 'string' and is 'integer'"],
    ),
    "a type is narrower": (
        lambda task: task["properties"].update(channel={"type": "string"}),
        ["$.channel: was one of ['string', 'null'] and is one of []", "$.channel: type was None and is 'string'"],
    ),
    "a type is wider": (
        lambda task: task["properties"].update(suspect={"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
        ["$.suspect: was one of [] and is one of ['boolean', 'null']", "$.suspect: type was 'boolean' and is None"],
    ),
    "a word is gone": (
        lambda task: task["$defs"]["Status"]["enum"].remove("EXIT"),
        ["$.status: 'EXIT' is gone"],
    ),
    "words are free": (
        lambda task: task["$defs"]["Status"].pop("enum"),
        [f"$.status: {generated()[TASK]['$defs']['Status']['enum']} became any value"],
    ),
    "an inner field is removed": (
        lambda task: task["$defs"]["Counts"]["properties"].pop("late"),
        ["$.counts.late: removed"],
    ),
    "a limit is another": (
        lambda task: task["$defs"]["Counts"]["properties"]["late"].update(minimum=5),
        ["$.counts.late: minimum was 0 and is 5"],
    ),
    "a format is gone": (
        lambda task: task["properties"]["endedAt"]["anyOf"][0].pop("format"),
        ["$.endedAt|0: format was 'date-time' and is None"],
    ),
    "fields can not be added any more": (
        lambda task: task.update(additionalProperties=False),
        ["$: additionalProperties was True and is False"],
    ),
}

HARMLESS: dict[str, Change] = {
    "a field is added": lambda task: task["properties"].update(colour={"type": "string"}),
    "a word is added": lambda task: task["$defs"]["Status"]["enum"].append("PAUSED"),
    "it is said better": lambda task: task.update(description="said better"),
    "an example is added": lambda task: task["properties"]["id"].update(title="Identity", examples=["x"]),
    "an order is another": lambda task: task["required"].reverse(),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_change_that_breaks_a_reader_is_found(name: str) -> None:
    change, said = BREAKING[name]
    assert changed(change) == said


@pytest.mark.parametrize("name", HARMLESS)
def test_a_change_that_suits_every_reader_passes(name: str) -> None:
    assert changed(HARMLESS[name]) == []


def test_what_lists_hold_is_compared_too() -> None:
    before = {"type": "array", "items": {"type": "string"}}
    assert breaking(before, {"type": "array", "items": {"type": "integer"}})
    assert breaking(before, {"type": "array"})
