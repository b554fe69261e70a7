"""What the engine makes of a log: statuses, public records, timers, poison."""

from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from processors.core.decision import Decision
from processors.core.inputs import Input, TimeCame
from processors.core.machines import Machines
from processors.core.policy import Policy
from schemas.metrics import Metric
from schemas.public import RECORDS
from schemas.state import Task
from schemas.topics import DEAD_LETTERS, NOTIFICATIONS, SESSIONS, STATE, TASKS, TRANSITIONS, VIEWS
from tests.engine.world import World
from tests.vendor import body, life, record, transcoder


@pytest.fixture
def world() -> World:
    return World()


async def test_a_life_becomes_transitions_one_view_and_one_session(world: World) -> None:
    await world.append([record(raw) for raw in life("a")])
    await world.settle()
    assert [(told["number"], told["to"]) for told in await world.values(TRANSITIONS)] == [
        (1, "STARTED"),
        (2, "IN_PROGRESS"),
        (3, "EXIT"),
    ]
    [task] = await world.values(TASKS)
    assert (task["status"], task["sequence"], task["endReason"]) == ("EXIT", 4, "Stop request")
    [session] = await world.values(SESSIONS)
    assert (session["runningSeconds"], session["uncertaintySeconds"], session["revision"]) == (4.0, 0, 1)
    [view] = await world.values(VIEWS)
    assert [moment["kind"] for moment in view["timeline"]].count("transition") == 3


@pytest.mark.parametrize(
    ("topic", "name"),
    [(TRANSITIONS, "transition"), (TASKS, "task"), (SESSIONS, "session"), (DEAD_LETTERS, "dead-letter")],
)
async def test_what_is_published_keeps_the_public_schema(world: World, topic: str, name: str) -> None:
    await world.append([record(raw) for raw in [*life("a"), transcoder("b", 112, 1, state="failed")]])
    await world.append([record(b'{"noticeId":"n","productId":1,"eventType":101,"payload":{}}')._replace(value=b"[]")])
    await world.settle()
    published = await world.values(topic)
    assert published
    schema = RECORDS[name].model_json_schema(by_alias=True)
    for value in published:
        jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())


async def test_a_restart_continues_where_the_commit_left_off(world: World) -> None:
    pieces = [record(raw) for raw in life("a")]
    for piece in pieces:
        await world.append([piece])
        await world.settle()
    numbers = [told["number"] for told in await world.values(TRANSITIONS)]
    assert numbers == [1, 2, 3]
    [task] = await world.values(TASKS)
    assert task["counts"]["notifications"] == 5


async def test_other_products_reach_no_state(world: World) -> None:
    await world.append([record(body(1, 103, {"channelName": "room", "uid": 1, "ts": 1_560_396_843}, notice="n1"))])
    await world.settle()
    assert await world.values(STATE) == []
    assert len(await world.values(NOTIFICATIONS)) == 1


async def test_a_console_test_reaches_no_state(world: World) -> None:
    await world.append([record(body(5, 1, {"channelName": "test_webhook", "converter": {"id": "c"}}, notice="n1"))])
    await world.settle()
    assert await world.values(STATE) == []


async def test_timers_survive_a_restart_and_forget_an_ended_task(world: World) -> None:
    now = world.clock.now_ms()
    await world.append([record(raw, now) for raw in life("a")])
    await world.settle()
    await world.clock.advance(timedelta(hours=71))
    await world.settle()
    assert await world.values(TASKS)
    await world.clock.advance(timedelta(hours=2))
    await world.settle()
    for topic in (STATE, TASKS, VIEWS):
        assert await world.values(topic) == [], topic


async def test_a_silent_task_becomes_suspect_and_is_then_lost_sight_of(world: World) -> None:
    await world.append([record(transcoder("a", 110, 0), world.clock.now_ms())])
    await world.settle()
    await world.clock.advance(timedelta(days=1))
    await world.settle()
    [task] = await world.values(TASKS)
    assert (task["suspect"], task["doubt"]) == (True, "silent")
    await world.clock.advance(timedelta(days=6))
    await world.settle()
    assert await world.values(TASKS) == []
    assert world.metrics.total(Metric.LOST_SIGHT) == 1
    assert len(await world.values(TRANSITIONS)) == 1


class Brittle(Machines):
    """A core that breaks on one task, and on the timer of another."""

    def step(self, state: Task | None, given: Input, now_ms: int) -> Decision:
        if isinstance(given, TimeCame) and state is not None and state.id == "tick":
            raise ZeroDivisionError("secret-in-a-message")
        decision = super().step(state, given, now_ms)
        if decision.state is not None and decision.state.id == "poison":
            raise ZeroDivisionError("secret-in-a-message")
        return decision


async def test_poison_is_set_aside_and_its_neighbours_move_on(world: World) -> None:
    world.machines = Brittle(Policy())
    pieces = [record(raw) for number in range(20) for raw in life(f"t{number}")]
    pieces.insert(33, record(transcoder("poison", 110, 0)))
    await world.append(pieces)
    await world.settle()
    tasks = await world.values(TASKS)
    assert {task["id"] for task in tasks} == {f"t{number}" for number in range(20)}
    assert all(task["status"] == "EXIT" for task in tasks)
    [letter] = await world.values(DEAD_LETTERS)
    assert (letter["where"], letter["reason"], letter["source"]) == ("processor", "broke-the-core", "transcoder")
    assert "secret" not in str(letter)
    assert world.metrics.total(Metric.DEAD_LETTERS) == 1


async def test_a_timer_that_breaks_the_core_does_not_stop_the_partition(world: World) -> None:
    world.machines = Brittle(Policy())
    await world.append([record(transcoder("tick", 110, 0), world.clock.now_ms())])
    await world.settle()
    await world.clock.advance(timedelta(days=1))
    async with world.log.lease([NOTIFICATIONS]) as lease:
        partition = await lease.take(0)
        worker = world.hire(partition)
        await worker.restore()
        for _ in range(3):
            await worker.turn()
        await world.append([record(raw, world.clock.now_ms()) for raw in life("a")])
        await worker.turn()
    assert len(await world.values(DEAD_LETTERS)) == 1
    assert {task["id"]: task["status"] for task in await world.values(TASKS)}["a"] == "EXIT"


async def test_every_partition_folds_its_own_tasks() -> None:
    world = World(partitions=4)
    await world.append([record(raw) for number in range(30) for raw in life(f"t{number}")])
    await world.settle()
    statuses: list[dict[str, Any]] = await world.values(TASKS)
    assert len(statuses) == 30
    assert {task["status"] for task in statuses} == {"EXIT"}
