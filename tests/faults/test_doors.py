"""Who gets in: other sites, other names, other users. Each route that the application has is tried, new ones too."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from nicegui.testing import User
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from data import preferences, tasks
from events.catalog import UserId
from pages.actions import Actions
from pages.doors import MOST_BYTES, Doors
from pages.routes import ENTRIES
from tests.browser.site_under_test import Site, serving
from tests.house import Clock
from tests.pages.hands import buttons, press, texts
from tests.pages.stage import Current, Stage, until

pytestmark = pytest.mark.nicegui_main_file("tests/pages/site.py")

SECRET = "Letter to the Marsupilami"
OWN = "http://127.0.0.1:8080"
FOREIGN = [
    "http://evil.example",
    "http://127.0.0.1:9999",
    "http://127.0.0.1.evil.example:8080",
    "http://evil.example:8080@127.0.0.1",
    "null",
    "",
    "http://[",
]


@pytest.fixture(autouse=True)
def stage(tmp_path: Path, clock: Clock) -> Iterator[Stage]:
    """The application of this test; it is built when somebody asks for `user`."""
    Current.stage = set_up = Stage(tmp_path, clock)
    yield set_up
    Current.stage = None


@pytest.fixture
async def client(user: User, stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, doors and all."""
    assert stage.web is not None
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=stage.web), base_url=OWN) as opened:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("site")) as running:
        yield running


