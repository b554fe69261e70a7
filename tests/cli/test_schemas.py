"""`schemas`: the public shapes as files that never break a reader."""

from pathlib import Path

from schemas.codec import decode, encode
from schemas.jsonschema import generated
from tests.cli.shell import Shell


def test_one_file_for_each_record(bare: Shell) -> None:
    outcome = bare.run("schemas", "--out", "out", "--json")
    assert outcome.code == 0
    assert {Path(line["file"]).name for line in outcome.lines} == generated().keys()
    assert all(line["changed"] for line in outcome.lines)
    again = bare.run("schemas", "--out", "out", "--json")
    assert not any(line["changed"] for line in again.lines)
    for name, schema in generated().items():
        assert decode((bare.folder / "out" / name).read_bytes()) == schema


def test_without_a_folder_they_are_printed(bare: Shell) -> None:
    printed = bare.run("schemas").lines
    assert printed == list(generated().values())
    assert printed[0]["$id"] == "urn:agora-events:schema:notification:v1"


def test_a_breaking_change_is_refused_and_nothing_is_written(bare: Shell) -> None:
    bare.run("schemas", "--out", "out")
    path = bare.folder / "out" / "task.v1.json"
    committed = decode(path.read_bytes())
    committed["properties"]["shoeSize"] = {"type": "integer"}
    path.write_bytes(encode(committed))
    (bare.folder / "out" / "session.v1.json").unlink()
    outcome = bare.run("schemas", "--out", "out")
    assert outcome.code == 1
    assert "$.shoeSize: removed" in outcome.err
    assert "shoeSize" in path.read_text()
    assert not (bare.folder / "out" / "session.v1.json").exists()


def test_a_file_that_is_no_schema_is_one_line(bare: Shell) -> None:
    (bare.folder / "out").mkdir()
    bare.write("out/task.v1.json", "no json")
    outcome = bare.run("schemas", "--out", "out")
    assert outcome.code == 1
    assert "not JSON" in outcome.err
