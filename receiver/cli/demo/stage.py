"""The whole product on a stage of its own: real endpoint, real signatures, real log, in a folder that is removed."""

import asyncio
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from processors.adapters.clock import SystemClock
from processors.adapters.http import Client
from processors.settings import Settings
from processors.settings.values import Address, SqliteFile
from receiver.cli.demo.delivery import Delivery, deliveries
from receiver.cli.demo.lives import Life, lives
from receiver.cli.signing import signature_headers
from receiver.server import Address as Bound
from receiver.server import CannotListen
from receiver.wiring import Role, run
from schemas.codec import decode
from schemas.state import Status, task_key

LIVES: Final = 27
SOURCE: Final = "demo"
OK: Final = 200
SETTLED_WITHIN_SECONDS: Final = 5.0
LOOK_EVERY_SECONDS: Final = 0.25


@dataclass(slots=True)
class Progress:
    """What has been delivered, and what the product says of it."""

    lives: Sequence[Life]
    planned: Sequence[Delivery]
    url: str = ""
    sent: list[Delivery] = field(default_factory=list[Delivery])
    refused: int = 0
    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    story: Mapping[str, Any] | None = None

    def task(self, life: Life) -> Mapping[str, Any] | None:
        """What the product says of a life."""
        return self.tasks.get(task_key(life.product, life.task_id))

    def ended_right(self, life: Life) -> bool:
        """Whether a life is where it should end, with every repeat recognised as what it was."""
        task = self.task(life)
        if task is None or task["status"] != life.ends.value:
            return False
        return all(task["counts"][name] == number for name, number in self.repeats(life).items())

    def repeats(self, life: Life) -> dict[str, int]:
        """How many notifications, resends and redundant copies of a life were sent."""
        own = [delivery for delivery in self.sent if delivery.notice.task == life.task_id]
        return {
            "notifications": len(own),
            "duplicates": sum(delivery.resend for delivery in own),
            "redundant": sum(bool(delivery.copy) for delivery in own),
        }

    @property
    def settled(self) -> bool:
        """Whether everything was delivered and every life is where it should end."""
        return len(self.sent) == len(self.planned) and all(self.ended_right(life) for life in self.lives)


async def perform(
    settings: Settings, folder: Path, seconds: float, stop: asyncio.Event, watch: Callable[[Progress], None]
) -> Progress:
    """Deliver every life over so many seconds and watch what becomes of it; ends early when `stop` is set."""
    dice = random.Random(secrets.randbits(64))  # noqa: S311 - chance for a show, not for a secret
    cast = lives(LIVES, dice, SystemClock().now_ms())
    progress = Progress(cast, deliveries(cast, dice))
    secret = secrets.token_hex(16)
    staged = settings.model_copy(
        update={
            "log": SqliteFile(folder / "log.db"),
            "data": folder,
            "notification_secrets": {SOURCE: (SecretStr(secret),)},
            "api_tokens": {},
            "control_listen": None,
        }
    )
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        url = await _open(group, staged, over)
        progress.url = url
        async with Client(url) as client:
            watching = group.create_task(_keep_watching(client, progress, watch))
            await _deliver(client, progress, secret.encode(), seconds, stop)
            await _settle(progress, stop)
            watching.cancel()
            await _look(client, progress)
            progress.story = await _story(client, next(life for life in cast if life.ends is Status.FAILURE_STOP))
        over.set()
    return progress


async def _open(group: asyncio.TaskGroup, settings: Settings, over: asyncio.Event) -> str:
    listening: asyncio.Future[Sequence[Bound]] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        try:
            await run(Role.ALL, settings, over, on_listening=listening.set_result, open_on_loopback=True)
        except CannotListen:
            # The usual port is taken, perhaps by the real thing: any other will do for a show.
            free = settings.model_copy(update={"listen": Address(settings.listen.host, 0)})
            await run(Role.ALL, free, over, on_listening=listening.set_result, open_on_loopback=True)

    group.create_task(serve())
    [(host, port)] = await listening
    return f"http://{host}:{port}"


async def _deliver(client: Client, progress: Progress, secret: bytes, seconds: float, stop: asyncio.Event) -> None:
    pause = seconds / len(progress.planned)
    first_ms = SystemClock().now_ms()
    for number, delivery in enumerate(progress.planned):
        if stop.is_set():
            return
        # The vendor rewrites notifyMs at each attempt, so no two deliveries share one.
        body = delivery.notice.body(first_ms + number, copy=delivery.copy)
        headers = {"Content-Type": "application/json", **signature_headers(secret, body)}
        answer = await client.post("/notifications", body, headers)
        progress.sent.append(delivery)
        progress.refused += answer.status != OK
        await _pause(pause, stop)


async def _settle(progress: Progress, stop: asyncio.Event) -> None:
    deadline = asyncio.get_running_loop().time() + SETTLED_WITHIN_SECONDS
    while not progress.settled and not stop.is_set() and asyncio.get_running_loop().time() < deadline:
        await _pause(LOOK_EVERY_SECONDS, stop)


async def _keep_watching(client: Client, progress: Progress, watch: Callable[[Progress], None]) -> None:
    while True:
        await _look(client, progress)
        watch(progress)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _look(client: Client, progress: Progress) -> None:
    answer = await client.get("/tasks?limit=1000")
    if answer.status == OK:
        progress.tasks = {task_key(task["product"], task["id"]): task for task in decode(answer.body)["tasks"]}


async def _story(client: Client, life: Life) -> Mapping[str, Any] | None:
    answer = await client.get(f"/tasks/{life.product}/{life.task_id}")
    return decode(answer.body) if answer.status == OK else None


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
