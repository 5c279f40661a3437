"""The bus: receivers are strong, ordered and guarded, and only the signals of the catalog exist."""

import gc
import logging
import threading
import weakref
from datetime import UTC, date, datetime

import pytest

from events.bus import Bus
from events.catalog import (
    CATALOG,
    NOTIFICATIONS,
    DayStarted,
    Event,
    Invalidated,
    Logged,
    TaskArchived,
    TaskCreated,
    TaskId,
    UserCreated,
    UserId,
)
from events.errors import EventsError, UnknownSignalError

AT = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
USER = UserId(1)
CREATED = Logged(seq=1, event=TaskCreated(user=USER, at=AT, task=TaskId("t")))
DAY = Logged(seq=2, event=DayStarted(user=USER, at=AT, day=date(2026, 5, 13)))
RAISED = Invalidated(user=USER, prefixes=("analytics",), cause="task.created", seq=1)


class TaskCreatedd(Event):
    """An event that the catalog does not list."""

    name = "task.createdd"


class Recorder:
    """A receiver that remembers."""

    def __init__(self) -> None:
        self.heard: list[Logged] = []

    def hear(self, logged: Logged) -> None:
        self.heard.append(logged)


@pytest.fixture
def bus() -> Bus:
    return Bus()


def test_a_receiver_is_given_the_logged_event_itself(bus: Bus) -> None:
    heard: list[Logged] = []
    bus.on_event(heard.append, TaskCreated)
    bus.send(CREATED)
    assert len(heard) == 1
    assert heard[0] is CREATED


def test_a_receiver_hears_only_the_classes_it_asked_for(bus: Bus) -> None:
    heard: list[Logged] = []
    bus.on_event(heard.append, DayStarted, TaskArchived)
    bus.send(CREATED)
    bus.send(DAY)
    assert heard == [DAY]


def test_a_receiver_that_names_no_class_hears_every_event_and_no_notification(bus: Bus) -> None:
    heard: list[Logged] = []
    bus.on_event(heard.append)
    assert all(bus.has_receivers(kind.name) for kind in CATALOG)
    assert not any(bus.has_receivers(kind.name) for kind in NOTIFICATIONS)
    bus.send(CREATED)
    bus.send(DAY)
    bus.notify(RAISED)
    assert heard == [CREATED, DAY]


def test_notifications_reach_who_listens_to_them_and_nobody_else(bus: Bus) -> None:
    heard: list[Invalidated] = []
    bus.on_invalidated(heard.append)
    bus.send(CREATED)
    bus.notify(RAISED)
    assert heard == [RAISED]


def test_closures_lambdas_and_methods_of_forgotten_objects_survive_the_garbage_collector(bus: Bus) -> None:
    heard: list[str] = []

    def connect() -> weakref.ref[Recorder]:
        recorder = Recorder()

        def closure(logged: Logged) -> None:
            heard.append("closure")

        bus.on_event(closure, TaskCreated)
        bus.on_event(lambda _: heard.append("lambda"), TaskCreated)
        bus.on_event(recorder.hear, TaskCreated)
        return weakref.ref(recorder)

    recorder = connect()
    gc.collect()
    bus.send(CREATED)
    assert heard == ["closure", "lambda"]
    kept = recorder()
    assert kept is not None
    assert kept.heard == [CREATED]


def test_receivers_run_in_the_order_of_their_connection(bus: Bus) -> None:
    heard: list[int] = []
    disconnects = [bus.on_event(lambda _, number=number: heard.append(number), TaskCreated) for number in range(50)]
    bus.send(CREATED)
    assert heard == list(range(50))
    for disconnect in disconnects[::3]:
        disconnect()
    bus.on_event(lambda _: heard.append(99), TaskCreated)
    heard.clear()
    bus.send(CREATED)
    assert heard == [number for number in range(50) if number % 3] + [99]


