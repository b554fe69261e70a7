"""What `doctor` looks at: each look answers findings, none raises for what it was made to find."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from processors.adapters.keyfile import key_file, keys_in
from processors.ports import Log
from processors.settings import PREFIX, Settings, warnings
from schemas.codec import encode, rfc3339
from schemas.errors import Incompatible, Rejected, Unavailable
from schemas.record import Record
from schemas.topics import PROBES, TOPICS

SHORT: Final = 16
AHEAD_MS: Final = 5_000
LOW_BYTES: Final = 2**30
FULL_BYTES: Final = 100 * 2**20
OTHERS: Final = 0o077


class State(StrEnum):
    """How it is: fine, worth a thought, or in the way."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and what to do about it."""

    check: str
    state: State
    what: str
    do: str = ""


def of_line(line: str, state: State) -> Finding:
    """A line about a setting: name, what is wrong, what to do."""
    what, _, do = line.rpartition(": ")
    return Finding("settings", state, what, do)


def of_settings(settings: Settings, *, receives: bool) -> Iterator[Finding]:
    """Everything that can be told from the settings alone."""
    yield Finding("settings", State.OK, "complete and without contradiction")
    yield from (of_line(line, State.WARN) for line in warnings(settings))
    if any(name.startswith("kafka_") for name in settings.model_fields_set):
        what = f"{PREFIX}KAFKA_… has no effect: the log is {settings.log}"
        yield Finding("settings", State.WARN, what, "unset it, or is the log not the one you mean?")
    yield _credentials(settings)
    yield from _secrets(settings, receives=receives)
    yield from _tokens(settings)
    yield from _seal_keys(settings)


def _credentials(settings: Settings) -> Finding:
    if settings.receive_only:
        do = "set AGORA_APP_ID, AGORA_CUSTOMER_ID and AGORA_CUSTOMER_SECRET to ask the vendor"
        return Finding("credentials", State.WARN, "none: receive-only mode, notifications are all we know", do)
    return Finding("credentials", State.OK, "App ID, customer id and customer secret are set")


def _secrets(settings: Settings, *, receives: bool) -> Iterator[Finding]:
    name = f"{PREFIX}NOTIFICATION_SECRETS"
    if not settings.notification_secrets:
        state = State.FAIL if receives else State.WARN
        yield Finding("secrets", state, f"{name} is not set: `receive` and `all` refuse to start", f"set {name}")
    holders: dict[bytes, str] = {}
    for source, live in settings.signing_secrets.items():
        lengths = ", ".join(str(len(secret)) for secret in live)
        yield Finding("secrets", State.OK, f"{source}: {len(live)} of {lengths} characters")
        if any(len(secret) < SHORT for secret in live):
            do = "copy the vendor's signing secret whole"
            yield Finding("secrets", State.WARN, f"{source}: shorter than {SHORT} characters", do)
        for secret in live:
            other = holders.setdefault(secret, source)
            if other != source:
                do = "give each source its own secret"
                yield Finding(
                    "secrets", State.WARN, f"{other} and {source} share one: which sent it can not be told", do
                )


def _tokens(settings: Settings) -> Iterator[Finding]:
    name = f"{PREFIX}API_TOKENS"
    if not settings.api_tokens:
        what = f"{name} is not set: the control API and the pages answer 403"
        yield Finding("tokens", State.WARN, what, f'set {name} to {{"ops":"<long random text>"}}')
    for holder, token in settings.api_tokens.items():
        length = len(token.token.get_secret_value())
        if length < SHORT:
            what = f"{holder} may {token.role}: {length} characters can be guessed"
            yield Finding("tokens", State.WARN, what, f"use {SHORT} random ones or more")
        else:
            yield Finding("tokens", State.OK, f"{holder} may {token.role}: {length} characters")


def _seal_keys(settings: Settings) -> Iterator[Finding]:
    path = key_file(settings.log.path)
    if settings.seal_keys:
        yield Finding("seal keys", State.OK, f"{len(settings.seal_keys)} configured, the first seals")
    if not path.exists():
        if not settings.seal_keys:
            yield Finding("seal keys", State.OK, f"none yet: {path} is made when the first is needed; back it up")
        return
    try:
        keys = keys_in(path.read_bytes(), path)
    except (OSError, Incompatible) as error:
        yield Finding("seal keys", State.FAIL, str(error), "restore the file from a backup")
        return
    if path.stat().st_mode & OTHERS:
        yield Finding("seal keys", State.FAIL, f"{path} can be read by others", f"chmod 600 {path}")
    elif not settings.seal_keys:
        yield Finding("seal keys", State.OK, f"{len(keys)} in {path}, readable by its owner alone; back it up")
    elif not set(keys) <= {key.get_secret_value() for key in settings.seal_keys}:
        what = f"{path} holds keys that {PREFIX}SEAL_KEYS lacks: what they sealed stays shut"
        yield Finding("seal keys", State.WARN, what, "append them to the list")


async def of_log(log: Log, settings: Settings, now_ms: int) -> Sequence[Finding]:
    """Whether the log takes a record and gives it back, holds every topic, and agrees with the clock."""
    found: list[Finding] = []
    try:
        newest_ms = await _newest_ms(log)
        await _probe(log, now_ms)
    except (Unavailable, Rejected) as error:
        return [Finding("log", State.FAIL, f"{settings.log}: {error}", "check the path, its permissions and the disk")]
    found.append(Finding("log", State.OK, f"{settings.log}: a probe was made durable and read back"))
    found.append(Finding("topics", State.OK, f"{len(TOPICS)} topics, nothing that could drift"))
    ahead_ms = newest_ms - now_ms
    if ahead_ms > AHEAD_MS:
        what = f"the newest record is {ahead_ms / 1000:.0f} s in the future: a clock was set back"
        found.append(Finding("clock", State.FAIL, what, "let the machine follow a time server, and wait until then"))
    else:
        found.append(Finding("clock", State.OK, f"{rfc3339(now_ms)}, no record is from the future"))
    return found


async def _newest_ms(log: Log) -> int:
    newest = 0
    for topic in TOPICS:
        for partition in range(log.partitions):
            extent = await log.extent(topic, partition)
            for stored in await log.read(topic, partition, max(extent.first, extent.end - 1), limit=1):
                newest = max(newest, stored.appended_ms)
    return newest


async def _probe(log: Log, now_ms: int) -> None:
    value = encode({"at": rfc3339(now_ms), "by": "doctor"})
    (position,) = await log.append([Record(PROBES, "doctor", value, f"doctor/{now_ms}", "probes", now_ms)])
    read = await log.read(PROBES, position.partition, position.offset, limit=1)
    # A second doctor may have written since; compaction then shows its probe, which proves as much.
    if not read or read[0].position.offset < position.offset:
        raise Unavailable("a probe was taken, and could not be read back")


def of_folders(folders: Mapping[str, Path]) -> Iterator[Finding]:
    """Whether each folder can be written to and its disk has room."""
    for check, folder in folders.items():
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            do = f"make it a folder this user may write to: {there}"
            yield Finding(check, State.FAIL, f"{folder} can not be written to", do)
            continue
        free = shutil.disk_usage(there).free
        state = State.FAIL if free < FULL_BYTES else State.WARN if free < LOW_BYTES else State.OK
        made = "" if there == folder.absolute() else ", made at the start"
        what = f"{folder}{made}, {free / 2**30:.1f} GiB free"
        yield Finding(
            check, state, what, "" if state is State.OK else "make room: without it notifications are refused"
        )
