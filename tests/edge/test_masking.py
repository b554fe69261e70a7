"""Canaries: a secret that came in is nowhere but in the sealed bytes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from processors.adapters.prometheus import PrometheusMetrics
from schemas.codec import decode, encode, is_array, is_object
from schemas.masking import MASK, is_secret_field, mask
from schemas.topics import DEAD_LETTERS, NOTIFICATIONS
from tests.doubles.edge_world import SECRET, TRANSCODER_STATUS, Edge, notification, signed

CANARY = "canary-5f3a"
ADDRESS = f"rtmp://push.example.com/live/{CANARY}"


def bodies() -> Iterator[tuple[str, bytes]]:
    """Every secret field of every product, where the vendor puts it and where it might."""
    config = encode({"token": CANARY, "streamUrl": ADDRESS}).decode()
    streams = [{"rtcChannel": "a", "rtcToken": CANARY}, {"streamUrl": ADDRESS}]
    transcoder = {"inputs": streams, "outputs": streams, "userConfigDetail": config}
    details = {"event": "cloud_transcoder_started", "state": "x", "transcoder": transcoder, "userConfigDetail": config}
    yield "transcoder", notification(TRANSCODER_STATUS | {"details": details}, eventType=110)
    yield (
        "transcoder-reason",
        notification(TRANSCODER_STATUS | {"details": {"stopReason": f"push to {ADDRESS} failed"}}, eventType=111),
    )
    yield "transcoder-builder", notification(TRANSCODER_STATUS | {"builderToken": CANARY, "tokenName": CANARY})
    yield "push", notification({"converter": {"id": "c", "rtmpUrl": ADDRESS, "name": "n"}}, productId=5, eventType=1)
    yield "push-id", notification({"converter": {"id": ADDRESS}}, productId=5, eventType=1)
    yield (
        "pull",
        notification(
            {"player": {"id": "p", "token": CANARY, "streamUrl": f"https://x/{CANARY}", "uid": 1}},
            productId=4,
            eventType=1,
        ),
    )
    yield (
        "pull-encryption",
        notification(
            {"player": {"id": "p", "encryptKey": CANARY, "encryptionKey": [CANARY], "encrypt_kdf_salt": {"a": CANARY}}},
            productId=4,
        ),
    )
    yield "gateway", notification({"streamKey": CANARY, "stream_key": CANARY, "Stream-Key": CANARY}, productId=10)
    yield (
        "envelope",
        notification(sid={"token": CANARY}, token=CANARY, rtmpURL=[CANARY], extra=[[{"rtcToken": CANARY}]]),
    )
    yield "notice", notification(noticeId=ADDRESS)
    yield "channel", notification({"channelName": ADDRESS, "list": [[ADDRESS.upper()]]}, productId=1)
    yield (
        "unknown-product",
        notification({"inputRtcTokens": [CANARY], "a": {"b": [{"userconfigdetail": CANARY}]}}, productId=9),
    )


@pytest.mark.parametrize(("name", "body"), list(bodies()))
async def test_no_canary_leaves_the_edge(name: str, body: bytes) -> None:
    edge = Edge(metrics=PrometheusMetrics())
    broken = (
        body[:-1]
        + b',"payload":{"serviceScene":"rtsc/cloud-transcoder","taskId":{"token":"'
        + CANARY.encode()
        + b'"}}}'
    )
    headers = {"X-Stream-Key": CANARY, "Cookie": CANARY, "Authorization": f"Bearer {CANARY}", "X-Note": ADDRESS}
    with capture_logs() as lines:
        replies = [
            await edge.post(body, signed(body) | headers),
            await edge.post(broken, signed(broken) | headers),
            await edge.post(broken[:-1], signed(broken[:-1]) | headers),
            await edge.post(body, {"Agora-Signature-V2": CANARY}),
            await edge.post(body, {}),
        ]
    assert [reply.status for reply in replies] == [200, 200, 200, 401, 401]
    told = [reply.body for reply in replies]
    told += [encode(line) for line in lines]
    told += [edge.metrics.render("")[0]]
    told += [encode([record.key, record.id, record.product]) for record in edge.appender.records]
    told += [record.value for record in edge.appender.on(NOTIFICATIONS)]
    letters = edge.appender.values(DEAD_LETTERS)
    assert len(edge.appender.on(NOTIFICATIONS)) == 1
    assert len(letters) == 2
    assert [edge.seal.open(letter.pop("body")) for letter in letters] == [broken, broken[:-1]]
    told += [encode(letter) for letter in letters]
    for text in told:
        assert CANARY.encode() not in text.lower()
        assert SECRET not in text
    assert MASK in str(edge.appender.values(NOTIFICATIONS))


def finds_every_secret(masker: Callable[[Any], Any]) -> None:
    sent = {
        "token": CANARY,
        "TOKEN": [CANARY],
        "a": {"rtmp_url": CANARY, "b": [{"c": {"streamKey": {"deep": CANARY}}}]},
        "text": f"failed: RTMPS://host/{CANARY}",
        "list": [ADDRESS, [ADDRESS]],
    }
    assert CANARY.encode() not in encode(masker(sent))


def test_every_secret_is_found_at_any_depth() -> None:
    finds_every_secret(mask)


def shallow(value: dict[str, Any]) -> dict[str, Any]:
    return {name: MASK if name.lower() in {"token", "text", "list"} else child for name, child in value.items()}


def test_a_masker_that_looks_only_at_the_surface_is_noticed() -> None:
    with pytest.raises(AssertionError):
        finds_every_secret(shallow)


def test_what_is_no_secret_stays() -> None:
    innocent = {"tokens": 1, "key": "k", "url": "https://a/b", "rtmp": True, "token": None, "at": [1, None, "rtmp"]}
    assert mask(dict(innocent)) == innocent


def test_masking_twice_is_masking_once() -> None:
    once = mask({"token": "a", "b": [ADDRESS]})
    assert mask(decode(encode(once))) == once


def test_no_nesting_exhausts_the_stack() -> None:
    deep: Any = ADDRESS
    for _ in range(100_000):
        deep = [deep]
    masked = mask(deep)
    while is_array(masked):
        [masked] = masked
    assert masked == MASK


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["token", "a", "Rtmp-Url"]) | st.text(), inner),
    )
)
def test_masking_keeps_the_shape(value: Any) -> None:
    def shape(node: Any) -> Any:
        if is_object(node):
            return {name: shape(child) for name, child in node.items() if not is_secret_field(name)}
        return [shape(child) for child in node] if is_array(node) else None

    before = shape(value)
    assert shape(mask(value)) == before


def test_secrets_inside_a_text_that_is_json_are_masked_too() -> None:
    inner = encode({"token": CANARY, "list": [encode({"rtmpUrl": CANARY}).decode()], "open": 1}).decode()
    masked = mask({"note": inner, "list": [inner]})
    assert CANARY not in str(masked)
    assert decode(masked["note"])["open"] == 1


@pytest.mark.parametrize("text", ['{"open": 1.50}', "[1, 2 ]", "{no json", "[" * 300 + "]" * 300, "{" * 5000])
def test_a_text_without_secrets_stays_as_it_is_unless_it_cannot_be_looked_into(text: str) -> None:
    assert mask({"note": text})["note"] in {text, MASK}


def test_a_stream_address_of_srt_is_one_too() -> None:
    assert mask({"note": f"srt://host?streamid={CANARY}"}) == {"note": MASK}
