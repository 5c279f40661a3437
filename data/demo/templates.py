"""The tasks of the demo: what people avoid, and what they do instead. Words and numbers only; who lives them is in
`simulation`.
"""

from dataclasses import dataclass

from data.models import Kind, Routine


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A task of the demo and how it feels to somebody of average mood who does it for the first time.

    Feelings are 0-100. `share` is how often it is chosen on a weekday, compared with others; `weekend` multiplies it on
    Saturdays and Sundays. `hour` is the usual local time. `since` and `until` bound the part of the demo's time, 0-1,
    in which it is done at all; what ended is archived. `is_late` means that its due date has passed.
    """

    name: str
    description: str = ""
    kind: Kind
    categories: tuple[str, ...]
    minutes: float
    aversion: int
    relief: int
    mental: int
    emotional: int
    physical: int
    hour: float
    share: float
    weekend: float = 1.0
    routine: Routine = Routine.NONE
    weekdays: tuple[str, ...] = ()
    at: str | None = None
    since: float = 0.0
    until: float = 1.0
    is_late: bool = False
    notes: str = ""


# A table: one line each for what it is, what it says, how it feels, when it is done.
# fmt: off
TEMPLATES: tuple[Template, ...] = (
    Template(
        name="File the tax return", kind=Kind.WORK, categories=("money", "paperwork"),
        description="Last year's. The receipts are in the blue folder.", notes="Start with the page that is easy.",
        minutes=75, aversion=86, relief=84, mental=74, emotional=58, physical=12,
        hour=18.5, share=0.5, weekend=1.2, is_late=True,
    ),
    Template(
        name="Answer the overdue emails", kind=Kind.WORK, categories=("communication",),
        description="Oldest first.",
        minutes=40, aversion=62, relief=66, mental=52, emotional=46, physical=8,
        hour=9.5, share=1.4, weekend=0.15,
    ),
    Template(
        name="Write the quarterly report", kind=Kind.WORK, categories=("writing", "office"),
        minutes=90, aversion=70, relief=74, mental=76, emotional=38, physical=10,
        hour=10, share=1.1, weekend=0.1,
    ),
    Template(
        name="Prepare the team meeting", kind=Kind.WORK, categories=("office",),
        minutes=35, aversion=44, relief=52, mental=48, emotional=34, physical=8,
        hour=8.5, share=5,
        routine=Routine.WEEKLY, weekdays=("mon",), at="08:30",
    ),
    Template(
        name="Review a colleague's draft", kind=Kind.WORK, categories=("office", "writing"),
        minutes=45, aversion=38, relief=48, mental=58, emotional=22, physical=8,
        hour=14, share=1.1, weekend=0.1,
    ),
    Template(
        name="Call the difficult client back", kind=Kind.WORK, categories=("communication",),
        description="Listen first.",
        minutes=25, aversion=79, relief=78, mental=58, emotional=74, physical=14,
        hour=11, share=0.8, weekend=0.05,
    ),
    Template(
        name="Fix the bug nobody wants", kind=Kind.WORK, categories=("office", "code"),
        minutes=80, aversion=55, relief=72, mental=80, emotional=36, physical=8,
        hour=15, share=1, weekend=0.2,
    ),
    Template(
        name="Update the budget", kind=Kind.WORK, categories=("money",),
        minutes=50, aversion=58, relief=58, mental=60, emotional=34, physical=6,
        hour=16.5, share=0.7, weekend=0.4,
    ),
    Template(
        name="Plan the week", kind=Kind.WORK, categories=("planning",),
        minutes=25, aversion=30, relief=56, mental=38, emotional=20, physical=5,
        hour=18, share=5,
        routine=Routine.WEEKLY, weekdays=("sun",), at="18:00",
    ),
    Template(
        name="Write the job application", kind=Kind.WORK, categories=("writing", "career"),
        description="The one in the other town.", notes="Sent.",
        minutes=70, aversion=81, relief=80, mental=72, emotional=68, physical=8,
        hour=19.5, share=0.6, weekend=1.5, until=0.6,
    ),
    Template(
        name="Study for the certificate", kind=Kind.WORK, categories=("learning", "career"),
        minutes=55, aversion=52, relief=56, mental=72, emotional=30, physical=6,
        hour=19, share=1, since=0.25,
    ),
    Template(
        name="Send the invoices", kind=Kind.WORK, categories=("money", "paperwork"),
        minutes=30, aversion=50, relief=64, mental=40, emotional=26, physical=5,
        hour=13.5, share=0.7, weekend=0.1,
    ),
    Template(
        name="Call the dentist", kind=Kind.SELF_CARE, categories=("health", "calls"),
        description="Before noon, they close early.",
        minutes=10, aversion=74, relief=76, mental=24, emotional=60, physical=6,
        hour=10.5, share=0.5, weekend=0.1,
    ),
    Template(
        name="Clean the bathroom", kind=Kind.OTHER, categories=("home",),
        minutes=35, aversion=61, relief=62, mental=18, emotional=26, physical=60,
        hour=10, share=4,
        routine=Routine.WEEKLY, weekdays=("sat",), at="10:00",
    ),
    Template(
        name="Do the laundry", kind=Kind.OTHER, categories=("home",),
        minutes=30, aversion=36, relief=44, mental=12, emotional=12, physical=38,
        hour=17.5, share=0.7, weekend=1.8,
    ),
    Template(
        name="Wash the dishes", kind=Kind.OTHER, categories=("home",),
        minutes=20, aversion=40, relief=46, mental=10, emotional=16, physical=34,
        hour=20, share=2,
        routine=Routine.DAILY, at="20:00",
    ),
    Template(
        name="Sort the pile of letters", kind=Kind.OTHER, categories=("paperwork", "home"),
        description="Three heaps: pay, keep, paper bin.",
        minutes=30, aversion=68, relief=70, mental=46, emotional=48, physical=14,
        hour=18, share=0.6, weekend=1.6, is_late=True,
    ),
    Template(
        name="Water the plants", kind=Kind.OTHER, categories=("home",),
        minutes=10, aversion=11, relief=36, mental=5, emotional=5, physical=16,
        hour=9, share=3,
        routine=Routine.WEEKLY, weekdays=("wed", "sat"), at="09:00",
    ),
    Template(
        name="Call Mum back", kind=Kind.OTHER, categories=("family", "calls"),
        minutes=30, aversion=45, relief=60, mental=20, emotional=52, physical=5,
        hour=18.5, share=0.6, weekend=2,
    ),
    Template(
        name="Cancel the unused subscription", kind=Kind.OTHER, categories=("money",),
        minutes=20, aversion=59, relief=68, mental=34, emotional=34, physical=4,
        hour=20.5, share=0.4, since=0.1,
    ),
    Template(
        name="Renew the passport", kind=Kind.OTHER, categories=("paperwork",),
        minutes=60, aversion=66, relief=72, mental=42, emotional=36, physical=34,
        hour=11.5, share=0.35, weekend=0.1,
    ),
    Template(
        name="Clear out the cellar", kind=Kind.OTHER, categories=("home",),
        minutes=110, aversion=72, relief=76, mental=30, emotional=40, physical=78,
        hour=14, share=0.15, weekend=6,
    ),
    Template(
        name="Go shopping for the week", kind=Kind.OTHER, categories=("home",),
        minutes=50, aversion=37, relief=40, mental=24, emotional=22, physical=40,
        hour=11, share=0.4, weekend=3,
    ),
    Template(
        name="Cook something proper", kind=Kind.SELF_CARE, categories=("food", "home"),
        minutes=50, aversion=28, relief=58, mental=22, emotional=8, physical=30,
        hour=18.5, share=1, weekend=1.6,
    ),
    Template(
        name="Go for a run", kind=Kind.SELF_CARE, categories=("health", "outside"),
        minutes=40, aversion=57, relief=80, mental=14, emotional=16, physical=74,
        hour=18, share=2.4,
        routine=Routine.WEEKLY, weekdays=("tue", "thu", "sat"), at="18:00",
    ),
    Template(
        name="Take a walk outside", kind=Kind.SELF_CARE, categories=("health", "outside"),
        minutes=30, aversion=17, relief=60, mental=6, emotional=6, physical=26,
        hour=12.5, share=1.6, weekend=1.4,
        routine=Routine.DAILY, at="12:30",
    ),
    Template(
        name="Stretch the back", kind=Kind.SELF_CARE, categories=("health",),
        minutes=15, aversion=32, relief=52, mental=5, emotional=8, physical=34,
        hour=7.3, share=1.4, weekend=0.8,
        routine=Routine.DAILY, at="07:15",
    ),
    Template(
        name="Sit still for a while", kind=Kind.SELF_CARE, categories=("calm",),
        minutes=15, aversion=27, relief=62, mental=16, emotional=14, physical=5,
        hour=21, share=0.9, since=0.15,
    ),
    Template(
        name="Write the diary", kind=Kind.SELF_CARE, categories=("calm", "writing"),
        minutes=20, aversion=24, relief=56, mental=24, emotional=30, physical=4,
        hour=21.7, share=0.9,
    ),
    Template(
        name="Book the check-up", kind=Kind.SELF_CARE, categories=("health", "calls"),
        minutes=15, aversion=70, relief=72, mental=26, emotional=56, physical=4,
        hour=9.5, share=0.35, weekend=0.05,
    ),
    Template(
        name="Practise the guitar", kind=Kind.PLAY, categories=("music",),
        minutes=35, aversion=19, relief=66, mental=34, emotional=6, physical=20,
        hour=20, share=0.9, weekend=1.8,
    ),
    Template(
        name="Read a novel", kind=Kind.PLAY, categories=("calm",),
        minutes=45, aversion=7, relief=64, mental=14, emotional=8, physical=3,
        hour=21.5, share=1, weekend=1.7,
    ),
    Template(
        name="Play board games with friends", kind=Kind.PLAY, categories=("friends",),
        minutes=120, aversion=12, relief=78, mental=26, emotional=10, physical=8,
        hour=19, share=0.25, weekend=5,
    ),
    Template(
        name="Play a video game", kind=Kind.PLAY, categories=("screen",),
        minutes=60, aversion=4, relief=52, mental=22, emotional=10, physical=6,
        hour=20.5, share=0.9, weekend=1.9,
    ),
    Template(
        name="Take a nap", kind=Kind.SLEEP, categories=("rest",),
        minutes=25, aversion=6, relief=58, mental=3, emotional=5, physical=3,
        hour=14.5, share=0.25, weekend=3,
    ),
)

NIGHT = Template(
    name="Go to bed in time", kind=Kind.SLEEP, categories=("rest",),
    description="The screen stays in the other room.",
    minutes=450, aversion=42, relief=68, mental=6, emotional=10, physical=5,
    hour=22.8, share=0,
    routine=Routine.DAILY, at="22:45",
)
"""Chosen for most nights, not among the others."""
# fmt: on

GLAD = (
    "Took half as long as I had feared.",
    "Why did I wait for three weeks?",
    "Not as bad as it looked.",
    "They were friendly. Again.",
    "Put on music, that helped.",
    "Done before breakfast!",
    "Small steps. It worked.",
)
SORRY = (
    "Got stuck in the middle.",
    "Everything took longer today.",
    "Too tired to do it well.",
    "Has to be done again, I am afraid.",
    "The phone kept ringing.",
    "Not my day.",
)
