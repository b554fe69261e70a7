"""The task machine, one sentence a test."""

import pytest

from processors.core.effects import Doubted, LostSight, SessionReported, Verdict
from processors.core.effects import Folded as Weighed
from processors.core.policy import DAY_MS, HOUR_MS
from schemas.codec import decode
from schemas.events import Event, Evidence
from schemas.products import Product
from schemas.state import Doubt, Status, dump, load
from tests.builders import (
    ASKING,
    T0,
    connecting,
    failed,
    fold,
    history,
    running,
    started,
    stopped,
    tick,
    timed,
    transcoder,
    transitions,
    updated,
)


def test_a_whole_life_is_told_in_numbered_transitions() -> None:
    task, effects = history(started(), connecting(), running(), updated(), stopped())
    told = transitions(effects)
    assert [(t.number, t.before, t.after) for t in told] == [
        (1, None, Status.STARTED),
        (2, Status.STARTED, Status.IN_PROGRESS),
        (3, Status.IN_PROGRESS, Status.EXIT),
    ]
    assert [t.evidence for t in told] == [started().id, running().id, stopped().id]
    assert (task.sequence, task.config_versions, task.run.reconnects) == (9, 1, 0)


def test_a_late_running_does_not_resurrect_a_task_that_ended() -> None:
    task, effects = history(started(), stopped(), running())
    assert task.status is Status.EXIT
    assert len(transitions(effects)) == 2


def test_a_late_running_raises_a_started_task_without_touching_what_is_newer() -> None:
    task = fold(started(), updated(5), running(4))
    assert task.status is Status.IN_PROGRESS
    assert task.counts.stale == 1
    assert task.sequence == 5


def test_the_first_end_absorbs_the_other_kind_of_end() -> None:
    assert fold(started(), stopped(), stopped(10, reason="crash")).status is Status.EXIT
    assert fold(started(), stopped(reason="crash"), stopped(10)).status is Status.FAILURE_STOP


def test_a_resend_is_a_duplicate_whatever_its_notify_ms() -> None:
    again = running(notify_ms=T0 + 99_000)
    task = fold(started(), running(), again)
    assert (task.counts.notifications, task.counts.duplicates) == (3, 1)


def test_a_repeat_with_the_same_notify_ms_is_our_own_and_not_counted() -> None:
    once = fold(started(), running())
    assert fold(started(), running(), running()) == once


def test_a_second_resend_stored_twice_is_still_one_duplicate() -> None:
    resent = running(notify_ms=T0 + 99_000)
    assert fold(running(), resent, resent).counts.duplicates == 1


def test_the_same_sequence_under_another_notice_is_redundant() -> None:
    task = fold(started(), running(), running(id="22:112:other"))
    assert (task.counts.redundant, task.counts.duplicates) == (1, 0)


def test_for_a_push_the_same_time_and_state_under_another_notice_is_redundant() -> None:
    first = timed(Product.PUSH, Event.STATE, "running", 5)
    other_state = timed(Product.PUSH, Event.STATE, "failed", 5)
    task = fold(first, timed(Product.PUSH, Event.STATE, "running", 5, id="5:3:x"), other_state)
    assert task.counts.redundant == 1


def test_different_events_may_share_a_sequence() -> None:
    task = fold(started(7), running(7), stopped(7))
    assert task.status is Status.EXIT
    assert (task.counts.redundant, task.counts.stale) == (0, 0)


def test_news_that_proves_nothing_new_is_a_noop() -> None:
    task = fold(started(), running(), running(3))
    assert (task.counts.noops, task.sequence) == (1, 3)


def test_connecting_before_it_ever_ran_is_no_reconnect_and_after_it_is() -> None:
    assert fold(started(), connecting(1)).run.reconnects == 0
    task = fold(started(), running(1), connecting(2), running(3))
    assert (task.status, task.run.reconnects, task.doubt) == (Status.IN_PROGRESS, 1, None)


def test_failed_proves_nothing_but_makes_the_task_suspect_until_newer_evidence() -> None:
    task, effects = history(started(0), running(1), failed(2))
    assert (task.status, task.doubt) == (Status.IN_PROGRESS, Doubt.FAILED)
    assert Doubted(Product.TRANSCODER, Doubt.FAILED) in effects
    assert fold(started(0), running(1), failed(2), running(3)).doubt is None
    assert fold(started(0), running(2), failed(1)).doubt is not Doubt.FAILED


def test_a_task_first_seen_through_evidence_that_proves_no_status_is_idle_and_suspect() -> None:
    task, effects = history(failed(5))
    assert (task.status, task.doubt, transitions(effects)) == (Status.IDLE, Doubt.FAILED, [])
    known, later = history(running(6), task=task)
    assert transitions(later)[0].before is Status.IDLE
    assert transitions(later)[0].number == 1
    assert known.doubt is None


def test_a_jump_of_the_sequence_is_a_gap_that_a_late_arrival_closes() -> None:
    task = fold(started(0), running(3))
    assert (task.status, task.doubt, task.missing) == (Status.IN_PROGRESS, Doubt.GAP, ((1, 2),))
    assert fold(started(0), running(3), connecting(1)).doubt is Doubt.GAP
    closed = fold(started(0), running(3), connecting(1), failed(2))
    assert (closed.doubt, closed.missing) == (None, ())


