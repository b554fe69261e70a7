"""A process of its own over a log file, told by lines what to do: real kills, limits and locks need a real process.

python -m tests.doubles.log_child PATH flood NAME      append for ever, print every answered key
python -m tests.doubles.log_child PATH obey            answer each line of `append KEY BYTES`, `read` or `lease`
"""

import asyncio
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

from processors.adapters.clock import SystemClock
from processors.adapters.sqlite import SqliteLog
from schemas.errors import LeaseTaken, Unavailable
from schemas.record import Record
from schemas.topics import NOTIFICATIONS


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the parent reads it


async def flood(log: SqliteLog, name: str) -> None:
    async def one(appender: int) -> None:
        count = 0
        while True:
            key = f"{name}-{appender}-{count}"
            await log.append([Record(NOTIFICATIONS, key, b'"%d"' % count)])
            say(key)
            count += 1

    await asyncio.gather(*(one(appender) for appender in range(8)))


async def obey(log: SqliteLog) -> None:
    async with AsyncExitStack() as held:
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            match line:
                case ["append", key, size]:
                    append = log.append([Record(NOTIFICATIONS, key, b'"' + b"x" * int(size) + b'"')])
                    await answer(append)
                case ["read"]:
                    await answer(log.read(NOTIFICATIONS, 0, 0))
                case ["lease"]:
                    await answer(held.enter_async_context(log.lease([NOTIFICATIONS])))
                case _:
                    raise ValueError(line)


async def answer(work: Awaitable[object]) -> None:
    try:
        await work
    except (Unavailable, LeaseTaken) as error:
        say(f"{type(error).__name__} {error}")
    else:
        say("done")


async def main(path: str, role: str, *names: str) -> None:
    log = SqliteLog(Path(path), SystemClock())
    await log.start()
    say("started")
    if role == "flood":
        await flood(log, *names)
    else:
        await obey(log)
    await log.close()
    say("closed")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
