"""Mistakes of many kinds, planted on purpose: each is found, with the place to look at. The true tables have none."""

import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from sqlalchemy import func, select, update

from cache import values as values_table
from cache.pieces import PIECES, ROWS
from cache.rulebook import faults
from cache.rulebook.judging import judge, misses
from cache.rulebook.observing import Observed, observe
from cache.rulebook.parts import Part
from cache.values import ANALYTICS_TRENDS, DASHBOARD_TASKS, PREFERENCES, VALUES, Value, Varies
from data import instances, preferences, tasks
from data.database import ReadTransaction
from data.models import Instance, State, Task
from data.rehearsal import ACTS, COMMANDS, OF_A_TASK, OF_WHAT_IS_COMPLETED, Command, Stage
from data.viewpoint import Viewpoint
from events import table
from events.catalog import (
    CATALOG,
    DayStarted,
    Event,
    InstanceId,
    InstancePaused,
    InstanceStarted,
    PreferencesChanged,
    TaskArchived,
    TaskCompleted,
    TaskCreated,
    TaskEdited,
    TaskId,
    UserCreated,
    UserId,
)
from events.rules import RULES
from events.ruleset import Rule
from pages import inventory
from pages.section import Section, Shown
from pages.shell import Entry
from tests.cache.probes import probe

# --- in the tables, found by the start


def start(
    rules: tuple[Rule, ...] = RULES,
    catalog: tuple[type[Event], ...] = CATALOG,
    values: tuple[Any, ...] = ROWS,
    parts: tuple[Part, ...] = (),
) -> list[str]:
    """Return what the start says."""
    return [finding.sentence for finding in faults.find(rules, catalog, values, parts)]


def changed(event: type[Event], **changes: Any) -> tuple[Rule, ...]:
    """The true table, in which the first row of *event* reads differently."""
    row = next(rule for rule in RULES if event in rule.on)
    return tuple(replace(rule, **changes) if rule is row else rule for rule in RULES)


class TaskShared(Event):
    """An event that no command records."""

    name = "task.shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNamed(Event):
    """An event whose name is a field."""

    name: str = "task.named"  # type: ignore[misc]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSharedWithAll(Event):
    """An event of one user's task that makes everybody's values stale."""

    name: ClassVar[str] = "task.shared_with_all"
    is_global: ClassVar[bool] = True
    task: TaskId


STALE_TREND = probe(key="analytics.probe", ttl=PREFERENCES.ttl)
UNREACHED = probe(key="goals.week")

