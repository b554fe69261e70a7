"""The view: what pages read, behind the log by one read, and the replay that checks it."""

import asyncio
from datetime import timedelta

from processors.engine.replay import Replay, kept_views, replay
from processors.engine.view import TaskView
from schemas.topics import NOTIFICATIONS
from tests.engine.test_engine import Brittle
from tests.engine.world import World
from tests.vendor import life, record, transcoder
from tests.waiting import eventually


async def settled(tasks: int = 5) -> World:
    world = World()
    await world.append([record(raw, world.clock.now_ms()) for n in range(tasks) for raw in life(f"t{n}")])
    await world.append([record(transcoder("live", 110, 0), world.clock.now_ms())])
    await world.settle()
    return world


async def test_the_view_shows_every_task_and_one_with_its_timeline() -> None:
    world = await settled()
    view = TaskView(world.log, world.clock)
    assert not view.ready
    await view.catch_up()
    assert view.ready
    tasks, after = view.page()
    assert (len(tasks), after) == (6, None)
    assert all("timeline" not in task for task in tasks)
    one = view.get("transcoder", "t1")
    assert one is not None
    assert one["timeline"][0]["kind"] == "notification"
    assert view.get("transcoder", "nobody") is None


async def test_pages_filter_and_continue_at_their_cursor() -> None:
    world = await settled()
    view = TaskView(world.log, world.clock)
    await view.catch_up()
    assert [task["id"] for task in view.page(status="STARTED")[0]] == ["live"]
    assert view.page(product="push") == ([], None)
    assert view.page(instance="room-1") == ([], None)
    first, cursor = view.page(status="EXIT", limit=2)
    second, cursor = view.page(status="EXIT", limit=2, cursor=cursor)
    third, end = view.page(status="EXIT", limit=2, cursor=cursor)
    assert [task["id"] for task in [*first, *second, *third]] == [f"t{n}" for n in range(5)]
    assert end is None


async def test_the_view_follows_the_log_and_lets_go_of_what_is_forgotten() -> None:
    world = await settled(tasks=1)
    view = TaskView(world.log, world.clock)
    stop = asyncio.Event()
    following = asyncio.create_task(view.follow(stop))

    async def shows(key: str, present: bool) -> bool:
        return (view.get("transcoder", key) is not None) is present

    await eventually(lambda: shows("t0", True))
    await world.append([record(transcoder("new", 110, 0), world.clock.now_ms())])
    await world.settle()
    await eventually(lambda: shows("new", True))
    await world.clock.advance(timedelta(hours=73))
    await world.settle()
    await eventually(lambda: shows("t0", False))
    stop.set()
    await world.clock.advance(timedelta(seconds=2))
    await following


async def replayed(world: World) -> Replay:
    now_ms = world.clock.now_ms() + 1
    return await replay(world.log, world.machines, from_ms=0, to_ms=now_ms, progress=lambda _: None)


async def test_a_replay_of_everything_finds_no_difference() -> None:
    world = await settled()
    fresh = await replayed(world)
    assert (fresh.read, fresh.broken) == (26, [])
    assert fresh.differences(await kept_views(world.log)) == []


async def test_a_replay_finds_what_the_kept_state_does_not_know() -> None:
    world = await settled(tasks=1)
    await world.append([record(transcoder("t0", 112, 9, state="running"), world.clock.now_ms())])
    differences = (await replayed(world)).differences(await kept_views(world.log))
    assert ("transcoder/t0", "sequence", 4, 9) in [(d.key, d.field, d.kept, d.replayed) for d in differences]


async def test_a_replay_writes_nothing_and_reports_what_breaks_the_core() -> None:
    world = await settled(tasks=1)
    world.machines = Brittle(world.machines.policy)
    await world.append([record(transcoder("poison", 110, 0), world.clock.now_ms())])
    before = await world.log.extent(NOTIFICATIONS, 0)
    fresh = await replayed(world)
    assert fresh.broken == ["3:110:poison-110-0"]
    assert await world.log.extent(NOTIFICATIONS, 0) == before


async def test_a_view_of_an_empty_log_is_ready_at_once() -> None:
    world = World()
    view = TaskView(world.log, world.clock)
    stop = asyncio.Event()
    following = asyncio.create_task(view.follow(stop))

    async def ready() -> bool:
        return view.ready

    await eventually(ready)
    assert view.page() == ([], None)
    stop.set()
    await world.clock.advance(timedelta(seconds=2))
    await following
