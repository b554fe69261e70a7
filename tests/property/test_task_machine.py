"""The task machine against all orders, all repeats, and a model that only knows the rules."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from processors.core.decision import Decision
from processors.core.effects import Transitioned
from processors.core.inputs import Noticed
from processors.core.statuses import RANK, TERMINAL
from processors.core.tasks import step
from schemas.events import Event, Evidence
from schemas.products import Product
from schemas.state import Status, Task, dump, load
from tests.builders import RECEIVE_ONLY, T0, fold, history, timed, transcoder, transitions

STATES = {
    Product.TRANSCODER: ["connecting", "running", "failed", "frobnicating"],
    Product.PUSH: ["connecting", "running", "failed", "frobnicating"],
    Product.PULL: ["connecting", "success", "running", "failed", "stopped"],
}
ENDS = {
    # A history holds at most one kind of end.
    Product.TRANSCODER: [["Stop request"], ["crash", "Idle"]],
    Product.PUSH: [["Delete Request", "Idle Timeout"], ["Internal Error"]],
    Product.PULL: [["Delete Request", "Stream Stopped"], ["Internal Error"]],
}
FIRST = {Product.TRANSCODER: Event.STARTED, Product.PUSH: Event.CREATED, Product.PULL: Event.CREATED}


def _piece(product: Product, event: Event, word: str, place: int) -> Evidence:
    if product is Product.TRANSCODER:
        return transcoder(event, word, place)
    return timed(product, event, word, place)


@st.composite
def histories(draw: st.DrawFn) -> list[Evidence]:
    """What the vendor could say of one task: a start, states and updates, perhaps an end, some of it said again."""
    product = draw(st.sampled_from(Product))
    words = draw(st.lists(st.sampled_from(STATES[product]), max_size=6))
    pieces = [_piece(product, FIRST[product], "connecting", 0)]
    updates = [] if product is Product.PULL else [Event.UPDATED]
    for place, word in enumerate(words, start=1):
        event = draw(st.sampled_from([Event.STATE, *updates]))
        pieces.append(_piece(product, event, word, place))
    if draw(st.booleans()):
        reasons = draw(st.sampled_from(ENDS[product]))
        pieces.extend(_piece(product, Event.ENDED, reason, len(pieces) + extra) for extra, reason in enumerate(reasons))
    lossy = draw(st.lists(st.sampled_from(pieces), min_size=1, unique=True))
    return draw(st.sampled_from([pieces, lossy]))


@st.composite
def deliveries(draw: st.DrawFn, pieces: Sequence[Evidence]) -> list[Evidence]:
    """One delivery of a history: every piece at least once, some resent, some copied, in any order."""
    sent = list(pieces)
    for piece in draw(st.lists(st.sampled_from(pieces), max_size=5)):
        how: list[dict[str, Any]] = [{}, {"notify_ms": T0 + len(sent)}, {"id": f"{piece.id}-copy{len(sent)}"}]
        fields = draw(st.sampled_from(how))
        sent.append(piece._replace(**fields))
    return draw(st.permutations(sent))


def _model(pieces: Sequence[Evidence]) -> Status:
    """The rules of the page once more, naively: the highest status proved by anything, an end above all."""
    proved = [Status.IDLE]
    for piece in pieces:
        word = (piece.word or "").lower()
        if piece.event is Event.ENDED:
            normal = word in {"stop request", "delete request", "idle timeout", "stream stopped"}
            proved.append(Status.EXIT if normal else Status.FAILURE_STOP)
        elif piece.event is Event.STARTED:
            proved.append(Status.STARTED)
        elif piece.event is Event.CREATED or word == "connecting":
            proved.append(Status.STARTING)
        elif word in {"running", "success", "stopped"}:
            proved.append({"running": Status.IN_PROGRESS, "success": Status.STARTED, "stopped": Status.STOPPED}[word])
    return max(proved, key=lambda status: RANK[status])


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_order_of_arrival_and_repeats_do_not_matter(data: st.DataObject) -> None:
    pieces = data.draw(histories())
    one = fold(*data.draw(deliveries(pieces)))
    other = fold(*data.draw(deliveries(pieces)))
    assert one.status is other.status is _model(pieces)
    assert (one.run.started_ms, one.run.ended_ms, one.run.start_announced) == (
        other.run.started_ms,
        other.run.ended_ms,
        other.run.start_announced,
    )
    assert one.missing == other.missing


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_transitions_are_numbered_without_gaps_and_only_ever_rise(data: st.DataObject) -> None:
    _, effects = history(*data.draw(deliveries(data.draw(histories()))))
    told = transitions(effects)
    assert [transition.number for transition in told] == list(range(1, len(told) + 1))
    for transition in told:
        assert transition.before is None or RANK[transition.after] > RANK[transition.before]
        assert transition.before not in TERMINAL


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_every_delivery_is_counted_once_under_one_verdict(data: st.DataObject) -> None:
    sent = data.draw(deliveries(data.draw(histories())))
    counts = fold(*sent).counts
    distinct = {(piece.id, piece.notify_ms) for piece in sent}
    assert counts.notifications == len(distinct)
    assert counts.duplicates + counts.redundant + counts.stale + counts.noops <= counts.notifications
    notices = {piece.id for piece in sent}
    assert counts.duplicates == len(distinct) - len(notices)


def last_word_wins(task: Task | None, piece: Evidence) -> Task:
    """The machine most people write first: the newest arrival decides."""
    decision = step(None, Noticed(piece), piece.received_ms, RECEIVE_ONLY)
    assert decision.state is not None
    return decision.state if task is None else task.with_(status=decision.state.status)


def test_a_machine_where_the_last_word_wins_would_be_caught() -> None:
    pieces = [transcoder(Event.STARTED, None, 0), transcoder(Event.ENDED, "Stop request", 1)]
    ends: set[Status] = set()
    for order in (pieces, pieces[::-1]):
        task = None
        for piece in order:
            task = last_word_wins(task, piece)
        assert task is not None
        ends.add(task.status)
    assert len(ends) == 2, "order mattered, which the property above forbids"
    with pytest.raises(AssertionError):
        assert ends == {_model(pieces)}


class TaskModel(RuleBasedStateMachine):
    """One task told anything at any time, beside a model that only remembers what was proved."""

    def __init__(self) -> None:
        super().__init__()
        self.task: Task | None = None
        self.pieces: list[Evidence] = []
        self.transitions: list[Transitioned] = []
        self.place = 0

    def _tell(self, piece: Evidence) -> None:
        decision = step(self.task, Noticed(piece), piece.received_ms, RECEIVE_ONLY)
        self._take(decision)
        self.pieces.append(piece)

    def _take(self, decision: Decision) -> None:
        self.task = decision.state
        self.transitions.extend(transitions(decision.effects))

    @rule(word=st.sampled_from(STATES[Product.TRANSCODER]), skip=st.integers(0, 3))
    def the_vendor_reports_a_state(self, word: str, skip: int) -> None:
        self.place += 1 + skip
        self._tell(transcoder(Event.STATE, word, self.place))

    @rule(notify_ms=st.integers(1, 3))
    def the_vendor_resends_something(self, notify_ms: int) -> None:
        if self.pieces:
            self._tell(self.pieces[len(self.pieces) // 2]._replace(notify_ms=notify_ms))

    @rule(late=st.integers(0, 5), word=st.sampled_from(STATES[Product.TRANSCODER]))
    def something_late_arrives(self, late: int, word: str) -> None:
        self._tell(transcoder(Event.STATE, word, max(0, self.place - late), id=f"late{len(self.pieces)}"))

    @rule()
    def it_ends(self) -> None:
        self.place += 1
        self._tell(transcoder(Event.ENDED, "Stop request", self.place))

    @rule()
    def the_process_restarts(self) -> None:
        if self.task is not None:
            self.task = load(dump(self.task))

    @invariant()
    def the_status_is_what_was_proved(self) -> None:
        if self.task is not None:
            assert self.task.status is _model(self.pieces)

    @invariant()
    def numbers_have_no_gaps(self) -> None:
        if self.task is not None:
            assert [told.number for told in self.transitions] == list(range(1, self.task.transitions + 1))

    @invariant()
    def an_ended_task_is_not_suspect(self) -> None:
        if self.task is not None and self.task.status in TERMINAL:
            assert self.task.doubt is None
            assert self.task.session_revision >= 1


TestTaskModel = TaskModel.TestCase
TestTaskModel.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
