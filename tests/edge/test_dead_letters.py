"""What is set aside: sealed, addressed, the same letter under the same id."""

from structlog.testing import capture_logs

from schemas import public
from schemas.metrics import Metric
from schemas.topics import DEAD_LETTERS
from tests.doubles.edge_world import Edge, notification, signed

BROKEN = notification({"serviceScene": "rtsc/cloud-transcoder", "details": {}})


async def test_a_dead_letter_keeps_the_original_bytes_sealed() -> None:
    edge = Edge()
    await edge.post(BROKEN)
    [letter] = edge.appender.values(DEAD_LETTERS)
    public.DeadLetter.model_validate(letter)
    assert edge.seal.open(letter["body"]) == BROKEN
    assert (letter["reason"], letter["where"], letter["source"]) == ("bad-payload", "receiver", "transcoder")
    assert letter["detail"] == "payload.taskId: missing"
    assert letter["receivedAt"] == "2023-11-14T22:13:20.000Z"
    assert edge.metrics.counts[Metric.DEAD_LETTERS, "receiver", "bad-payload"] == 1


async def test_its_key_is_the_original_one_as_far_as_that_can_be_told() -> None:
    edge = Edge()
    for body in (BROKEN, b"no idea"):
        await edge.post(body)
    assert [record.key for record in edge.appender.on(DEAD_LETTERS)] == ["22/2000001428:4330:107", "transcoder"]


async def test_the_same_bytes_have_the_same_id() -> None:
    edge = Edge()
    for body in (BROKEN, BROKEN, BROKEN + b" "):
        await edge.post(body)
    first, again, other = (record.id for record in edge.appender.on(DEAD_LETTERS))
    assert first == again != other
    assert len(first) == 32


async def test_only_headers_that_can_hold_no_credential_are_kept() -> None:
    edge = Edge()
    private = {"Authorization": "Bearer x", "Cookie": "a=b", "Set-Cookie": "c", "X-Api-Key": "k", "X-Auth-Token": "t"}
    await edge.post(BROKEN, signed(BROKEN) | private | {"User-Agent": "agora", "X-Odd": "\xe9"})
    [letter] = edge.appender.values(DEAD_LETTERS)
    assert letter["headers"] == {"content-type": "application/json", "user-agent": "agora"}


async def test_it_is_logged_with_its_key_and_its_id() -> None:
    edge = Edge()
    with capture_logs() as lines:
        await edge.post(BROKEN)
    [line] = lines
    assert (line["event"], line["key"], line["reason"]) == (
        "notification_set_aside",
        "22/2000001428:4330:107",
        "bad-payload",
    )
    assert line["dead_letter"] == edge.appender.on(DEAD_LETTERS)[0].id


async def test_a_dead_letter_has_the_source_of_its_product_where_that_is_known() -> None:
    edge = Edge()
    for body in (notification({"converter": {}}, productId=5, eventType=1), b"[]"):
        await edge.post(body, signed(body))
    assert [record.product for record in edge.appender.on(DEAD_LETTERS)] == ["push", "unknown"]
