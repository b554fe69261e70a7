"""The one writer: a thread that commits one group of writes after the other and tells everyone.

`gathering.py` says when a group closes. The writes of a group succeed or fail together, with the disk; what could be
wrong with a single one was found before it came here, or is told apart (`Fenced`) before the transaction begins.

The thread shares the interpreter lock with the event loop and has to win it back after every statement. A loop whose
turns are shorter than the switch interval (5 ms by default) lets go and takes it again before anyone else wakes: beside
turns of 4 ms a commit of 2,000 records took 730 ms and a poll 1,160 ms; with `SWITCH_INTERVAL_SECONDS` 30 to 80 and 11
to 37. The process sets it (`sys.setswitchinterval`), not this module: it is a property of the whole process.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from processors.adapters.sqlite.drafts import Draft, Place
from processors.adapters.sqlite.gathering import Gathering
from processors.adapters.sqlite.group import Group
from processors.adapters.sqlite.schema import open_to_write
from processors.ports import Clock
from schemas.codec import decode
from schemas.errors import Fenced, Incompatible, Unavailable
from schemas.record import Position

SWITCH_INTERVAL_SECONDS: Final = 0.0005

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Tenure:
    """The time in which one worker owns a partition; `lost` once another took it."""

    partition: int
    lost: bool = False

    def check(self) -> None:
        """Raise Fenced when the tenure is over."""
        if self.lost:
            raise self.fenced()

    def fenced(self) -> Fenced:
        """What to tell a worker whose tenure is over."""
        return Fenced(f"partition {self.partition} was closed or has another worker now")


@dataclass(slots=True, eq=False)
class Write:
    """Records, and for a worker's commit also positions, that become durable together."""

    done: asyncio.Future[list[Position]]
    drafts: Sequence[Draft]
    tenure: Tenure | None = None
    positions: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True, eq=False)
class Chore:
    """Other work on the writer's connection, alone in its transaction."""

    done: asyncio.Future[Any]
    work: Callable[[sqlite3.Connection], object]


Answer = tuple[asyncio.Future[Any], object]
"""A future and its result; an exception is raised there."""


