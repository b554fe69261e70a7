"""The published life cycles of tasks, as notifications to deliver and the status each life must end in."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from schemas.codec import decode, encode
from schemas.products import PULL_ID, PUSH_ID, TRANSCODER_ID, Product
from schemas.state import Status


@dataclass(frozen=True, slots=True)
class Step:
    """One notification of a life: which published payload, and what is different in this life."""

    event_type: int
    sample: str
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """A kind of life: what happens, and where it ends."""

    product: Product
    ends: Status
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification to deliver, as often as it takes; `notify_ms` is set at each delivery."""

    task: str
    envelope: Mapping[str, Any]

    def body(self, now_ms: int, *, copy: int = 0) -> bytes:
        """The bytes to send; a redundant copy says the same under a notice id of its own."""
        notice = self.envelope["noticeId"] + (f"-copy{copy}" if copy else "")
        return encode({**self.envelope, "noticeId": notice, "notifyMs": now_ms})


@dataclass(frozen=True, slots=True)
class Life:
    """One task of the demo."""

    product: Product
    task_id: str
    ends: Status
    notices: Sequence[Notice]


PRODUCT_IDS: Final = {Product.TRANSCODER: TRANSCODER_ID, Product.PUSH: PUSH_ID, Product.PULL: PULL_ID}

_T_START: Final = (
    Step(110, "ct-110-started"),
    Step(112, "ct-112-status-running", "connecting"),
    Step(112, "ct-112-status-running", "running"),
)
_PUSH_START: Final = (
    Step(1, "push-1-created"),
    Step(3, "push-3-state-changed", "connecting"),
    Step(3, "push-3-state-changed", "running"),
)
_PULL_START: Final = (
    Step(1, "pull-1-created"),
    Step(4, "pull-4-status-changed", "connecting"),
    Step(4, "pull-4-status-changed", "success"),
    Step(4, "pull-4-status-changed", "running"),
)

PLOTS: Final = (
    Plot(Product.TRANSCODER, Status.IN_PROGRESS, (*_T_START, Step(113, "ct-113-updated"))),
    Plot(
        Product.TRANSCODER,
        Status.EXIT,
        (*_T_START, Step(113, "ct-113-updated"), Step(111, "ct-111-stopped", "Stop request")),
    ),
    Plot(Product.TRANSCODER, Status.FAILURE_STOP, (*_T_START, Step(111, "ct-111-stopped", "Worker lost"))),
    Plot(Product.PUSH, Status.IN_PROGRESS, (*_PUSH_START, Step(2, "push-2-updated-rtmpurl"))),
    Plot(Product.PUSH, Status.EXIT, (*_PUSH_START, Step(4, "push-4-destroyed", "Idle Timeout"))),
    Plot(
        Product.PUSH,
        Status.FAILURE_STOP,
        (
            *_PUSH_START,
            Step(3, "push-3-state-changed", "failed"),
            Step(4, "push-4-destroyed", "Internal Error"),
        ),
    ),
    Plot(Product.PULL, Status.IN_PROGRESS, _PULL_START),
    Plot(
        Product.PULL,
        Status.EXIT,
        (*_PULL_START, Step(4, "pull-4-status-changed", "stopped"), Step(3, "pull-3-destroyed", "Stream Stopped")),
    ),
    Plot(Product.PULL, Status.FAILURE_STOP, (*_PULL_START, Step(3, "pull-3-destroyed", "Internal Error"))),
)


def lives(count: int, dice: random.Random, now_ms: int) -> list[Life]:
    """So many lives over all products and endings."""
    return [
        _life(PLOTS[number % len(PLOTS)], f"{dice.getrandbits(128):032x}", number, now_ms) for number in range(count)
    ]


def _life(plot: Plot, task_id: str, number: int, now_ms: int) -> Life:
    room = f"room-{number:02d}"
    notices = [
        _notice(plot.product, task_id, room, step, place=place, at_ms=now_ms + 1000 * place)
        for place, step in enumerate(plot.steps)
    ]
    return Life(plot.product, task_id, plot.ends, notices)


def _notice(product: Product, task_id: str, room: str, step: Step, *, place: int, at_ms: int) -> Notice:
    payload = decode(files("schemas.examples").joinpath(f"{step.sample}.json").read_bytes())
    match product:
        case Product.TRANSCODER:
            _set_transcoder(payload, task_id, room, step, at_ms)
            payload["sequence"] = place
        case Product.PUSH:
            _set_push(payload, task_id, room, step, at_ms)
        case Product.PULL:
            _set_pull(payload, task_id, room, step, at_ms)
    return Notice(
        task_id,
        {
            "noticeId": f"{task_id}:{place}:{step.event_type}",
            "productId": PRODUCT_IDS[product],
            "eventType": step.event_type,
            "payload": payload,
        },
    )


def _set_transcoder(payload: dict[str, Any], task_id: str, room: str, step: Step, at_ms: int) -> None:
    payload |= {"taskId": task_id, "instanceId": room, "sendts": at_ms}
    details = payload["details"]
    if step.word is not None:
        details["stopReason" if "stopReason" in details else "state"] = step.word
    for stream in _streams(details):
        stream["rtcChannel"] = room


def _streams(details: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    transcoder = details.get("transcoder", {})
    yield from transcoder.get("inputs", [])
    yield from transcoder.get("outputs", [])


def _set_push(payload: dict[str, Any], task_id: str, room: str, step: Step, at_ms: int) -> None:
    payload["lts"] = at_ms // 1000
    payload["converter"] |= {"id": task_id, "createTs": at_ms // 1000 - 5}
    if "name" in payload["converter"]:
        payload["converter"]["name"] = room
    if "transcodeOptions" in payload["converter"]:
        payload["converter"]["transcodeOptions"]["rtcChannel"] = room
    if step.word is not None:
        _say(payload, payload["converter"], "state", step.word)


def _set_pull(payload: dict[str, Any], task_id: str, room: str, step: Step, at_ms: int) -> None:
    payload["lts"] = at_ms
    payload["player"] |= {"id": task_id, "name": room, "channelName": room}
    if step.word is not None:
        _say(payload, payload["player"], "status", step.word)


def _say(payload: dict[str, Any], subject: dict[str, Any], field: str, word: str) -> None:
    if "destroyReason" in payload:
        payload["destroyReason"] = word
    else:
        subject[field] = word
