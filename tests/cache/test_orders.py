"""Some of the orders of `orders`, and the proof that they find planted mistakes; `make orders` runs them all."""

import random
from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from pathlib import Path

import pytest

from data import instances, tasks
from data.fields import Feelings
from data.preferences import CacheBackend
from tests.cache import actors
from tests.cache.actors import Actor
from tests.cache.models import MODELS
from tests.cache.mutants import MUTANTS
from tests.cache.orders import orders, run_all, stage_for
from tests.cache.probes import Count, probe
from tests.cache.stage import Model, Order, Part, Stage
from tests.house import open_house

EVERY = 397


@cache
def all_orders(name: str) -> list[Order]:
    return list(orders(*MODELS[name].turns))


@pytest.fixture(scope="module")
def memory_stage() -> Iterator[Stage]:
    with stage_for(CacheBackend.MEMORY) as stage:
        yield stage


@pytest.mark.parametrize("name", MODELS)
def test_each_model_has_all_its_orders(name: str) -> None:
    assert len(set(all_orders(name))) == len(all_orders(name)) == 34_650


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_in_no_order_is_anything_stale(backend: CacheBackend) -> None:
    with stage_for(backend, thorough_every=5) as stage:
        for name in MODELS:
            assert run_all(stage, name, all_orders(name)[::EVERY]).wrong == []


@pytest.mark.parametrize("name", MODELS)
def test_all_orders_of_the_first_two_are_right(name: str, memory_stage: Stage) -> None:
    outcome = run_all(memory_stage, name, list(orders(4, 4)))
    assert (outcome.ran, outcome.wrong) == (70, [])


@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
def test_a_snapshot_does_not_take_what_another_process_kept_of_a_later_state(
    tmp_path: Path, backend: CacheBackend
) -> None:
    """Two cards of one page would disagree: this process has not heard yet of the event that lies between."""
    one, other = probe(), probe(key="analytics.other")
    with open_house(tmp_path, backend=backend) as here, open_house(tmp_path, backend=backend) as there:
        planned = instances.plan(here.database, here.user, tasks.create(here.database, here.user, name="Tax return"))
        with here.manager.snapshot(here.user) as snapshot:
            assert snapshot.get(one) == Count(0)
            instances.complete(there.database, there.user, planned, actual=Feelings(relief=80))
            assert there.manager.get_or_load(other, there.user) == Count(1), "it is on disk now, of a later state"
            assert snapshot.get(other) == Count(0)
        assert here.manager.get_or_load(other, here.user) == Count(1)


@pytest.mark.parametrize("lock", ["feed._lock", "manager._shelves_lock"])
def test_no_actor_may_stand_still_inside_of_a_lock(
    lock: str, memory_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All actors share a thread: a re-entrant lock would let the others in, and another would never let them on."""

    def stand_inside(stage: Stage, actor: Actor) -> None:
        with attrgetter(lock)(stage.here):
            actor.rest()

    monkeypatch.setattr(actors, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(RuntimeError, match="stands still inside of a"):
        memory_stage.run(Model((Part(stand_inside),), turns=(2,)), (0, 0))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_mistake_is_found(mutant: str, memory_stage: Stage) -> None:
    planted = MUTANTS[mutant]
    some = random.Random(7).sample(all_orders(planted.seen_in), 1_500)  # a handful will do, as a rule
    with planted.planted():
        found = run_all(memory_stage, planted.seen_in, some, stop_after=1).wrong
    assert "WrongError" in "".join(found)
