"""JSON Schemas of the public records, and what a reader would notice if they changed.

Records stay on the log while programs come and go, so a change must suit both sides: an old reader given new records,
and a new reader given old ones. What suits both is an optional field more, or a word more in an enumeration: readers
are told to pass over fields and words they do not know. Everything else breaks someone.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from schemas.codec import is_array, is_object
from schemas.public import RECORDS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: Final = "#/$defs/"

# What a schema says to people only.
ANNOTATIONS: Final = frozenset({"title", "description", "examples", "default", "deprecated", "$comment"})
# What is compared in a way of its own, or is only a place where definitions are kept.
STRUCTURE: Final = frozenset({"properties", "required", "enum", "const", "items", "anyOf", "$defs", "$id", "$schema"})

Schema = Mapping[str, Any]


def generated() -> dict[str, dict[str, Any]]:
    """The schema of every public record by its file name."""
    return {f"{name}.v1.json": _schema(name) for name in RECORDS}


def rendered(schema: Schema) -> bytes:
    """A schema as it is written to a file: keys in order, so that a difference is a change."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def breaking(old: Schema, new: Schema) -> list[str]:
    """What of `new` breaks a reader of `old` or a record of `old`, one line each; none when it may be released."""
    return list(_Comparison(old, new).differences(old, new, "$"))


def _schema(name: str) -> dict[str, Any]:
    identity = {"$schema": DIALECT, "$id": f"urn:agora-events:schema:{name}:v1"}
    return {**identity, **RECORDS[name].model_json_schema(mode="serialization", by_alias=True)}


class _Comparison:
    """Two schemas side by side, references followed."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old: Schema = old.get("$defs", {})
        self._new: Schema = new.get("$defs", {})

    def differences(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        yield from self._fields(old, new, place)
        yield from _words(old, new, place)
        yield from self._alternatives(old, new, place)
        if "items" in old or "items" in new:
            yield from self.differences(_under(old, "items"), _under(new, "items"), f"{place}[]")
        for keyword in sorted((old.keys() | new.keys()) - STRUCTURE - ANNOTATIONS):
            if old.get(keyword) != new.get(keyword):
                yield f"{place}: {keyword} was {old.get(keyword)!r} and is {new.get(keyword)!r}"

    def _fields(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = _under(old, "properties"), _under(new, "properties")
        needed_before, needed_after = set[str](old.get("required", ())), set[str](new.get("required", ()))
        for name, schema in before.items():
            if name not in after:
                yield f"{place}.{name}: removed"
                continue
            if (name in needed_before) != (name in needed_after):
                yield f"{place}.{name}: {'no longer' if name in needed_before else 'now'} required"
            yield from self.differences(schema, after[name], f"{place}.{name}")
        for name in sorted(needed_after - before.keys()):
            yield f"{place}.{name}: new and required, older records lack it"

    def _alternatives(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before = [_resolved(one, self._old) for one in old.get("anyOf", ())]
        after = [_resolved(one, self._new) for one in new.get("anyOf", ())]
        if len(before) != len(after):
            yield f"{place}: was one of {_types(before)} and is one of {_types(after)}"
            return
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from self.differences(one, other, f"{place}|{number}")


def _words(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = _closed(old), _closed(new)
    if (before is None) != (after is None):
        yield f"{place}: {'any value' if before is None else before} became {'any value' if after is None else after}"
    elif before is not None and after is not None:
        yield from (f"{place}: {word!r} is gone" for word in before if word not in after)


def _closed(schema: Schema) -> list[Any] | None:
    words = [schema["const"]] if "const" in schema else schema.get("enum")
    return words if is_array(words) else None


def _types(alternatives: list[Schema]) -> list[Any]:
    return [one.get("type", "anything") for one in alternatives]


def _under(schema: Schema, keyword: str) -> Schema:
    found = schema.get(keyword)
    return found if is_object(found) else {}


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        schema = definitions[str(schema["$ref"]).removeprefix(REFERENCE)]
    return schema