def routes(of: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield method and a path for every route of an application and of those that are mounted in it."""
    for route in of:
        if isinstance(route, Mount):
            path = prefix + route.path
            yield "GET", f"{path}/anything"
            yield from routes(route.routes, path)
        elif isinstance(route, Route):
            path = prefix + re.sub(r"\{[^}]*\}", "anything", route.path)
            yield from ((method, path) for method in sorted(route.methods or {"GET"}))
        elif inner := getattr(route, "original_router", None):  # what FastAPI makes of a router that is included
            yield from routes(inner.routes, prefix)
        else:
            raise AssertionError(f"a kind of route that this test does not know: {route!r}")


def all_routes(stage: Stage) -> set[tuple[str, str]]:
    assert stage.web is not None
    found = set(routes(stage.web.routes))
    assert {("GET", entry.path) for entry in ENTRIES} | {("GET", "/metrics"), ("GET", "/style.css")} <= found
    return found


async def test_every_answer_is_sealed(client: httpx.AsyncClient, stage: Stage) -> None:
    for method, path in sorted(all_routes(stage)):
        answer = await client.request(method, path)
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["x-frame-options"] == "DENY", path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert "camera=()" in answer.headers["permissions-policy"], path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "'unsafe-inline'" not in policy.partition("style-src")[0], path


async def test_no_route_answers_to_another_name_or_to_another_site(client: httpx.AsyncClient, stage: Stage) -> None:
    await stage.task(SECRET)
    for method, path in sorted(all_routes(stage)):
        rebound = await client.request(method, path, headers={"Host": "evil.example"})
        assert (rebound.status_code, SECRET in rebound.text) == (400, False), f"{method} {path}"
        for origin in FOREIGN:
            foreign = await client.request(method, path, headers={"Origin": origin})
            assert foreign.status_code == 403, f"{method} {path} from {origin!r}"
        own = await client.request(method, path, headers={"Origin": OWN})
        assert own.status_code not in (400, 403) or "This request" not in own.text, f"{method} {path}"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "a@b", "[", "", "nas"])
async def test_a_name_that_is_not_ours_is_refused_in_a_sentence_that_says_what_to_do(host: str) -> None:
    answer = await ask(Doors(Starlette()), headers={"Host": host})
    assert answer.status_code == 400
    assert f"asks for the host {host!r}, expected localhost" in answer.text
    assert "ALLOWED_HOSTS" in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1:9000", "[::1]:9000", "10.0.0.7", "nas:80"])
async def test_our_names_and_addresses_are_let_in(host: str) -> None:
    assert (await ask(Doors(Starlette(), hosts=["nas"]), headers={"Host": host})).status_code == 404


@pytest.mark.parametrize("origin", ["https://nas", "https://nas:443", "https://NAS"])
async def test_a_proxy_that_ends_tls_may_stand_before_it(origin: str) -> None:
    door = Doors(Starlette(), hosts=["nas"])
    assert (await ask(door, headers={"Host": "nas", "Origin": origin})).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": str(MOST_BYTES + 1)}, 413),
        ({"Content-Length": "9" * 5000}, 413),
        ({"Content-Length": "-1"}, 413),
        ({"Content-Length": "²"}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": str(MOST_BYTES)}, 404),
    ],
)
async def test_nobody_can_fill_the_disk_with_one_request(headers: dict[str, str], status: int) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    assert (await ask(Doors(Starlette()), headers=encoded)).status_code == status


async def test_cookies_are_kept_from_scripts_and_from_other_sites() -> None:
    def bakery(_: Request) -> PlainTextResponse:
        answer = PlainTextResponse()
        answer.set_cookie("one", "1", httponly=False, samesite=None)
        answer.set_cookie("two", "2", httponly=True, samesite="strict", secure=True)
        return answer

    door = Doors(Starlette(routes=[Route("/", bakery)]))
    one, two = (await ask(door, base="https://localhost")).headers.get_list("set-cookie")
    assert one.split("; ")[0] == "one=1"
    assert {"HttpOnly", "SameSite=Lax", "Secure"} <= set(one.split("; "))
    assert "samesite=strict" in two.lower()
    assert two.lower().count("httponly") == two.lower().count("samesite") == two.lower().count("secure") == 1
    open_line, _ = (await ask(door)).headers.get_list("set-cookie")
    assert "Secure" not in open_line


async def test_no_page_hands_out_a_cookie(client: httpx.AsyncClient, stage: Stage) -> None:
    for method, path in sorted(all_routes(stage)):
        assert not (await client.request(method, path)).headers.get_list("set-cookie"), path


async def test_each_page_has_a_nonce_of_its_own_and_only_its_template_carries_it(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    await stage.task("<script>alert(1)</script>")
    nonces = set()
    for entry in ENTRIES:
        answer = await client.get(entry.path)
        found = re.search(r"'nonce-([\w-]{20,})'", answer.headers["content-security-policy"])
        assert found
        nonces.add(found[1])
        inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", answer.text)
        assert inline
        assert all(f'nonce="{found[1]}"' in script for script in inline), inline
    assert len(nonces) == len(ENTRIES)


@pytest.mark.fault("F30", inject="a socket with a foreign Origin, or by a foreign name", holds="it is refused")
@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_socket_from_another_site_is_refused(site: Site, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await handshake(site, {"Origin": origin})
    assert refused.value.response.status_code == 403


@pytest.mark.fault("F30", inject="a socket with a foreign Origin, or by a foreign name", holds="it is refused")
async def test_a_socket_by_another_name_is_refused(site: Site) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await handshake(site, {"Host": "evil.example", "Origin": "http://evil.example"})
    assert refused.value.response.status_code == 403


async def test_a_socket_of_our_own_is_let_in(site: Site) -> None:
    assert "sid" in await handshake(site, {"Origin": site.address})


@pytest.mark.fault("F30", inject="a click on a page that was opened before somebody logged out", holds="it is refused")
async def test_a_click_after_logging_out_does_nothing_and_says_so(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.planned(SECRET)
    await user.open("/")
    await until(lambda: buttons(user, f"Start: {SECRET}"))
    before = newest(stage)
    log_in(stage, UserId(99), monkeypatch)
    press(user, f"Start: {SECRET}")
    await until(lambda: "You are no longer logged in here" in texts(user))
    assert newest(stage) == before


@pytest.mark.parametrize("exists", [True, False])
async def test_no_page_shows_another_user_what_is_not_theirs(
    exists: bool, user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The other one is somebody else, or nobody: an account that is gone."""
    await stage.planned(SECRET)
    await user.open("/")
    await until(lambda: SECRET in texts(user))  # so that it would be seen
    other = await asyncio.to_thread(preferences.create_user, stage.database, "other") if exists else UserId(99)
    log_in(stage, other, monkeypatch)
    if exists:
        await asyncio.to_thread(tasks.create, stage.database, other, name="Something else")
    assert stage.application is not None
    hub = stage.application.pages.hub
    for entry in ENTRIES:
        client = await user.open(entry.path)
        if exists:
            await until(lambda: all(section.redraws for section in hub.roster.of_user(other)))
        everything = json.dumps([element._to_dict() for element in client.elements.values()], default=str)
        assert SECRET not in everything, entry.path
    if not exists:
        assert "there is no user 99" in caplog.text
        caplog.clear()  # NiceGUI's fixture fails on errors that were logged


async def test_no_route_tells_what_somebody_wrote(client: httpx.AsyncClient, stage: Stage) -> None:
    await stage.task(SECRET)
    own_pages = {entry.path for entry in ENTRIES}
    for method, path in sorted(all_routes(stage)):
        if path not in own_pages:
            assert SECRET not in (await client.request(method, path)).text, path


def log_in(stage: Stage, other: UserId, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let *other* be who looks from now on."""
    assert stage.application is not None
    for asks in (type(stage.application.pages).answer, Actions.run):
        monkeypatch.setitem(asks.__globals__, "current_user", lambda: other)


async def ask(
    app: Doors, *, headers: dict[str, str] | dict[str, bytes] | None = None, base: str = "http://localhost"
) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=base) as client:
        return await client.get("/", headers=headers)


async def handshake(site: Site, headers: dict[str, str]) -> str:
    """Open a socket as a browser would, and return how the server greets it."""
    address = f"ws://127.0.0.1:{site.port}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        return str(await socket.recv())


def newest(stage: Stage) -> int:
    with stage.database.read() as read:
        return read.seq
