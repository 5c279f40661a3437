"""What an event led to is put down to it, for its own user."""

import time
from typing import Any

from cache.generations import Generations
from cache.journal import KEPT_EVENTS, KEPT_USERS, Journal
from cache.store import Place
from events.catalog import Logged, TaskCreated, UserId
from events.rules import RULES
from events.ruleset import Ruleset
from tests.expect import specimen

USER, OTHER = UserId(1), UserId(2)


def set_up() -> tuple[Generations, Journal]:
    generations = Generations(Ruleset(RULES))
    for user in (USER, OTHER):
        generations._complete[user] = generations._raised.setdefault(user, {})
    return generations, Journal(generations)


def happen(generations: Generations, journal: Journal, seq: int, user: UserId = USER) -> None:
    logged = Logged(seq=seq, event=specimen(TaskCreated, user=user))
    journal.happened(logged, generations.apply(logged))


def place(key: str, user: UserId = USER) -> Place:
    return Place(user=user, key=key, shape=1, value_type=Any)


def test_loads_and_redraws_belong_to_the_event_that_their_key_was_invalidated_by_last() -> None:
    generations, journal = set_up()
    happen(generations, journal, 1)
    journal.loaded(place("dashboard.tasks"), 0.004)
    happen(generations, journal, 2)
    journal.loaded(place("dashboard.tasks"), 0.005)
    journal.loaded(place("summary.daily.2026-05-13"), 0.006)  # which no event touched
    for _ in range(2):
        journal.redrew(USER, "/", "Planned", ["dashboard.tasks", "preferences.profile"])
    newest, older = journal.latest(USER)
    assert [(load.key, round(load.ms)) for load in older.loads] == [("dashboard.tasks", 4)]
    assert [(load.key, round(load.ms)) for load in newest.loads] == [("dashboard.tasks", 5)]
    (redraw,) = newest.redraws
    assert (redraw.page, redraw.section, redraw.tabs) == ("/", "Planned", 2)
    assert redraw.after_ms is not None
    assert redraw.after_ms >= 0
    assert newest.prefixes == ("dashboard.tasks", "analytics.recommendations")


def test_a_tab_that_nobody_saw_says_nothing_about_how_fast_it_was() -> None:
    generations, journal = set_up()
    seen = time.monotonic()
    happen(generations, journal, 1)
    looked_at_later = time.monotonic()
    journal.redrew(USER, "/", "Planned", ["dashboard.tasks"], seen_since=looked_at_later)
    assert journal.latest(USER)[0].redraws[0].after_ms is None
    journal.redrew(USER, "/", "Planned", ["dashboard.tasks"], seen_since=seen)
    before = journal.latest(USER)[0].redraws[0]
    journal.redrew(USER, "/", "Planned", ["dashboard.tasks"], seen_since=looked_at_later)
    after = journal.latest(USER)[0].redraws[0]
    assert (before.tabs, after.tabs) == (2, 3)
    assert before.after_ms == after.after_ms
    assert before.after_ms is not None


def test_users_are_apart() -> None:
    generations, journal = set_up()
    happen(generations, journal, 1)
    happen(generations, journal, 2, OTHER)
    journal.loaded(place("dashboard.tasks", OTHER), 0.001)
    assert [one.seq for one in journal.latest(USER)] == [1]
    assert journal.latest(USER)[0].loads == ()
    assert len(journal.latest(OTHER)[0].loads) == 1
    assert journal.latest(UserId(3)) == ()


def test_what_is_kept_is_bounded() -> None:
    generations, journal = set_up()
    for seq in range(1, KEPT_EVENTS + 10):
        happen(generations, journal, seq)
    assert [one.seq for one in journal.latest(USER)] == list(range(KEPT_EVENTS + 9, 9, -1))
    for number in range(KEPT_USERS + 5):
        happen(generations, journal, number + 100, UserId(number + 10))
    assert len(journal._entries) <= KEPT_USERS
