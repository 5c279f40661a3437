"""What the buttons on tasks do: one function per deed, each a command and the message that follows it.

Deeds that ask something first are dialogs (`dialogs`). Nothing here draws: the hub redraws what a command changed.
"""

from functools import partial
from typing import TypeVar

from data import instances, tasks
from data.fields import UNSAID, Feelings
from events.catalog import InstanceId, TaskId
from pages.visit import Visit

T = TypeVar("T")


class Deeds:
    """The deeds of one open page."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self._database = visit.services.database
        self._user = visit.user
        self._run = visit.actions.run

    async def start(self, instance: InstanceId) -> None:
        """Let the timer run."""
        self.visit.focus_on = instance
        await self._run(instance, partial(instances.start, self._database, self._user, instance))

    async def pause(self, instance: InstanceId) -> None:
        """Let the timer stand."""
        await self._run(instance, partial(instances.pause, self._database, self._user, instance))

    async def resume(self, instance: InstanceId) -> None:
        """Let the timer run on."""
        await self._run(instance, partial(instances.resume, self._database, self._user, instance))

    async def complete(
        self,
        instance: InstanceId,
        name: str,
        *,
        actual: Feelings = UNSAID,
        minutes: float | None = None,
        percent: float | None = 100.0,
        note: str | None = None,
    ) -> bool:
        """Finish it; say so, with the way back. Return whether it was done."""
        command = partial(
            instances.complete,
            self._database,
            self._user,
            instance,
            actual=actual,
            actual_minutes=minutes,
            completion_percent=percent,
            note=note,
        )
        if await self._run(instance, command) is None:
            return False
        self.visit.toasts.done(f"Done: {name}", action="Undo", on_action=partial(self.undo, instance, name))
        return True

    async def cancel(self, instance: InstanceId, name: str, reason: str, note: str | None = None) -> bool:
        """Give it up; say so, with the way back. Return whether it was done."""
        command = partial(instances.cancel, self._database, self._user, instance, reason=reason, note=note)
        if await self._run(instance, command) is None:
            return False
        self.visit.toasts.done(f"Given up: {name}", action="Undo", on_action=partial(self.undo, instance, name))
        return True

    async def undo(self, instance: InstanceId, name: str) -> None:
        """Take a completion or cancellation back."""
        if await self._run(instance, partial(instances.undo, self._database, self._user, instance)) is not None:
            self.visit.toasts.done(f"Open again: {name}")

    async def plan(
        self,
        task: TaskId,
        name: str,
        *,
        start: bool = False,
        **values: object,
    ) -> bool:
        """Plan an attempt at *task*, and *start* it if that is wanted. Return whether it was planned."""

        def command() -> InstanceId:
            instance = instances.plan(self._database, self._user, task, **values)  # type: ignore[arg-type]  # checked there
            if start:
                instances.start(self._database, self._user, instance)
            return instance

        outcome = await self._run(("plan", task), command)
        if outcome is None:
            return False
        if start:
            self.visit.focus_on = outcome.value
        else:
            self.visit.toasts.done(f"Planned: {name}")
        return True

    async def jot(self, name: str) -> bool:
        """Make a task of nothing but a name, and plan it. Return whether it was made."""

        def command() -> TaskId:
            task = tasks.create(self._database, self._user, name=name)
            instances.plan(self._database, self._user, task)
            return task

        return await self._run("jot", command) is not None

    async def create(self, *, plan: bool, **values: object) -> bool:
        """Make a task, and *plan* it if that is wanted. Return whether it was made."""

        def command() -> TaskId:
            task = tasks.create(self._database, self._user, **values)  # type: ignore[arg-type]  # checked there
            if plan:
                instances.plan(self._database, self._user, task)
            return task

        if await self._run("create", command) is None:
            return False
        self.visit.toasts.done(f"{'Planned' if plan else 'Created'}: {str(values['name']).strip()}")
        return True

    async def archive(self, task: TaskId, name: str) -> None:
        """Take a task out of the lists; say so, with the way back."""
        if await self._run(task, partial(tasks.archive, self._database, self._user, task)) is not None:
            back = partial(tasks.archive, self._database, self._user, task, archived=False)

            async def bring_back() -> None:
                await self._run(task, back)

            self.visit.toasts.done(f"Archived: {name}", action="Undo", on_action=bring_back)
