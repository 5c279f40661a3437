"""How the application ends and begins: SIGTERM while much is under way, a second start, a start after a kill."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

import app
from data import pidfile
from data.database import Database
from tests.lateness import longest_wait, waits

SECONDS_TO_END = 5
CLIENTS = 20

# What the application is told to do besides, so that there is something under way when it has to end.
BUSY = """
import runpy, sys, threading, time
from data import preferences, tasks
from data.database import Database
from cache import values
from dataclasses import replace

write = Database.write

def slow_write(self, command, **others):
    def slowly(transaction):
        result = command(transaction)
        if {slow_commands} and command.__module__ == "data.tasks":
            time.sleep({slow_commands})
        return result
    return write(self, slowly, **others)

Database.write = slow_write

def writer(database):
    number = 0
    while not database.is_open or 1 not in preferences.names(database).values():
        time.sleep(0.01)
    acknowledged = open(sys.argv[1], "a", buffering=1)
    while database.is_open:
        try:
            task = tasks.create(database, 1, name=f"Task {{number}}")
        except Exception as error:
            sys.stderr.write(f"writer: {{error}}\\n")
            return
        acknowledged.write(task + "\\n")
        number += 1

init = Database.__init__
def started(self, *arguments, **others):
    init(self, *arguments, **others)
    threading.Thread(target=writer, args=(self,), name="writes-without-end", daemon=True).start()
Database.__init__ = started

if {slow_loads}:
    from cache import loading
    from data.calculations import dashboard
    def endless(read, view):
        read.connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        ).scalar()
    for value in values.VALUES:
        if value.key in ("dashboard.metrics", "analytics.trends"):
            object.__setattr__(value, "loader", endless)

sys.path.insert(0, {root!r})
runpy.run_path({root!r} + "/app.py", run_name="__main__")
"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CACHE_", "NICEGUI_", "PYTEST_"))}
    return {
        **kept,
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{folder}/state/reprieve.db",
        "CACHE_DIR": str(folder / "cache"),
        "PYTHONPATH": str(app.ROOT),
    }


@contextlib.contextmanager
def started(folder: Path, port: int, *program: str) -> Iterator[subprocess.Popen[str]]:
    """Start the application (or *program*, which starts it) and wait until it answers."""
    log = folder / f"{port}.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, *(program or [str(app.ROOT / "app.py")])],
            env=environment(folder, port),
            stderr=output,
            text=True,
            cwd=folder,
        ) as process,
    ):
        try:
            give_up_at = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                    if answer.read() == b"ok\n":
                        break
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < give_up_at, "it does not answer"
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def stopped(process: subprocess.Popen[str]) -> int:
    """Ask *process* to end and return its exit code; fail if it takes too long, but for waiting for a processor."""
    began, before, waited = time.monotonic(), waits(process.pid), 0.0
    process.send_signal(signal.SIGTERM)
    while (code := process.poll()) is None:
        waited = max(waited, longest_wait(before, process.pid))
        assert time.monotonic() - began - waited < SECONDS_TO_END
        time.sleep(0.02)
    return code


