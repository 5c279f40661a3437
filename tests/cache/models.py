"""What the actors of the orders kit do, and which of them meet: the literal table `MODELS`.

Where they stand still on the way is said there as well; the seams themselves are in `stage`.
"""

from collections.abc import Callable
from typing import Any

from cache.named import MISS
from cache.warming import Preload
from data.preferences import CacheBackend
from events.catalog import Event, PreferencesChanged, TaskEdited
from tests.cache.actors import Actor, pause, wait_until
from tests.cache.seams import OpenWriter
from tests.cache.stage import MINUTES_SQL, TASK, Model, Part, Shown, Stage
from tests.house import House


def read_value(stage: Stage, actor: Actor) -> None:
    """Read one value, again and again while there are turns."""
    _read_value(stage, actor, stage.here)


def read_value_elsewhere(stage: Stage, actor: Actor) -> None:
    """The same in another process."""
    _read_value(stage, actor, stage.there)


def _read_value(stage: Stage, actor: Actor, house: House) -> None:
    while True:
        began = stage.truth
        stage.seen(house.manager.get_or_load(stage.one, stage.user), began, "get_or_load")
        if not actor.left:
            return
        actor.rest()


def read_snapshot(stage: Stage, actor: Actor) -> None:
    """Read two values in one snapshot, again and again."""
    while True:
        began = stage.truth
        with stage.here.manager.snapshot(stage.user) as snapshot:
            for value in (stage.one, stage.other):
                found = snapshot.get(value)
                stage.seen(found, began, "a snapshot")
                stage.seen_in_state(found, snapshot.seq, value.key)
        if not actor.left:
            return
        actor.rest()


def read_by_name(stage: Stage, actor: Actor) -> None:
    """Get by name; what is missing is computed, kept and looked for again."""
    while True:
        began = stage.truth
        found = stage.here.manager.get("named", "analytics", user=stage.user)
        if found is MISS:
            ((found,),) = stage.raw.execute(MINUTES_SQL, (stage.user,))
            pause("loaded")
            stage.here.manager.set("named", int(found), "analytics", user=stage.user)
        stage.seen(Shown(int(found)), began, "by name")
        if not actor.left:
            return
        actor.rest()


def read_while_loading(stage: Stage, actor: Actor) -> None:
    """Look at what is there, and then for what is fresh, again and again."""
    while True:
        began = stage.truth
        with stage.here.manager.snapshot(stage.user) as snapshot:
            look = snapshot.look(stage.one, patience=0)
            if look.is_fresh:
                stage.seen(look.value, began, "a look that is called fresh")
                stage.seen_in_state(look.value, snapshot.seq, "a look that is called fresh")
            actor.rest()
            stage.seen_in_state(snapshot.get(stage.one), snapshot.seq, "what is had after a look")
        if not actor.left:
            return
        actor.rest()


def load_behind(stage: Stage, actor: Actor) -> None:
    """Load what readers ask for, as the threads do that are there for it."""
    readers = [other for other in stage.actors if other is not actor and other.writes == 0]
    while True:
        wait_until(lambda: bool(stage.jobs) or all(reader.dead for reader in readers))
        if not stage.jobs:
            return
        stage.jobs.pop(0)()


def _command(stage: Stage, change: str, to: int | str, event: Event) -> Callable[[Any], None]:
    def command(transaction: Any) -> None:
        transaction.session.connection().exec_driver_sql(change, (to, stage.user))
        transaction.record(event)

    return command


def write(stage: Stage, actor: Actor) -> None:
    """Run a command: begin, change the row and append to the log, commit, tell the feed."""
    actor.writes = stage.truth + 1
    event = TaskEdited(user=stage.user, at=stage.here.clock(), task=TASK, changed=("name",))
    change = "UPDATE tasks SET estimate_minutes = ? WHERE user_id = ?"
    stage.here.database.write(_command(stage, change, actor.writes, event))
    actor.writes = 0


def write_elsewhere(stage: Stage, actor: Actor) -> None:
    """What another process does: begin, change the row and append, commit; then a second one."""
    event = TaskEdited(user=stage.user, at=stage.here.clock(), task=TASK, changed=("name",))

    def command(transaction: OpenWriter) -> int:
        pause("begun")
        number = stage.truth + 1
        transaction.execute("UPDATE tasks SET estimate_minutes = ? WHERE user_id = ?", (number, stage.user))
        transaction.record(event)
        pause("written")
        return number

    for _ in range(2):
        with stage.writing(actor):
            stage.committed(stage.raw_writer.run(command))
        pause("committed")
        actor.held = frozenset()


