"""Who waits for records that are not there yet, and who wakes them.

Commits of this process wake at once. Those of other processes are found by asking the file every few milliseconds
whether anyone has written, and only while someone waits.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from processors.adapters.sqlite.drafts import Place
from processors.adapters.sqlite.reader import Reader
from processors.adapters.sqlite.schema import open_to_read
from processors.adapters.sqlite.writer import heads
from processors.ports import Clock
from schemas.errors import Unavailable
from schemas.record import Stored

LOOK_EVERY_SECONDS: Final = 0.025  # half of the 50 ms in which an append by another process must be seen


class Tail:
    """How far each partition is known to reach, and the futures of those who wait for more."""

    def __init__(self, path: Path, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._foreign = Foreign(path)
        self._ends: dict[Place, int] = {}
        self._wakes = 0
        self._waiting: dict[asyncio.Future[None], Sequence[Place]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def first(
        self, places: Sequence[Place], question: Callable[[sqlite3.Connection], list[Stored]], wait: timedelta
    ) -> list[Stored]:
        """The first answer with records in it, asked again whenever a place reaches further; else none after `wait`."""
        enough: asyncio.Future[None] | None = None
        try:
            while True:
                # Before the question: what is committed while it is answered must not be missed.
                mark = self._mark(places)
                found = await self._reader.ask(question)
                if found or wait <= timedelta(0) or (enough is not None and enough.done()):
                    return found
                enough = enough or asyncio.ensure_future(self._clock.sleep(wait))
                await self._beyond(places, mark, enough)
        finally:
            if enough is not None:
                enough.cancel()

    def advance(self, ends: Mapping[Place, int]) -> None:
        """Take note of what was committed and wake those who wait for it."""
        moved = {place for place, end in ends.items() if end > self._ends.get(place, 0)}
        if not moved:
            return
        self._ends.update((place, ends[place]) for place in moved)
        for future, places in self._waiting.items():
            if not moved.isdisjoint(places) and not future.done():
                future.set_result(None)

    def wake(self) -> None:
        """Let everyone who waits, or is about to, look at the world again."""
        self._wakes += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def _mark(self, places: Sequence[Place]) -> list[int]:
        """Changes whenever a place reaches further, and at `wake`."""
        return [self._wakes, *(self._ends.get(place, 0) for place in places)]

    async def _beyond(self, places: Sequence[Place], mark: Sequence[int], enough: asyncio.Future[None]) -> None:
        """Return when the mark of the places has changed, or `enough` is done."""
        if self._mark(places) != mark:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[woken] = places
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait({woken, enough}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._waiting[woken]

    async def close(self) -> None:
        """Stop looking and waiting; the reader is closed before, so that no look is on its way."""
        self.wake()
        if (looking := self._looking) is not None:
            looking.cancel()
            await asyncio.wait({looking})
        self._foreign.close()

    async def _look(self) -> None:
        try:
            while self._waiting:
                # Real time, not the clock port: other processes do not live by this process's clock.
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                with suppress(Unavailable):  # whoever waits hears of it when it reads
                    self.advance(await self._reader.run(self._foreign.look))
        finally:
            self._looking = None


class Foreign:
    """Looks for commits of other connections; belongs to one caller at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None

    def look(self) -> Mapping[Place, int]:
        """Where partitions end, or nothing when nobody has written since the last look; raises sqlite3.Error."""
        if self._connection is None:
            self._connection = open_to_read(self._path)
        try:
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version == self._seen:
                return {}
            self._seen = version
            return heads(self._connection)
        except sqlite3.Error:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; the next look opens it anew."""
        connection, self._connection, self._seen = self._connection, None, None
        if connection is not None:
            with suppress(sqlite3.Error):  # it may be closed because it failed
                connection.close()
