"""That a commit is noticed, by either way of asking, whoever made it."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from data import tasks
from data.watch import Watch, _find_index
from tests.house import House


@pytest.fixture(params=["wal-index", "pragma"])
def watch(house: House, request: pytest.FixtureRequest) -> Iterator[Watch]:
    made = house.database.watch()
    assert made._index is not None, "without the wal-index every read is ten times as dear: see data/watch.py"
    if request.param == "pragma":
        made._index = None
    yield made
    made.close()


def test_it_has_news_once_per_commit(house: House, watch: Watch) -> None:
    assert [watch.has_news(), watch.has_news()] == [True, False]
    for _ in range(3):
        tasks.create(house.database, house.user, name="A")
        assert [watch.has_news(), watch.has_news()] == [True, False]


def test_what_was_rolled_back_is_no_news_and_what_follows_is(house: House, watch: Watch) -> None:
    watch.has_news()
    with pytest.raises(ZeroDivisionError):
        house.database.write(
            lambda transaction: (transaction.session.execute(text("UPDATE users SET name = 'x'")), 1 / 0)
        )
    watch.has_news()
    tasks.create(house.database, house.user, name="A")
    assert watch.has_news()


def test_both_ways_agree_through_commits_and_checkpoints(house: House, watch: Watch) -> None:
    other = house.database.watch()
    dice = random.Random(1)
    for _ in range(60):
        if dice.random() < 0.5:
            tasks.create(house.database, house.user, name="A")
        if dice.random() < 0.2:
            pooled = house.database._write_engine.raw_connection()  # type: ignore[union-attr]
            pooled.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            pooled.close()
        seen = other.has_news()
        assert watch.has_news() or not seen
        newest, _ = watch.newest()
        assert newest == house.feed.catch_up()
    other.close()


def test_what_cannot_be_told_is_asked_again(house: House, watch: Watch) -> None:
    watch.has_news()
    watch.forget()
    assert watch.has_news()


def test_a_database_without_a_wal_index_is_asked_by_pragma(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "plain.db")
    connection.execute("CREATE TABLE events (seq INTEGER)")
    assert _find_index(connection.cursor()) is None
    connection.close()
