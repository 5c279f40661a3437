"""What was judged fresh need not be judged again, for as long as that is true."""

from datetime import timedelta
from typing import Any

from cache.counts import KeyStats
from cache.values import Value
from tests.cache.probes import Count, Gate, probe
from tests.house import House

SHORT, LONG = timedelta(minutes=5), timedelta(hours=5)


def read_often(house: House, value: Value[Any], snapshots: int = 1) -> KeyStats:
    """Read *value* some times in each of so many snapshots, and return what was counted by then."""
    for _ in range(snapshots):
        with house.manager.snapshot(house.user) as snapshot:
            for _ in range(3):
                snapshot.get(value)
                snapshot.look(value)
    return house.manager._counts.of(value.key)


def test_what_becomes_too_old_is_not_read_off_it_and_the_rest_is_not_loaded_again(any_house: House) -> None:
    gate, lasting = Gate(), Gate()
    short, long = probe(gate, ttl=SHORT), probe(lasting, key="analytics.other", ttl=LONG)
    for _ in range(2):
        with any_house.manager.snapshot(any_house.user) as snapshot:
            assert (snapshot.get(short), snapshot.get(long)) == (Count(0), Count(0))
        any_house.clock.advance(minutes=6)
    assert (gate.calls, lasting.calls) == (2, 1)


def test_who_came_when_it_was_too_old_is_not_given_what_an_earlier_reader_put_there(any_house: House) -> None:
    gate = Gate()
    value = probe(gate, ttl=SHORT)
    manager, user = any_house.manager, any_house.user
    manager.get_or_load(value, user)
    manager._drop_shelves(user)
    with manager.snapshot(user) as early:
        any_house.clock.advance(minutes=6)
        with manager.snapshot(user) as late:
            early.get(value)
            assert gate.calls == 1, "it is young enough for who came before"
            late.get(value)
    assert gate.calls == 2


def test_each_value_of_a_snapshot_is_counted_once(any_house: House) -> None:
    value = probe()
    any_house.manager.get_or_load(value, any_house.user)
    found = read_often(any_house, value, snapshots=2)
    assert (found.hits, found.misses, found.stale) == (2, 1, 0)


def test_what_a_snapshot_had_to_load_is_no_hit_of_its_own(any_house: House) -> None:
    found = read_often(any_house, probe())
    assert (found.hits, found.misses, found.stale) == (0, 1, 0)
