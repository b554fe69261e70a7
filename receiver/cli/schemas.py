"""`schemas`: the contract of the public records, as files."""

from pathlib import Path
from typing import Annotated

import typer

from receiver.cli.terminal import AsJson, emit, fail, say, warn
from schemas.codec import DecodeError, decode
from schemas.jsonschema import breaking, generated, rendered

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: agora-events schemas --out schemas/json")
def schemas(
    *,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; without it, one schema a line.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the JSON Schema of every public record.

    A breaking change of what is in the folder is refused, and then nothing is written.
    """
    if out is None:
        for schema in generated().values():
            emit(schema)
        return
    faults = [fault for name, schema in generated().items() for fault in _faults(out / name, schema)]
    if faults:
        for fault in faults:
            warn(fault)
        fail("Nothing was written: a changed shape needs a new version of its record beside the old one.")
    out.mkdir(parents=True, exist_ok=True)
    for name, schema in generated().items():
        content = rendered(schema)
        path = out / name
        changed = not path.exists() or path.read_bytes() != content
        path.write_bytes(content)
        if as_json:
            emit({"file": str(path), "changed": changed})
        else:
            say(str(path), "" if changed else "  unchanged")


def _faults(path: Path, schema: dict[str, object]) -> list[str]:
    if not path.exists():
        return []
    try:
        committed = decode(path.read_bytes())
    except DecodeError as error:
        return [f"{path}: not JSON ({error.msg}): restore it, or remove it to start anew"]
    return [f"{path}: {fault}" for fault in breaking(committed, schema)]