IN_THE_TABLES: dict[str, tuple[Callable[[], list[str]], str]] = {
    "a prefix is misspelt": (
        lambda: start(changed(TaskCreated, invalidates=("dashboard.taskz", "analytics.*"), keeps={})),
        "'dashboard.taskz' covers no value; did you mean 'dashboard.tasks'?",
    ),
    "a prefix covers no value": (
        lambda: start(changed(TaskCreated, invalidates=("dashboard.tasks.open",), keeps={})),
        "'dashboard.tasks.open' covers no value",
    ),
    "a prefix is no pattern": (
        lambda: start(changed(TaskCreated, invalidates=("dashboard.*.open",), keeps={})),
        "'dashboard.*.open' is not a pattern",
    ),
    "an event has no row": (
        lambda: start(tuple(rule for rule in RULES if UserCreated not in rule.on)),
        "user.created has no rule; write `()` if nothing goes stale",
    ),
    "an event is not in the catalog": (
        lambda: start(catalog=tuple(event for event in CATALOG if event is not TaskArchived)),
        "TaskArchived is not in the catalog",
    ),
    "nothing emits an event": (
        lambda: start((*RULES, Rule(on=(TaskShared,))), (*CATALOG, TaskShared)),
        "nothing emits task.shared: no command in data/ makes a TaskShared",
    ),
    "two events have one name": (
        lambda: start(catalog=(*CATALOG, type("TaskHanded", (TaskShared,), {"name": "task.created"}))),
        "TaskHanded and TaskCreated are both called 'task.created'",
    ),
    "an event has no name": (
        lambda: start(catalog=(*CATALOG, type("TaskHanded", (Event,), {}))),
        "TaskHanded has the name '': expected dotted words as in 'task.completed'",
    ),
    "an event has another kind of name": (
        lambda: start(catalog=(*CATALOG, type("TaskHanded", (Event,), {"name": "TaskHanded"}))),
        "TaskHanded has the name 'TaskHanded': expected dotted words",
    ),
    "an event is no dataclass": (lambda: start(catalog=(*CATALOG, TaskShared)), "TaskShared is no dataclass"),
    "a prefix stands twice in a row": (
        lambda: start(changed(TaskCreated, invalidates=("dashboard.tasks", "dashboard.tasks"), keeps={})),
        "invalidates 'dashboard.tasks' twice",
    ),
    "a value is reached by no rule": (
        lambda: start(values=(*ROWS, UNREACHED)),
        "value 'goals.week' is reached by no rule and nothing else bounds its age",
    ),
    "a value stands twice": (lambda: start(values=(*ROWS, probe(key="dashboard.tasks"))), "'dashboard.tasks' stands"),
    "a value lies below another": (
        lambda: start(values=(*ROWS, probe(key="dashboard.tasks.open"))),
        "one lies below the other",
    ),
    "two rows say the same": (lambda: start((*RULES, RULES[0])), "stands in two rows with the same condition"),
    "a row keeps without a reason": (
        lambda: start(changed(UserCreated, keeps={"summary.*": " "})),
        "keeps 'summary.*' without a reason",
    ),
    "a row keeps with a reason that is no text": (
        lambda: start(changed(UserCreated, keeps={"summary.*": None})),
        "keeps 'summary.*' with None for a reason; say in words why it stays right",
    ),
    "a row keeps with a reason in two": (
        lambda: start(changed(UserCreated, keeps={"summary.*": ("it is", "old")})),
        "keeps 'summary.*' with ('it is', 'old') for a reason",
    ),
    "a row keeps with a reason without words": (
        lambda: start(changed(UserCreated, keeps={"summary.*": "..."})),
        "keeps 'summary.*' with '...' for a reason",
    ),
    "a pattern is no text": (
        lambda: start(changed(UserCreated, invalidates=(5, "*"))),
        "5 is no pattern: expected text such as 'analytics.*'",
    ),
    "patterns are one text": (
        lambda: start(changed(TaskCreated, invalidates="dashboard.tasks")),
        "`invalidates` is no tuple, but 'dashboard.tasks': write (...,), with a comma",
    ),
    "what is kept has no reasons": (
        lambda: start(changed(TaskCreated, keeps=("summary.*",))),
        "`keeps` has no reasons: ('summary.*',) is not {'pattern.*': 'why it stays right'}",
    ),
    "events are a set": (lambda: start((*RULES, Rule(on={TaskCreated}))), "`on` is no tuple, but {"),  # type: ignore[arg-type]
    "a row is about no event": (
        lambda: start((*RULES, Rule(on=("task.created",)))),  # type: ignore[arg-type]
        "'task.created' is no event: expected a class of events/catalog.py",
    ),
    "a prefix is covered by another of its row": (
        lambda: start(changed(TaskCreated, invalidates=("analytics.*", "analytics.trends"), keeps={})),
        "invalidates 'analytics.trends', which 'analytics.*' covers already; leave one out",
    ),
    "a class of the catalog is not in its list": (
        lambda: start(catalog=tuple(event for event in CATALOG if event is not TaskArchived)),
        "TaskArchived is not in CATALOG: add its line there, or the log cannot be read back",
    ),
    "an event stands twice in the catalog": (
        lambda: start(catalog=(*CATALOG, TaskArchived)),
        "TaskArchived stands 2 times in CATALOG",
    ),
    "the name of an event is a field": (
        lambda: start(catalog=(*CATALOG, TaskNamed)),
        "the name of TaskNamed is a field of each event: write name: ClassVar[str] = ...",
    ),
    "an event of one user is global": (
        lambda: start(catalog=(*CATALOG, TaskSharedWithAll)),
        "task.shared_with_all is global, and its task is one user's: what is everybody's would go stale",
    ),
    "a value has no bound on its age": (
        lambda: start(values=(*ROWS, probe(key="goals.week", ttl=None))),
        "'goals.week' may be believed for None: expected more, such as timedelta(hours=1)",
    ),
    "a value's age has no unit": (
        lambda: start(values=(*ROWS, probe(key="goals.week", ttl=60))),
        "'goals.week' may be believed for 60: expected more, such as timedelta(hours=1)",
    ),
    "a key is no text": (lambda: start(values=(*ROWS, probe(key=7))), "7 is no key: expected dotted"),
    "a row keeps what it invalidates": (
        lambda: start(changed(DayStarted, keeps={"summary.daily": "because"})),
        "invalidates 'summary.*' and keeps 'summary.daily'",
    ),
    "a condition is another event's": (
        lambda: start((*RULES, Rule(on=(TaskCreated,), when=TaskEdited.changes_label))),
        "task.created has no condition TaskEdited.changes_label",
    ),
    "a section shows a value that is in no table": (
        lambda: start(parts=(Part(section="Week", keys=("goals.week",), pages=("/",), where="pages/goals.py:7"),)),
        "Week shows 'goals.week', which is not in VALUES",
    ),
}


