"""What things are called on the pages: kinds, feelings, reasons, in the order in which they are offered."""

from data.models import CancelReason, Kind

KINDS: dict[str, str] = {
    Kind.WORK: "Work",
    Kind.SELF_CARE: "Self-care",
    Kind.PLAY: "Play",
    Kind.SLEEP: "Sleep",
    Kind.OTHER: "Other",
}

PREDICTED: dict[str, str] = {
    "aversion": "Aversion",
    "relief": "Relief afterwards",
    "mental_load": "Mental load",
    "emotional_load": "Emotional load",
    "physical_load": "Physical load",
    "motivation": "Motivation",
}
"""How something is expected to feel."""

FELT: dict[str, str] = {
    "relief": "Relief",
    "aversion": "Aversion",
    "mental_load": "Mental load",
    "emotional_load": "Emotional load",
    "physical_load": "Physical load",
}
"""How something felt."""

ENDS: dict[str, tuple[str, str]] = {
    "aversion": ("glad to do it", "would do anything else"),
    "relief": ("none", "a great weight gone"),
    "mental_load": ("no thought", "all I have"),
    "emotional_load": ("calm", "overwhelming"),
    "physical_load": ("at rest", "exhausting"),
    "motivation": ("none", "can hardly wait"),
}
"""What 0 and 100 of a feeling mean."""

REASONS: dict[str, str] = {
    CancelReason.NO_TIME: "No time",
    CancelReason.NO_ENERGY: "No energy",
    CancelReason.TOO_AVERSIVE: "Too unpleasant",
    CancelReason.NOT_NEEDED: "Not needed any more",
    CancelReason.DONE_BY_OTHERS: "Somebody else did it",
    CancelReason.OTHER: "Something else",
}

BASELINES: dict[str, str] = {
    "week": "last 7 days",
    "month": "last 30 days",
    "quarter": "last 90 days",
    "all": "all days so far",
}

EVENTS: dict[str, str] = {
    "user.created": "you came here",
    "account.changed": "the account was changed",
    "preferences.changed": "preferences were changed",
    "task.created": "a task was made",
    "task.edited": "a task was edited",
    "task.archived": "a task was archived, or brought back",
    "instance.planned": "something was planned",
    "plan.undone": "a plan was taken back",
    "instance.started": "something was started",
    "start.undone": "a start was taken back",
    "instance.paused": "something was paused",
    "instance.resumed": "something was resumed",
    "task.completed": "something was completed",
    "completion.undone": "a completion was taken back",
    "instance.cancelled": "something was given up",
    "cancellation.undone": "something that was given up was taken up again",
    "instance.edited": "a record was corrected",
    "day.started": "a new day began",
    "clock.corrected": "a clock that had been wrong was corrected",
    "routine.missed": "the turn of a routine was missed",
    "refresh.requested": "newer numbers were asked for",
    "data.imported": "data was imported, or made up",
    "data.removed": "data was removed",
    "data.restored": "a backup was restored",
    "event.unreadable": "something happened that this version cannot read",
}
"""What happened, in the middle of a sentence."""
