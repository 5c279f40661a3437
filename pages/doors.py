"""Who is let in, and what browsers are told to refuse: the outermost layer of the web application.

A browser sends requests on behalf of any site that it has open. Two headers that a site cannot forge tell them apart:
`Host`, which carries the site's own name if that was made to point here (DNS rebinding), and `Origin`. What answers a
request that is let in is the business of the others. Whose data a person sees is in `services.current_user`.
"""

import re
import secrets
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, DictLoader
from nicegui.client import templates
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 101_000_000
"""Of a request's body: the largest upload, and the envelope around it."""

_SEALED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
    ),
}
# NiceGUI compiles its templates and carries out what the server sends with `eval`, and both it and Vue set styles on
# elements; everything else stays shut. No script runs that is written in the markup unless it carries the nonce.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Doors:
    """ASGI middleware that refuses what another site sent, and seals every answer."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] = ()) -> None:
        """*hosts* are the names, besides `localhost`, under which the application is reached."""
        self.app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        _let_scripts_carry_a_nonce()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        nonce = scope.setdefault("state", {})["nonce"] = secrets.token_urlsafe(16)
        is_secure = scope["scheme"] in ("https", "wss")

        async def send_sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _seal(MutableHeaders(scope=message), nonce, is_secure=is_secure)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send_sealed)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        else:
            await refusal(scope, receive, send_sealed)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        scheme, host = scope["scheme"], headers.get("host", "")
        if not self._is_ours(host):
            return _say(
                400,
                f"This request asks for the host {host[:100]!r}, expected localhost or the address of this machine. "
                "If it is to be reached by that name, whoever runs it adds the name to ALLOWED_HOSTS.",
            )
        origin = headers.get("origin")
        if origin is not None and _place(origin) != _place(f"{scheme}://{host}"):
            return _say(403, f"This request comes from a page of {origin[:100]!r}, expected one of {host!r}.")
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers:
            return _say(411, "This request does not say how long it is, expected a Content-Length.")
        if length and (not length.isascii() or not length.isdigit() or int(length[:20]) > MOST_BYTES):
            return _say(413, f"This request is of {length[:20]} bytes, expected at most {MOST_BYTES:,}.")
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether *host* is a name of ours, or an address: only names can be made to point at another's machine."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == "localhost" or name in self._hosts or _is_address(name)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens at *host*."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def is_host_name(name: str) -> bool:
    """Whether *name* could be the name of a machine: labels of letters, digits and hyphens, with dots between them."""
    return len(name) <= 253 and _HOST_NAME.fullmatch(name) is not None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _place(origin: str) -> tuple[str, int | None] | None:
    """Return host and port of *origin*; None if it has none, such as `null`. TLS may end before us: no scheme."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    # Behind a proxy that ends TLS the request arrives without, and its host without a port.
    return (parts.hostname, None if port in (80, 443) else port) if parts.hostname else None


def _say(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence + "\n", status)


def _seal(headers: MutableHeaders, nonce: str, *, is_secure: bool) -> None:
    headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
    headers.update(_SEALED)
    cookies = headers.getlist("set-cookie")
    if cookies:
        del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", _sealed(cookie, is_secure=is_secure))


def _sealed(cookie: str, *, is_secure: bool) -> str:
    """Return *cookie* with the flags that keep it from scripts, from other sites and from open lines."""
    given = {part.partition("=")[0].strip().lower() for part in cookie.split(";")[1:]}
    wanted = ["HttpOnly", "SameSite=Lax", *(["Secure"] if is_secure else [])]
    return "; ".join([cookie, *(flag for flag in wanted if flag.partition("=")[0].lower() not in given)])


def _let_scripts_carry_a_nonce() -> None:
    """Give the scripts in NiceGUI's own template the nonce: those of the template only, not what is put into it."""
    # NOTE: NiceGUI 3.18 has no setting for it. tests/browser/test_hostile.py tells when a newer one breaks it.
    loader = templates.env.loader
    assert loader is not None
    source, *_ = loader.get_source(templates.env, "index.html")
    if "nonce=" not in source:
        nonced = source.replace("<script", '<script nonce="{{ request.state.nonce }}"')
        templates.env.loader = ChoiceLoader([DictLoader({"index.html": nonced}), loader])
