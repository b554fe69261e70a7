"""`doctor`: every line says what is wrong and what to do, and shows no secret."""

from pathlib import Path
from typing import Any

import pytest

from processors.adapters.keyfile import read_or_create
from schemas.codec import encode
from schemas.seal import new_key
from tests.cli.shell import SEAL_KEY, SECRET, Shell
from tests.cli.test_topics import noticed

TOKEN = "canary-token-of-the-operators"


def found(shell: Shell, *args: str) -> dict[str, dict[str, Any]]:
    """The worst finding of each check."""
    order = {"ok": 0, "warn": 1, "fail": 2}
    worst: dict[str, dict[str, Any]] = {}
    for line in shell.run("doctor", "--json", *args).lines:
        if line["check"] not in worst or order[line["state"]] > order[worst[line["check"]]["state"]]:
            worst[line["check"]] = line
    return worst


def test_a_complete_configuration_is_well(shell: Shell) -> None:
    shell = shell.having(
        AGORA_EVENTS_API_TOKENS=f'{{"ops":"{TOKEN}"}}',
        AGORA_APP_ID="app",
        AGORA_CUSTOMER_ID="customer",
        AGORA_CUSTOMER_SECRET="canary-customer",
    )
    outcome = shell.run("doctor")
    assert outcome.code == 0
    assert {line["state"] for line in found(shell).values()} == {"ok"}
    assert "canary" not in outcome.out
    assert SECRET not in outcome.out
    assert SEAL_KEY not in outcome.out
    assert f"1 of {len(SECRET)} characters" in outcome.out


def test_a_probe_is_written_and_read_back(shell: Shell) -> None:
    assert shell.run("doctor").code == 0
    (probe,) = shell.read("agora.internal.probes")
    assert probe["data"]["by"] == "doctor"


def test_wrong_settings_are_findings(shell: Shell) -> None:
    outcome = shell.having(AGORA_EVENTS_LISTEN="x", AGORA_EVENTS_TYPO="y").run("doctor", "--json")
    assert outcome.code == 1
    assert [line["what"].split(":")[0] for line in outcome.lines] == ["AGORA_EVENTS_TYPO", "AGORA_EVENTS_LISTEN"]
    assert all(line["do"] for line in outcome.lines)


def test_secrets_are_needed_where_notifications_are_received(bare: Shell) -> None:
    assert bare.run("doctor").code == 1
    assert bare.run("doctor", "--role", "process").code == 0
    assert found(bare, "--role", "process")["credentials"]["what"].startswith("none: receive-only mode")


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("NOTIFICATION_SECRETS", '{"transcoder":"short"}', "secrets"),
        ("NOTIFICATION_SECRETS", '{"a":"the-same-for-both-of-them","b":"the-same-for-both-of-them"}', "secrets"),
        ("API_TOKENS", '{"ops":"short"}', "tokens"),
        ("DANGEROUS_TIME_SCALE", "20", "settings"),
        ("KAFKA_PARTITIONS", "24", "settings"),
    ],
)
def test_what_should_not_be_overlooked_is_a_warning(shell: Shell, name: str, value: str, check: str) -> None:
    finding = found(shell.having(**{f"AGORA_EVENTS_{name}": value}))[check]
    assert finding["state"] == "warn"
    assert finding["do"]
    assert "short" not in finding["what"].replace("shorter", "")
    assert "the-same" not in finding["what"]


def test_a_key_file_others_can_read_is_a_fault(bare: Shell) -> None:
    path = Path("agora-events-data/log.db.seal-keys")
    read_or_create(path)
    assert found(bare)["seal keys"]["state"] == "ok"
    path.chmod(0o644)
    assert found(bare)["seal keys"]["do"] == f"chmod 600 {path}"
    path.write_bytes(b"[]")
    assert found(bare)["seal keys"]["state"] == "fail"


def test_a_generated_key_that_was_left_behind_is_noticed(shell: Shell) -> None:
    shell.write("log.db.seal-keys", encode([new_key()]))
    (bare_file,) = shell.folder.glob("*.seal-keys")
    bare_file.chmod(0o600)
    assert found(shell)["seal keys"]["state"] == "warn"


def test_a_record_from_the_future_is_a_fault(shell: Shell) -> None:
    shell.append(noticed(1), now_ms=4_000_000_000_000)
    assert found(shell)["clock"]["state"] == "fail"


def test_a_log_out_of_reach_is_a_fault_with_advice(shell: Shell) -> None:
    shell.write("file", "")
    finding = found(shell.having(AGORA_EVENTS_LOG="sqlite:///file/log.db"))
    assert finding["log"]["state"] == "fail"
    assert finding["log"]["do"]
    assert finding["disk"]["state"] == "fail"


def test_a_file_that_is_not_ours_is_a_fault(shell: Shell) -> None:
    shell.write("log.db", "no database" * 200)
    assert found(shell)["log"]["state"] == "fail"