def switch(stage: Stage, actor: Actor) -> None:
    """Choose another backend: change and append, commit, tell the feed; in another process, the one of before."""
    event = PreferencesChanged(user=stage.user, at=stage.here.clock(), changed=("cache_backend",))
    change = "UPDATE preferences SET cache_backend = ? WHERE user_id = ?"
    stage.here.database.write(_command(stage, change, CacheBackend.MEMORY.value, event))
    actor.rest()
    with stage.writing(actor):
        stage.raw_writer.run(_command(stage, change, stage.backend.value, event))


def invalidate(stage: Stage, actor: Actor) -> None:
    """Invalidate by hand: begin, append to the log, commit, tell the feed."""
    stage.here.manager.invalidate("analytics.*", user=stage.user)


def evict(stage: Stage, actor: Actor) -> None:
    """Give up what is in memory, then what is on disk, then the shelf, then both tiers again."""
    memory, manager = stage.here.manager._memory, stage.here.manager
    memory.clear(stage.user, "analytics")
    actor.rest()
    stage.forget_on_disk()
    actor.rest()
    manager._drop_shelves(stage.user)
    actor.rest()
    memory.clear(stage.user)
    stage.forget_on_disk()


def evict_at_once(stage: Stage, actor: Actor) -> None:
    """Give up what is kept, in both tiers, in one turn."""
    stage.here.manager._memory.clear(stage.user, "analytics")
    stage.forget_on_disk()


def warm_up(stage: Stage, actor: Actor) -> None:
    """Preload, and load again what goes stale, as the threads do that are there for a user in mode `full`."""
    manager, others = stage.here.manager, [other for other in stage.actors if other is not actor]
    cold = manager.warming._cold
    Preload(stage.user).run(manager)
    while stage.user in cold or not all(other.dead for other in others):
        actor.rest()
        manager.warming._load_again(stage.user, cold.pop(stage.user, ()))


def _part(play: Callable[[Stage, Actor], None], *held: str) -> Part:
    return Part(play, frozenset(held))


MODELS: dict[str, Model] = {
    "evict": Model((_part(read_value, "looked", "opened", "loaded"), Part(write), Part(evict)), warm=True),
    "invalidate": Model(
        # "looked" is not on its way, unless somebody looks at the log before the snapshot is opened.
        (_part(read_snapshot, "looked", "opened", "caught up", "loaded"), Part(write), Part(invalidate)),
        warm=True,
        both=True,
    ),
    "behind": Model(
        (
            _part(read_while_loading, "looked", "opened"),
            Part(write),
            _part(load_behind, "load opened", "judged", "loaded"),
        ),
        warm=True,
        loads_behind=True,
    ),
    "all roles": Model(
        (
            _part(read_value, "looked", "opened", "loaded"),
            Part(write),
            _part(invalidate, "written"),
            Part(evict_at_once),
        ),
        turns=(4, 4, 2, 1),
        warm=True,
    ),
    "preload": Model(
        (
            _part(read_value, "looked", "opened", "loaded"),
            Part(write),
            _part(warm_up, "opened", "load opened", "loaded"),
        ),
        both=True,
    ),
    "switch": Model(
        (_part(read_value, "looked", "opened", "loaded"), Part(write_elsewhere), _part(switch, "written", "committed")),
        warm=True,
    ),
    "readers": Model(
        (
            _part(read_snapshot, "opened", "viewed", "loaded"),
            _part(read_value, "caught up", "judged", "loaded"),
            Part(write),
        ),
        both=True,
    ),
    "names": Model(
        (_part(read_by_name, "looked", "loaded"), Part(write_elsewhere), Part(evict)), by_name=True, two_processes=True
    ),
    "processes": Model(
        (
            _part(read_value, "looked", "opened", "loaded"),
            _part(read_value_elsewhere, "caught up", "judged", "loaded"),
            Part(write_elsewhere),
        ),
        two_processes=True,
    ),
    "look-ups": Model(
        (
            _part(read_snapshot, "opened", "looking", "loaded"),
            _part(read_value, "opened", "loaded"),
            Part(write),
        ),
        both=True,
    ),
    "states": Model(
        (
            _part(read_snapshot, "opened", "caught up", "loaded"),
            _part(read_value_elsewhere, "judged", "loaded"),
            Part(write_elsewhere),
        ),
        both=True,
        two_processes=True,
    ),
}
