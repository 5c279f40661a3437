"""The composition root: settings, routes without a session, what stops the start."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import app
from cache.errors import SettingsError
from cache.settings import CacheSettings
from data.errors import DatabaseUnusableError
from events.catalog import CATALOG
from events.errors import RulesError
from events.ruleset import Rule


def settings(folder: Path) -> app.Settings:
    return app.Settings(
        database_url=f"sqlite:///{folder}/state/reprieve.db", cache=CacheSettings(folder=folder / "cache")
    )


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    web, application = app.build(settings(tmp_path))
    application.start()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://local") as opened:
        yield opened
    application.stop()


async def test_health_answers_without_a_session(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert not answer.cookies


async def test_metrics_are_for_prometheus(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE reprieve_cache_hits_total counter" in answer.text
    assert not answer.cookies


def test_starting_and_stopping_twice_is_harmless(tmp_path: Path) -> None:
    _, application = app.build(settings(tmp_path))
    application.start()
    application.start()
    application.stop()
    application.stop()
    assert not any(application.bus.has_receivers(event.name) for event in CATALOG)


def test_a_database_that_cannot_be_used_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    _, application = app.build(settings(tmp_path))
    with pytest.raises(DatabaseUnusableError):
        application.start()
    assert not any(application.bus.has_receivers(event.name) for event in CATALOG)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PORT", "abc", "PORT='abc': expected a whole number from 1 to 65,535"),
        ("PORT", "70000", "PORT='70000': expected a whole number"),
        ("CACHE_MODE", "ful", "CACHE_MODE='ful': expected full, selective or disabled"),
        ("CACHE_BACKEND", "ram", "CACHE_BACKEND='ram': expected memory, file or hybrid"),
        ("CACHE_MAX_SIZE_MB", "-1", "CACHE_MAX_SIZE_MB='-1': expected a whole number from 1 to 1,000,000"),
        ("CACHE_MAX_SIZE_MB", "1.5", "CACHE_MAX_SIZE_MB='1.5': expected a whole number"),
    ],
)
def test_a_wrong_setting_is_one_sentence(variable: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        app.Settings.from_environment({variable: value})
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("url", ["nonsense", "postgresql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_a_database_url_that_is_none_is_one_sentence(url: str) -> None:
    with pytest.raises(DatabaseUnusableError, match=r"DATABASE_URL=.*expected the URL of a file"):
        app.Settings.from_environment({"DATABASE_URL": url})


def test_unset_and_empty_variables_are_the_defaults() -> None:
    assert app.Settings.from_environment({}) == app.Settings.from_environment(dict.fromkeys(app.VARIABLES, ""))


def test_a_wrong_rules_table_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (*app.RULES, Rule(on=(CATALOG[0],), invalidates=("dashboard.metrix",)))
    monkeypatch.setattr(app, "RULES", rules)
    with pytest.raises(RulesError, match=r"did you mean 'dashboard\.metrics'"):
        app.build(settings(tmp_path))