def test_the_first_number_seen_is_no_gap() -> None:
    assert fold(running(123)).doubt is None


def test_newer_evidence_that_proves_less_than_stopped_is_a_disagreement() -> None:
    stopped_pull = timed(Product.PULL, Event.STATE, "stopped", 5)
    task = fold(stopped_pull, timed(Product.PULL, Event.STATE, "running", 6))
    assert (task.status, task.doubt) == (Status.STOPPED, Doubt.DISAGREES)


def test_an_end_is_never_suspect() -> None:
    assert fold(started(0), stopped(8)).doubt is None


def test_an_unexpected_stop_waits_for_an_answer_only_where_somebody_can_ask() -> None:
    assert fold(started(), stopped(reason="crash")).status is Status.FAILURE_STOP
    task = fold(started(), stopped(reason="crash"), policy=ASKING)
    assert (task.status, task.doubt) == (Status.STOPPED, Doubt.UNCONFIRMED_STOP)


def test_an_unknown_event_is_counted_and_makes_the_task_suspect() -> None:
    task = fold(started(0), transcoder(Event.UNKNOWN, None, 1))
    assert (task.status, task.doubt, task.counts.notifications) == (Status.STARTED, Doubt.UNKNOWN, 2)


def test_every_notification_is_weighed_exactly_once() -> None:
    _, effects = history(started(), started(notify_ms=1), running(), running(id="x"), running(3), connecting(1))
    verdicts = [effect.verdict for effect in effects if isinstance(effect, Weighed)]
    assert verdicts == [
        Verdict.APPLIED,
        Verdict.DUPLICATE,
        Verdict.APPLIED,
        Verdict.REDUNDANT,
        Verdict.NOOP,
        Verdict.STALE,
    ]


def test_an_end_reports_a_session_and_a_late_correction_reports_the_next_revision() -> None:
    task, effects = history(running(2), stopped(9))
    assert effects.count(SessionReported()) == 1
    corrected, more = history(started(0), task=task)
    assert more.count(SessionReported()) == 1
    assert (corrected.session_revision, corrected.run.started_ms) == (2, started(0).vendor_ms)
    _, nothing = history(connecting(1), task=corrected)
    assert nothing.count(SessionReported()) == 0


def test_time_before_a_timer_changes_nothing() -> None:
    task = fold(started())
    assert tick(task, task.news_ms + DAY_MS - 1).state is task


def test_a_day_without_news_makes_a_task_suspect_and_a_week_removes_it() -> None:
    task = fold(started())
    silent = tick(task, task.news_ms + DAY_MS).state
    assert silent is not None
    assert (silent.doubt, silent.status, silent.transitions) == (Doubt.SILENT, Status.STARTED, 1)
    assert tick(silent, task.news_ms + 6 * DAY_MS).state is silent
    lost = tick(silent, task.news_ms + 7 * DAY_MS)
    assert (lost.state, lost.effects) == (None, (LostSight(Product.TRANSCODER),))


def test_news_wakes_a_silent_task() -> None:
    task = fold(started())
    silent = tick(task, task.news_ms + DAY_MS).state
    awake, _ = history(running(1), task=silent)
    assert awake.doubt is None


def test_a_task_that_can_be_asked_about_is_not_given_up_by_time() -> None:
    task = fold(started(), policy=ASKING)
    assert tick(task, task.news_ms + 100 * DAY_MS, ASKING).state is task


def test_an_ended_task_is_remembered_for_72_hours_and_then_forgotten() -> None:
    task = fold(started(), stopped())
    assert tick(task, stopped().received_ms + 72 * HOUR_MS - 1).state is task
    assert tick(task, stopped().received_ms + 72 * HOUR_MS).state is None


@pytest.mark.parametrize(
    "pieces", [(started(),), (failed(),), (started(0), running(3)), (started(), running(), stopped(), running(1))]
)
def test_the_state_survives_its_own_encoding(pieces: tuple[Evidence, ...]) -> None:
    task = fold(*pieces)
    assert load(dump(task)) == task


def test_the_timeline_tells_what_was_heard_and_what_followed() -> None:
    task = fold(started(0), running(1), running(1, notify_ms=1), failed(2))
    assert [(moment["kind"], moment["what"]) for moment in map(decode, task.timeline)] == [
        ("notification", "cloud_transcoder_started (Transcoder success)"),
        ("transition", "unseen → STARTED"),
        ("notification", "cloud_transcoder_state (running)"),
        ("transition", "STARTED → IN_PROGRESS"),
        ("notification", "cloud_transcoder_state (running): a duplicate, counted"),
        ("notification", "cloud_transcoder_state (failed)"),
        ("decision", "suspect: the vendor says it failed, which is no end"),
    ]


def test_a_flood_of_repeats_never_pushes_a_transition_out_of_the_timeline() -> None:
    flood = [running(1, notify_ms=T0 + number) for number in range(300)]
    task = fold(started(0), *flood)
    kinds = [decode(moment)["kind"] for moment in task.timeline]
    assert (len(kinds), kinds.count("transition")) == (100, 2)
