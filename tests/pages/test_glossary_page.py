"""The glossary: made of the tables, searchable, and led to by every name of a number."""

import inspect
import re

from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from data import instances
from data.calculations import formulas
from data.calculations.attributes import ATTRIBUTES, OTHERS
from data.calculations.composite import COMPONENTS
from data.calculations.recommendations import SUB_SCORES
from data.calculations.registry import METRICS
from pages.glossary import groups
from tests.pages.hands import fill, texts
from tests.pages.stage import Stage, until

ENTRIES = [entry for _, _, entries in groups() for entry in entries]


def test_every_number_stands_in_it_once() -> None:
    names = [entry.name for entry in ENTRIES]
    assert len(names) == len(set(names)), "an anchor would lead to two places"
    for table in (METRICS, COMPONENTS, ATTRIBUTES):
        assert {one.name for one in table} <= set(names)
    assert set(SUB_SCORES) <= set(names)


OF_ONE_INSTANCE = """
stress net_wellbeing net_wellbeing_normalized stress_efficiency difficulty time_accuracy promptness surprise serendipity
disappointment aversion_drop relief_points execution grit
"""


def test_every_formula_of_one_instance_is_explained() -> None:
    known = {name for name in vars(formulas) if inspect.isfunction(getattr(formulas, name))}
    assert known == set(OF_ONE_INSTANCE.split())
    assert {*OF_ONE_INSTANCE.split(), "delay_minutes"} <= {entry.name for entry in ENTRIES}


def test_whatever_a_number_is_made_of_is_explained_as_well() -> None:
    for one in (*ATTRIBUTES, *OTHERS):
        assert one.roots <= {entry.name for entry in ENTRIES}, one.name


def test_every_entry_says_everything() -> None:
    for entry in ENTRIES:
        assert entry.sentence.endswith("."), entry.name
        assert entry.formula, entry.name
        assert entry.unit, entry.name
        assert entry.source, entry.name


async def test_it_is_searched_by_name_sentence_and_formula(user: User, stage: Stage) -> None:
    await user.open("/glossary")
    assert texts(user).count('class="card glossary-entry"') == len(ENTRIES)
    for query, found in (("grit", "avg_grit"), ("AVOID", "avg_aversion"), ("1440", "tracking_consistency")):
        fill(user, "Search the glossary", query)
        await until(lambda: texts(user).count('class="card glossary-entry"') < 10)
        assert f'id="{found}"' in texts(user)
    fill(user, "Search the glossary", "<b>nothing</b>")
    await until(lambda: "Nothing here is about “&lt;b&gt;nothing&lt;/b&gt;”." in texts(user))
    fill(user, "Search the glossary", "")
    await until(lambda: texts(user).count('class="card glossary-entry"') == len(ENTRIES))


async def test_a_search_stands_in_the_address(user: User, stage: Stage) -> None:
    client = await user.open("/glossary?q=grit")
    assert 'id="avg_grit"' in texts(user)
    assert 'id="avg_relief"' not in texts(user)
    UserInteraction(user, {client.layout}, None).trigger("sub_pages_open", "/glossary")
    await until(lambda: 'id="avg_relief"' in texts(user))


async def test_names_of_numbers_lead_to_their_entries(user: User, stage: Stage) -> None:
    anchors = {entry.name for entry in ENTRIES}
    one = await stage.planned()
    await stage.do(instances.complete, one)
    for path in ("/", "/analytics"):
        client = await user.open(path)
        await until(lambda client=client: all(section.redraws for section in stage.sections(client)))
        led = set(re.findall(r'href="/glossary#(\w+)"', texts(user)))
        assert led <= anchors
        assert len(led) >= 10, path
