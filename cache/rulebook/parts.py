"""A section of a page, as far as rules are concerned: what it shows, and where."""

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One section: its class, the keys of the values it shows, and the addresses of the pages that it stands on.

    `where` is the file and line of its class; `pages` is `("*",)` for what is on all of them.
    """

    section: str
    keys: tuple[str, ...]
    pages: tuple[str, ...]
    where: str