@pytest.mark.parametrize("mistake", IN_THE_TABLES)
def test_the_start_finds(mistake: str) -> None:
    plant, sentence = IN_THE_TABLES[mistake]
    found = plant()
    assert any(sentence in finding for finding in found), found


def test_the_start_finds_nothing_in_the_true_tables() -> None:
    assert faults.find(RULES, CATALOG, ROWS, inventory.parts()) == []
    assert inventory.faults() == []


def test_a_value_may_say_why_its_age_is_enough() -> None:
    assert start(values=(*ROWS, probe(key="goals.week", may_lag="read once a week"))) == []


MISSPELT = {
    "    UserCreated,\n)": ("    )", "UserCreated is not imported: add it to `from events.catalog import (...)` above"),
    "    PreferencesChanged,\n": (
        "",
        "PreferencesChanged is not imported: add it to `from events.catalog import (...)` above",
    ),
    "from events.ruleset import Rule": (
        "from events.rulesets import Rule",
        "there is no module events.rulesets; did you mean 'events.ruleset'?",
    ),
    "Rule(on=(PreferencesChanged,), when=": (
        "Rule((PreferencesChanged,), when=",
        "what a rule says has a name: write on=(PreferencesChanged,)",
    ),
    "on=(UserCreated,), invalidates": ("invalidates", "names no event"),
    "when=TaskEdited.changes_kind": (
        "when=TaskEdited.changes_kind()",
        "`when` is called: write TaskEdited.changes_kind without (), for each event to ask",
    ),
    "parts=InstancePlanned.months_around": (
        "parts=InstancePlanned.months_around()",
        "`parts` is called: write InstancePlanned.months_around without (), for each event to ask",
    ),
    "on=(InstancePlanned,)": ("on={InstancePlanned}", "`on` is no tuple: write (InstancePlanned,)"),
    "RULES: tuple": ("RULEZ: tuple", "there is no table called RULES; RULEZ was probably meant"),
    "on=(DayStarted,)": ("on=(DayStartd,)", "DayStartd is not in the catalog; did you mean 'DayStarted'?"),
    "    DayStarted,\n": ("    DayStartet,\n", "events.catalog has no DayStartet; did you mean 'DayStarted'?"),
    "when=TaskEdited.changes_label": (
        "when=TaskEdited.changes_lable",
        "TaskEdited has no condition changes_lable; did you mean 'changes_label'?",
    ),
    "when=PreferencesChanged.moves_days": (
        "when=PreferenceChanged.moves_days",
        "PreferenceChanged is not in the catalog; did you mean 'PreferencesChanged'?",
    ),
    "Rule(on=(RefreshRequested,), carried=True)": (
        "Rule(on=(RefreshRequested,), caried=True)",
        "a rule has no 'caried'; did you mean 'carried'?",
    ),
    "parts=TouchesDays.years_touched": (
        "parts=TouchesDays.year_touched",
        "TouchesDays has no condition year_touched; did you mean 'years_touched'?",
    ),
    "on=(RoutineMissed,)": ("on=(RoutineMissed)", "`on` is no tuple: write (RoutineMissed,), with a comma"),
    'invalidates=("preferences.*",)': (
        'invalidates=("preferences.*")',
        "`invalidates` is no tuple: write ('preferences.*',), with a comma",
    ),
    'keeps={"analytics.*": "nothing was planned", "summary.*": "it is made of what was finished or given up"}': (
        'keeps=("analytics.*", "summary.*")',
        '`keeps` has no reasons: write {"pattern.*": "why it stays right"}',
    ),
}


