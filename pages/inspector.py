"""The inspector: what the last events led to, how each value stands, the rules as a picture, and whether all is true.

It shows the cache and not what is in it, so its cards declare no values but the preferences: they look by themselves,
once a second while somebody sees them, and load nothing. What is shown is of the user who looks; counts are of all.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from nicegui import ui

from cache.auditor import AuditReport, Difference
from cache.counts import KeyStats
from cache.inspection import Inspected, InspectedParts, hit_rate, inspect, inspect_parts, recent
from cache.journal import Happened, Load
from cache.pieces import PIECES
from cache.rulebook.graph import TITLE, Curve, Drawing, text_places
from cache.values import PREFERENCES
from cache.why import Why
from data.database import ReadTransaction
from data.preferences import Profile
from data.viewpoint import Viewpoint
from events.patterns import covers
from pages import controls, figures
from pages.controls import Words, heading, stack
from pages.markup import NOTHING, Block, Markup, join, tag, text
from pages.section import Query, Section, Shown
from pages.visit import Visit

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SHOWN_EVENTS = 20
PARTED = tuple(row.key for row in PIECES)


class Watching(Section):
    """A card that looks once a second at something besides the values."""

    values = (PREFERENCES,)
    title = ""
    explanation = ""

    def build(self) -> None:
        """Make heading and block."""
        self.home.classes("card inspector-card")
        self.home.props["aria-labelledby"] = heading(self.title).html_id
        Words(self.explanation, "p").classes("hint")
        self._block = Block()
        self._profile: Profile | None = None
        self._has_failed = False
        ui.timer(LOOK_SECONDS, self._look)

    def query(self) -> Query:
        """Look for the first time, so that there is something to see when it is drawn."""

        def first_look(_: ReadTransaction, view: Viewpoint) -> Markup:
            self._profile = view.profile
            return self.seen()

        return first_look

    def update(self, shown: Shown) -> None:
        """Take over how the user writes times, and show what was seen; what comes later, comes by itself."""
        self._profile = shown.get(PREFERENCES)
        self._block.show(shown.found)

    async def _look(self) -> None:
        if self._profile is not None and self.visit.screen.can_see:
            await self._show()

    async def _show(self) -> None:
        try:
            seen = await self.visit.hub.workers.read(self.seen)
        except Exception:  # part of the page error boundary: the next look may succeed
            if not self._has_failed:
                log.exception("%s could not be looked at", type(self).__name__)
            self._has_failed = True
            return
        self._has_failed = False
        if not self.is_closed:
            self._block.show(seen)

    def seen(self) -> Markup:
        """Return what there is to see. Runs in a worker thread and takes some milliseconds."""
        raise NotImplementedError

    def at(self, moment: datetime) -> str:
        """Return a moment as the time of day with seconds, at the user's place."""
        assert self._profile is not None
        return f"{moment.astimezone(self._profile.calendar.zone):%H:%M:%S}"


class Happenings(Watching):
    """The last events, newest first."""

    title = "What happened"
    name = "What happened"
    explanation = (
        "The last events and what each made stale; since the start also what it had computed anew and redrawn."
    )

    def __init__(self, visit: Visit) -> None:
        known = visit.services.manager.journal.latest(visit.user)
        rows = min(SHOWN_EVENTS, known[0].seq) if known else SHOWN_EVENTS  # those of before the start are shown as well
        self.room = (min(721, 121 + 70 * rows), min(1000, 150 + 250 * rows))
        super().__init__(visit)

    def seen(self) -> Markup:
        """Return a table of events."""
        happened = recent(self.visit.services.manager, self.visit.user, SHOWN_EVENTS)
        if not happened:
            return tag("p", "Nothing has happened yet.", class_="empty")
        head = ("At", "Event", "Made stale", "Computed anew", "Redrawn", SEEN_AFTER)
        return _table("What happened", head, [self._row(one) for one in happened])

    def _row(self, one: Happened) -> Markup:
        redraws = (_keyed(f"{draw.section} on {draw.page}", _times(draw.tabs)) for draw in one.redraws)
        seen = [draw.after_ms for draw in one.redraws if draw.after_ms is not None]
        after = f"{max(seen):,.0f} ms" if seen else "when looked at" if one.redraws else figures.DASH
        return tag(
            "tr",
            tag("td", self.at(one.at), class_="is-time"),
            tag("th", one.event, tag("span", f"event {one.seq:,}", class_="hint"), scope="row"),
            _cell("Made stale", _lines(_code(prefix) for prefix in one.prefixes)),
            _cell("Computed anew", _lines(_computed(one.loads))),
            _cell("Redrawn", _lines(redraws)),
            _cell(SEEN_AFTER, text(after), is_number=True),
        )


