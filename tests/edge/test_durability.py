"""200 means durable: never before the append, never without it, never after too long."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from receiver.limits import Deadlines
from schemas.errors import Rejected, Unavailable
from schemas.topics import DEAD_LETTERS, NOTIFICATIONS
from tests.doubles.edge_world import Edge, RecordingAppender, call, notification, signed


async def answers_only_when_durable(wrap: Callable[[ASGIApp], ASGIApp]) -> None:
    """Nothing is answered while the append waits, and what is answered then is what became of it."""
    for failure, status in ((None, 200), (Unavailable("gone"), 503), (Rejected("never"), 503)):
        edge = Edge()
        edge.appender.gate.clear()
        edge.appender.failures = [failure, failure] if failure else []
        request = asyncio.create_task(
            call(wrap(edge.app), "POST", "/notifications", (notification(),), signed(notification()))
        )
        for _ in range(20):
            await asyncio.sleep(0)
        assert edge.appender.arrived == 1
        assert not request.done(), "answered before the append returned"
        edge.appender.gate.set()
        assert (await request).status == status


async def test_an_answer_waits_for_the_append() -> None:
    await answers_only_when_durable(lambda app: app)


class AnswersFirst:
    """An endpoint that says 200 and does the work afterwards."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

        async def unheard(_: Any) -> None: ...

        self.work: asyncio.Task[None] = asyncio.create_task(self._work(scope, receive, unheard))


async def test_an_endpoint_that_answers_first_is_noticed() -> None:
    with pytest.raises(AssertionError):
        await answers_only_when_durable(AnswersFirst)


async def test_an_append_that_takes_too_long_is_503_and_is_given_up() -> None:
    edge = Edge(answer_within=timedelta(milliseconds=40))
    edge.appender.gate.clear()
    reply = await edge.post(notification())
    assert (reply.status, reply.json["cause"]) == (503, "not-durable")
    assert "retry-after" in reply.headers
    assert edge.admission.waiting == 0
    edge.appender.gate.set()
    assert (await edge.post(notification())).status == 200


async def test_a_dead_letter_that_takes_too_long_is_503() -> None:
    edge = Edge(answer_within=timedelta(milliseconds=40))
    edge.appender.gate.clear()
    assert (await edge.post(b"[]")).status == 503


async def test_a_cancellation_from_outside_is_not_taken_for_a_deadline() -> None:
    edge = Edge()
    edge.appender.gate.clear()
    request = asyncio.create_task(edge.post(notification()))
    await edge.appender.arrivals(1)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert edge.admission.waiting == 0


async def test_a_record_the_log_can_never_store_becomes_a_dead_letter() -> None:
    edge = Edge()
    edge.appender.failures = [Rejected("too large")]
    assert (await edge.post(notification())).status == 200
    [letter] = edge.appender.values(DEAD_LETTERS)
    assert letter["reason"] == "too-large"
    assert edge.appender.on(DEAD_LETTERS)[0].key == "transcoder/0123456789abcdef"


async def test_a_dead_letter_the_log_can_never_store_is_503() -> None:
    edge = Edge()
    edge.appender.failures = [Rejected("too large"), Rejected("too large")]
    assert (await edge.post(notification())).status == 503


async def test_a_failing_log_is_logged_a_few_times_with_key_and_notice() -> None:
    edge = Edge()
    edge.appender.failures = [Unavailable("the disk is full")] * 100
    with capture_logs() as lines:
        for _ in range(100):
            assert (await edge.post(notification())).status == 503
    failed = [line for line in lines if line["event"] == "append_failed"]
    assert 0 < len(failed) <= 10
    assert failed[0]["key"] == "transcoder/0123456789abcdef"
    assert failed[0]["notice"] == "22:112:2000001428:4330:107"


async def test_a_log_that_recovers_is_used_again_without_a_restart() -> None:
    edge = Edge()
    edge.appender.failures = [Unavailable("read-only file system")]
    assert [(await edge.post(notification())).status for _ in range(3)] == [503, 200, 200]
    assert len(edge.appender.on(NOTIFICATIONS)) == 2


async def test_metrics_come_after_the_answer() -> None:
    seen: list[str] = []

    class Telling:
        def count(self, *_: object, **__: str) -> None:
            seen.append("metric")

        observe = count

    class TellingAppender(RecordingAppender):
        async def append(self, records: Any) -> Any:
            seen.append("append")
            return await super().append(records)

    edge = Edge(metrics=Telling(), appender=TellingAppender())
    app = edge.app

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_tell(message: Any) -> None:
            seen.append("answer")
            await send(message)

        await app(scope, receive, send_and_tell)

    edge.app = telling
    await edge.post(notification())
    assert seen[:3] == ["append", "answer", "answer"]
    assert set(seen[3:]) == {"metric"}


async def test_a_deadline_counts_for_each_task_apart() -> None:
    deadlines = Deadlines(0.05)

    async def stay(seconds: float) -> bool:
        task = deadlines.enter()
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            return deadlines.missed(task)
        else:
            return False
        finally:
            deadlines.leave(task)

    assert tuple(await asyncio.gather(stay(5), stay(0), stay(5))) == (True, False, True)
    assert tuple(await asyncio.gather(stay(0), stay(5))) == (False, True), "the timer starts again"
