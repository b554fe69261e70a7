"""A user at a terminal: a folder, an environment of their own, and the command line."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from typer.testing import CliRunner

from processors.adapters.clock import SystemClock
from processors.adapters.sqlite.log import SqliteLog
from receiver.cli import app
from schemas.codec import decode
from schemas.record import Record
from schemas.seal import Seal, new_key
from tests.doubles.clock import ManualClock

LOG: Final = "log.db"
SECRET: Final = "canary-secret-transcoder"
SEAL_KEY: Final = new_key()


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """The JSON objects that were printed, one a line."""
        return [decode(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Shell:
    """Runs commands in a folder; `env` holds only what was set here."""

    folder: Path
    env: Mapping[str, str] = field(
        default_factory=lambda: {
            "AGORA_EVENTS_LOG": f"sqlite:///{LOG}",
            "AGORA_EVENTS_SEAL_KEYS": f'["{SEAL_KEY}"]',
            "AGORA_EVENTS_NOTIFICATION_SECRETS": f'{{"transcoder":"{SECRET}"}}',
        }
    )

    def having(self, **settings: str) -> "Shell":
        """The same with more set."""
        return Shell(self.folder, {**self.env, **settings})

    def environment(self) -> dict[str, str]:
        """A whole environment: the machine's, nothing of ours in it but what was set here."""
        machine = {name: value for name, value in os.environ.items() if not name.startswith("AGORA_")}
        return {**machine, **self.env}

    def run(self, *args: str, stdin: bytes = b"") -> Outcome:
        """Run a command; an error it does not explain is a bug and raised here."""
        result = CliRunner().invoke(app, args, input=stdin, env=self.env, prog_name="agora-events")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def write(self, name: str, content: bytes | str) -> str:
        """A file in the folder; its name."""
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def append(self, *records: Record, now_ms: int | None = None) -> None:
        """Put records on the log, as a server would have."""
        clock = SystemClock() if now_ms is None else ManualClock(now_ms)

        async def store() -> None:
            log = SqliteLog(self.folder / LOG, clock)
            await log.start()
            try:
                await log.append(records)
            finally:
                await log.close()

        asyncio.run(store())

    def read(self, topic: str) -> Sequence[Mapping[str, Any]]:
        """The CloudEvents on a topic."""
        return self.run("topics", "read", topic, "--json").lines


def seal() -> Seal:
    """The seal of the shell's key."""
    return Seal([SEAL_KEY])
