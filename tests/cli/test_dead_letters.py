"""`dead-letters`: nothing set aside is lost, and an operator decides what becomes of it."""

from base64 import b64decode, b64encode

from receiver.normalise import Understood, normalise
from schemas.codec import decode, encode
from schemas.deadletters import dead_letter
from schemas.record import Record
from schemas.seal import new_key
from schemas.topics import DEAD_LETTERS, NOTIFICATIONS, RESOLUTIONS
from tests.cli.shell import Shell, seal

BAD = b'{"noticeId": CANARY'
GOOD = encode(
    {
        "noticeId": "n1",
        "productId": 5,
        "eventType": 1,
        "notifyMs": 1_700_000_000_000,
        "payload": {"converter": {"id": "c1", "state": "running"}, "lts": 1_700_000_000_000},
    }
)


def set_aside(original: bytes, where: str = "receiver", key: str = "push/c1") -> Record:
    return dead_letter(
        key=key,
        product="push",
        reason="not-json",
        detail="not JSON from line 1",
        where="receiver" if where == "receiver" else "processor",
        received_ms=1_700_000_000_000,
        source="push",
        original=original,
        sealed=seal().seal(original),
        headers={"content-type": "application/json"},
    )


def open_ids(shell: Shell) -> list[str]:
    return [letter["id"] for letter in shell.run("dead-letters", "list", "--json").lines]


def test_open_letters_are_listed_and_stay_sealed(shell: Shell) -> None:
    letter = set_aside(BAD)
    shell.append(letter)
    (listed,) = shell.run("dead-letters", "--json").lines
    assert (listed["id"], listed["reason"], listed["where"]) == (letter.id, "not-json", "receiver")
    assert "CANARY" not in str(listed)
    assert letter.id in shell.run("dead-letters").out


def test_a_holder_of_the_keys_may_open_them(shell: Shell) -> None:
    shell.append(set_aside(BAD))
    (listed,) = shell.run("dead-letters", "list", "--open", "--json").lines
    assert b64decode(listed["body"]) == BAD


def test_one_letter_is_shown_opened(shell: Shell) -> None:
    text, binary = set_aside(b"caf\xc3\xa9 \x1b[2J"), set_aside(b"\xff\x00")
    shell.append(text, binary)
    assert "café �[2J" in shell.run("dead-letters", "show", text.id).out
    assert b64encode(b"\xff\x00").decode() in shell.run("dead-letters", "show", binary.id).out
    (shown,) = shell.run("dead-letters", "show", binary.id, "--json").lines
    assert b64decode(shown["body"]) == b"\xff\x00"


def test_without_the_key_a_letter_stays_shut(shell: Shell) -> None:
    letter = set_aside(BAD)
    shell.append(letter)
    outcome = shell.having(AGORA_EVENTS_SEAL_KEYS=f'["{new_key()}"]').run("dead-letters", "show", letter.id)
    assert outcome.code == 1
    assert "add the key" in outcome.err


def test_the_generated_key_opens_when_none_is_configured(bare: Shell) -> None:
    shell = bare.having(AGORA_EVENTS_LOG="sqlite:///log.db")
    shell.write("log.db.seal-keys", encode([decode(Shell(bare.folder).env["AGORA_EVENTS_SEAL_KEYS"])[0]]))
    letter = set_aside(BAD)
    shell.append(letter)
    assert "CANARY" in shell.run("dead-letters", "show", letter.id).out


def test_what_is_understood_now_goes_on_its_way(shell: Shell) -> None:
    letter = set_aside(GOOD)
    shell.append(letter)
    outcome = shell.run("dead-letters", "replay", letter.id)
    assert outcome.code == 0
    assert f"{letter.id}  replayed as push/c1" in outcome.out
    (stored,) = shell.read(NOTIFICATIONS)
    assert (stored["id"], stored["subject"], stored["data"]["source"]) == ("5:1:n1", "push/c1", "push")
    assert stored["data"]["receivedAt"] == "2023-11-14T22:13:20.000Z"
    (resolution,) = shell.read(RESOLUTIONS)
    assert (resolution["subject"], resolution["data"]["resolution"]) == (letter.id, "replayed")
    assert open_ids(shell) == []


def test_what_is_still_not_understood_stays_and_says_why(shell: Shell) -> None:
    letter = set_aside(BAD)
    shell.append(letter)
    outcome = shell.run("dead-letters", "replay", letter.id)
    assert outcome.code == 1
    assert "still not understood: not-json" in outcome.err
    assert "CANARY" not in outcome.err
    assert open_ids(shell) == [letter.id]
    assert shell.read(NOTIFICATIONS) == []


def test_what_broke_the_core_is_stored_again_as_it_was(shell: Shell) -> None:
    understood = normalise(GOOD, "push", 1)
    assert isinstance(understood, Understood)
    assert understood.record.value is not None
    letter = set_aside(understood.record.value, "processor")
    shell.append(letter)
    assert shell.run("dead-letters", "replay", letter.id, "--json").lines == [
        {"id": letter.id, "resolution": "replayed", "key": "push/c1"}
    ]
    (stored,) = shell.read(NOTIFICATIONS)
    assert stored["data"] == decode(understood.record.value)
    assert (stored["id"], stored["source"]) == (understood.record.id, "/agora-events/push")


def test_a_timer_that_broke_the_core_can_only_be_dropped(shell: Shell) -> None:
    letter = set_aside(b"", "processor")
    shell.append(letter)
    assert "drop it" in shell.run("dead-letters", "replay", letter.id).err
    assert shell.run("dead-letters", "drop", letter.id).code == 0
    assert open_ids(shell) == []


def test_all_means_each_that_is_open(shell: Shell) -> None:
    good, bad = set_aside(GOOD), set_aside(BAD)
    shell.append(good, bad)
    outcome = shell.run("dead-letters", "replay", "--all")
    assert outcome.code == 1
    assert good.id in outcome.out
    assert bad.id in outcome.err
    assert open_ids(shell) == [bad.id]
    assert shell.run("dead-letters", "drop", "--all", "--json").lines == [
        {"id": bad.id, "resolution": "dropped", "key": "push/c1"}
    ]
    assert shell.run("dead-letters", "drop", "--all").code == 0
    assert "No dead letters" in shell.run("dead-letters").out


def test_the_same_letter_twice_is_one_and_open_again_when_it_comes_back(shell: Shell) -> None:
    letter = set_aside(BAD)
    shell.append(letter, letter)
    assert open_ids(shell) == [letter.id]
    shell.run("dead-letters", "drop", letter.id)
    assert open_ids(shell) == []
    shell.append(letter)
    assert open_ids(shell) == [letter.id]


def test_a_wrong_id_fails_and_no_id_is_wrong_use(shell: Shell) -> None:
    for command in ("show", "replay", "drop"):
        assert shell.run("dead-letters", command, "nobody").code == 1
    assert shell.run("dead-letters", "replay").code == 2
    assert shell.run("dead-letters", "drop", "x", "--all").code == 2


def test_letters_keep_their_key_on_the_log(shell: Shell) -> None:
    shell.append(set_aside(BAD, key="5/n1"))
    (event,) = shell.read(DEAD_LETTERS)
    assert event["subject"] == "5/n1"
