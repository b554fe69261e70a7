"""`topics` and `tasks`: what is on the log, for people and for scripts."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from select import select
from signal import SIGINT

import pytest

from schemas.codec import decode, encode
from schemas.record import Record
from schemas.topics import NOTIFICATIONS, TASKS, TOPICS, TRANSITIONS, VIEWS
from tests.cli.shell import Shell

CLI = str(Path(sys.executable).with_name("agora-events"))
COUNTS = dict.fromkeys(("notifications", "duplicates", "redundant", "stale", "noops", "missed", "late"), 0)


def noticed(number: int) -> Record:
    value = encode({"noticeId": str(number), "note": "[red]\x1b[2J"})
    return Record(NOTIFICATIONS, "push/a", value, f"5:1:{number}", "push", 1_700_000_000_000 + number)


def task(product: str, task_id: str, status: str) -> Record:
    value = {
        "product": product,
        "id": task_id,
        "status": status,
        "suspect": False,
        "instance": None,
        "generation": None,
        "channel": "room",
        "sequence": 4,
        "startedAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:01.000Z",
        "endedAt": None,
        "endReason": None,
        "check": None,
        "counts": {**COUNTS, "notifications": 2},
        "timeline": [{"at": "2026-01-01T00:00:00.000Z", "kind": "notification", "what": "started\x1b[2J"}],
    }
    return Record(VIEWS, f"{product}/{task_id}", encode(value), f"{task_id}/1", product, 1)


@contextmanager
def running(shell: Shell, *args: str) -> Generator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [CLI, *args],
        cwd=shell.folder,
        env=shell.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_every_topic_is_listed_with_its_reach(shell: Shell) -> None:
    shell.append(noticed(1), noticed(2))
    listed = {topic["name"]: topic for topic in shell.run("topics", "list", "--json").lines}
    assert listed.keys() == TOPICS.keys()
    assert listed[NOTIFICATIONS]["partitions"] == [{"partition": 0, "first": 0, "end": 2}]
    assert listed[TASKS]["compacted"]
    assert not listed[VIEWS]["public"]
    assert "0…1" in shell.run("topics").out


@pytest.mark.parametrize("command", ["create", "check"])
def test_an_embedded_log_needs_no_creating_and_can_not_drift(shell: Shell, command: str) -> None:
    assert shell.run("topics", command).code == 0
    assert shell.run("topics", command, "--json").lines


def test_each_record_is_one_cloudevent_a_line(shell: Shell) -> None:
    shell.append(*map(noticed, range(3)))
    events = shell.read(NOTIFICATIONS)
    assert [event["id"] for event in events] == ["5:1:0", "5:1:1", "5:1:2"]
    assert [event["offset"] for event in events] == [0, 1, 2]
    assert events[0]["type"] == "agora-events.notification.v1"
    assert events[0]["data"]["noticeId"] == "0"


def test_from_the_end_without_following_is_nothing(shell: Shell) -> None:
    shell.append(noticed(1))
    assert shell.run("topics", "read", NOTIFICATIONS, "--from", "end").out == ""


def test_a_person_sees_what_came_and_nothing_drives_the_terminal(shell: Shell) -> None:
    change = encode({"number": 1, "from": None, "to": "STARTED", "cause": "notification"})
    shell.append(noticed(1), Record(TRANSITIONS, "push/a", change, "t", "push", 1))
    shell.append(Record(TASKS, "push/a", b"{}", "v", "push", 1), Record(TASKS, "push/a", None, "v2", "push", 1))
    assert "[red]" in shell.run("topics", "read", NOTIFICATIONS).out
    assert "\x1b" not in shell.run("topics", "read", NOTIFICATIONS).out
    assert "1: unseen → STARTED by notification" in shell.run("topics", "read", TRANSITIONS).out
    assert "removed" in shell.run("topics", "read", TASKS).out


def test_a_topic_that_does_not_exist_is_wrong_use(shell: Shell) -> None:
    outcome = shell.run("topics", "read", "agora.nothing")
    assert outcome.code == 2
    assert "agora.notifications" in outcome.err


def test_following_shows_what_comes_until_ctrl_c(shell: Shell) -> None:
    shell.append(noticed(1))
    with running(shell, "topics", "read", NOTIFICATIONS, "--follow", "--json") as reading:
        assert reading.stdout is not None
        assert decode(reading.stdout.readline())["data"]["noticeId"] == "1"
        shell.append(noticed(2))
        assert decode(reading.stdout.readline())["data"]["noticeId"] == "2"
        reading.send_signal(SIGINT)
        _, complaints = reading.communicate(timeout=20)
        assert (reading.returncode, complaints) == (0, "")


def test_following_from_the_end_shows_only_what_comes(shell: Shell) -> None:
    shell.append(noticed(1))
    with running(shell, "topics", "read", NOTIFICATIONS, "--from", "end", "--follow", "--json") as reading:
        assert reading.stdout is not None
        number = 2
        # Where the end is when the reader arrives can not be seen from here: keep writing until one is shown.
        while not (shown := appears(reading)):
            shell.append(noticed(number))
            number += 1
        assert shown["data"]["noticeId"] != "1"


def appears(process: "subprocess.Popen[str]") -> dict[str, dict[str, str]]:
    assert process.stdout is not None
    ready, _, _ = select([process.stdout], [], [], 0.1)
    return decode(process.stdout.readline()) if ready else {}


def test_a_reader_that_has_seen_enough_is_no_failure(shell: Shell) -> None:
    shell.append(*map(noticed, range(5000)))
    with running(shell, "topics", "read", NOTIFICATIONS, "--json") as reading:
        assert reading.stdout is not None
        assert reading.stdout.readline()
        reading.stdout.close()
        assert reading.stderr is not None
        assert reading.stderr.read() == ""
        assert reading.wait(20) == 0


def test_tasks_are_listed_and_picked(shell: Shell) -> None:
    shell.append(task("push", "a", "IN_PROGRESS"), task("pull", "b", "EXIT"), task("push", "c", "EXIT"))
    assert [one["id"] for one in shell.run("tasks", "list", "--json").lines] == ["b", "a", "c"]
    assert [one["id"] for one in shell.run("tasks", "--json", "--product", "push", "--status", "exit").lines] == ["c"]
    assert "timeline" not in shell.run("tasks", "list", "--json").lines[0]
    assert "IN_PROGRESS" in shell.run("tasks").out


def test_the_newest_view_of_a_task_counts_and_a_forgotten_one_is_gone(shell: Shell) -> None:
    shell.append(task("push", "a", "STARTED"), task("push", "b", "STARTED"))
    shell.append(task("push", "a", "EXIT"), Record(VIEWS, "push/b", None, "b/2", "push", 2))
    assert [(one["id"], one["status"]) for one in shell.run("tasks", "--json").lines] == [("a", "EXIT")]


@pytest.mark.parametrize("name", [["push", "a"], ["push/a"]])
def test_a_task_is_shown_with_its_timeline(shell: Shell, name: list[str]) -> None:
    shell.append(task("push", "a", "IN_PROGRESS"))
    (shown,) = shell.run("tasks", "show", *name, "--json").lines
    assert shown["timeline"][0]["kind"] == "notification"
    told = shell.run("tasks", "show", *name).out
    assert "started" in told
    assert "\x1b" not in told


def test_a_task_that_is_not_there_is_one_line(shell: Shell) -> None:
    outcome = shell.run("tasks", "show", "push", "nobody")
    assert outcome.code == 1
    assert outcome.err.startswith("push/nobody: no such task")


def test_no_tasks_is_said(shell: Shell) -> None:
    assert "No tasks yet" in shell.run("tasks").out
    assert "No such task" in shell.run("tasks", "--product", "push").out
    assert shell.run("tasks", "--json").lines == []


@pytest.mark.parametrize(
    "args", [["tasks", "show", "push"], ["tasks", "--product", "radio"], ["nonsense"]], ids=" ".join
)
def test_wrong_use_ends_with_2(shell: Shell, args: list[str]) -> None:
    assert shell.run(*args).code == 2


def test_wrong_settings_end_with_1_and_a_line_each(shell: Shell) -> None:
    outcome = shell.having(AGORA_EVENTS_LISTEN="x", AGORA_EVENTS_TYPO="y").run("tasks")
    assert outcome.code == 1
    assert [line.split(": ")[0] for line in outcome.err.splitlines()] == ["AGORA_EVENTS_TYPO", "AGORA_EVENTS_LISTEN"]


def test_a_log_that_is_not_ours_is_one_line(shell: Shell) -> None:
    shell.write("log.db", "this is no database, but it is long enough to be looked at" * 20)
    outcome = shell.run("tasks")
    assert outcome.code == 1
    assert "log.db" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_colour_is_for_terminals_that_want_it(shell: Shell) -> None:
    shell.append(task("push", "a", "IN_PROGRESS"))
    assert "\x1b[" not in shell.run("tasks").out
    assert "\x1b[" in shell.having(FORCE_COLOR="1", TERM="xterm").run("tasks").out
    assert "\x1b[3" not in shell.having(FORCE_COLOR="1", TERM="xterm", NO_COLOR="1").run("tasks").out
