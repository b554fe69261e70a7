"""Dead letters on the log: which are open, what was in them, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from processors.engine.scan import everything, latest
from processors.ports import Log
from receiver.normalise import NotUnderstood, normalise
from schemas.codec import decode, encode, is_object, rfc3339, unix_ms
from schemas.record import Record, Stored
from schemas.seal import Seal
from schemas.topics import DEAD_LETTERS, NOTIFICATIONS, RESOLUTIONS

Resolution = Literal["replayed", "dropped"]

RECEIVER: Final = "receiver"


@dataclass(frozen=True, slots=True)
class Letter:
    """An open dead letter; `shown` is its public data, the body still sealed."""

    id: str
    key: str
    shown: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a letter can not be replayed; nothing changed."""

    why: str


async def open_letters(log: Log) -> Sequence[Letter]:
    """Letters nobody has replayed or dropped, oldest first; one that came back after its replay is open again."""
    resolved = {key: stored.appended_ms for key, stored in (await latest(log, RESOLUTIONS)).items()}
    found: dict[str, Stored] = {}
    async for stored in everything(log, DEAD_LETTERS):
        found[stored.record.id] = stored
    return [
        Letter(name, stored.record.key, decode(stored.record.value or b"{}"))
        for name, stored in found.items()
        if stored.appended_ms > resolved.get(name, -1)
    ]


def replay(letter: Letter, seal: Seal) -> Record | Refused:
    """The notification of a letter, read by today's program; raises CannotOpenError."""
    original = seal.open(letter.shown["body"])
    if letter.shown["where"] == RECEIVER:
        answer = normalise(original, letter.shown["source"], unix_ms(letter.shown["receivedAt"]))
        if isinstance(answer, NotUnderstood):
            return Refused(f"still not understood: {answer.reason}: {answer.detail}")
        return answer.record
    return _notification(letter, original)


def resolution(letter: Letter, resolved: Resolution, now_ms: int) -> Record:
    """The record that closes a letter."""
    value = encode({"id": letter.id, "resolution": resolved, "at": rfc3339(now_ms)})
    return Record(RESOLUTIONS, letter.id, value, f"{letter.id}/{resolved}/{now_ms}", "dead-letters", now_ms)


def _notification(letter: Letter, original: bytes) -> Record | Refused:
    if not original:
        return Refused("a timer was set aside, not a notification: drop it, the task's next notification arms it anew")
    value = decode(original)
    if not is_object(value):
        return Refused("what was set aside is not a notification: drop it")
    name = f"{value['productId']}:{value['eventType']}:{value['noticeId']}"
    time_ms = value["notifyMs"] or unix_ms(value["receivedAt"])
    return Record(NOTIFICATIONS, letter.key, original, name, value["product"], time_ms)
