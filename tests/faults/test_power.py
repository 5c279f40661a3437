"""F02 to F04: what a kill or a power cut leaves of the cache folder, and of the database beside it."""

from pathlib import Path

import pytest

from tests.cache.probes import Count, probe
from tests.data.ledger import newest
from tests.faults import power
from tests.faults.power import complete_one
from tests.house import open_house

LOG = "-wal cut where it had not reached the disk, older pages put back"


@pytest.mark.fault("F02", inject="kill -9 while the cache tier writes, 3 times", holds="it opens, nothing is wrong")
def test_a_kill_while_it_writes_tears_nothing(tmp_path: Path) -> None:
    found = power.kills(tmp_path, rounds=3)
    assert found.wrong == 0
    assert found.values > 0


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.fault(
    "F02", inject="kill -9 while the cache tier writes, 500 times", holds="it opens, nothing wrong in it"
)
def test_no_kill_of_many_while_it_writes_tears_anything(tmp_path: Path) -> None:
    assert power.kills(tmp_path, rounds=500).wrong == 0
    assert {file.name for file in tmp_path.iterdir()} <= {"cache.db", "cache.db-wal", "cache.db-shm"}, "orphans"


@pytest.mark.fault("F03", inject=f"the cache's {LOG}, 20 times", holds="no wrong value")
def test_a_power_cut_gives_no_wrong_value(tmp_path: Path) -> None:
    found = power.cuts(tmp_path, rounds=20)
    assert found.wrong == 0
    assert found.values > 0
    assert found.misses > 0


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.fault("F03", inject=f"the cache's {LOG}, 200 times", holds="no wrong value")
def test_no_power_cut_of_many_gives_a_wrong_value(tmp_path: Path) -> None:
    assert power.cuts(tmp_path, rounds=200, seed=2).wrong == 0


@pytest.mark.fault("F04", inject="both -wal files cut, each anywhere, 10 times; then more events", holds="0 stale")
def test_a_power_cut_in_both_files_leaves_nothing_stale(tmp_path: Path) -> None:
    found = power.cuts_in_both(tmp_path, rounds=10)
    assert found.wrong == 0
    assert found.misses > 0


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.fault("F04", inject="both -wal files cut, each anywhere, 200 times; then more events", holds="0 stale")
def test_no_power_cut_of_many_in_both_files_leaves_anything_stale(tmp_path: Path) -> None:
    found = power.cuts_in_both(tmp_path, rounds=200, seed=2)
    assert found.wrong == 0
    assert found.values > 0, "the folder may be kept where the log has all it was made of"


@pytest.mark.fault("F04", inject="the database loses its last commits, the cache folder nothing", holds="it is emptied")
def test_a_folder_that_knows_of_lost_events_is_emptied(tmp_path: Path) -> None:
    database = tmp_path / "state" / "reprieve.db"
    with open_house(tmp_path) as house:
        complete_one(house)
    at_rest, count = database.read_bytes(), probe()
    with open_house(tmp_path) as house:
        before = newest(house.database)
        complete_one(house)
        assert house.manager.get_or_load(count, house.user) == Count(2)
    database.write_bytes(at_rest)
    with open_house(tmp_path) as house:
        assert newest(house.database) == before
        assert not list(house.manager._file.keys(house.user)), "it was not emptied"
        assert house.manager.get_or_load(count, house.user) == Count(1)


@pytest.mark.fault("F04", inject="nothing: restarts of a log that is empty or not", holds="the folder is kept")
def test_a_folder_of_this_database_is_not_emptied(tmp_path: Path) -> None:
    for _ in range(3):
        with open_house(tmp_path) as house:
            kept = list(house.manager._file.keys(house.user))
            house.manager.get_or_load(probe(), house.user)
    assert kept == ["analytics.probe"]