@pytest.mark.parametrize("right", MISSPELT)
def test_a_name_that_is_misspelt_in_the_table_is_found_with_its_line(right: str, tmp_path: Path) -> None:
    wrong, sentence = MISSPELT[right]
    text = table.FILE.read_text()
    assert text.count(right) == 1
    file = tmp_path / "rules.py"
    file.write_text(text.replace(right, wrong))
    rules, (finding,) = table.read(file)
    assert finding.sentence == sentence
    line = file.read_text().splitlines()[int(finding.where.rpartition(":")[2]) - 1]
    assert wrong.strip() in line or "not imported" in sentence
    assert len(rules) == len(RULES)  # the rest is judged by what was meant


UNREADABLE = {
    "Rule(on=(RefreshRequested,), carried=True),": (
        "Rule(on=(RefreshRequested,), carried=True)",
        "this is no Python: invalid syntax. Perhaps you forgot a comma?",
    ),
    "keeps=dict.fromkeys(": ("keeps=dict.fromkey(", "AttributeError: type object 'dict' has no attribute 'fromkey'"),
    "carried=True": ("carried=Yes", "NameError: name 'Yes' is not defined"),
}


@pytest.mark.parametrize("right", UNREADABLE)
def test_a_table_that_is_no_python_is_one_sentence(right: str, tmp_path: Path) -> None:
    wrong, sentence = UNREADABLE[right]
    file = tmp_path / "rules.py"
    file.write_text(table.FILE.read_text().replace(right, wrong))
    rules, (finding,) = table.read(file)
    assert (rules, finding.sentence) == ((), sentence)
    line = int(finding.where.rpartition(":")[2])
    assert wrong.strip() in file.read_text().splitlines()[line - 1]
    assert start(rules) == []  # what is not known to be wrong is not said to be


def test_a_table_of_one_row_without_a_comma_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "rules.py"
    file.write_text("from events.ruleset import Rule\nRULES = (Rule(on=()))\n")
    rules, (finding,) = table.read(file)
    assert len(rules) == 1
    assert finding.where.endswith("rules.py:2")
    assert finding.sentence.startswith("RULES is no tuple")


def test_all_that_is_misspelt_is_found_at_once(tmp_path: Path) -> None:
    text = table.FILE.read_text()
    for right, (wrong, _) in MISSPELT.items():
        text = text.replace(right, wrong)
    file = tmp_path / "rules.py"
    file.write_text(text)
    rules, findings = table.read(file)
    missed = {sentence for _, sentence in MISSPELT.values()} - {finding.sentence for finding in findings}
    assert missed <= {  # names that were misspelt at first and are now another's mistake
        "UserCreated is not imported: add it to `from events.catalog import (...)` above",
    }
    assert len(rules) == len(RULES)


class Sloppy(Section):
    """Reads a value that it does not declare."""

    values = (DASHBOARD_TASKS,)

    def update(self, shown: Shown) -> None:
        """Read both."""
        shown.get(DASHBOARD_TASKS)
        shown.get(PREFERENCES)


class Careless(Section):
    """Declares nothing at all."""

    def update(self, shown: Shown) -> None:
        """Read one."""
        shown.get(PREFERENCES)


class Roundabout(Section):
    """Reads it as an attribute of its module."""

    values = (DASHBOARD_TASKS,)

    def update(self, shown: Shown) -> None:
        """Read one."""
        shown.get(values_table.PREFERENCES)


