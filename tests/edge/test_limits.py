"""Floods: of bad signatures, of addresses, of requests that wait."""

import asyncio
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from receiver.addresses import Addresses
from receiver.limits import Buckets
from receiver.routes.refusals import EXPLAINED_AT_ONCE, EXPLAINED_PER_SECOND, LINES_AT_ONCE
from schemas.metrics import Metric
from schemas.topics import NOTIFICATIONS
from tests.doubles.edge_world import STRANGER, Edge, Seconds, notification, signed

BAD = {"Agora-Signature-V2": "0" * 64}
HUMAN = ("198.51.100.7", 4000)


async def exhaust(edge: Edge, client: tuple[str, int] = STRANGER, headers: Mapping[str, str] = BAD) -> None:
    """Use up an address's explanations."""
    for _ in range(EXPLAINED_AT_ONCE):
        assert (await edge.post(notification(), headers, client=client)).json.get("cause")


async def test_past_the_limit_a_refusal_is_bare_and_counted() -> None:
    edge = Edge()
    await exhaust(edge)
    reply = await edge.post(notification(), BAD)
    assert (reply.status, reply.body) == (401, b"{}")
    assert edge.metrics.counts[Metric.REFUSED_SIGNATURES, "limited"] == 1


async def test_a_missing_signature_is_limited_alike() -> None:
    edge = Edge()
    await exhaust(edge, headers={})
    assert (await edge.post(notification(), {})).body == b"{}"


async def test_a_right_signature_is_never_limited() -> None:
    edge = Edge()
    await exhaust(edge)
    for _ in range(3 * EXPLAINED_AT_ONCE):
        assert (await edge.post(notification())).status == 200


async def test_another_address_is_told_why() -> None:
    edge = Edge()
    await exhaust(edge)
    assert (await edge.post(notification(), BAD, client=HUMAN)).json["cause"] == "unknown"


async def test_time_gives_explanations_back() -> None:
    edge = Edge()
    await exhaust(edge)
    edge.seconds.value += 1 / EXPLAINED_PER_SECOND
    assert (await edge.post(notification(), BAD)).json["cause"] == "unknown"
    assert (await edge.post(notification(), BAD)).body == b"{}"


async def test_a_flood_of_bad_signatures_writes_few_lines() -> None:
    edge = Edge()
    with capture_logs() as lines:
        for number in range(10 * LINES_AT_ONCE):
            await edge.post(notification(), BAD, client=(f"198.51.100.{number}", 1))
    refused = [line for line in lines if line["event"] == "signature_refused"]
    assert len(refused) == LINES_AT_ONCE
    assert refused[0]["address"] == "198.51.100.0"


async def test_a_flood_of_bad_signatures_does_not_hold_up_good_ones() -> None:
    edge = Edge(waiting_limit=4)
    flood = [asyncio.create_task(edge.post(notification(), BAD)) for _ in range(2_000)]
    good = await edge.post(notification())
    assert good.status == 200
    assert {reply.status for reply in await asyncio.gather(*flood)} == {401}


def forgets_the_oldest_address(buckets: Any) -> None:
    for number in range(1_000):
        buckets.take(str(number))
    assert len(buckets) <= 10


def test_the_memory_of_addresses_is_bounded() -> None:
    forgets_the_oldest_address(Buckets(burst=1, per_second=1, addresses=10, now=Seconds()))


def test_a_limiter_that_forgets_nobody_is_noticed() -> None:
    with pytest.raises(AssertionError):
        forgets_the_oldest_address(Buckets(burst=1, per_second=1, addresses=10**9, now=Seconds()))


def test_an_address_that_asks_all_the_time_is_not_the_one_forgotten() -> None:
    buckets = Buckets(burst=1, per_second=0.001, addresses=3, now=Seconds())
    assert buckets.take("noisy")
    for number in range(50):
        buckets.take(str(number))
        assert not buckets.take("noisy")


