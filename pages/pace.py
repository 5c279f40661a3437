"""How hard the hub works, in numbers. What it does is in `live`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How hard the hub works. All in seconds, but `rest`."""

    min_gap: float = 0.25
    """The least time between two redraws of a section."""
    longest_gap: float = 1.0
    """How far behind a visible section may fall because of pauses that the hub makes on its own account."""
    rest: float = 2.0
    """After a redraw, the hub leaves that page alone for this many times the time that it took."""
    slice: float = 0.008
    """How long the event loop is kept before others get their turn."""
    gather: float = 0.03
    """After sections were drawn, how long the values that come next are gathered: a browser goes through the whole page
    for each message, however little it changes."""
    patience: float = 0.5
    """After how long a card says that it is being refreshed."""
    progress: float = 0.3
    """When a card that waits says for the second time how far its load is; after that, twice as long each time."""
    rarest_progress: float = 2.0
    """How often it does so at the least. Most loads that take so long do because there are many of them."""
    hold: float = 0.25
    """How long a redraw waits for newer numbers, all together, where older ones are kept that it can show, labelled."""
    turn: float = 0.1
    """How long a reading waits for what nothing is kept of, before other values get their turn."""
    poll: float = 0.2
    """How often other processes' changes are looked for, while anybody is connected."""
    look: float = 0.5
    """How often it looks whether a day or an hour has begun, and whether anything below is due."""
    tick: float = 60.0
    """How often what shows the passing of time is redrawn."""
    first: float = 0.05
    """How long a page that opens waits for newer numbers, where older ones are kept that it can show, labelled."""
    retry: float = 15.0
    """How often cards that could not be renewed are tried again by themselves."""