class Keys(Watching):
    """Each value, with everything that its freshness rests on."""

    title = "Values"
    name = "The values"
    room = (675, 1605)
    explanation = "How each value stands for you now. Hits and load times are of everybody, since the start."

    def seen(self) -> Markup:
        """Return a table of values."""
        head = ("Value", "State", "Hits", "Age", "As of", "Made stale by", "Load", "Size")
        manager, user = self.visit.services.manager, self.visit.user
        rows = [self._row(one) for one in inspect(manager, user)]
        return _table(self.title, head, rows + [self._row_of_parts(one) for one in inspect_parts(manager, user)])

    def _row(self, one: Inspected) -> Markup:
        why = one.why
        return tag(
            "tr",
            tag("th", one.label, tag("span", why.key, class_="hint"), scope="row"),
            _cell("State", tag("span", why.state, class_=f"state is-{why.state}", title=why.verdict)),
            _hits(one.stats),
            _cell("Age", text(_age(one.age)), is_number=True),
            _cell("As of", text(figures.DASH if why.as_of is None else f"{why.as_of:,}"), is_number=True),
            _cell("Made stale by", _made_stale_by(why)),
            _load(one.stats),
            _cell("Size", text(_size(why.size_bytes)), is_number=True),
        )

    def _row_of_parts(self, one: InspectedParts) -> Markup:
        dash = text(figures.DASH)
        return tag(
            "tr",
            tag("th", one.label, tag("span", one.key, class_="hint"), scope="row"),
            _cell("State", text(f"{one.kept:,} kept")),
            _hits(one.stats),
            *(_cell(name, dash, is_number=True) for name in ("Age", "As of")),
            _cell("Made stale by", dash),
            _load(one.stats),
            _cell("Size", dash, is_number=True),
        )


class Sampler(Watching):
    """What the auditor found."""

    title = "Is it true?"
    name = "The audit"
    room = (172, 211)
    explanation = "In idle moments a kept value is computed once more, from the same state, and compared."

    def build(self) -> None:
        """Make the button as well."""
        super().build()
        with stack("inspector-buttons"):
            controls.button("Check all of mine now", self._check, look="is-quiet", icon="check").once()

    def seen(self) -> Markup:
        """Return the report."""
        report = self.visit.services.auditor.report()
        verdict = tag("p", report.sentence, class_="audit-verdict" + (" is-wrong" if report.differed else ""))
        own = [found for found in report.differences if found.user == self.visit.user]
        return join(verdict, _failures(report), *(self._difference(found) for found in own))

    async def _check(self) -> None:
        report = await self.visit.hub.workers.read(self.visit.services.auditor.check_all, self.visit.user)
        await self._show()
        self.visit.toasts.done(f"{report.sentence} since the start.")

    def _difference(self, found: Difference) -> Markup:
        trail = [
            tag(
                "tr",
                tag("td", self.at(one.at), class_="is-time"),
                tag("th", one.event, tag("span", f"event {one.seq:,}", class_="hint"), scope="row"),
                _cell("Made stale", _lines(_code(prefix) for prefix in one.invalidates)),
            )
            for one in found.trail
        ]
        return tag(
            "details",
            tag("summary", f"{found.key}, computed as of event {found.as_of:,}, differed at event {found.seq:,}"),
            tag("p", f"{found.place}: {found.example}"),
            _table("The events before", ("At", "Event", "Made stale"), trail),
            class_="difference",
        )


class Picture(Section):
    """The rules, drawn."""

    values = (PREFERENCES,)
    name = "The picture"

    def build(self) -> None:
        """Make the drawing: it is the same until the next start."""
        self.home.classes("card inspector-card")
        self.home.props["aria-labelledby"] = heading("Rules").html_id
        Words("Which event makes which values stale, and which pages show them. Dashed: only if.", "p").classes("hint")
        self._block = Block(_svg(self.visit.services.drawing)).classes("rules-frame")
        self._block.props.update({"tabindex": "0", "role": "group", "aria-label": TITLE})

    def update(self, shown: Shown) -> None:
        """Nothing on it changes."""


def build(visit: Visit) -> None:
    """Make the page."""
    with stack("page-head", "header"):
        heading("Inspector", 1).props["tabindex"] = "-1"
        Words("How this application keeps its pages right", "p").classes("page-date")
    Happenings(visit)
    Keys(visit)
    Sampler(visit)
    Picture(visit)