@given(st.lists(st.floats(0, 100), max_size=60))
def test_an_address_gets_at_most_its_burst_and_its_rate(pauses: list[float]) -> None:
    clock = Seconds()
    buckets = Buckets(burst=5, per_second=0.5, addresses=3, now=clock)
    granted = 0
    for pause in pauses:
        clock.value += pause
        granted += buckets.take("a")
    assert granted <= 5 + 0.5 * sum(pauses) + 1e-6


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    return {"client": None if peer is None else (peer, 1), "headers": headers}


def believes_only_its_proxies(addresses: Any) -> None:
    assert addresses.client(scope("10.0.0.1", "1.2.3.4")) == "1.2.3.4"
    assert addresses.client(scope("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9")) == "1.2.3.4", "from the right"
    assert addresses.client(scope("10.0.0.1", "6.6.6.6, 1.2.3.4", "10.9.9.9")) == "1.2.3.4", "over several lines"
    assert addresses.client(scope("203.0.113.9", "1.2.3.4")) == "203.0.113.9", "a stranger's word counts nothing"
    assert addresses.client(scope("10.0.0.1")) == "10.0.0.1"
    assert addresses.client(scope("::ffff:10.0.0.1", "1.2.3.4:5678")) == "1.2.3.4"
    assert addresses.client(scope("10.0.0.1", "[2001:db8::1]:443")) == "2001:db8::/64"


def test_forwarded_addresses_count_only_from_trusted_proxies() -> None:
    believes_only_its_proxies(Addresses([ip_network("10.0.0.0/8")]))


class BelievesEveryone:
    def client(self, scope: Mapping[str, Any]) -> str:
        lines = [value.decode() for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return lines[0].split(",")[0] if lines else str(scope["client"][0])


def test_a_receiver_that_believes_everyone_is_noticed() -> None:
    with pytest.raises(AssertionError):
        believes_only_its_proxies(BelievesEveryone())


def test_without_trusted_proxies_only_the_peer_counts() -> None:
    assert Addresses([]).client(scope("127.0.0.1", "1.2.3.4")) == "127.0.0.1"


def test_a_whole_ipv6_network_is_one_address() -> None:
    addresses = Addresses([])
    assert addresses.client(scope("2001:db8:1:2::1")) == addresses.client(scope("2001:db8:1:2:ffff::9"))
    assert addresses.client(scope("2001:db8:1:3::1")) != addresses.client(scope("2001:db8:1:2::1"))


@given(st.none() | st.text(max_size=50), st.lists(st.text(st.characters(max_codepoint=255), max_size=200), max_size=5))
def test_no_header_breaks_the_address(peer: str | None, lines: list[str]) -> None:
    addresses = Addresses([ip_network("0.0.0.0/0"), ip_network("::/0")])
    assert len(addresses.client(scope(peer, *lines))) <= 64


async def test_a_forged_header_does_not_evade_the_limit() -> None:
    edge = Edge(trusted_proxies=["10.0.0.0/8"])
    await exhaust(edge)
    assert (await edge.post(notification(), BAD | {"X-Forwarded-For": "9.9.9.9"})).body == b"{}"
    behind_proxy = ("10.0.0.1", 1)
    reply = await edge.post(notification(), BAD | {"X-Forwarded-For": "9.9.9.9"}, client=behind_proxy)
    assert reply.json["cause"] == "unknown"


async def test_admission_is_bounded_and_refuses_before_reading() -> None:
    edge = Edge(waiting_limit=3)
    edge.appender.gate.clear()
    held = [asyncio.create_task(edge.post(notification())) for _ in range(3)]
    await edge.appender.arrivals(3)
    reply = await edge.post(notification())
    assert (reply.status, reply.json["cause"]) == (503, "busy")
    assert int(reply.headers["retry-after"]) > 0
    edge.appender.gate.set()
    assert {reply.status for reply in await asyncio.gather(*held)} == {200}
    assert (await edge.post(notification(), signed(notification()))).status == 200
    assert len(edge.appender.on(NOTIFICATIONS)) == 4
