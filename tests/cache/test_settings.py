"""Which mode and backend count for whom. What is refused at the start is in tests/test_app.py."""

from pathlib import Path

import pytest

from cache.settings import CacheSettings
from cache.values import PREFERENCES
from data import preferences
from data.errors import UnknownRecordError
from data.preferences import AccountTier, CacheBackend, CacheMode, Profile
from events.catalog import UserId
from tests.cache.probes import Count, Gate, probe
from tests.house import House


def test_by_default_every_tier_may_choose_every_backend() -> None:
    settings = CacheSettings.from_environment({})
    assert {tier: settings.backends_of(tier) for tier in AccountTier} == dict.fromkeys(AccountTier, tuple(CacheBackend))


def test_a_users_choice_counts_where_their_tier_allows_it() -> None:
    settings = CacheSettings.from_environment(
        {"CACHE_BACKENDS_FREE": "memory", "CACHE_BACKENDS_STANDARD": "file, memory", "CACHE_BACKEND": "hybrid"}
    )
    free = Profile(account_tier=AccountTier.FREE, cache_backend=CacheBackend.HYBRID)
    standard = Profile(account_tier=AccountTier.STANDARD, cache_backend=CacheBackend.MEMORY)
    undecided = Profile(account_tier=AccountTier.STANDARD)
    premium = Profile(account_tier=AccountTier.PREMIUM)
    assert settings.backend_for(free) is CacheBackend.MEMORY
    assert settings.backend_for(standard) is CacheBackend.MEMORY
    assert settings.backend_for(undecided) is CacheBackend.FILE, "the first that is allowed, as the default is not"
    assert settings.backend_for(premium) is CacheBackend.HYBRID


def test_a_users_mode_goes_before_the_operators() -> None:
    settings = CacheSettings.from_environment({"CACHE_MODE": "disabled"})
    assert settings.mode_for(Profile()) is CacheMode.DISABLED
    assert settings.mode_for(Profile(cache_mode=CacheMode.FULL)) is CacheMode.FULL


def test_the_environment_says_where(tmp_path: Path) -> None:
    settings = CacheSettings.from_environment({"CACHE_DIR": str(tmp_path), "CACHE_MAX_SIZE_MB": "7"})
    assert (settings.folder, settings.max_size_mb) == (tmp_path, 7)


def test_another_account_tier_counts_at_once_and_loses_nothing(house: House) -> None:
    house.manager.settings.allowed[AccountTier.FREE] = (CacheBackend.MEMORY,)  # type: ignore[index]
    gate = Gate()
    value = probe(gate)
    assert house.manager.get_or_load(value, house.user) == Count(0)
    assert list(house.manager._file.keys(house.user))
    assert preferences.set_account_tier(house.database, house.user, AccountTier.FREE)
    assert house.manager.get_or_load(PREFERENCES, house.user).account_tier is AccountTier.FREE
    house.manager.clear()
    house.manager.get_or_load(value, house.user)
    assert not list(house.manager._file.keys(house.user)), "on disk, which a free account may not use here"
    assert not preferences.set_account_tier(house.database, house.user, AccountTier.FREE), "no event without a change"


def test_the_tier_of_nobody_cannot_be_set(house: House) -> None:
    with pytest.raises(UnknownRecordError, match="there is no user 99"):
        preferences.set_account_tier(house.database, UserId(99), AccountTier.FREE)
