"""The beginning of each page's HTML, which is sent before the page is made: browsers load styles and scripts meanwhile.

It ends where the elements begin. Up to there, all answers for one page in one theme are alike but for the nonce that
lets their scripts run (`doors`), so that of the last one is sent again, with a nonce of its own. What a page consists
of is in `routes`, what stands in its head, in `shell`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import Request
from fastapi.responses import StreamingResponse
from nicegui import Client

Key = tuple[str, bool | None]
"""A page's path, and whether it is dark."""

_ELEMENTS = b"parseElements(String.raw`"
"""What the elements stand behind, in the HTML of NiceGUI 3.18. Where it is missing, pages are sent in one piece."""
_NONCE = b"\0nonce\0"
"""What stands for the nonce in what is remembered; no HTML has it."""
_HEADERS = {"Cache-Control": "no-store", "X-NiceGUI-Content": "page"}
_SENDING_SECONDS = 0.001
"""How long the event loop is free to send the head, through all middleware, before the page is built on it."""


class Heads:
    """The heads that were sent last."""

    def __init__(self) -> None:
        self._known: dict[Key, bytes] = {}

    def answer(
        self, client: Client, request: Request, is_dark: bool | None, build: Callable[[], Awaitable[None]]
    ) -> StreamingResponse:
        """Return an answer that has *build* fill the page in *client*, and sends what is known of it before that."""
        key = (client.page.path, is_dark)
        return StreamingResponse(self._parts(key, client, request, build), media_type="text/html", headers=_HEADERS)

    async def _parts(
        self, key: Key, client: Client, request: Request, build: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[bytes]:
        nonce = getattr(request.state, "nonce", "").encode() or _NONCE
        is_remembered = "X-Forwarded-Prefix" not in request.headers  # with it, all addresses in the head are others
        sent = self._known.get(key) if is_remembered else None
        if sent is not None:
            yield sent.replace(_NONCE, nonce)
            await asyncio.sleep(_SENDING_SECONDS)
        with client:
            await build()
        head, mark, elements = bytes(client.build_response(request).body).partition(_ELEMENTS)
        if mark and is_remembered:
            self._known[key] = (head + mark).replace(nonce, _NONCE)
        yield elements if sent is not None else head + mark + elements
