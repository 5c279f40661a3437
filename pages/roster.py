"""Which sections are open: by user, by the value that they show, by page, and by the tab that they are on.

So that whatever happens costs as much as the sections that it concerns, however many others are open. Holds none of
them. When they are drawn is in `live`.
"""

import weakref
from collections.abc import Callable, Iterator

from events.catalog import UserId
from events.patterns import covers
from pages.groups import Group
from pages.section import Section
from pages.visit import Screen

Sections = weakref.WeakSet[Section]


class Roster:
    """The roster of one hub. *new_group* makes what redraws one user's copies of one page."""

    def __init__(self, new_group: Callable[[UserId], Group]) -> None:
        self._new_group = new_group
        self._by_key: dict[UserId, dict[str, Sections]] = {}
        self._groups: dict[UserId, dict[str, Group]] = {}
        self._by_screen: weakref.WeakKeyDictionary[Screen, Sections] = weakref.WeakKeyDictionary()

    def add(self, section: Section) -> None:
        """Take note that *section* was opened."""
        visit = section.visit
        visit.sections.add(section)
        by_key = self._by_key.setdefault(visit.user, {})
        for value in (*section.values, *section.follows):
            by_key.setdefault(value.key, weakref.WeakSet()).add(section)
        groups = self._groups.setdefault(visit.user, {})
        if visit.page not in groups:
            groups[visit.page] = self._new_group(visit.user)
        groups[visit.page].members.add(section)
        self._by_screen.setdefault(visit.screen, weakref.WeakSet()).add(section)

    def remove(self, section: Section) -> None:
        """Forget *section*, and its group if it was the last there."""
        visit = section.visit
        visit.sections.discard(section)
        by_key = self._by_key.get(visit.user, {})
        for value in (*section.values, *section.follows):
            found = by_key.get(value.key)
            if found is not None:
                found.discard(section)
                if not found:
                    del by_key[value.key]
        self._by_screen.get(visit.screen, set()).discard(section)
        groups = self._groups.get(visit.user, {})
        group = groups.get(visit.page)
        if group is not None:
            group.members.discard(section)
            group.waiting.discard(section)
            if not group.members:
                group.stop()
                del groups[visit.page]
        if not groups:
            self._groups.pop(visit.user, None)
            self._by_key.pop(visit.user, None)

    @property
    def users(self) -> list[UserId]:
        """Who has a page open. Safe from any thread."""
        return list(self._groups)

    def is_here(self, user: UserId) -> bool:
        """Whether *user* has a page open."""
        return user in self._groups

    def groups(self) -> Iterator[Group]:
        """Yield all groups."""
        for groups in list(self._groups.values()):
            yield from list(groups.values())

    def group_of(self, section: Section) -> Group | None:
        """Return the group of *section*, None once it is closed."""
        if section.is_closed:
            return None
        return self._groups.get(section.visit.user, {}).get(section.visit.page)

    def of_user(self, user: UserId) -> list[Section]:
        """Return all sections of *user*, on all open pages."""
        return [section for group in self._groups.get(user, {}).values() for section in group.members]

    def on_screen(self, screen: Screen) -> list[Section]:
        """Return all sections of one tab."""
        return list(self._by_screen.get(screen, ()))

    def showing(self, user: UserId, prefixes: tuple[str, ...]) -> set[Section]:
        """Return the sections of *user* that show, or follow, a value below or above any of *prefixes*."""
        concerned: set[Section] = set()
        for key, sections in self._by_key.get(user, {}).items():
            if any(covers(prefix, key) or covers(key, prefix) for prefix in prefixes):
                concerned.update(sections)
        return concerned
