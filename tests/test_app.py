"""The composition root: settings, routes without a session, what stops the start."""

import contextlib
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from websockets.sync.client import connect

import app
from cache.errors import SettingsError
from cache.settings import CacheSettings
from cache.values import DASHBOARD_TASKS
from data import tasks
from data.database import utc_now
from data.errors import DatabaseUnusableError
from data.preferences import LOCAL_USER
from events.catalog import CATALOG
from events.errors import RulesError
from events.rules import RULES
from events.ruleset import Rule
from scheduler.jobs import JOBS
from tests.house import Clock


def settings(folder: Path) -> app.Settings:
    return app.Settings(
        database_url=f"sqlite:///{folder}/state/reprieve.db", cache=CacheSettings(folder=folder / "cache")
    )


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    application = app.Application(settings(tmp_path), utc_now)
    web = FastAPI()
    web.include_router(app.machine_routes(application))
    application.start()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://local") as opened:
        yield opened
    application.stop()


async def test_health_answers_without_a_session(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert not answer.cookies


async def test_health_says_when_the_database_was_removed(client: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "state" / "reprieve.db").unlink()
    answer = await client.get("/health")
    assert answer.status_code == 503
    assert "was removed or replaced while the program runs" in answer.text


async def test_metrics_are_for_prometheus(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE reprieve_cache_hits_total counter" in answer.text
    assert "reprieve_cache_audit_differed_total 0.0" in answer.text
    assert 'reprieve_job_runs_total{job="day"} 1.0' in answer.text
    assert not answer.cookies


def test_starting_and_stopping_twice_is_harmless(tmp_path: Path) -> None:
    application = app.Application(settings(tmp_path), utc_now)
    application.start()
    application.start()
    application.stop()
    application.stop()
    assert not any(application.bus.has_receivers(event.name) for event in CATALOG)


def test_building_starts_nothing_so_that_a_reloading_server_may_build_it_twice(tmp_path: Path) -> None:
    before = threading.active_count()
    parent = app.Application(settings(tmp_path), utc_now)
    assert threading.active_count() == before
    assert not (tmp_path / "state").exists()
    child = app.Application(settings(tmp_path), utc_now)
    for _ in range(2):
        child.start()
        assert {stats.name: stats.failures for stats in child.clockwork.stats}["day"] == 0
        child.stop()
    parent.stop()
    assert threading.active_count() == before


def test_a_database_that_cannot_be_used_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    application = app.Application(settings(tmp_path), utc_now)
    with pytest.raises(DatabaseUnusableError):
        application.start()
    assert not any(application.bus.has_receivers(event.name) for event in CATALOG)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PORT", "abc", "PORT='abc': expected a whole number from 1 to 65,535"),
        ("PORT", "70000", "PORT='70000': expected a whole number"),
        ("HOST", "0.0.0.0", "HOST='0.0.0.0': expected 127.0.0.1, ::1 or localhost. There are no accounts"),
        ("HOST", "reprieve.example", "HOST='reprieve.example': expected 127.0.0.1, ::1 or localhost."),
        ("OPEN_TO_NETWORK", "true", "OPEN_TO_NETWORK='true': expected yes or no"),
        ("ALLOWED_HOSTS", "https://a.example", "ALLOWED_HOSTS='https://a.example': expected names such as"),
        ("ALLOWED_HOSTS", "a.example,*", "ALLOWED_HOSTS='*': expected names such as"),
        ("CACHE_MODE", "ful", "CACHE_MODE='ful': expected full, selective or disabled"),
        ("CACHE_BACKEND", "ram", "CACHE_BACKEND='ram': expected memory, file or hybrid"),
        (
            "CACHE_BACKENDS_FREE",
            "memory;file",
            "CACHE_BACKENDS_FREE='memory;file': expected some of memory, file, hybrid",
        ),
        ("CACHE_BACKENDS_PREMIUM", ",", "CACHE_BACKENDS_PREMIUM=',': expected some of memory, file, hybrid"),
        ("CACHE_MAX_SIZE_MB", "-1", "CACHE_MAX_SIZE_MB='-1': expected a whole number from 1 to 1,000,000"),
        ("CACHE_AUDIT_PERCENT", "101", "CACHE_AUDIT_PERCENT='101': expected a whole number from 0 to 100"),
        ("CACHE_AUDIT_WHEN", "never", "CACHE_AUDIT_WHEN='never': expected idle or always"),
        ("CACHE_MAX_SIZE_MB", "1.5", "CACHE_MAX_SIZE_MB='1.5': expected a whole number"),
    ],
)
def test_a_wrong_setting_is_one_sentence(variable: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        app.Settings.from_environment({variable: value})
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_it_listens_where_only_this_machine_reaches_it(host: str) -> None:
    assert app.Settings.from_environment({"HOST": host}).host == host


def test_it_can_be_opened_to_a_network_and_told_its_names() -> None:
    chosen = app.Settings.from_environment(
        {"HOST": "0.0.0.0", "OPEN_TO_NETWORK": "yes", "ALLOWED_HOSTS": "Reprieve.example, nas"}
    )
    assert (chosen.host, chosen.allowed_hosts) == ("0.0.0.0", {"reprieve.example", "nas"})


@pytest.mark.parametrize("url", ["nonsense", "postgresql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_a_database_url_that_is_none_is_one_sentence(url: str) -> None:
    with pytest.raises(DatabaseUnusableError, match=r"DATABASE_URL=.*expected the URL of a file"):
        app.Settings.from_environment({"DATABASE_URL": url})


def test_unset_and_empty_variables_are_the_defaults() -> None:
    assert app.Settings.from_environment({}) == app.Settings.from_environment(dict.fromkeys(app.VARIABLES, ""))


def test_a_wrong_rules_table_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (*RULES, Rule(on=(CATALOG[0],), invalidates=("dashboard.metrix",)))
    monkeypatch.setattr("events.rules.RULES", wrong)
    with pytest.raises(RulesError, match=r"test_app\.py:\d+: .* did you mean 'dashboard\.metrics'"):
        app.check_tables()


def test_the_true_tables_fit_together() -> None:
    app.check_tables()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_it_serves_says_where_and_ends_in_order(tmp_path: Path, free_port: int) -> None:
    """The real thing: `python app.py`, a second one on the same port, SIGTERM."""
    environment = {
        **os.environ,
        "PORT": str(free_port),
        "DATABASE_URL": f"sqlite:///{tmp_path}/state/reprieve.db",
        "CACHE_DIR": str(tmp_path / "cache"),
    }
    command = [sys.executable, str(app.ROOT / "app.py")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as first:
        assert first.stderr is not None
        assert any(f"Reprieve is at http://127.0.0.1:{free_port}" in line for line in first.stderr)
        give_up_at = time.monotonic() + 20
        while True:
            try:
                assert httpx.get(f"http://127.0.0.1:{free_port}/health").text == "ok\n"
                break
            except httpx.ConnectError:
                assert time.monotonic() < give_up_at, "it does not answer"
                time.sleep(0.05)
        line = f"ws://127.0.0.1:{free_port}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
        with connect(line, proxy=None, compression="deflate") as tab:
            assert tab.protocol.extensions == [], "what compresses would be kept of each line"
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        first.terminate()
        assert first.wait(10) == 0
        assert "Traceback" not in first.stderr.read()
    assert second.returncode == 2
    assert f"Reprieve is running already at http://127.0.0.1:{free_port} (process {first.pid})" in second.stderr
    assert second.stderr.count("\n") == 1


def test_full_garbage_collections_pass_over_what_was_there_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: int
) -> None:
    frozen: list[int] = []
    monkeypatch.setenv("PORT", str(free_port))
    nothing = SimpleNamespace(
        start=lambda: None, stop=lambda: None, database=SimpleNamespace(file=tmp_path / "reprieve.db")
    )
    monkeypatch.setattr(app, "build", lambda settings: (None, nothing))
    monkeypatch.setattr(app, "_serve", lambda *_: frozen.append(gc.get_freeze_count()))
    assert app.main() == 0
    assert frozen[0] > 50_000


def test_what_the_clock_does_frees_stale_values_and_keeps_backups(tmp_path: Path) -> None:
    clock = Clock()
    application = app.Application(settings(tmp_path), clock)
    with contextlib.ExitStack() as opened:
        application.start()
        opened.callback(application.stop)
        manager, work = application.manager, application._work()
        assert set(work) == {job.name for job in JOBS}, "a job of the table that nothing does"
        manager.get_or_load(DASHBOARD_TASKS, LOCAL_USER)
        tasks.create(application.database, LOCAL_USER, name="Tax return")
        clock.advance(days=2)
        work["reclaim"](threading.Event())
        assert "dashboard.tasks" not in list(manager._file.keys(LOCAL_USER))
        work["backup"](threading.Event())
        assert len(list((tmp_path / "state" / "backups").glob("reprieve-*.db"))) >= 1
