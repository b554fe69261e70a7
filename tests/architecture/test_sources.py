"""What every file of the project keeps to; each check is known to be able to fail."""

import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 400

EXCEPTION = re.compile(
    r"#\s*(noqa|type: ignore|pyright: ignore)(?::\s*|\[)?([A-Za-z0-9, \-]*?)\]?(?P<reason>\s+[-#] .+)?$"
)
# In two parts each, so that this file does not hold what it looks for.
REGISTRIES = tuple(
    "".join(parts)
    for parts in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("registry.", "npmjs.org"),
        ("proxy.", "golang.org"),
        ("index.", "crates.io"),
        ("ruby", "gems.org"),
    )
)
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|Users|root|work|tmp)/\w")


@cache
def tracked() -> list[Path]:
    """Every file that is committed or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git of the developer
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def sources() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def unexplained(text: str) -> Iterator[str]:
    """Exceptions to a rule of which no line of the file says why."""
    explained: set[str] = set()
    for line in text.splitlines():
        found = EXCEPTION.search(line)
        if not found:
            continue
        rules = {rule.strip() for rule in found[2].split(",") if rule.strip()} or {"everything"}
        if found["reason"]:
            explained |= rules
        elif not rules <= explained:
            yield line.strip()


def registries(text: str) -> Iterator[str]:
    yield from (host for host in REGISTRIES if host in text)


def machine_paths(text: str) -> Iterator[str]:
    yield from (found.group() for found in MACHINE_PATH.finditer(text))


def too_long(text: str) -> Iterator[str]:
    if len(text.splitlines()) > LONGEST:
        yield f"{len(text.splitlines())} lines"


def faults(check: Callable[[str], Iterator[str]], paths: list[Path]) -> list[str]:
    return [f"{path.relative_to(ROOT)}: {fault}" for path in paths for fault in check(_text(path))]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_every_exception_to_a_rule_has_a_reason() -> None:
    assert faults(unexplained, sources()) == []


def test_no_file_is_too_long_to_be_read() -> None:
    assert faults(too_long, sources()) == []


def test_no_file_names_a_package_registry() -> None:
    assert faults(registries, tracked()) == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert faults(machine_paths, tracked()) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (unexplained, "import x  # no" + "qa: E501"),
        (unexplained, "import x  # no" + "qa"),
        (unexplained, "import x  # type: ig" + "nore[misc]"),
        (unexplained, "a  # no" + "qa: A1 - because\nb  # no" + "qa: A1, B2"),
        (too_long, "\n" * (LONGEST + 1)),
        (registries, "--index-url https://py" + "pi.org/simple"),
        (machine_paths, "see /ho" + "me/someone/notes"),
        (machine_paths, "cd /wo" + "rk/main"),
    ],
)
def test_a_flaw_is_found(check: Callable[[str], Iterator[str]], text: str) -> None:
    assert list(check(text))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (unexplained, "a  # no" + "qa: A1 - because\nb  # no" + "qa: A1"),
        (unexplained, "a  # type: ig" + "nore[misc]  # because"),
        (machine_paths, "https://example.com/ho" + "me/page and src/wo" + "rk/file and /var/lib/agora-events"),
    ],
)
def test_what_is_right_is_let_through(check: Callable[[str], Iterator[str]], text: str) -> None:
    assert list(check(text)) == []
