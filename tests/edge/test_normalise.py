"""What an authentic body becomes: keys, ids, times, and an answer for every hostile thing."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from receiver import shapes
from receiver.normalise import NotUnderstood, Reason, Understood, normalise
from schemas import public
from schemas.agora import PAYLOADS, Envelope, PushPayload, TranscoderPayload
from schemas.codec import decode, encode
from schemas.products import Product
from schemas.topics import NOTIFICATIONS
from tests.doubles.edge_world import TRANSCODER_STATUS, notification

RECEIVED = 1_700_000_000_123


def understood(body: bytes) -> Understood:
    meaning = normalise(body, "s", RECEIVED)
    assert isinstance(meaning, Understood), meaning
    public.Notification.model_validate_json(meaning.record.value or b"")
    return meaning


def refused(body: bytes) -> NotUnderstood:
    meaning = normalise(body, "s", RECEIVED)
    assert isinstance(meaning, NotUnderstood), meaning
    return meaning


def value(body: bytes) -> dict[str, Any]:
    content: dict[str, Any] = decode(understood(body).record.value or b"")
    return content


def test_a_task_notification_becomes_a_record_under_its_task() -> None:
    meaning = understood(notification())
    record = meaning.record
    assert (record.topic, record.key) == (NOTIFICATIONS, "transcoder/0123456789abcdef")
    assert (record.id, record.product) == ("22:112:2000001428:4330:107", "transcoder")
    assert record.time_ms == TRANSCODER_STATUS["sendts"]
    assert value(notification()) == {
        "noticeId": "2000001428:4330:107",
        "productId": 22,
        "eventType": 112,
        "event": "cloud_transcoder_status",
        "notifyMs": 1_699_999_999_000,
        "payload": TRANSCODER_STATUS,
        "product": "transcoder",
        "taskId": "0123456789abcdef",
        "source": "s",
        "receivedAt": "2023-11-14T22:13:20.123Z",
    }


@pytest.mark.parametrize(
    ("fields", "payload", "key", "product"),
    [
        ({"productId": 3}, TRANSCODER_STATUS, "transcoder/0123456789abcdef", "transcoder"),
        ({"productId": 5, "eventType": 3}, {"converter": {"id": "c1"}}, "push/c1", "push"),
        ({"productId": 4, "eventType": 4}, {"player": {"id": "p1"}}, "pull/p1", "pull"),
        ({"productId": 22}, {"taskId": 7, "details": {}}, "transcoder/7", "transcoder"),
        ({"productId": 1, "eventType": 101}, {"channelName": "room"}, "1/room", "rtc"),
        ({"productId": 3, "eventType": 40}, {"cname": "room"}, "3/room", "recording"),
        ({"productId": 17, "eventType": 101}, {"channel": "room"}, "17/room", "conversational-ai"),
        ({"productId": 10, "eventType": 1}, {"rtcInfo": {"channel": "room"}}, "10/room", "gateway"),
        ({"productId": 10, "eventType": 1}, {"rtcInfo": 5}, "10/2000001428:4330:107", "gateway"),
        ({"productId": 1, "eventType": 101}, {"channelName": ""}, "1/2000001428:4330:107", "rtc"),
        ({"productId": 1, "eventType": 101}, {"channelName": "x" * 257}, "1/2000001428:4330:107", "rtc"),
        ({"productId": 99}, {}, "99/2000001428:4330:107", "product-99"),
    ],
)
def test_the_key_names_the_task_else_the_channel_else_the_notice(
    fields: dict[str, Any], payload: dict[str, Any], key: str, product: str
) -> None:
    meaning = understood(notification(payload, **fields))
    assert (meaning.record.key, meaning.record.product, meaning.product) == (key, product, product)


def test_only_a_task_has_a_task_id() -> None:
    assert value(notification())["taskId"] == "0123456789abcdef"
    assert value(notification({"channelName": "room"}, productId=1))["taskId"] is None


@pytest.mark.parametrize(
    ("fields", "payload", "time_ms"),
    [
        ({"productId": 5}, {"converter": {"id": "c"}, "lts": 1_603_456_600}, 1_603_456_600_000),
        ({"productId": 1}, {"ts": 1_614_335_577}, 1_614_335_577_000),
        ({"productId": 3}, {"sendts": 1_614_335_577_001}, 1_614_335_577_001),
        ({"productId": 1, "notifyMs": 1_614_335_577_167}, {}, 1_614_335_577_167),
        ({"productId": 1, "notifyMs": None}, {}, RECEIVED),
        ({"productId": 1, "notifyMs": "never"}, {"ts": []}, RECEIVED),
    ],
)
def test_the_time_is_the_vendors_else_ours(fields: dict[str, Any], payload: dict[str, Any], time_ms: int) -> None:
    assert understood(notification(payload, **fields)).record.time_ms == time_ms


def test_a_resend_has_the_same_id() -> None:
    first, again = notification(), notification(notifyMs=1_699_999_999_999)
    assert understood(first).record.id == understood(again).record.id


def test_unknown_fields_stay_and_never_replace_ours() -> None:
    kept = value(notification(sid="S1", appId=5, taskId="forged", source="forged", product="forged", event="forged"))
    assert (kept["sid"], kept["appId"]) == ("S1", 5)
    assert (kept["taskId"], kept["source"], kept["product"]) == ("0123456789abcdef", "s", "transcoder")
    assert kept["event"] == "cloud_transcoder_status"


def test_numbers_and_text_are_taken_for_each_other() -> None:
    kept = value(notification(noticeId=12, productId="22", eventType="112", notifyMs="1699999999"))
    assert (kept["noticeId"], kept["productId"], kept["eventType"]) == ("12", 22, 112)
    assert kept["notifyMs"] == 1_699_999_999_000


def test_the_last_of_duplicate_keys_wins() -> None:
    body = notification()[:-1] + b',"eventType":111}'
    assert value(body)["eventType"] == 111


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"{", Reason.NOT_JSON),
        (b"\xff\xfe{}", Reason.NOT_JSON),
        (b'{"a":"\xc3\x28"}', Reason.NOT_JSON),
        (b'{"a":"\\ud800"}', Reason.NOT_JSON),
        (b"NaN", Reason.NOT_JSON),
        (b'{"a":1e999}', Reason.NOT_JSON),
        (b"[" * 10_000 + b"]" * 10_000, Reason.NOT_JSON),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, Reason.NOT_JSON),
        (b"\xef\xbb\xbf{}", Reason.NOT_JSON),
        (b"[]", Reason.BAD_ENVELOPE),
        (b"null", Reason.BAD_ENVELOPE),
        (b'"text"', Reason.BAD_ENVELOPE),
        (b"{}", Reason.BAD_ENVELOPE),
        (notification(payload=None, noticeId=""), Reason.BAD_ENVELOPE),
        (notification(noticeId="x" * 257), Reason.BAD_ENVELOPE),
        (notification(noticeId=None), Reason.BAD_ENVELOPE),
        (notification(productId=-1), Reason.BAD_ENVELOPE),
        (notification(productId=2**63), Reason.BAD_ENVELOPE),
        (notification(eventType=1.5), Reason.BAD_ENVELOPE),
        (notification(payload=None) + b"x", Reason.NOT_JSON),
        (notification({"serviceScene": "rtsc/cloud-transcoder"}), Reason.BAD_PAYLOAD),
        (notification(TRANSCODER_STATUS | {"taskId": "x" * 257}), Reason.BAD_PAYLOAD),
        (notification(TRANSCODER_STATUS | {"sequence": -1}), Reason.BAD_PAYLOAD),
        (notification({"converter": []}, productId=5), Reason.BAD_PAYLOAD),
        (notification({"player": {}}, productId=4), Reason.BAD_PAYLOAD),
        (json.dumps({"noticeId": "n", "productId": 1, "eventType": 1, "payload": 5}).encode(), Reason.BAD_ENVELOPE),
    ],
)
def test_what_is_not_understood_says_why(body: bytes, reason: Reason) -> None:
    assert refused(body).reason is reason


def test_what_json_can_hold_and_a_record_cannot_is_set_aside() -> None:
    deep = b'{"noticeId":"n","productId":1,"eventType":1,"payload":{"a":' + b"[" * 500 + b"]" * 500 + b"}}"
    assert refused(deep).reason is Reason.TOO_DEEP
    assert refused(deep).key == "1/n"


def test_numbers_beyond_any_type_are_kept_as_well_as_json_can() -> None:
    huge = b'{"noticeId":"n","productId":1,"eventType":1,"payload":{"n":18446744073709551616,"f":1e300,"d":[-1e-999]}}'
    assert value(huge)["payload"] == {"n": 2.0**64, "f": 1e300, "d": [0.0]}


def test_a_detail_names_places_and_never_values() -> None:
    for body in (
        notification({"taskId": "", "details": "canary"}),
        notification({"taskId": ["canary"], "details": {"event": {"canary": "canary"}}}),
        notification({"converter": "canary"}, productId=5),
        notification(noticeId=["canary"], productId="canary", eventType={"canary": 1}),
        b'{"canary": canary}',
    ):
        assert "canary" not in refused(body).detail
    assert refused(notification({"taskId": 1})).detail == "payload.details: missing"


def test_a_detail_is_short_however_much_is_wrong() -> None:
    worst = TRANSCODER_STATUS | {"details": {"transcoder": {"inputs": [5] * 1_000}}}
    assert len(refused(notification(worst)).detail) < 500


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "noticeId", "productId", "eventType", "notifyMs", "payload", "taskId", "instanceId", "sequence", "sendts",
        "serviceScene", "details", "event", "state", "stopReason", "transcoder", "inputs", "converter", "player", "id",
        "name", "status", "channelName", "lts", "destroyReason", "fields", "transcodeOptions", "rtcInfo", "token",
    ]
)  # fmt: skip
near_misses = st.recursive(
    json_values | st.sampled_from([22, 5, 4, 3, 110, "rtsc/cloud-transcoder", "cloud_transcoder_started", "x" * 257]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=8),
    max_leaves=20,
)
envelopes = st.fixed_dictionaries(
    {
        "noticeId": st.text(max_size=5) | json_values,
        "productId": st.sampled_from([1, 3, 4, 5, 22, "5"]) | json_values,
        "eventType": st.integers(0, 200) | json_values,
        "payload": st.dictionaries(names, near_misses, max_size=8) | near_misses,
    },
    optional={"notifyMs": json_values, "sid": json_values},
)


def total(body: bytes) -> None:
    meaning = normalise(body, "s", RECEIVED)
    if isinstance(meaning, Understood):
        assert len(meaning.record.key) <= 300
        public.Notification.model_validate_json(meaning.record.value or b"")


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    total(body)


@given(near_misses)
def test_no_json_breaks_it(sent: Any) -> None:
    total(encode(sent))


@settings(max_examples=500)
@given(envelopes)
def test_no_envelope_breaks_it(sent: dict[str, Any]) -> None:
    total(encode(sent))


def agrees_with_the_models(frame: Any, identity: Any, sent: dict[str, Any]) -> None:
    """Whatever the quick look recognises, the models understand in the same way."""
    seen = frame(sent)
    if seen is not None:
        model = Envelope.model_validate(sent)
        assert seen == (model.noticeId, model.productId, model.eventType, model.notifyMs, model.payload)
    payload = sent["payload"]
    for product in Product:
        found = identity(product, payload) if isinstance(payload, dict) else None
        if found is None:
            continue
        try:
            typed = PAYLOADS[product].model_validate(payload)
        except ValidationError as error:
            raise AssertionError(f"{product} is not {payload}") from error
        if isinstance(typed, TranscoderPayload):
            assert found == (typed.taskId, typed.sendts)
        else:
            part = typed.converter if isinstance(typed, PushPayload) else typed.player
            assert found == (part.id, typed.lts)


@settings(max_examples=500)
@given(envelopes)
def test_the_quick_look_agrees_with_the_models(sent: dict[str, Any]) -> None:
    agrees_with_the_models(shapes.frame, shapes.identity, decode(encode(sent)))


@pytest.mark.parametrize(
    "payload",
    [
        {"taskId": True, "details": {}},
        {"taskId": "t", "sequence": True, "details": {}},
        {"taskId": "t", "details": {"state": 5}},
        {"taskId": "t", "details": {"transcoder": 5}},
        {"converter": {"id": ""}},
        {"converter": {"id": "c", "transcodeOptions": 5}},
        {"player": {"id": "x" * 257}},
        {"player": {"id": "p", "name": []}},
    ],
)
def test_the_quick_look_leaves_what_is_unusual_to_the_models(payload: dict[str, Any]) -> None:
    assert [shapes.identity(product, payload) for product in Product] == [None, None, None]


def test_a_quick_look_that_is_too_lenient_is_noticed() -> None:
    def lenient(product: Product, payload: dict[str, Any]) -> tuple[str, None] | None:
        return (str(payload["taskId"]), None) if "taskId" in payload and product is Product.TRANSCODER else None

    with pytest.raises(AssertionError):
        agrees_with_the_models(shapes.frame, lenient, decode(notification({"taskId": "t"})))


def test_the_vendors_notify_ms_is_published_as_it_was_sent() -> None:
    assert value(notification(TRANSCODER_STATUS, notifyMs=1))["notifyMs"] == 1
    assert value(notification(TRANSCODER_STATUS, notifyMs="1611566412672"))["notifyMs"] == 1_611_566_412_672


def test_true_is_no_product() -> None:
    assert refused(notification(TRANSCODER_STATUS, productId=True)).reason is Reason.BAD_ENVELOPE
