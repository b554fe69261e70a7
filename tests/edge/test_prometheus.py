"""Metrics as Prometheus reads them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from processors.adapters.prometheus import PrometheusMetrics
from schemas.metrics import DESCRIPTIONS, Metric


def samples(metrics: PrometheusMetrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text, _ = metrics.render("")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_every_metric_of_the_table_is_shown_from_the_start() -> None:
    text, content_type = PrometheusMetrics().render("text/plain")
    shown = {family.name: family for family in text_string_to_metric_families(text.decode())}
    for metric, description in DESCRIPTIONS.items():
        family = shown[metric.value.removesuffix("_total")]
        assert (family.type, family.documentation) == (description.kind, description.help)
    assert content_type.startswith("text/plain")
    assert "process_resident_memory_bytes" in shown


def test_counters_add_up_by_labels_in_any_order() -> None:
    metrics = PrometheusMetrics()
    metrics.count(Metric.NOTIFICATIONS, source="a", product="rtc")
    metrics.count(Metric.NOTIFICATIONS, 2, source="a", product="rtc")
    metrics.count(Metric.NOTIFICATIONS, source="rtc", product="a")
    metrics.count(Metric.COMMIT_FAILURES)
    shown = samples(metrics)
    assert shown["agora_events_notifications_total", frozenset({("source", "a"), ("product", "rtc")})] == 3
    assert shown["agora_events_notifications_total", frozenset({("source", "rtc"), ("product", "a")})] == 1
    assert shown["agora_events_commit_failures_total", frozenset()] == 1


def test_a_gauge_shows_its_last_value() -> None:
    metrics = PrometheusMetrics()
    for value in (5.0, 3.0):
        metrics.set(Metric.LAG_RECORDS, value, partition="7")
    assert samples(metrics)["agora_events_lag_records", frozenset({("partition", "7")})] == 3


@given(st.lists(st.floats(0, 100), max_size=30))
def test_a_histogram_counts_every_value_up_to_each_bound(values: list[float]) -> None:
    metrics = PrometheusMetrics()
    for value in values:
        metrics.observe(Metric.APPEND_SECONDS, value)
    shown = {
        name: value for name, value in samples(metrics).items() if name[0].startswith("agora_events_append_seconds")
    }
    for (name, labels), count in shown.items():
        if name.endswith("_bucket"):
            bound = float(dict(labels)["le"])
            assert count == sum(value <= bound for value in values)
    if values:
        assert shown["agora_events_append_seconds_count", frozenset()] == len(values)
        assert shown["agora_events_append_seconds_sum", frozenset()] == pytest.approx(sum(values))


def test_open_metrics_are_given_to_those_who_ask() -> None:
    metrics = PrometheusMetrics()
    metrics.observe(Metric.EVENT_AGE_SECONDS, 3)
    metrics.count(Metric.ANSWERS, status="200")
    text, content_type = metrics.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert b'agora_events_answers_total{status="200"} 1.0\n' in text
    assert text.endswith(b"# EOF\n")


def test_no_count_is_lost_between_threads() -> None:
    metrics = PrometheusMetrics()

    def many(_: int) -> None:
        for _ in range(2_000):
            metrics.count(Metric.ANSWERS, status="200")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(many, range(8)))
    assert samples(metrics)["agora_events_answers_total", frozenset({("status", "200")})] == 16_000
