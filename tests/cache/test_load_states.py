"""What a load may take for fresh: its state is newer than that of the reader it works for."""

from typing import Any

import pytest

from cache.values import PREFERENCES
from data import preferences
from data.database import ReadTransaction
from data.viewpoint import Viewpoint
from tests.cache.probes import Count, probe
from tests.house import House


def test_a_load_sees_preferences_by_all_that_happened_up_to_its_own_state(
    any_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds changes that no rule had been applied to when its reader looked."""

    def target(read: ReadTransaction, view: Viewpoint) -> Count:
        return Count(int(view.profile.target_minutes_per_day))

    value = probe(target, key="analytics.composite_scores")  # which depends on the target
    preferences.change(any_house.database, any_house.user, target_minutes_per_day=100)
    any_house.manager.get_or_load(PREFERENCES, any_house.user)
    read, told = any_house.database.read, any_house.database.after_commit[:]

    def read_late(*, for_load: bool = False) -> Any:
        if for_load:  # its reader has looked at the log already
            monkeypatch.undo()
            any_house.database.after_commit.clear()  # like another process: nobody tells the feed
            preferences.change(any_house.database, any_house.user, target_minutes_per_day=200)
            any_house.database.after_commit[:] = told
        return read(for_load=for_load)

    monkeypatch.setattr(any_house.database, "read", read_late)
    any_house.manager.get_or_load(value, any_house.user)
    assert any_house.manager.get_or_load(value, any_house.user) == Count(200)
