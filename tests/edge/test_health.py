"""`/livez`, `/readyz`, `/metrics`."""

import asyncio
from collections.abc import Callable

import pytest

from processors.adapters.prometheus import PrometheusMetrics
from receiver.app import build_app
from receiver.routes.health import PROOF_SECONDS, Readiness, metrics_route
from schemas.errors import Rejected, Unavailable
from schemas.topics import PROBES
from tests.doubles.edge_world import Edge, call, notification


async def test_alive_is_alive_whatever_else_fails() -> None:
    edge = Edge()
    edge.appender.failures = [Unavailable("gone")] * 9
    edge.readiness.drain()
    assert (await edge.get("/livez")).json == {"status": "ok"}


async def test_ready_is_proved_by_an_append() -> None:
    edge = Edge()
    reply = await edge.get("/readyz")
    assert (reply.status, reply.json) == (200, {"status": "ok", "degraded": None})
    [probe] = edge.appender.on(PROBES)
    assert probe.key == "test"


async def test_a_log_that_cannot_append_is_503_with_the_reason() -> None:
    edge = Edge()
    for failure in (Unavailable("the disk is full"), Rejected("never")):
        edge.appender.failures = [failure]
        reply = await edge.get("/readyz")
        assert reply.status == 503
        assert reply.json == {"status": "unavailable", "reason": f"log: {failure}"}
        assert reply.headers["retry-after"]
        edge.seconds.value += 2 * PROOF_SECONDS
    assert (await edge.get("/readyz")).status == 200


async def test_an_append_that_never_ends_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.routes.health.PROBE_WITHIN_SECONDS", 0.02)
    edge = Edge()
    edge.appender.gate.clear()
    assert (await edge.get("/readyz")).status == 503


@pytest.mark.parametrize("failures", [0, 1000])
async def test_nobody_can_hammer_the_disk_by_asking(failures: int) -> None:
    edge = Edge()
    edge.appender.failures = [Unavailable("gone")] * failures
    await asyncio.gather(*(edge.get("/readyz") for _ in range(50)))
    for _ in range(50):
        await edge.get("/readyz")
    assert edge.appender.arrived == 1
    edge.seconds.value += 2 * PROOF_SECONDS
    await edge.get("/readyz")
    assert edge.appender.arrived == 2


async def test_a_notification_that_became_durable_is_proof_enough() -> None:
    edge = Edge()
    await edge.post(notification())
    assert (await edge.get("/readyz")).status == 200
    assert not edge.appender.on(PROBES)
    edge.seconds.value += 2 * PROOF_SECONDS
    edge.appender.failures = [Unavailable("gone")]
    assert (await edge.get("/readyz")).status == 503, "an old proof is none"


async def test_a_client_that_stops_waiting_does_not_stop_the_probe() -> None:
    edge = Edge()
    edge.appender.gate.clear()
    impatient = asyncio.create_task(edge.get("/readyz"))
    patient = asyncio.create_task(edge.get("/readyz"))
    await edge.appender.arrivals(1)
    impatient.cancel()
    edge.appender.gate.set()
    assert (await patient).status == 200


async def test_draining_is_not_ready_while_requests_are_still_served() -> None:
    edge = Edge()
    await edge.get("/readyz")
    edge.readiness.drain()
    reply = await edge.get("/readyz")
    assert (reply.status, reply.json["reason"]) == (503, "draining")
    assert (await edge.post(notification())).status == 200


def readiness(edge: Edge, **how: Callable[[], bool]) -> Readiness:
    return Readiness(edge.admission, edge.clock, name="n", conditions=how, degraded=lambda: "spool", now=edge.seconds)


async def test_what_else_must_hold_is_named_when_it_does_not() -> None:
    edge = Edge()
    holds = {"view": False, "engine": False}
    app = build_app(readiness(edge, view=lambda: holds["view"], engine=lambda: holds["engine"]))
    assert (await call(app, "GET", "/readyz")).json["reason"] == "view, engine"
    holds["view"] = True
    assert (await call(app, "GET", "/readyz")).json["reason"] == "engine"
    holds["engine"] = True
    assert (await call(app, "GET", "/readyz")).status == 200


async def test_degraded_is_ready_and_says_so() -> None:
    reply = await call(build_app(readiness(Edge())), "GET", "/readyz")
    assert (reply.status, reply.json) == (200, {"status": "ok", "degraded": "spool"})


async def test_metrics_are_open_and_fresh() -> None:
    metrics = PrometheusMetrics()
    edge = Edge(metrics=metrics, routes=lambda one: [metrics_route(metrics, one.metrics, one.admission)])
    edge.appender.gate.clear()
    waiting = asyncio.create_task(edge.post(notification()))
    await edge.appender.arrivals(1)
    reply = await edge.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    assert b"agora_events_pending_appends 1.0" in reply.body
    edge.appender.gate.set()
    await waiting
    shown = (await edge.get("/metrics")).body
    assert b'agora_events_answers_total{status="200"} 1.0' in shown
    assert b'agora_events_notifications_total{product="transcoder",source="transcoder"} 1.0' in shown
    assert b"agora_events_pending_appends 0.0" in shown