class Writer:
    """Owns the connection that writes; every call belongs to the event loop of `start`."""

    def __init__(self, path: Path, partitions: int, clock: Clock) -> None:
        self._path = path
        self._partitions = partitions
        self._clock = clock
        self._committed: Callable[[Mapping[Place, int]], None] | None = None
        self._reached = False
        self._groups = SimpleQueue[Sequence[Write] | Chore | None]()
        self._gathering: Gathering[Write] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        self._connection: sqlite3.Connection | None = None
        self._heads: dict[Place, int] = {}
        self._data_version: int | None = None

    def start(self, committed: Callable[[Mapping[Place, int]], None]) -> None:
        """Begin to work; the file is opened by the first call that needs it.

        `committed` is told on the event loop how far partitions reach after each group.
        """
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._gathering = Gathering(self._loop, self._groups.put)
        self._ended = self._loop.create_future()
        # A daemon: a process that dies without `close` must not hang on it; what was answered is on disk.
        Thread(target=self._work, args=(self._loop, self._ended), name="log-writer", daemon=True).start()

    def write(
        self, drafts: Sequence[Draft], tenure: Tenure | None = None, positions: Mapping[str, int] | None = None
    ) -> asyncio.Future[list[Position]]:
        """Make records durable; the future holds Unavailable, and Fenced when the tenure is over.

        The future itself and no coroutine around it: the hot path comes back through one frame less.
        """
        loop, gathering = self._running()
        done: asyncio.Future[list[Position]] = loop.create_future()
        gathering.add(Write(done, drafts, tenure, positions or {}))
        return done

    async def reach(self) -> None:
        """Return once the file has been there; raises Unavailable and Incompatible."""
        if not self._reached:
            await self.run(lambda _: None)
            self._reached = True

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do other work after everything that was given before; raises Unavailable and Incompatible."""
        loop, gathering = self._running()
        done: asyncio.Future[T] = loop.create_future()
        gathering.flush()
        self._groups.put(Chore(done, work))
        return await done

    async def close(self) -> None:
        """Finish what was accepted, then let go of the file."""
        if self._loop is not None and self._gathering is not None:
            self._loop = None
            self._gathering.flush()
            self._groups.put(None)
        if self._ended is not None:
            await asyncio.shield(self._ended)

    def _running(self) -> tuple[asyncio.AbstractEventLoop, Gathering[Write]]:
        if self._loop is None or self._gathering is None:
            raise Unavailable(f"the log {self._path} is closed")
        return self._loop, self._gathering

    # Everything below runs in the thread.

    def _work(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        # RuntimeError: the loop was closed without `close`; there is nobody left to tell.
        with suppress(RuntimeError):
            while (group := self._groups.get()) is not None:
                if isinstance(group, Chore):
                    loop.call_soon_threadsafe(self._tell, [self._perform(group)])
                else:
                    loop.call_soon_threadsafe(self._arrive, *self._attempt(group))
            self._let_go()
            loop.call_soon_threadsafe(ended.set_result, None)
        self._let_go()

    def _attempt(self, writes: Sequence[Write]) -> tuple[list[Answer], Mapping[Place, int]]:
        try:
            return self._commit(writes)
        except (sqlite3.Error, Incompatible) as error:
            self._let_go()
            return [(write.done, self._unavailable(error)) for write in writes], {}
        except Exception as error:  # noqa: BLE001 - a bug must reach its callers, not silence the thread
            self._let_go()
            return [(write.done, error) for write in writes], {}

    def _commit(self, writes: Sequence[Write]) -> tuple[list[Answer], Mapping[Place, int]]:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        group = Group(self._current_heads(connection))
        now_ms = self._clock.now_ms()
        answers: list[Answer] = []
        for write in writes:
            tenure = write.tenure
            if tenure is None:
                answers.append((write.done, group.place(write.drafts, now_ms)))
            elif tenure.lost:
                answers.append((write.done, tenure.fenced()))
            else:
                group.advance(write.positions, tenure.partition)
                answers.append((write.done, group.place(write.drafts, now_ms)))
        group.write(connection, now_ms)
        connection.execute("COMMIT")
        self._heads.update(group.moved)
        return answers, group.moved

    def _current_heads(self, connection: sqlite3.Connection) -> Mapping[Place, int]:
        """Where the next records go: remembered, unless another connection has written in between."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._heads = heads(connection)
            self._data_version = version
        return self._heads

    def _perform(self, chore: Chore) -> Answer:
        try:
            return chore.done, chore.work(self._open())
        except sqlite3.Error as error:
            self._let_go()
            return chore.done, self._unavailable(error)
        except Exception as error:  # noqa: BLE001 - as above
            self._let_go()
            return chore.done, error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_to_write(self._path, self._partitions)
        return self._connection

    def _let_go(self) -> None:
        """Close the connection: what was not committed is gone, and the next group opens the file anew."""
        connection, self._connection, self._data_version = self._connection, None, None
        if connection is not None:
            with suppress(sqlite3.Error):  # it is closed because it failed
                connection.close()

    def _unavailable(self, error: Exception) -> Unavailable:
        unavailable = Unavailable(f"cannot write {self._path}: {error}; trying again is right once that is mended")
        unavailable.__cause__ = error
        return unavailable

    # Back on the event loop.

    def _arrive(self, answers: Iterable[Answer], moved: Mapping[Place, int]) -> None:
        self._tell(answers)
        if moved and self._committed is not None:
            self._committed(moved)
        if self._gathering is not None:
            self._gathering.arrived()

    def _tell(self, answers: Iterable[Answer]) -> None:
        for done, answer in answers:
            if done.done():  # its caller was cancelled; the group went on without it
                continue
            if isinstance(answer, BaseException):
                done.set_exception(answer)
            else:
                done.set_result(answer)


def heads(connection: sqlite3.Connection) -> dict[Place, int]:
    """The next offset of every partition that has ever had a record."""
    (answer,) = connection.execute("SELECT json_group_array(json_array(topic, partition, next)) FROM heads").fetchone()
    return {(topic, partition): next_ for topic, partition, next_ in decode(answer)}
