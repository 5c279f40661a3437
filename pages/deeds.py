"""What the buttons on tasks do: one function per deed, each a command and the message that follows it.

Deeds that ask something first are dialogs (`dialogs`). Nothing here draws: the hub redraws what a command changed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from data import instances, tasks, withdrawals
from data.fields import UNSAID, Feelings
from events.catalog import InstanceId, TaskId
from pages.controls import Handler
from pages.visit import Visit

T = TypeVar("T")
Values = Mapping[str, Any]
"""Columns of one record and what they hold."""


class Deeds:
    """The deeds of one open page."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self._database = visit.services.database
        self._user = visit.user
        self._run = visit.actions.run

    async def start(self, instance: InstanceId, name: str) -> None:
        """Let the timer run; say so, with the way back."""
        self.visit.focus_on = instance
        if await self._run(instance, partial(instances.start, self._database, self._user, instance)) is not None:
            back = partial(withdrawals.unstart, self._database, self._user, instance)
            self._say_begun(f"Started: {name}", f"Planned again: {name}", instance, back)

    async def pause(self, instance: InstanceId, name: str) -> None:
        """Let the timer stand: now its start is none that could be taken back."""
        self.visit.toasts.drop(instance)
        await self._run(instance, partial(instances.pause, self._database, self._user, instance))

    async def resume(self, instance: InstanceId, name: str) -> None:
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
        outcome = await self._run(instance, command)
        if outcome is None:
            return False
        self._say_finished(f"Done: {name}", instance, name, outcome.value)
        return True

    async def cancel(self, instance: InstanceId, name: str, reason: str, note: str | None = None) -> bool:
        """Give it up; say so, with the way back. Return whether it was done."""
        command = partial(instances.cancel, self._database, self._user, instance, reason=reason, note=note)
        outcome = await self._run(instance, command)
        if outcome is None:
            return False
        self._say_finished(f"Given up: {name}", instance, name, outcome.value)
        return True

    def _say_begun(
        self,
        sentence: str,
        undone: str,
        instance: InstanceId,
        back: Callable[[], None],
        *,
        reach: Handler | None = None,
    ) -> None:
        """Say what was planned or started, with *back* as the way back, and *reach* as the way to it."""

        async def take_back() -> None:
            if await self._run(instance, back) is not None:
                self.visit.toasts.done(undone, about=instance)

        self.visit.toasts.done(
            sentence, action="Undo", on_action=take_back, further="Go to it", on_further=reach, about=instance
        )

    def _say_planned(
        self,
        instance: InstanceId,
        name: str,
        *,
        start: bool = False,
        with_task: bool = False,
        reach: Handler | None = None,
    ) -> None:
        back = partial(withdrawals.unplan, self._database, self._user, instance, with_task=with_task)
        did = "Started" if start else "Planned"
        self._say_begun(f"{did}: {name}", f"Taken back: {name}", instance, back, reach=reach)

    def _say_finished(self, sentence: str, instance: InstanceId, name: str, moment: datetime) -> None:
        back = partial(self.undo, instance, name, finished_at=moment)
        self.visit.toasts.done(sentence, action="Undo", on_action=back, about=instance)

    async def undo(self, instance: InstanceId, name: str, *, finished_at: datetime | None = None) -> None:
        """Take a completion or cancellation back: that of *finished_at*, if given, and no later one."""
        self.visit.toasts.drop(instance)
        command = partial(instances.undo, self._database, self._user, instance, finished_at=finished_at)
        if await self._run(instance, command) is not None:
            self.visit.toasts.done(f"Open again: {name}", about=instance)

    async def edit(self, instance: InstanceId, name: str, before: Values, after: Values) -> bool:
        """Correct what differs between *before*, as the form showed it, and *after*; say so, with the way back.

        What somebody else corrected meanwhile stays, unless it is the same column. Return whether it was done.
        """
        differs = {column: value for column, value in after.items() if before[column] != value}
        command = partial(instances.edit, self._database, self._user, instance)
        outcome = await self._run(instance, partial(command, **differs))
        if outcome is None:
            return False
        if outcome.value:
            old = {column: before[column] for column in outcome.value}

            async def restore() -> None:
                if await self._run(instance, partial(command, **old)) is not None:
                    self.visit.toasts.done(f"As before: {name}", about=instance)

            self.visit.toasts.done(f"Saved: {name}", action="Undo", on_action=restore, about=instance)
        return True

    async def edit_task(
        self, task: TaskId, version: int, before: Values, after: Values, *, name: str, did: str = "Saved"
    ) -> bool:
        """Change what differs between *before*, as it was shown, and *after*; say what was done, with the way back.

        Refused if the task is no longer of that *version*. Return whether it was done.
        """
        differs = {column: value for column, value in after.items() if before[column] != value}
        command = partial(tasks.edit, self._database, self._user, task)
        outcome = await self._run(task, partial(command, expected_version=version, **differs))
        if outcome is None:
            return False
        if outcome.value:
            old = {column: before[column] for column in outcome.value}

            async def restore() -> None:
                undone = partial(command, expected_version=version + 1, **old)
                if await self._run(task, undone) is not None:
                    self.visit.toasts.done(f"As before: {before.get('name', name)}", about=task)

            self.visit.toasts.done(f"{did}: {name}", action="Undo", on_action=restore, about=task)
        return True

    async def plan(
        self,
        task: TaskId,
        name: str,
        *,
        start: bool = False,
        **values: object,
    ) -> bool:
        """Plan an attempt at *task*, and *start* it if that is wanted. Return whether it was planned."""
        command = partial(instances.plan, self._database, self._user, task, start=start)
        outcome = await self._run(("plan", task), partial(command, **values))
        if outcome is None:
            return False
        self.visit.focus_row(outcome.value)
        self._say_planned(outcome.value, name, start=start)
        return True

    async def jot(self, name: str, reach: Callable[[InstanceId], object]) -> bool:
        """Make a task of nothing but a name, and plan it; say so, with the way back and the way there (*reach*).

        Return whether it was done.
        """
        outcome = await self._run("jot", partial(instances.plan_new, self._database, self._user, name=name))
        if outcome is None:
            return False
        self._say_planned(outcome.value, name, with_task=True, reach=partial(reach, outcome.value))
        return True

    async def create(self, *, plan: bool, **values: object) -> bool:
        """Make a task, and *plan* it if that is wanted. Return whether it was made."""
        make: Callable[..., str] = instances.plan_new if plan else tasks.create
        outcome = await self._run("create", partial(make, self._database, self._user, **values))
        if outcome is None:
            return False
        self.visit.focus_row(outcome.value)
        name = str(values["name"]).strip()
        if plan:
            self._say_planned(InstanceId(outcome.value), name, with_task=True)
        else:
            self.visit.toasts.done(f"Created: {name}")
        return True

    async def archive(self, task: TaskId, name: str, *, archived: bool = True) -> None:
        """Take a task out of the lists, or bring it back into them; say so, with the way back."""
        self.visit.toasts.drop(task)
        command = partial(tasks.archive, self._database, self._user, task)
        if await self._run(task, partial(command, archived=archived)) is not None:

            async def restore() -> None:
                if await self._run(task, partial(command, archived=not archived)) is not None:
                    self.visit.toasts.done(f"{'Back' if archived else 'Archived'} again: {name}", about=task)

            verb = "Archived" if archived else "Brought back"
            self.visit.toasts.done(f"{verb}: {name}", action="Undo", on_action=restore, about=task)
