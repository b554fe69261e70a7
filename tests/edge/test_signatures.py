"""Who is believed: the published vectors, rotation, the V1 switch, and what a refusal says."""

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode
from schemas.metrics import Metric
from schemas.signature import V1_DIGEST, Mismatch, Secrets, explain, sign, source_of
from schemas.topics import NOTIFICATIONS
from tests.doubles.edge_world import PUSH_SECRET, SECRET, SECRETS, Edge, notification, signed

VECTORS: list[dict[str, Any]] = decode(Path("schemas/examples/signature-vectors.json").read_bytes())
CANONICAL = next(vector for vector in VECTORS if vector["id"] == "A-canonical")
Verifier = Callable[..., str | None]


def claims(vector: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """What a vector says, one signature at a time: a digest printed under the wrong heading is wrong under both."""
    return [{"v2": None, "v1": None} | {name: vector[key]} for name, key in PUBLISHED.items() if vector.get(key)]


PUBLISHED = {"v1": "v1_sha1", "v2": "v2_sha256"}


def believes_only_what_is_right(verify: Verifier) -> None:
    """The vectors, and the rules they do not show."""
    for vector in VECTORS:
        secrets = {"s": [(vector["secret"] or "secret").encode()]}
        for claim in claims(vector):
            found = verify(secrets, vector["body"].encode(), claim["v2"], claim["v1"], accept_v1=True)
            assert (found is not None) is bool(vector["verified"]), (vector["id"], claim)
    body = CANONICAL["body"].encode()
    both: Secrets = {"other": [b"x"], "s": [b"new", b"secret"]}
    v1, v2 = CANONICAL["v1_sha1"], CANONICAL["v2_sha256"]
    assert verify(both, body, v2.upper(), None, accept_v1=False) == "s", "rotation, and hex in either case"
    assert verify(both, body, None, v1, accept_v1=False) is None, "V1 alone can be switched off"
    assert verify(both, body, "0" * 64, v1, accept_v1=True) is None, "V2 decides when it is present"
    assert verify(both, body, v1, None, accept_v1=True) is None, "V1 is no V2"
    assert verify(both, body, v2 + " ", None, accept_v1=True) is None
    assert verify(both, body, v2[:32], None, accept_v1=True) is None, "a part is not the whole"
    assert verify(both, body, "", v1, accept_v1=True) is None, "an empty V2 is a V2"


def test_the_verifier_believes_only_what_is_right() -> None:
    believes_only_what_is_right(source_of)


def flawed_v1_only(secrets: Secrets, body: bytes, v2: str | None, v1: str | None, *, accept_v1: bool) -> str | None:
    return next((name for name, live in secrets.items() if v1 in {sign(key, body, V1_DIGEST) for key in live}), None)


def flawed_newest_only(secrets: Secrets, body: bytes, v2: str | None, v1: str | None, *, accept_v1: bool) -> str | None:
    return source_of({name: live[:1] for name, live in secrets.items()}, body, v2, v1, accept_v1=accept_v1)


def flawed_either(secrets: Secrets, body: bytes, v2: str | None, v1: str | None, *, accept_v1: bool) -> str | None:
    return source_of(secrets, body, v2, None, accept_v1=False) or source_of(
        secrets, body, None, v1, accept_v1=accept_v1
    )


def flawed_prefix(secrets: Secrets, body: bytes, v2: str | None, v1: str | None, *, accept_v1: bool) -> str | None:
    if v2 and v2.strip() == v2:
        for name, live in secrets.items():
            if any(sign(key, body).startswith(v2.lower()) for key in live):
                return name
        return None
    return source_of(secrets, body, v2, v1, accept_v1=accept_v1)


@pytest.mark.parametrize("flawed", [flawed_v1_only, flawed_newest_only, flawed_either, flawed_prefix])
def test_a_flawed_verifier_is_noticed(flawed: Verifier) -> None:
    with pytest.raises(AssertionError):
        believes_only_what_is_right(flawed)


@given(st.binary(), st.binary(min_size=1))
def test_what_is_signed_is_what_the_standard_says(body: bytes, secret: bytes) -> None:
    v2, v1 = hmac.new(secret, body, sha256).hexdigest(), hmac.new(secret, body, sha1).hexdigest()
    assert source_of({"s": [secret]}, body, v2, None, accept_v1=False) == "s"
    assert source_of({"s": [secret]}, body, None, v1, accept_v1=True) == "s"


@given(st.binary(), st.none() | st.text(), st.none() | st.text())
def test_no_signature_breaks_the_verifier(body: bytes, v2: str | None, v1: str | None) -> None:
    assert source_of(SECRETS, body, v2, v1, accept_v1=True) is None
    assert explain(SECRETS, SECRETS, body, v2, v1, accept_v1=True) in Mismatch


async def test_the_published_body_goes_through_with_its_published_signature() -> None:
    edge = Edge(secrets={"s": [b"secret"]})
    body = CANONICAL["body"].encode()
    for header, key in (("Agora-Signature", "v1_sha1"), ("Agora-Signature-V2", "v2_sha256")):
        assert (await edge.post(body, {header: CANONICAL[key]})).status == 200
    assert len(edge.appender.on(NOTIFICATIONS)) == 2


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if not vector["verified"]], ids=lambda one: one["id"])
async def test_a_wrong_published_signature_is_refused(vector: dict[str, Any]) -> None:
    edge = Edge(secrets={"s": [b"secret"]})
    for claim in claims(vector):
        headers = {
            name: value
            for name, value in zip(("Agora-Signature-V2", "Agora-Signature"), claim.values(), strict=True)
            if value
        }
        assert (await edge.post(vector["body"].encode(), headers)).status == 401
    assert not edge.appender.records


