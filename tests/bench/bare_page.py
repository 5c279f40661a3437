"""The least that NiceGUI can do: `python -m tests.bench.bare_page PORT` serves what the pages are held against.

`/` is an empty page with a heading; `/echo` has a button, and a text in every open window that a blinker signal sets
in place when it is pressed.
"""

import sys

import uvicorn
from blinker import Signal
from fastapi import FastAPI
from nicegui import ui


def build() -> FastAPI:
    """Return the application."""
    changed = Signal()
    count = 0

    @ui.page("/")
    def empty() -> None:
        with ui.element("main"):
            ui.html("<h1>Empty</h1>", sanitize=False)

    @ui.page("/echo")
    def echo() -> None:
        def press() -> None:
            nonlocal count
            count += 1
            changed.send(None)

        with ui.element("main"):
            ui.html("<h1>Echo</h1>", sanitize=False)
            ui.button("Press", on_click=press)
            label = ui.label(str(count)).classes("watched")

        def show(_sender: object) -> None:
            label.text = str(count)

        changed.connect(show, weak=False)
        ui.context.client.on_delete(lambda: changed.disconnect(show))

    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @web.get("/health")
    def health() -> str:
        return "ok"

    ui.run_with(web, title="Bare", reconnect_timeout=60.0, tailwind=False, show_welcome_message=False)
    return web


if __name__ == "__main__":
    uvicorn.run(build(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=1)
