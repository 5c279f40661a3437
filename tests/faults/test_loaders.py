"""F31: a loader that raises, that never returns, or that returns something else."""

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from cache.errors import LoadError
from data import instances, tasks
from data.database import ReadTransaction
from data.fields import Feelings
from data.viewpoint import Viewpoint
from tests.cache.probes import Count, Gate, Task, probe
from tests.house import House


def complete(house: House) -> None:
    task = tasks.create(house.database, house.user, name="Tax return")
    instances.complete(
        house.database, house.user, instances.plan(house.database, house.user, task), actual=Feelings(relief=80)
    )


@pytest.mark.fault("F31", inject="a loader raises, five wait", holds="all hear it, the next tries again")
def test_when_a_loader_raises_all_who_wait_hear_it_and_the_next_tries_again(any_house: House) -> None:
    fails = threading.Event()
    fails.set()
    gate = Gate(held=True)

    def loader(read: object, view: object) -> Count:
        found = gate(read, view)  # type: ignore[arg-type]
        if fails.is_set():
            raise ArithmeticError("no such mean")
        return found

    value = probe(loader)
    readers = [Task(lambda: any_house.manager.get_or_load(value, any_house.user)) for _ in range(5)]
    assert gate.has_read.wait(10)
    gate.may_return.set()
    for reader in readers:
        with pytest.raises(LoadError, match=r"analytics\.probe could not be computed: no such mean"):
            reader.join()
    fails.clear()
    assert any_house.manager.get_or_load(value, any_house.user) == Count(0)


@pytest.mark.fault("F31", inject="a loader raises, an older value is kept", holds="shown, labelled")
def test_when_a_loader_raises_the_last_good_value_is_shown_with_the_problem(any_house: House) -> None:
    fails = threading.Event()

    def loader(read: object, view: object) -> Count:
        if fails.is_set():
            raise ArithmeticError("no such mean")
        return Gate()(read, view)  # type: ignore[arg-type]

    value = probe(loader)
    any_house.manager.get_or_load(value, any_house.user)
    complete(any_house)
    fails.set()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        look = snapshot.look(value)
        assert look.value == Count(0)
        assert "no such mean" in (look.problem or "")
        with pytest.raises(LoadError):
            snapshot.get(value)
    assert not any_house.manager.is_current(value, any_house.user, look)


@pytest.mark.fault("F31", inject="a loader never returns", holds="an error in time, the next tries again")
def test_a_load_beyond_its_hard_timeout_is_given_up_and_the_next_tries_again(any_house: House) -> None:
    gate = Gate(held=True)
    value = probe(gate, hard_timeout=timedelta(seconds=0.1))
    with pytest.raises(LoadError, match="took longer than it may"):
        any_house.manager.get_or_load(value, any_house.user)
    assert any_house.manager._counts.of("analytics.probe").timeouts == 1
    complete(any_house)
    quick = probe(hard_timeout=timedelta(seconds=10))
    assert any_house.manager.get_or_load(quick, any_house.user) == Count(1)
    gate.may_return.set()  # and what comes of it now is thrown away
    time.sleep(0.05)
    assert any_house.manager.get_or_load(quick, any_house.user) == Count(1)


@pytest.mark.fault("F31", inject="a loader never returns, an older value is kept", holds="shown, labelled")
def test_a_load_beyond_its_hard_timeout_leaves_the_old_value_labelled(any_house: House) -> None:
    gate = Gate()
    value = probe(gate, soft_timeout=timedelta(seconds=5), hard_timeout=timedelta(seconds=0.1))
    any_house.manager.get_or_load(probe(), any_house.user)
    complete(any_house)
    gate.may_return.clear()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        look = snapshot.look(value)
        assert (look.value, look.is_fresh) == (Count(0), False)
        assert "took longer than it may" in (look.problem or "")
        with pytest.raises(LoadError):
            snapshot.get(value)
    gate.may_return.set()
    assert any_house.manager.get_or_load(probe(), any_house.user) == Count(1)


@pytest.mark.fault(
    "F31", inject="a loader ends in SystemExit, an interrupt, a cancellation", holds="an error that the page shows"
)
@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()])
def test_whatever_ends_a_load_does_not_end_its_readers(any_house: House, error: BaseException) -> None:
    def loader(read: ReadTransaction, view: Viewpoint) -> Count:
        raise error

    with pytest.raises(LoadError):
        any_house.manager.get_or_load(probe(loader), any_house.user)


@pytest.mark.fault("F31", inject="a loader returns the wrong type", holds="an error, nothing is kept")
@pytest.mark.parametrize("wrong", ["text", None, {"completed": 1}])
def test_a_loader_that_gives_something_else_has_failed(any_house: House, wrong: object) -> None:
    with pytest.raises(LoadError, match="instead of a Count"):
        any_house.manager.get_or_load(probe(lambda read, view: wrong), any_house.user)
