"""One's data out and in, as a card of the settings: a download of everything, an upload that takes all or nothing."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.events import MultiUploadEventArguments

from cache.values import PREFERENCES
from data import transfer
from data.errors import ImportRefusedError
from pages.controls import Words, button, heading, stack
from pages.dialogs import Confirm
from pages.long_work import LongWork
from pages.markup import NOTHING, Block, Markup, join, tag
from pages.section import Section, Shown
from pages.visit import Visit

Told = Callable[[int, int], None]

MAX_UPLOAD_BYTES = 100_000_000
MOST_PROBLEMS = 20


class TakeIn(Confirm):
    """The question before files are taken in, and how far that is."""

    def __init__(self, visit: Visit, names: str, take: Callable[[Told], Awaitable[bool]]) -> None:
        self._take = take
        question = "Tasks and attempts that you have already are replaced by those in the files; none is removed."
        super().__init__(visit, "Take this in?", f"{names}. {question}", "Take it in", self._taken)

    def build(self) -> None:
        """Say what will happen, with room for how far it is."""
        super().build()
        self._work = LongWork("Taking it in …", "Taking in your files")

    async def _taken(self) -> bool:
        with self._work.shown() as told:
            return await self._take(told)


class Transfer(Section):
    """The card."""

    values = (PREFERENCES,)
    name = "Your data"

    def build(self) -> None:
        """Make the buttons."""
        self.home.classes("card settings")
        self.home.props["aria-labelledby"] = heading("Your data").html_id
        Words("All tasks, attempts and preferences, as CSV files in one ZIP archive. It can be taken in again.", "p")
        with stack("transfer-buttons"):
            self._out = button("Download everything", self._download, icon="archive").once()
            self._in = button("Take in an archive", self._choose, look="is-quiet")
        self._upload: ui.upload | None = None
        self._problems = Block().classes("problems")

    def update(self, shown: Shown) -> None:
        """Nothing here changes."""

    async def _download(self) -> None:
        visit = self.visit
        done = await visit.actions.run("download", lambda: transfer.export_zip(visit.services.database, visit.user))
        if done is not None:
            day = visit.services.clock().date()
            with self.home:
                ui.download.content(done.value, f"reprieve-{day}.zip", "application/zip")

    def _choose(self) -> None:
        """Let the browser ask for files. What takes them is made only now: its route is long remembered by FastAPI."""
        if self._upload is None:
            toasts = self.visit.toasts
            with self.body:
                self._upload = ui.upload(
                    multiple=True,
                    auto_upload=True,
                    max_total_size=MAX_UPLOAD_BYTES,
                    on_multi_upload=self._uploaded,
                    on_rejected=lambda: toasts.refused("Expected .csv or .zip files of 100 MB at most."),
                )
            self._upload.props("accept=.csv,.zip").classes("is-offstage").props["aria-hidden"] = "true"
        self._upload.run_method("pickFiles")

    async def _uploaded(self, event: MultiUploadEventArguments) -> None:
        files = {file.name: await file.read() for file in event.files}
        if self._upload is not None:
            self._upload.reset()
        names = ", ".join(sorted(files))

        TakeIn(self.visit, names, lambda told: self._take(files, told))

    async def _take(self, files: dict[str, bytes], told: Told) -> bool:
        visit = self.visit

        def command() -> transfer.Counts | tuple[str, ...]:
            try:
                return transfer.import_files(visit.services.database, visit.user, files, told)
            except ImportRefusedError as refusal:
                return refusal.problems

        done = await visit.actions.run("import", command)
        if done is None:
            return False
        if isinstance(done.value, transfer.Counts):
            self._problems.show(NOTHING)
            visit.toasts.done(f"Took in {done.value.tasks:,} tasks and {done.value.instances:,} attempts.")
        else:
            self._problems.show(_listed(done.value))
            visit.toasts.refused("Nothing was taken in: see what is wrong, in the settings.")
        return True


def _listed(problems: tuple[str, ...]) -> Markup:
    more = len(problems) - MOST_PROBLEMS
    return join(
        tag("p", "Nothing was taken in:", class_="problem-head"),
        tag("ul", *(tag("li", problem) for problem in problems[:MOST_PROBLEMS])),
        tag("p", f"and {more:,} more", class_="hint") if more > 0 else NOTHING,
    )