def wait_until(ready: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < give_up_at, "it is not under load"
        time.sleep(0.01)


def said(folder: Path, port: int) -> str:
    return (folder / f"{port}.log").read_text()


@contextlib.contextmanager
def open_tabs(port: int) -> Iterator[list[ClientConnection]]:
    """Keep sockets open, as tabs do, and request pages on and on."""
    with contextlib.ExitStack() as opened:
        address = f"ws://127.0.0.1:{port}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
        tabs = [opened.enter_context(connect(address, proxy=None)) for _ in range(CLIENTS)]
        ended = threading.Event()

        def browse() -> None:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                while not ended.is_set():
                    with contextlib.suppress(httpx.TransportError):
                        client.get("/")
                        client.get("/analytics")

        workers = opened.enter_context(ThreadPoolExecutor(4))
        opened.callback(ended.set)
        for _ in range(4):
            workers.submit(browse)
        time.sleep(1)  # so that all of it is under way
        yield tabs


@pytest.mark.fault("F34", inject="SIGTERM under load", holds="it finishes, and ends within 5 s")
@pytest.mark.parametrize(
    ("slow_commands", "slow_loads"),
    [(0.0, False), (0.3, False), (0.0, True), (60.0, True)],
    ids=["quick", "slow commands", "endless loads", "both, for a minute"],
)
def test_told_to_end_it_keeps_what_it_acknowledged_and_ends_in_time(
    slow_commands: float, slow_loads: bool, tmp_path: Path, port: int
) -> None:
    program = tmp_path / "busy.py"
    program.write_text(BUSY.format(slow_commands=slow_commands, slow_loads=slow_loads, root=str(app.ROOT)))
    acknowledged = tmp_path / "acknowledged"
    with started(tmp_path, port, str(program), str(acknowledged)) as process, open_tabs(port):
        if slow_commands < 60:
            wait_until(lambda: acknowledged.exists() and acknowledged.read_text())
        assert stopped(process) == 0, said(tmp_path, port)
    log = said(tmp_path, port)
    if slow_loads:
        assert "work under way, which is undone: " in log
    elif "timeout graceful shutdown exceeded" in log:  # requests that take too long are cut off, which it reports
        assert set(re.findall(r"^([\w.]+Error)\b", log, flags=re.M)) <= {"asyncio.exceptions.CancelledError"}
    else:
        assert "Traceback" not in log
    database = Database(f"sqlite:///{tmp_path}/state/reprieve.db")
    with database.opened(), database.read() as read:
        kept = {row[0] for row in read.connection.exec_driver_sql("SELECT id FROM tasks")}
        events = read.connection.exec_driver_sql("SELECT count(*) FROM events WHERE name = 'task.created'").scalar()
    told = set(acknowledged.read_text().split())
    assert told <= kept
    assert events == len(kept)
    assert bool(told) == (slow_commands < 60), "it was not under load"


@pytest.mark.fault("F34", inject="a second start while one runs, on one port", holds="it says so and ends")
def test_a_second_start_on_one_port_says_who_is_there(tmp_path: Path, port: int) -> None:
    with started(tmp_path, port) as first:
        second = subprocess.run(
            [sys.executable, str(app.ROOT / "app.py")],
            env=environment(tmp_path, port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        address = f"http://127.0.0.1:{port} (process {first.pid})"
        assert second.returncode == 2
        assert f"Reprieve is running already at {address}: open it there, or set PORT to another" in second.stderr
        assert second.stderr.count("\n") == 1
        assert httpx.get(f"http://127.0.0.1:{port}/health").text == "ok\n"
        assert stopped(first) == 0


@pytest.mark.parametrize(
    ("there", "host", "is_there"),
    [
        ("http://127.0.0.1:8080 (process 7)", "localhost", True),
        ("http://localhost:8080 (process 7)", "127.0.0.1", True),
        ("http://[::1]:8080 (process 7)", "::1", True),
        ("http://0.0.0.0:8080 (process 7)", "0.0.0.0", True),
        ("http://127.0.0.1:8081 (process 7)", "localhost", False),
        ("http://192.0.2.1:8080 (process 7)", "127.0.0.1", False),
        ("a process that is just starting", "127.0.0.1", False),
        ("http://[:8080 (process 7)", "127.0.0.1", False),
    ],
)
def test_who_is_there_is_known_by_any_name_of_this_machine(there: str, host: str, is_there: bool) -> None:
    assert app._is_at(there, app.Settings(host=host, port=8080)) is is_there


def test_ctrl_c_before_it_serves_ends_it_without_a_traceback(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for name, value in environment(tmp_path, port).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(app, "build", interrupted)
    assert app.main() == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.fault("F34", inject="a second start while one runs, on another port", holds="it says so; both are right")
def test_a_second_start_on_another_port_says_who_serves_the_same_data(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        other = int(probe.getsockname()[1])
    with started(tmp_path, port) as first, started(tmp_path, other) as second:
        line = f"The same data is served at http://127.0.0.1:{port} (process {first.pid}) as well"
        assert said(tmp_path, other).count(line) == 1
        assert stopped(first) == stopped(second) == 0


@pytest.mark.fault("F34", inject="a start after kill -9", holds="nobody is said to be there")
def test_what_was_killed_is_not_said_to_run(tmp_path: Path, port: int) -> None:
    database = tmp_path / "state" / "reprieve.db"
    with started(tmp_path, port) as first:
        assert pidfile.server_of(database) == f"http://127.0.0.1:{port} (process {first.pid})"
        first.kill()
        first.wait()
    assert pidfile.path_for(database).exists()
    assert pidfile.server_of(database) is None
    with started(tmp_path, port) as again:
        assert "as well" not in said(tmp_path, port)
        assert pidfile.server_of(database) == f"http://127.0.0.1:{port} (process {again.pid})"
        assert stopped(again) == 0


def test_a_port_that_another_program_has_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        refused = subprocess.run(
            [sys.executable, str(app.ROOT / "app.py")],
            env=environment(tmp_path, port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert refused.returncode == 2
    assert "is Reprieve running already? Set PORT to another number" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_others_may_use_the_database_beside_it(tmp_path: Path, port: int) -> None:
    with started(tmp_path, port) as process:
        with Database(f"sqlite:///{tmp_path}/state/reprieve.db").opened():
            pass
        done = subprocess.run(
            [sys.executable, "-m", "data", "demo", "--days", "2", "--per-day", "2"],
            env=environment(tmp_path, port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert stopped(process) == 0
