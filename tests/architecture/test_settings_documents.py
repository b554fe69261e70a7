"""`docs/settings.md` and `deploy/.env.example` know every setting, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest

from processors.settings import PREFIX, fields, load, note

ROOT = Path(__file__).parents[2]
TABLE_ROW = re.compile(
    r"^\| `(\w+)`(?P<file> \(or `\w+_FILE`\))? \| (?P<what>.+) \| (?P<default>.+) \| `(?P<example>.+)` \|$"
)
COLLECTIONS = (tuple, dict)


def rows() -> dict[str, re.Match[str]]:
    lines = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    return {found[1]: found for found in map(TABLE_ROW.match, lines) if found}


def shown(default: Any) -> str:
    """A default as the table writes it."""
    if default is None or (isinstance(default, COLLECTIONS) and not default):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    assert list(rows()) == list(fields())


@pytest.mark.parametrize("name", fields())
def test_what_is_documented_is_what_is_true(name: str) -> None:
    field, row = fields()[name], rows()[name]
    assert row["what"].replace("\\|", "|") == field.description
    assert row["default"] == shown(field.default)
    assert row["example"].replace("\\|", "|") == note(field, "example")
    assert bool(row["file"]) == bool(note(field, "secret"))


def test_the_example_for_deployments_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = (ROOT / "deploy" / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(example, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in fields():
        monkeypatch.delenv(name, raising=False)
    assert load(receives=True).notification_secrets


def test_the_example_for_deployments_names_only_what_there_is() -> None:
    example = (ROOT / "deploy" / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(rf"^#?\s?({PREFIX}\w+|AGORA_\w+)=", example, flags=re.MULTILINE))
    assert named
    assert named <= {*fields(), *(f"{name}_FILE" for name, field in fields().items() if note(field, "secret"))}
