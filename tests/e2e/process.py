"""The real program as a child process: started, asked, killed."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from processors.adapters.clock import SystemClock
from processors.adapters.http import Client
from processors.adapters.sqlite.log import SqliteLog
from schemas.codec import decode
from schemas.record import Stored
from schemas.signature import V2_HEADER, sign

SECRET: Final = "e2e-secret"
TOKEN: Final = "e2e-token-long-enough"
PROGRAM: Final = (sys.executable, "-c", "from receiver.cli import main; main()")
LISTENS: Final = re.compile(rb"listens on (http://\S+?)(,|\s)")


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """What a user would set, all of it in one folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGORA_", "COVERAGE"))}
    return kept | {
        "AGORA_EVENTS_LOG": f"sqlite:///{folder}/log.db",
        "AGORA_EVENTS_DATA": str(folder),
        "AGORA_EVENTS_LISTEN": "127.0.0.1:0",
        "AGORA_EVENTS_NOTIFICATION_SECRETS": json.dumps({"transcoder": SECRET}),
        "AGORA_EVENTS_API_TOKENS": json.dumps({"tests": TOKEN}),
        "AGORA_EVENTS_LOG_FORMAT": "json",
        **changes,
    }


class Child:
    """One running role."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, lines: list[bytes]) -> None:
        self.process = process
        self.url = url
        self.lines = lines

    def kill(self) -> None:
        """As the out-of-memory killer does."""
        self.process.send_signal(signal.SIGKILL)

    async def ended(self) -> int:
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def started(role: str, variables: Mapping[str, str], prefix: Sequence[str] = ()) -> AsyncGenerator[Child]:
    """A role that listens; stopped in order at the end unless it is gone already."""
    process = await asyncio.create_subprocess_exec(
        *prefix, *PROGRAM, role, env=dict(variables), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    lines: list[bytes] = []
    draining: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(30):
            while (found := LISTENS.search(b"".join(lines[-1:]))) is None:
                lines.append(await process.stderr.readline())
                assert lines[-1], f"{role} did not come up: {b''.join(lines).decode()}"
        draining = asyncio.create_task(_drain(process.stderr, lines))
        yield Child(process, found[1].decode(), lines)
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(30):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if draining is not None:
            await draining


async def _drain(stream: asyncio.StreamReader, lines: list[bytes]) -> None:
    while line := await stream.readline():
        lines.append(line)


async def run(*arguments: str, variables: Mapping[str, str]) -> tuple[int, str, str]:
    """A command that ends by itself: its exit code, what it printed, what it complained."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments, env=dict(variables), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        printed, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode(), complained.decode()


async def notify(client: Client, body: bytes) -> int:
    """Send one notification as the vendor would; the status of the answer."""
    headers = {"Content-Type": "application/json", V2_HEADER: sign(SECRET.encode(), body)}
    return (await client.post("/notifications", body, headers)).status


async def everything(path: Path, topic: str) -> list[Stored]:
    """All records of a topic, read from the file itself."""
    log = SqliteLog(path, SystemClock())
    await log.start()
    try:
        found: list[Stored] = []
        offset, end = 0, (await log.extent(topic, 0)).end
        while offset < end and (batch := await log.read(topic, 0, offset, limit=5000)):
            found.extend(batch)
            offset = batch[-1].position.offset + 1
        return found
    finally:
        await log.close()


async def values(path: Path, topic: str) -> list[dict[str, Any]]:
    """What the records of a topic say."""
    return [decode(stored.record.value) for stored in await everything(path, topic) if stored.record.value is not None]