async def test_v1_alone_can_be_switched_off_and_says_so() -> None:
    edge = Edge(accept_v1_alone=False)
    headers = signed(notification())
    del headers["Agora-Signature-V2"]
    reply = await edge.post(notification(), headers)
    assert (reply.status, reply.json["cause"]) == (401, "v1-disabled")
    assert (await edge.post(notification(), signed(notification()))).status == 200


async def test_every_live_secret_fits_and_the_source_is_recorded() -> None:
    edge = Edge()
    for secret in (SECRET, PUSH_SECRET, b"the-old-one"):
        assert (await edge.post(notification(), signed(notification(), secret))).status == 200
    assert [value["source"] for value in edge.appender.values(NOTIFICATIONS)] == ["transcoder", "push", "push"]


async def test_a_path_with_a_source_believes_that_source_only() -> None:
    edge = Edge()
    reply = await edge.post(notification(), signed(notification(), PUSH_SECRET), "/notifications/transcoder")
    assert (reply.status, reply.json["cause"]) == (401, "other-source")
    assert (await edge.post(notification(), signed(notification(), PUSH_SECRET), "/notifications/push")).status == 200


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({}, "missing"),
        ({"Agora-Signature-V2": "zz"}, "malformed"),
        ({"Agora-Signature-V2": "0" * 63 + "é"}, "malformed"),
        ({"Agora-Signature-V2": "0" * 64}, "unknown"),
        ({"Agora-Signature": "0" * 40}, "unknown"),
        ({"Agora-Signature-V2": "0" * 64, "Agora-Signature": sign(SECRET, notification(), V1_DIGEST)}, "v1-only"),
    ],
)
async def test_a_refusal_says_what_a_human_can_check(headers: dict[str, str], cause: str) -> None:
    edge = Edge()
    reply = await edge.post(notification(), headers)
    assert (reply.status, reply.json["cause"]) == (401, cause)
    assert reply.json["detail"]
    assert SECRET not in reply.body
    assert sign(SECRET, notification()).encode() not in reply.body
    assert edge.metrics.counts[Metric.REFUSED_SIGNATURES, cause] == 1


async def test_an_altered_body_is_refused() -> None:
    edge = Edge()
    body = notification()
    for altered in (body + b" ", body.replace(b"running", b"stopped"), body[:-1], b""):
        assert (await edge.post(altered, signed(body))).status == 401


async def test_two_different_signatures_are_none() -> None:
    edge = Edge()
    right = sign(SECRET, notification())
    for pair in ((right, "0" * 64), ("0" * 64, right)):
        headers = [("Agora-Signature-V2", value) for value in pair]
        assert (await edge.post(notification(), headers)).status == 401


async def test_the_same_signature_twice_is_one() -> None:
    edge = Edge()
    headers = [("Agora-Signature-V2", sign(SECRET, notification()))] * 2
    assert (await edge.post(notification(), headers)).status == 200
