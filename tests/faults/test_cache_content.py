"""F11 to F16: whatever stands in the cache folder, a value is right or missing, and nothing in there is obeyed."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cache.file_store import FileStore
from tests.cache.places import entry, file_store, fill, noise, place, rows, wrong_values
from tests.cache.probes import Task


def flip_a_bit(content: bytearray, chance: random.Random) -> None:
    bit = chance.randrange(len(content) * 8)
    content[bit // 8] ^= 1 << bit % 8


def hit_512_bytes(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content) - 512)
    content[at : at + 512] = chance.randbytes(512)


@pytest.mark.fault(
    "F11",
    inject="150 bits of cache.db flipped, 60 hits of 512 random bytes, one at a time",
    holds="right or missing, no exception; it takes new entries",
)
@pytest.mark.parametrize(("hit", "rounds"), [(flip_a_bit, 150), (hit_512_bytes, 60)])
def test_no_hit_at_the_database_gives_a_wrong_value(
    tmp_path: Path, hit: Callable[[bytearray, random.Random], None], rounds: int
) -> None:
    fill(tmp_path)
    whole, chance = (tmp_path / "cache.db").read_bytes(), random.Random(1)
    for _ in range(rounds):
        damaged = bytearray(whole)
        hit(damaged, chance)
        for extra in tmp_path.glob("cache.db-*"):
            extra.unlink()
        (tmp_path / "cache.db").write_bytes(damaged)
        store = file_store(tmp_path)
        assert wrong_values(store) == 0
        assert store.set(place("a.new"), entry())
        assert store.get(place("a.new")) == entry()
        store.clear()
        assert store.stats()[0].entries == 0
        store.close()


TORN = {
    "header zeroed": lambda whole: b"\0" * 100 + whole[100:],
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "cut inside of a page": lambda whole: whole[:5_000],
    "garbage": lambda _: b"not a database at all " * 500,
    "empty": lambda _: b"",
}


@pytest.mark.fault(
    "F11", inject="cache.db: header zeroed, cut, garbage, empty", holds="begun anew, one warning, no wrong value"
)
@pytest.mark.parametrize("tear", TORN.values(), ids=TORN.keys())
def test_a_torn_database_is_begun_anew_with_one_warning(
    tmp_path: Path, tear: Callable[[bytes], bytes], warnings: Callable[[], list[str]]
) -> None:
    fill(tmp_path)
    (tmp_path / "cache.db").write_bytes(tear((tmp_path / "cache.db").read_bytes()))
    store = file_store(tmp_path)
    assert wrong_values(store) == 0
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    assert len(warnings()) <= 1
    store.close()


@pytest.mark.fault("F11", inject="cache.db torn while it is open", holds="begun anew, one warning, no wrong value")
@pytest.mark.parametrize("tear", [TORN["header zeroed"], TORN["garbage"]], ids=["header zeroed", "garbage"])
def test_a_database_torn_while_it_is_open_is_begun_anew(
    tmp_path: Path, tear: Callable[[bytes], bytes], warnings: Callable[[], list[str]]
) -> None:
    fill(tmp_path)
    store = file_store(tmp_path)
    with (tmp_path / "cache.db").open("r+b") as file:  # the same file, as a failing disk would
        content = tear(file.read())
        file.seek(0)
        file.write(content)
    for number in range(50):
        assert wrong_values(store) == 0
        store.set(place(), entry(number))
    assert store.get(place()) == entry(49)
    assert len(warnings()) <= 1
    store.close()


ROOT = Path(__file__).resolve().parents[2]
SIBLING = """
import sys
from pathlib import Path
from tests.cache.places import entry, file_store, place
file_store(Path(sys.argv[1])).set(place("b.sibling"), entry())
print("up", flush=True)
sys.stdin.read()
"""


@pytest.mark.fault(
    "F11", inject="files cut to nothing while another process has them open", holds="begun anew at once, no wrong value"
)
@pytest.mark.parametrize("cut", [["cache.db"], ["cache.db-wal"], ["cache.db", "cache.db-wal"]], ids=" and ".join)
def test_files_that_were_cut_beside_another_process_stop_nobody(tmp_path: Path, cut: list[str]) -> None:
    """SQLite waits for the locks that the other holds in the index, and diskcache for a minute."""
    fill(tmp_path)
    sibling = subprocess.Popen(
        [sys.executable, "-c", SIBLING, tmp_path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert sibling.stdin
    assert sibling.stdout
    with sibling:
        assert sibling.stdout.readline() == b"up\n"
        for name in cut:
            os.truncate(tmp_path / name, 0)
        store = file_store(tmp_path)

        def use() -> None:
            assert wrong_values(store) == 0
            assert store.set(place(), entry())
            assert store.get(place()) == entry()

        Task(use).join()
        sibling.stdin.close()
    store.close()


@pytest.mark.fault("F11", inject="it takes long to open the store", holds="nobody waits for that: a miss")
def test_no_reader_waits_for_another_that_opens_the_store(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    fill(tmp_path)
    store = file_store(tmp_path)
    with store._lock:  # as whoever opens it holds it
        assert Task(lambda: store.get(place("a.k1"))).join() is None
        assert not Task(lambda: store.set(place(), entry())).join()
    assert store.get(place("a.k1")) is not None
    assert warnings() == []
    store.close()


@pytest.mark.fault("F12", inject="a value's file is missing, empty, cut, random", holds="a miss")
@pytest.mark.parametrize(
    "left",
    [None, b"", b"reprieve-cache-2\nxx", b"\x93 random"],
    ids=["missing", "empty", "cut", "random"],
)
def test_a_row_that_keeps_its_value_in_a_file_is_a_miss(tmp_path: Path, left: bytes | None) -> None:
    """F12. We have no such rows: diskcache would make them of large values."""
    store = file_store(tmp_path)
    store.set(place(), entry())
    if left is not None:
        (tmp_path / "value.val").write_bytes(left)
    with rows(tmp_path) as connection:
        connection.execute("UPDATE Cache SET mode = 2, filename = 'value.val', value = NULL")
    assert store.get(place()) is None
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    store.close()


@pytest.mark.fault("F13", inject="a pickle as a value (mode 4) and as a key (raw 0)", holds="no code runs")
def test_a_planted_pickle_runs_no_code(tmp_path: Path) -> None:
    """F13: as a value (mode 4) and as a key (raw 0)."""
    victim = tmp_path / "victim"
    attack = b"cos\nsystem\n(Vtouch " + str(victim).encode() + b"\ntR."
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    with rows(tmp_path / "cache") as connection:
        connection.execute("UPDATE Cache SET mode = 4, value = ?", (attack,))
        connection.execute("INSERT INTO Cache (key, raw, mode, value) VALUES (?, 0, 1, x'00')", (attack,))
    assert store.get(place()) is None
    assert [*store.keys(place().user)] == ["analytics.trends"]
    store.reclaim(lambda *_: False)
    store.set(place("a.more"), entry())
    store.clear(place().user)
    store.clear()
    assert store.stats()[0].entries == 0
    assert not victim.exists()
    store.close()


@pytest.mark.fault(
    "F14", inject="a row whose filename points outside is read and written", holds="refused, the file survives"
)
@pytest.mark.fault("F15", inject="... is deleted, evicted, expired, culled, cleared", holds="the file survives")
@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.get(place()),
        lambda store: store.set(place(), entry("new")),
        lambda store: store.clear(),
        lambda store: store.clear(place().user, "analytics"),
        lambda store: store.reclaim(lambda *_: True),
        lambda store: [store.set(place(f"a.k{number}"), entry(noise(number, 30_000))) for number in range(60)],
        lambda store: store._rows.delete(place().address),
        lambda store: store._rows.evict(None),
        lambda store: store._rows.expire(),
        lambda store: store._rows.cull(),
        lambda store: store._rows.clear(),
    ],
    ids=["get", "set", "clear", "clear some", "reclaim", "evict"]
    + [f"diskcache {name}" for name in ("delete", "evict", "expire", "cull", "clear")],
)
def test_a_file_that_a_planted_row_names_survives(tmp_path: Path, act: Callable[[FileStore], object]) -> None:
    """F14, F15."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    store = file_store(tmp_path / "cache", max_bytes=2**20)
    store.set(place(), entry())
    with rows(tmp_path / "cache") as connection:
        connection.execute("UPDATE Cache SET filename = '../victim', mode = 2, expire_time = 1, value = NULL")
    act(store)
    assert victim.read_text() == "precious"
    store.close()


@pytest.mark.fault("F16", inject="bytes copied to another user and to another key", holds="a miss")
def test_a_value_copied_to_another_user_or_key_is_a_miss(tmp_path: Path) -> None:
    """F16."""
    store = file_store(tmp_path)
    for at in (place(user=1), place(user=2), place("analytics.trendy", user=1)):
        store.set(at, entry("private" if at == place(user=1) else "own"))
    with rows(tmp_path) as connection:
        connection.execute("UPDATE Cache SET value = (SELECT value FROM Cache WHERE key = '1/analytics.trends')")
    assert store.get(place(user=2)) is None
    assert store.get(place("analytics.trendy", user=1)) is None
    assert store.get(place(user=1)) == entry("private")
    store.close()