SEEN_AFTER = "On screen after"
"""In tabs that somebody could see when it happened; in others the time would say how long they were not looked at."""
NUMBERS = frozenset({SEEN_AFTER, "Hits", "Age", "As of", "Load", "Size"})
"""Columns that are aligned on the right."""


def _table(name: str, head: tuple[str, ...], rows: list[Markup]) -> Markup:
    heads = (tag("th", words, scope="col", class_="is-number" if words in NUMBERS else None) for words in head)
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), aria_label=name)
    return tag("div", table, class_="inspector-table", tabindex="0", role="group", aria_label=name)


def _cell(name: str, shown: Markup, *, is_number: bool = False) -> Markup:
    """Return a cell. *name* stands beside it where there is no room for columns."""
    return tag("td", tag("div", shown), data_name=name, class_="is-number" if is_number else None)


def _hits(stats: KeyStats) -> Markup:
    rate = hit_rate(stats)
    return _cell("Hits", text(figures.DASH if rate is None else f"{100 * rate:.0f}%"), is_number=True)


def _load(stats: KeyStats) -> Markup:
    usual, worst = stats.load_ms_p50, stats.load_ms_p99
    said = figures.DASH if usual is None else f"{usual:,.1f} ms"
    hint = NOTHING if worst is None else tag("span", f"99%: {worst:,.1f} ms", class_="hint")
    return _cell("Load", join(said, hint), is_number=True)


def _made_stale_by(why: Why) -> Markup:
    """Return what made it stale now, or, where it is not, which event did last."""
    if why.is_too_old:
        return text("its age")
    if why.cause is None:
        return text(figures.DASH)
    event = _keyed(why.cause.event, f"event {why.cause.seq:,}")
    return event if why.state == "stale" else join(tag("span", "last ", class_="hint is-inline"), event)


def _computed(loads: Iterable[Load]) -> Iterator[Markup]:
    """Yield a line for each value, and one for all parts of a value that is kept in parts."""
    by_row: dict[str, list[Load]] = {}
    for load in loads:
        row = next((key for key in PARTED if covers(key, load.key)), load.key)
        by_row.setdefault(row, []).append(load)
    for key, several in by_row.items():
        parts = f"{len(several)} parts, " if len(several) > 1 else ""
        yield _keyed(several[0].key if len(several) == 1 else key, f"{parts}{sum(load.ms for load in several):,.1f} ms")


def _lines(parts: Iterable[Markup]) -> Markup:
    return join(*(tag("div", part) for part in parts)) or text(figures.DASH)


def _code(key: str) -> Markup:
    return tag("code", key)


def _keyed(key: str, figure: str) -> Markup:
    return join(tag("code", key), tag("span", f" {figure}" if figure else "", class_="hint is-inline"))


def _times(tabs: int) -> str:
    return "" if tabs == 1 else f"{tabs}×"


def _failures(report: AuditReport) -> Markup:
    return tag("p", f"{report.failed:,} could not be computed.", class_="hint") if report.failed else NOTHING


def _age(age: timedelta | None) -> str:
    if age is None:
        return figures.DASH
    seconds = max(0, int(age.total_seconds()))
    return f"{seconds} s" if seconds < 60 else figures.duration(seconds / 60)


def _size(size: int | None) -> str:
    return figures.DASH if size is None else f"{size / 1024:,.1f} KB"


def _curve_look(curve: Curve) -> str:
    return "curve is-conditional" if curve.words else "curve"


def _svg(drawn: Drawing) -> Markup:
    curves = [
        tag("g", tag("title", curve.title), tag("path", class_=_curve_look(curve), d=curve.path))
        for curve in drawn.curves
    ]
    holders = [box for box in drawn.boxes if box.look == "subsystem"]
    others = [box for box in drawn.boxes if box.look != "subsystem"]
    boxes = {
        box.name: join(
            tag("rect", class_=f"box is-{box.look}", x=box.left, y=box.top, width=box.width, height=box.height, rx=6),
            *(tag("text", words, x=x, y=y) for words, x, y in text_places(box)),
        )
        for box in drawn.boxes
    }
    return tag(
        "svg",
        *(boxes[box.name] for box in holders),
        *curves,
        *(boxes[box.name] for box in others),
        view_box=f"0 0 {drawn.width:g} {drawn.height:g}",
        role="img",
        aria_label=TITLE,
        class_="rules-picture",
    )