def test_a_raising_receiver_stops_neither_the_next_nor_the_sender(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Logged] = []

    def broken(logged: Logged) -> None:
        raise ValueError("on purpose")

    bus.on_event(broken, TaskCreated)
    bus.on_event(heard.append, TaskCreated)
    with caplog.at_level(logging.ERROR, "events.bus"):
        bus.send(CREATED)
    assert heard == [CREATED]
    (record,) = caplog.records
    assert "broken" in record.getMessage()
    assert "task.created" in record.getMessage()
    assert record.exc_info
    assert isinstance(record.exc_info[1], ValueError)


def test_a_receiver_of_the_wrong_shape_is_logged_like_any_that_raises(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Invalidated] = []
    bus.on_invalidated(lambda: None)  # type: ignore[misc,arg-type]
    bus.on_invalidated(heard.append)
    bus.notify(RAISED)
    assert heard == [RAISED]
    assert "TypeError" in caplog.text


def test_the_returned_function_disconnects_from_all_classes_and_may_be_called_again(bus: Bus) -> None:
    heard: list[Logged] = []
    stays: list[Logged] = []
    disconnect = bus.on_event(heard.append)
    bus.on_event(stays.append, TaskCreated)
    disconnect()
    disconnect()
    bus.send(CREATED)
    bus.send(DAY)
    assert heard == []
    assert stays == [CREATED]
    assert [kind for kind in CATALOG if bus.has_receivers(kind.name)] == [TaskCreated]


def test_one_function_connected_twice_hears_twice_and_stops_once_at_a_time(bus: Bus) -> None:
    heard: list[Logged] = []
    first = bus.on_event(heard.append, TaskCreated)
    bus.on_event(heard.append, TaskCreated)
    bus.send(CREATED)
    first()
    bus.send(CREATED)
    assert len(heard) == 3


def test_a_receiver_may_disconnect_itself_and_others_while_it_runs(bus: Bus) -> None:
    heard: list[str] = []

    def first(_: Logged) -> None:
        heard.append("first")
        stop_first()
        stop_second()

    stop_first = bus.on_event(first, TaskCreated)
    stop_second = bus.on_event(lambda _: heard.append("second"), TaskCreated)
    bus.on_event(lambda _: heard.append("third"), TaskCreated)
    bus.send(CREATED)
    bus.send(CREATED)
    assert heard == ["first", "third", "third"]


def test_a_receiver_that_connects_another_does_not_make_it_hear_the_present_event(bus: Bus) -> None:
    heard: list[Logged] = []
    stop = bus.on_event(lambda _: bus.on_event(heard.append, TaskCreated), TaskCreated)
    bus.send(CREATED)
    stop()
    assert heard == []
    bus.send(CREATED)
    assert heard == [CREATED]


def test_an_event_that_the_catalog_does_not_list_is_refused_with_the_nearest_name(bus: Bus) -> None:
    expected = r"no signal 'task\.createdd' in events/catalog\.py; did you mean 'task\.created'\?"
    with pytest.raises(UnknownSignalError, match=expected) as refused:
        bus.on_event(lambda _: None, TaskCreatedd)
    assert isinstance(refused.value, EventsError)
    assert isinstance(refused.value, LookupError)
    with pytest.raises(UnknownSignalError, match=expected):
        bus.send(Logged(seq=1, event=TaskCreatedd(user=USER, at=AT)))
    with pytest.raises(UnknownSignalError, match=expected):
        bus.has_receivers("task.createdd")


def test_a_connection_that_is_refused_leaves_nothing_connected(bus: Bus) -> None:
    with pytest.raises(UnknownSignalError):
        bus.on_event(lambda _: None, UserCreated, TaskCreatedd)
    assert not bus.has_receivers(UserCreated.name)


def test_two_buses_do_not_hear_each_other(bus: Bus) -> None:
    other = Bus()
    heard: list[Logged] = []
    other.on_event(heard.append)
    bus.send(CREATED)
    assert heard == []


def test_connecting_in_one_thread_disturbs_no_sending_in_another(bus: Bus) -> None:
    heard: list[Logged] = []
    bus.on_event(heard.append, TaskCreated)
    stop = threading.Event()

    def connect_and_disconnect() -> None:
        while not stop.is_set():
            bus.on_event(lambda _: None, TaskCreated)()

    threads = [threading.Thread(target=connect_and_disconnect) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            bus.send(CREATED)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(heard) == 300