class Helped(Section):
    """Has a function of its module read it, and that another one."""

    values = (DASHBOARD_TASKS,)

    def update(self, shown: Shown) -> None:
        """Read one."""
        helped(7, shown=shown)


def helped(number: int, shown: Shown) -> None:
    """Ask somebody else."""
    helps(shown)
    helped(number, shown)


def helps(shown: Shown) -> None:
    """Read one that is imported here only."""
    from cache.values import PREFERENCES as OWN

    shown.get(OWN)


SLOPPY = (Sloppy, Careless, Roundabout, Helped)
for thing in (*SLOPPY, helped, helps):
    thing.__module__ = "pages.sloppy"  # only what is of the pages is looked at


@pytest.mark.parametrize("section", SLOPPY)
def test_a_section_that_reads_what_it_does_not_declare_is_found(
    section: type[Section], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pages.sloppy", sys.modules[__name__])
    monkeypatch.setitem(globals(), "Chosen", section)

    def build(visit: Any) -> None:
        Chosen(visit)  # noqa: F821  # set above

    entry = Entry(path="/sloppy", label="Sloppy", icon="", build=build)
    (finding,) = inventory.faults([entry])
    found = f"{section.__name__} reads 'preferences.profile', which is not among the values that it declares"
    assert found in finding.sentence
    assert "test_planted.py:" in finding.where
    assert inventory.parts([entry])[-1].pages == (("*",) if section is Careless else ("/sloppy",))


class OneValue(Section):
    """Forgot the comma."""

    values = PREFERENCES  # type: ignore[assignment]

    def update(self, shown: Shown) -> None:
        """Read it."""
        shown.get(PREFERENCES)


class ByName(Section):
    """Names its value by its key."""

    values = ("dashboard.tasks",)  # type: ignore[assignment]

    def update(self, shown: Shown) -> None:
        """Read nothing."""


OneValue.__module__ = ByName.__module__ = "pages.sloppy"

MISDECLARED = {
    OneValue: "`values` of OneValue is no tuple: write (...,), with a comma",
    ByName: "ByName shows 'dashboard.tasks', which is no value: expected a row of cache/values.py, such as "
    "DASHBOARD_TASKS",
}


@pytest.mark.parametrize("section", MISDECLARED)
def test_a_section_that_declares_no_values_is_found(section: type[Section], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pages.sloppy", sys.modules[__name__])
    monkeypatch.setitem(globals(), "Chosen", section)

    def build(visit: Any) -> None:
        Chosen(visit)  # noqa: F821  # set above

    entry = Entry(path="/sloppy", label="Sloppy", icon="", build=build)
    (finding,) = inventory.faults([entry])
    assert finding.sentence == MISDECLARED[section]
    assert "test_planted.py:" in finding.where
    assert inventory.parts([entry])[-1].keys == ("preferences.profile",)  # of the frame, if this one has none


# --- in the rules, found by what commands do


def test_the_rehearsal_changes_every_column_that_can_be_edited(observed: Observed) -> None:
    """What none of its commands writes, no value can be seen to depend on."""
    changed = {column for seen in observed.observations if seen.events for column in seen.updates}
    assert {f"tasks.{column}" for column in (*tasks.CHECKS, "archived")} <= changed
    assert {f"instances.{column}" for column in instances.CHECKS} <= changed
    assert {f"preferences.{column}" for column in preferences.FIELDS} <= changed
    assert OF_A_TASK.keys() == tasks.CHECKS.keys()
    assert {*OF_WHAT_IS_COMPLETED, "started_at"} == instances.CHECKS.keys()


def test_the_rehearsal_makes_every_transition() -> None:
    made = {name for name in COMMANDS if " what is " in name and not name.startswith("edit ")}
    assert ACTS.keys() == instances.ALLOWED.keys()
    assert len(made) == sum(len(states) for states in instances.ALLOWED.values())


def row_of(event: type[Event], number: int = 0) -> Rule:
    return [rule for rule in RULES if event in rule.on][number]


def exchanged(row: Rule, **changes: Any) -> tuple[Rule, ...]:
    return tuple(replace(rule, **changes) if rule is row else rule for rule in RULES)


IN_THE_RULES: dict[str, tuple[tuple[Rule, ...], str]] = {
    "a row is missing": (
        tuple(rule for rule in RULES if rule is not row_of(TaskEdited, 1)),
        "task.edited is said to keep 'dashboard.metrics'",
    ),
    "a pattern is too narrow": (
        exchanged(row_of(TaskCompleted), invalidates=("dashboard.metrics", "dashboard.tasks", "analytics.trends")),
        "which analytics.relief_summary reads, and no rule says so",
    ),
    "an event is missing in a row": (
        exchanged(
            row_of(TaskCompleted), on=tuple(event for event in row_of(TaskCompleted).on if event is not TaskCompleted)
        ),
        "task.completed writes",
    ),
    "a condition is another one of the event": (
        exchanged(row_of(PreferencesChanged, 3), when=PreferencesChanged.changes_ranking),
        "which summary.daily reads, and no rule says so. “another target” changed",
    ),
    "a condition never holds": (
        exchanged(row_of(TaskCompleted, 1), when=lambda event: False),
        "is said to keep 'summary.*'",
    ),
    "a row keeps what changes": (
        exchanged(
            row_of(InstanceStarted),
            invalidates=("dashboard.tasks",),
            keeps={"dashboard.metrics": "only done ones count"},
        ),
        "is said to keep 'dashboard.metrics' (only done ones count), but dashboard.metrics differs",
    ),
    "two rows have exchanged what they invalidate": (
        exchanged(row_of(PreferencesChanged, 4), invalidates=("dashboard.metrics",)),
        "preferences.recommendation_weights, which analytics.recommendations reads",
    ),
}


@pytest.mark.parametrize("mistake", IN_THE_RULES)
def test_the_deep_check_finds(mistake: str, observed: Observed) -> None:
    rules, sentence = IN_THE_RULES[mistake]
    found = [str(finding) for finding in misses(rules, ROWS, observed)]
    assert any(sentence in finding for finding in found), found
    assert all(":" in finding for finding in found)


def test_what_is_neither_invalidated_nor_kept_is_found_though_nothing_changed(observed: Observed) -> None:
    silent = exchanged(row_of(InstanceStarted), keeps={"summary.*": "finished days only"})
    found = [finding.sentence for finding in judge(silent, CATALOG, ROWS, observed).findings]
    assert any("its rules do not say what becomes of it" in sentence for sentence in found), found
    assert not misses(silent, ROWS, observed)


# --- in commands and loaders, found by running them


class Notes(msgspec.Struct, frozen=True):
    """What the planted loaders return."""

    count: int


def count_noted(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on notes, which no rule of analytics knows."""
    noted = select(func.count()).where(Task.user_id == view.user, Task.notes != "")
    return Notes(read.connection.scalar(noted) or 0)


def sum_of_default_aversions(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on a column of tasks that have been finished."""
    is_done = (Instance.task_id == Task.id) & (Instance.state == State.COMPLETED)
    total = select(func.sum(Task.default_aversion)).join(Instance, is_done).where(Task.user_id == view.user)
    return Notes(read.connection.scalar(total) or 0)


def sum_of_expected_loads(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on a column of instances in every state."""
    return Notes(
        read.connection.scalar(select(func.sum(Instance.predicted_mental_load)).where(Instance.user_id == view.user))
        or 0
    )


def length_of_notes(state: State) -> Callable[[ReadTransaction, Viewpoint], Notes]:
    """Depends on what is noted at instances in one state."""

    def load(read: ReadTransaction, view: Viewpoint) -> Notes:
        is_meant = (Instance.user_id == view.user) & (Instance.state == state)
        return Notes(read.connection.scalar(select(func.sum(func.length(Instance.note))).where(is_meant)) or 0)

    return load


def count_by_clock_hours(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on a preference that it is handed."""
    return Notes(view.profile.clock_hours)


def count_days(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on the day, which is not in its key."""
    return Notes(view.today.toordinal())


def count_by_calendar(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on the day of the machine."""
    from datetime import date

    return Notes(date.today().toordinal())  # noqa: DTZ011


def seconds_now(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on the moment."""
    return Notes(int(time.time()))


def count_in_a_file(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Depends on a file, or would if it were there."""
    with contextlib.suppress(FileNotFoundError):
        return Notes(len(Path(__file__).with_name("rates.txt").read_text()))
    return Notes(0)


class Fickle:
    """Returns something else each time."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, read: ReadTransaction, view: Viewpoint) -> Notes:
        self.calls += 1
        return Notes(self.calls)


def fail(read: ReadTransaction, view: Viewpoint) -> Notes:
    """Fails."""
    raise ZeroDivisionError("nothing to divide by")


def planted(loader: Callable[..., Notes], **changes: Any) -> tuple[Value[Any], ...]:
    return (*VALUES, probe(loader, kind=Notes, **changes))


def for_another_user(stage: Stage) -> None:
    """A command that records its event for somebody else."""

    def command(transaction: Any) -> None:
        transaction.session.execute(update(Task).where(Task.user_id == stage.user).values(name="Mine"))
        event = TaskEdited(user=UserId(2), at=transaction.now, task=stage.task(), changed=("name",))
        transaction.record(event)

    stage.database.write(command)


def for_all_users(stage: Stage) -> None:
    """A command that forgets whose rows are meant."""

    def command(transaction: Any) -> None:
        transaction.session.execute(update(Instance).values(note="done"))
        one = stage.instance(instances.State.PLANNED)
        values: dict[str, Any] = {"changed": ("note",), "earliest_day": None, "today": transaction.now.date()}
        event = instances.InstanceEdited(
            user=stage.user, at=transaction.now, task=stage.task(), instance=InstanceId(one), **values
        )
        transaction.record(event)

    stage.database.write(command)


def under_a_wrong_event(stage: Stage) -> None:
    """A command that archives and says that it paused."""

    def command(transaction: Any) -> None:
        archived = update(Task).where(Task.user_id == stage.user, Task.id == stage.task()).values(kind="other")
        transaction.session.execute(archived)
        one = stage.instance(instances.State.PLANNED)
        transaction.record(
            InstancePaused(user=stage.user, at=transaction.now, task=stage.task(), instance=InstanceId(one))
        )

    stage.database.write(command)


def without_saying_what_changed(stage: Stage) -> None:
    """A command that leaves out a column among those it changed."""

    def command(transaction: Any) -> None:
        transaction.session.execute(update(Task).where(Task.user_id == stage.user).values(name="N", notes="N"))
        event = TaskEdited(user=stage.user, at=transaction.now, task=stage.task(), changed=("notes",))
        transaction.record(event)

    stage.database.write(command)


def without_any_event(stage: Stage) -> None:
    """A command that says nothing."""
    change = update(Task).where(Task.user_id == stage.user).values(name="N")
    stage.database.write(lambda transaction: transaction.session.execute(change))


def refused(stage: Stage) -> None:
    """A command that is not carried out."""
    tasks.edit(stage.database, stage.user, stage.task(), name="")


def only(*names: str, **more: Command) -> Mapping[str, Command]:
    return {**{name: COMMANDS[name] for name in names}, **more}


IN_THE_CODE: dict[str, tuple[Mapping[str, Command], tuple[Value[Any], ...], str]] = {
    "a loader reads another column": (
        only("edit notes of a task"),
        planted(count_noted),
        "task.edited writes tasks.notes",
    ),
    "a loader depends on another preference": (
        only(hours=lambda stage: preferences.change(stage.database, stage.user, clock_hours=12)),
        planted(count_by_clock_hours),
        "preferences.changed writes preferences.clock_hours",
    ),
    "a loader depends on the day and its key does not": (
        only("a day passes, and nobody has said so yet"),
        planted(count_days),
        "analytics.probe depends on the time, and its key does not",
    ),
    "a loader is fickle": (
        {},
        planted(Fickle()),
        "analytics.probe differs when it is computed twice from the same state",
    ),
    "a loader asks which day it is": (
        {},
        planted(count_by_calendar),
        "analytics.probe asks the system's clock: let it take `today` or `hour` of its viewpoint",
    ),
    "a loader asks what time it is": ({}, planted(seconds_now), "analytics.probe asks the system's clock"),
    "a loader reads a file": (
        {},
        planted(count_in_a_file),
        f"analytics.probe opens {Path(__file__).with_name('rates.txt')}, and no event says when that changes",
    ),
    "a function that writes is not rehearsed": (
        only("edit notes of a task"),
        VALUES,
        "no command in data/rehearsal.py carries out archive, so nothing shows what it writes",
    ),
    "a loader fails": (
        {},
        planted(fail),
        "analytics.probe cannot be computed: ZeroDivisionError: nothing to divide by",
    ),
    "an event is of another user": (only(mine=for_another_user), VALUES, "task.edited is recorded for user 2"),
    "a command changes everybody's rows": (only(all=for_all_users), VALUES, "instance.edited is recorded for user 1"),
    "a command records another event": (only(wrong=under_a_wrong_event), VALUES, "instance.paused"),
    "a command leaves out what it changed": (only(less=without_saying_what_changed), VALUES, "task.edited"),
    "a command records nothing": (
        only(none=without_any_event),
        VALUES,
        "“none” cannot be carried out: UnrecordedChangeError",
    ),
    "a command cannot be carried out": (only(bad=refused), VALUES, "“bad” cannot be carried out: InvalidInputError"),
    "no command changes a column": (
        only("edit notes of a task"),
        planted(sum_of_default_aversions),
        "no command of an event changes tasks.default_aversion, which analytics.probe reads",
    ),
    "nothing records an event": ({}, VALUES, "no command in data/rehearsal.py records task.created"),
}


@pytest.mark.parametrize("mistake", IN_THE_CODE)
def test_running_the_commands_finds(mistake: str) -> None:
    commands, values, sentence = IN_THE_CODE[mistake]
    found = [
        str(finding)
        for finding in judge(RULES, CATALOG, (*values, *PIECES), observe(commands, values, days=3)).findings
    ]
    assert any(sentence in finding for finding in found), found


EDITED: dict[str, tuple[Callable[..., Notes], str, str]] = {
    "default_aversion of a task": (sum_of_default_aversions, "analytics.trends", "task.edited"),
    "predicted_mental_load of what is planned": (sum_of_expected_loads, "summary.probe", "instance.edited"),
    "note of what is planned": (length_of_notes(State.PLANNED), "summary.probe", "instance.edited"),
    "what is active": (length_of_notes(State.ACTIVE), "summary.probe", "instance.edited"),
    "what is paused": (length_of_notes(State.PAUSED), "summary.probe", "instance.edited"),
}


@pytest.mark.parametrize("what", EDITED)
def test_what_a_row_is_wrong_to_keep_is_seen_whatever_is_edited(what: str) -> None:
    loader, key, event = EDITED[what]
    values = tuple(value for value in VALUES if value.key != key)
    observed = observe(only(f"edit {what}"), (*values, probe(loader, key=key, kind=Notes)), days=9)
    found = [finding.sentence for finding in misses(RULES, (*values, probe(loader, key=key, kind=Notes)), observed)]
    assert any(f"{event} is said to keep" in sentence and f"but {key} differs" in sentence for sentence in found), found


def test_a_task_that_comes_back_is_seen() -> None:
    """A condition that holds for what goes into the archive only."""
    wrong = tuple(
        replace(rule, when=lambda event: getattr(event, "archived", True)) if TaskArchived in rule.on else rule
        for rule in RULES
    )
    found = misses(wrong, ROWS, observe(only("bring a task back"), VALUES, days=9))
    assert any("task.archived" in finding.sentence for finding in found), found


def test_a_value_that_varies_by_day_may_depend_on_the_day() -> None:
    values = (probe(count_days, kind=Notes, varies=Varies.BY_DAY), ANALYTICS_TRENDS)
    observed = observe(only("a day passes, and nobody has said so yet"), values, days=3)
    assert misses(RULES, values, observed) == []
