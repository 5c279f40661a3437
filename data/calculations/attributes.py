"""The numbers of one completed instance: what each is called and made of. Correlations compare most of them.

Literal tables. How the numbers are computed is in `formulas` and `measures`, which are compared, in `analytics`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One of them. `made_of` names what it is computed from; it is empty for what is said or timed as it is."""

    name: str
    label: str
    formula: str
    unit: str
    tooltip: str
    made_of: tuple[str, ...] = ()

    @property
    def roots(self) -> frozenset[str]:
        """What is said or timed that it goes back to: itself, if it is not computed."""
        if not self.made_of:
            return frozenset({self.name})
        return frozenset().union(*(BY_NAME[part].roots for part in self.made_of))


def _said(name: str, label: str, tooltip: str) -> Attribute:
    return Attribute(name=name, label=label, formula="as you said", unit="of 100", tooltip=tooltip)


ATTRIBUTES: tuple[Attribute, ...] = (
    _said("relief", "Relief", "How relieved you felt afterwards."),
    _said("mental_load", "Mental load", "How much thinking it took."),
    _said("emotional_load", "Emotional load", "How much it weighed on your mood."),
    _said("physical_load", "Physical load", "How much it took out of your body."),
    _said("aversion", "Aversion", "How much you had wanted to avoid it, said afterwards."),
    _said("motivation", "Motivation", "How much you wanted to, said when it was planned."),
    Attribute(
        name="stress",
        label="Stress",
        formula="(mental + emotional + physical load) / 3",
        unit="of 100",
        tooltip="How heavy it was on mind, mood and body together.",
        made_of=("mental_load", "emotional_load", "physical_load"),
    ),
    Attribute(
        name="net_wellbeing",
        label="Net wellbeing",
        formula="relief − stress",
        unit="points",
        tooltip="What was left of the relief after the stress.",
        made_of=("relief", "stress"),
    ),
    Attribute(
        name="difficulty",
        label="Difficulty",
        formula="(mental load + emotional load + aversion) / 3",
        unit="of 100",
        tooltip="How hard it was to think through, to bear and to begin.",
        made_of=("mental_load", "emotional_load", "aversion"),
    ),
    Attribute(
        name="surprise",
        label="Surprise",
        formula="actual − predicted relief",
        unit="points",
        tooltip="Above 0, it brought more relief than you had expected.",
        made_of=("relief", "predicted_relief"),
    ),
    Attribute(
        name="aversion_drop",
        label="Aversion drop",
        formula="aversion at the task's first completion − aversion now",
        unit="points",
        tooltip="By how much a task has become less unpleasant since the first time.",
        made_of=("aversion",),
    ),
    Attribute(
        name="delay_minutes",
        label="Delay",
        formula="time from planning to starting",
        unit="minutes",
        tooltip="How long it waited between being planned and being started.",
    ),
    Attribute(
        name="time_accuracy",
        label="Time accuracy",
        formula="100 × (1 − |actual − estimate| / max(actual, estimate))",
        unit="of 100",
        tooltip="How close the estimate came to the time it took.",
        made_of=("actual_minutes", "estimate_minutes"),
    ),
    Attribute(
        name="relief_points",
        label="Relief points",
        formula="relief × hours × share completed",
        unit="points",
        tooltip="Relief, weighed with the time it took and how much of it you did.",
        made_of=("relief", "actual_minutes", "completion_percent"),
    ),
    _said("predicted_relief", "Predicted relief", "How relieved you expected to feel."),
    _said("predicted_aversion", "Predicted aversion", "How much you wanted to avoid it when you planned it."),
    Attribute(
        name="estimate_minutes",
        label="Estimate",
        formula="as you said",
        unit="minutes",
        tooltip="How long you thought it would take.",
    ),
    Attribute(
        name="actual_minutes",
        label="Time taken",
        formula="as timed, or as you corrected it",
        unit="minutes",
        tooltip="How long it took.",
    ),
    Attribute(
        name="completion_percent",
        label="Completion",
        formula="as you said; 100 is what was planned",
        unit="percent",
        tooltip="How much of it you did.",
    ),
)

OTHERS: tuple[Attribute, ...] = (
    Attribute(
        name="stress_efficiency",
        label="Stress efficiency",
        formula="relief / max(stress, 1)",
        unit="ratio",
        tooltip="Points of relief for each point of stress.",
        made_of=("relief", "stress"),
    ),
    Attribute(
        name="promptness",
        label="Promptness",
        formula="100 × exp(−delay / 1440), the delay being in minutes",
        unit="of 100",
        tooltip="How soon after planning it was started: 100 is at once, 37 a day later.",
        made_of=("delay_minutes",),
    ),
    Attribute(
        name="serendipity",
        label="Serendipity",
        formula="max(0, surprise)",
        unit="of 100",
        tooltip="Relief beyond what you had expected of it.",
        made_of=("surprise",),
    ),
    Attribute(
        name="disappointment",
        label="Disappointment",
        formula="max(0, −surprise)",
        unit="of 100",
        tooltip="Relief that you had expected of it and that did not come.",
        made_of=("surprise",),
    ),
    Attribute(
        name="execution",
        label="Execution",
        formula="0.35 difficulty + 0.25 time accuracy + 0.20 promptness + 0.20 min(completion, 100); what is missing "
        "drops out, and the others weigh more",
        unit="of 100",
        tooltip="How well you carried it out: hard, on time, soon, and fully.",
        made_of=("difficulty", "time_accuracy", "promptness", "completion_percent"),
    ),
    Attribute(
        name="grit",
        label="Grit",
        formula="0.5 aversion + 0.3 disappointment + 0.2 min(100, 10 × earlier completions of the task)",
        unit="of 100",
        tooltip="How much you kept at it, although you disliked it and it gave little back.",
        made_of=("aversion", "disappointment"),
    ),
)
"""Those that correlations do not compare."""

BY_NAME = {attribute.name: attribute for attribute in (*ATTRIBUTES, *OTHERS)}


def are_related_by_definition(first: str, second: str) -> bool:
    """Whether both go back to something in common, so that they go together whatever anybody does."""
    return bool(BY_NAME[first].roots & BY_NAME[second].roots)
