"""The cache's command line and its counters for Prometheus."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cache.__main__ import main
from cache.auditor import Auditor
from cache.prometheus import AuditCollector, exposition
from cache.values import DASHBOARD_METRICS, DASHBOARD_TASKS
from data import tasks
from data.database import Database
from tests.house import House, open_house

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a house that has computed two values and then seen a task being created."""
    with open_house(tmp_path) as house:
        house.manager.get_or_load(DASHBOARD_METRICS, house.user)
        house.manager.get_or_load(DASHBOARD_TASKS, house.user)
        tasks.create(house.database, house.user, name="A")
    now = house.clock.now
    monkeypatch.setitem(Database.__init__.__kwdefaults__, "clock", lambda: now)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/state/reprieve.db")
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))

    def run_command(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


def test_why_names_the_event_that_made_a_value_stale(run: Run) -> None:
    code, out, _ = run("why", "dashboard.tasks")
    assert code == 0
    assert "is stale: computed as of event 1, and task.created (event 2) has made it stale since" in out
    assert "last invalidated by task.created at 2026-05-13 10:00:00 UTC, event 2, as dashboard.tasks" in out


def test_why_says_that_a_value_is_fresh(run: Run) -> None:
    _, out, _ = run("why", "dashboard.metrics")
    assert "dashboard.metrics.2026-05-13 of user 1 is fresh: computed as of event 1" in out


def test_why_says_that_nothing_is_kept(run: Run) -> None:
    _, out, _ = run("why", "summary.daily", "--json")
    found = json.loads(out)
    assert (found["state"], found["as_of"]) == ("miss", None)


def test_why_takes_the_keys_that_it_prints(run: Run) -> None:
    full = run("why", "dashboard.metrics.2026-05-13")
    assert full == run("why", "dashboard.metrics")
    said = (
        "'dashboard.metrics.2026-05-12' is not read now: dashboard.metrics is kept under dashboard.metrics.2026-05-13"
    )
    assert run("why", "dashboard.metrics.2026-05-12") == (1, "", said + "\n")


def test_why_knows_what_is_kept_in_parts(run: Run) -> None:
    code, out, _ = run("why", "pieces.counts")
    assert code == 0
    parts = [line.split()[0] for line in out.splitlines() if line.startswith("pieces.")]
    assert len(parts) >= 1
    assert run("why", parts[0])[1].splitlines()[0] in out
    known = ", ".join(part.removeprefix("pieces.counts.") for part in sorted(parts))
    said = f"'pieces.counts.1999-01' is not kept; of pieces.counts there are {known}\n"
    assert run("why", "pieces.counts.1999-01") == (1, "", said)
    said = "no part of 'pieces.years' is kept: the next value that needs one loads it\n"
    assert run("why", "pieces.years") == (1, "", said)


def test_why_does_not_take_its_own_memory_for_that_of_the_application(run: Run) -> None:
    code, out, _ = run("why", "preferences.profile")
    assert code == 0
    assert out.startswith("preferences.profile of user 1 is unknown: it is kept in the memory of each process")
    assert "kept: " not in out
    assert json.loads(run("why", "preferences.profile", "--json")[1])["as_of"] is None


def test_why_says_that_nothing_is_kept_in_a_sentence(run: Run) -> None:
    assert " of user 1 is not kept: the next reader loads it" in run("why", "summary.daily")[1]


def test_why_says_what_a_load_takes_part_by_part(run: Run) -> None:
    _, out, _ = run("why", "dashboard.metrics", "--load")
    assert "loaded from nothing in " in out
    assert re.search(r"^ +\d+%  pieces\.counts, \d+ of its parts, [\d.]+ ms$", out, flags=re.M)
    assert re.search(r"^ +\d+%  the rest, [\d.]+ ms$", out, flags=re.M)
    cost = json.loads(run("why", "dashboard.metrics", "--load", "--json")[1])["cost"]
    assert abs(sum(part["ms"] for part in cost["parts"]) + cost["own_ms"] - cost["ms"]) < 1e-6


def test_stats_count_what_is_on_disk(run: Run) -> None:
    _, out, _ = run("stats", "--json")
    found = json.loads(out)
    assert found["log_seq"] == 2
    assert found["tiers"][0]["entries"] == 4  # with two parts that they are made of


def test_clear_drops_what_is_on_disk(run: Run) -> None:
    assert run("clear", "--user", "local")[1].startswith("dropped 4 entries")
    assert json.loads(run("stats", "--json")[1])["tiers"][0]["entries"] == 0


def test_audit_finds_nothing_in_the_true_system(run: Run) -> None:
    code, out, _ = run("audit")
    assert (code, out) == (0, "4 checked, 0 differed\n")


def test_audit_finds_a_value_that_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        def __call__(self, read: object, view: object) -> str:
            return "another"

    monkeypatch.setitem(DASHBOARD_METRICS.__dict__, "loader", Other())
    code, out, _ = run("audit")
    assert code == 1
    assert out.startswith("4 checked, 1 differed\ndashboard.metrics.2026-05-13 of user 1, computed as of event 1, at ")
    assert out.endswith(" -> 'another'\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("why", "dashboard.metrix"), "did you mean 'dashboard.metrics'?"),
        (("why", "dashboard.metrics", "--user", "locl"), "there is no user 'locl'; did you mean 'local'?"),
    ],
)
def test_what_does_not_exist_is_one_sentence(run: Run, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1


def test_without_a_database_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    assert main(["stats"]) == 1
    assert "there is no database at" in capsys.readouterr().err


def test_prometheus_can_read_the_counters(house: House) -> None:
    house.manager.get_or_load(DASHBOARD_TASKS, house.user)
    house.manager.get_or_load(DASHBOARD_TASKS, house.user)
    text = exposition(house.manager.get_cache_stats, AuditCollector(Auditor(house.manager).report))().decode()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["reprieve_cache_hits_total", "dashboard.tasks"] == 1
    assert samples["reprieve_cache_misses_total", "dashboard.tasks"] == 1
    assert samples["reprieve_cache_loads_total", "dashboard.tasks"] == 1
    assert samples["reprieve_cache_load_seconds", "dashboard.tasks", "0.99"] > 0
    assert samples["reprieve_cache_tier_entries", "memory"] == 2
    assert samples["reprieve_cache_tier_max_size_bytes", "file"] == 20 * 2**20
