"""The registry: complete, consistent, and usable as it is for tooltips."""

from data.calculations.metric import Direction
from data.calculations.registry import BY_NAME, DEFAULT_MONITORED, METRICS, monitored
from data.calculations.sums import SLEEP_MINUTES_COUNTED

AVERAGES = """
relief stress net_wellbeing stress_efficiency aversion mental_load emotional_load physical_load motivation
delay_minutes time_accuracy execution grit serendipity disappointment
"""
OTHERS = """
completed cancelled created active completion_rate streak_days minutes_work minutes_play minutes_self_care minutes_sleep
productive_minutes median_minutes relief_per_hour prediction_bias aversion_bias tracking_consistency work_volume
work_consistency life_balance self_care_frequency weekly_relief
"""
GLOSSARY = {f"avg_{name}" for name in AVERAGES.split()} | set(OTHERS.split())


def test_every_windowed_metric_of_the_glossary_is_there_once() -> None:
    assert set(BY_NAME) == GLOSSARY
    assert len(METRICS) == len(GLOSSARY) == 36


def test_every_metric_can_be_explained() -> None:
    for metric in METRICS:
        assert metric.label
        assert metric.formula
        assert metric.unit
        assert metric.tooltip.endswith(".")
        assert metric.least is None or metric.most is None or metric.least < metric.most
    assert len({metric.label for metric in METRICS}) == len(METRICS)


def test_less_is_better_where_one_would_think_so() -> None:
    less = {metric.name for metric in METRICS if metric.direction is Direction.LESS}
    assert less == {
        "cancelled",
        "avg_stress",
        "avg_aversion",
        "avg_mental_load",
        "avg_emotional_load",
        "avg_physical_load",
        "avg_delay_minutes",
        "avg_disappointment",
    }


def test_what_is_open_or_planned_is_in_no_trend() -> None:
    assert {metric.name for metric in METRICS if not metric.in_trends} == {"created", "active"}


def test_four_metrics_are_monitored_unless_others_were_chosen() -> None:
    assert len(DEFAULT_MONITORED) == 4
    assert set(DEFAULT_MONITORED) <= GLOSSARY
    assert monitored(()) == DEFAULT_MONITORED
    assert monitored(("avg_grit", "removed_long_ago", "avg_grit")) == ("avg_grit",)
    assert monitored(("removed_long_ago",)) == DEFAULT_MONITORED


def test_every_metric_says_what_it_is_made_of() -> None:
    assert all(metric.source for metric in METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_what_counts_sleep_says_how_much_of_it_counts() -> None:
    for name in ("minutes_sleep", "tracking_consistency"):
        assert f"at most {SLEEP_MINUTES_COUNTED:g} a day" in BY_NAME[name].formula
        assert "no more than eight" in BY_NAME[name].tooltip
