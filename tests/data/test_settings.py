"""The data's part of the configuration."""

from pathlib import Path

import pytest

from data import settings as settings_module
from data.days import parse_zone
from data.errors import DatabaseUnusableError
from data.settings import DEFAULT_FILE, database_url, system_zone

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("environment", [{}, {"DATABASE_URL": ""}])
def test_by_default_the_database_is_a_file_beside_the_code(environment: dict[str, str]) -> None:
    assert database_url(environment) == f"sqlite:///{ROOT}/data/state/reprieve.db" == f"sqlite:///{DEFAULT_FILE}"


@pytest.mark.parametrize(
    "url", ["sqlite:////srv/reprieve.db", "sqlite:///relative.db", "sqlite:////srv/with space/a%b.db"]
)
def test_the_url_of_a_file_is_taken_as_it_is(url: str) -> None:
    assert database_url({"DATABASE_URL": url}) == url


@pytest.mark.parametrize(
    "url",
    [
        "reprieve.db", "/srv/reprieve.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:reprieve.db",
        "postgresql://localhost/reprieve", "mysql://x", "sqlite+aiosqlite:////srv/x.db", "http://example.org", " ", "://",
        "sqlite:///file:x?mode=memory&uri=true", "sqlite:///:memory:?cache=shared",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_file_is_refused_by_a_sentence(url: str) -> None:
    with pytest.raises(DatabaseUnusableError) as refused:
        database_url({"DATABASE_URL": url})
    assert str(refused.value).startswith(f"DATABASE_URL={url!r}: expected the URL of a file, such as sqlite:////srv/")
    assert "\n" not in str(refused.value)


def test_a_password_in_an_unusable_url_is_not_repeated() -> None:
    with pytest.raises(DatabaseUnusableError) as refused:
        database_url({"DATABASE_URL": "postgresql://me:secret@localhost/reprieve"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["Europe/Berlin", ":Europe/Berlin"])
def test_the_zone_of_the_machine_is_that_of_tz(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TZ", name)
    assert system_zone() == "Europe/Berlin"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "CET-1CEST,M3.5.0,M10.5.0/3", "\ud800", "../etc"])
def test_a_tz_that_is_no_name_of_a_zone_is_passed_over(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("TZ", raising=False)
    without = system_zone()
    parse_zone(without)
    monkeypatch.setattr(settings_module.os, "environ", {"TZ": name})
    assert system_zone() == without
