"""The tables of what evidence proves: every documented row, and an answer for everything else."""

import pytest

from processors.core.statuses import BY_END_REASON, BY_EVENT, BY_STATE, RANK, RUNNING, TERMINAL, join, read
from schemas.events import Event, Evidence
from schemas.products import Product
from schemas.state import Doubt, Status
from tests.builders import timed, transcoder

P, E, S = Product, Event, Status

ROWS = [
    # product, event, vendor word, proves, doubt
    (P.TRANSCODER, E.STARTED, "Transcoder success", S.STARTED, None),
    (P.TRANSCODER, E.STATE, "connecting", S.STARTING, None),
    (P.TRANSCODER, E.STATE, "running", S.IN_PROGRESS, None),
    (P.TRANSCODER, E.STATE, "failed", None, Doubt.FAILED),
    (P.TRANSCODER, E.STATE, "melting", None, Doubt.UNKNOWN),
    (P.TRANSCODER, E.STATE, None, None, Doubt.UNKNOWN),
    (P.TRANSCODER, E.UPDATED, "running", S.IN_PROGRESS, None),
    (P.TRANSCODER, E.ENDED, "Stop request", S.EXIT, None),
    (P.TRANSCODER, E.ENDED, "STOP REQUEST", S.EXIT, None),
    (P.TRANSCODER, E.UNKNOWN, "running", None, Doubt.UNKNOWN),
    (P.PUSH, E.CREATED, "connecting", S.STARTING, None),
    (P.PUSH, E.UPDATED, "running", S.IN_PROGRESS, None),
    (P.PUSH, E.UPDATED, "connecting", S.STARTING, None),
    (P.PUSH, E.STATE, "connecting", S.STARTING, None),
    (P.PUSH, E.STATE, "running", S.IN_PROGRESS, None),
    (P.PUSH, E.STATE, "failed", None, Doubt.FAILED),
    (P.PUSH, E.ENDED, "Delete Request", S.EXIT, None),
    (P.PUSH, E.ENDED, "Idle Timeout", S.EXIT, None),
    (P.PUSH, E.ENDED, "Internal Error", S.FAILURE_STOP, None),
    (P.PULL, E.CREATED, "connecting", S.STARTING, None),
    (P.PULL, E.STATE, "connecting", S.STARTING, None),
    (P.PULL, E.STATE, "success", S.STARTED, None),
    (P.PULL, E.STATE, "running", S.IN_PROGRESS, None),
    (P.PULL, E.STATE, "failed", None, Doubt.FAILED),
    (P.PULL, E.STATE, "stopped", S.STOPPED, None),
    (P.PULL, E.ENDED, "Delete Request", S.EXIT, None),
    (P.PULL, E.ENDED, "Idle Timeout", S.EXIT, None),
    (P.PULL, E.ENDED, "Stream Stopped", S.EXIT, None),
    (P.PULL, E.ENDED, "Internal Error", S.FAILURE_STOP, None),
]


def evidence(product: Product, event: Event, word: str | None) -> Evidence:
    return transcoder(event, word, 1) if product is P.TRANSCODER else timed(product, event, word, 1)


@pytest.mark.parametrize(("product", "event", "word", "proves", "doubt"), ROWS)
def test_each_documented_word_proves_what_the_vendor_documents(
    product: Product, event: Event, word: str | None, proves: Status | None, doubt: Doubt | None
) -> None:
    reading = read(evidence(product, event, word), can_ask=True)
    assert (reading.proves, reading.doubt) == (proves, doubt)


@pytest.mark.parametrize("product", Product)
def test_an_unexpected_end_must_be_asked_about_and_is_a_failure_where_nobody_can(product: Product) -> None:
    ended = evidence(product, E.ENDED, "Cosmic ray")
    asked = read(ended, can_ask=True)
    assert (asked.proves, asked.doubt) == (S.STOPPED, Doubt.UNCONFIRMED_STOP)
    assert read(ended, can_ask=False).proves is S.FAILURE_STOP


@pytest.mark.parametrize("product", Product)
@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("word", [None, "", "running", "Delete Request", "💥"])
@pytest.mark.parametrize("can_ask", [True, False])
def test_whatever_the_vendor_sends_has_a_reading(
    product: Product, event: Event, word: str | None, can_ask: bool
) -> None:
    reading = read(evidence(product, event, word), can_ask=can_ask)
    assert reading.proves is not None or reading.doubt is not None


def test_the_tables_hold_every_product_and_only_lower_case_words() -> None:
    assert set(BY_END_REASON) == set(Product)
    assert {product for product, _ in [*BY_STATE, *BY_EVENT]} == set(Product)
    words = [word for table in (*BY_STATE.values(), *BY_END_REASON.values()) for word in table]
    assert all(word == word.casefold().strip() for word in words)


def test_every_status_has_a_rank_and_both_ends_share_the_highest() -> None:
    assert set(RANK) == set(Status)
    assert {status for status in Status if RANK[status] == max(RANK.values())} == TERMINAL
    ranks = [RANK[status] for status in Status if status not in TERMINAL]
    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize("known", Status)
@pytest.mark.parametrize("proved", [None, *Status])
def test_a_join_never_lowers_and_an_end_absorbs(known: Status, proved: Status | None) -> None:
    joined = join(known, proved)
    assert RANK[joined] >= RANK[known]
    if known in TERMINAL or proved is None:
        assert joined is known
    else:
        assert RANK[joined] == max(RANK[known], RANK[proved])


def test_started_and_in_progress_are_what_running_means() -> None:
    assert {S.STARTED, S.IN_PROGRESS} == RUNNING
