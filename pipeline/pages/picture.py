"""The picture of the first page, drawn from the decisions when the book is assembled."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from investigation.display import figures
from investigation.display.outcomes import each_counted
from investigation.display.setting_figures import Mark, SettingRow, settings_figure
from investigation.evidence.kinds.timings import MARGIN
from pipeline.pages.answers import Answer
from pipeline.pages.decisions import BY_CASE, Decision
from pipeline.pages.settings import CPU, GPU

ON_A_GPU = "on a GPU"
DRAWN = "Time with expand_as over time without, a row a setting"
READING = "Bars are intervals of 95 % or more; small inputs are on top."


def setting_rows(decisions: Sequence[Decision]) -> list[SettingRow]:
    """Return a row a decision on a CPU, and one for all GPUs."""
    on_cpu = [decision for decision in decisions if decision.setting.device == CPU]
    on_gpus = [decision for decision in decisions if decision.setting.device != CPU]
    return [
        *(SettingRow(one.setting.name, one.change, _marks(one.answers)) for one in on_cpu),
        *([SettingRow(ON_A_GPU, _together(on_gpus), _gpu_marks(on_gpus))] if on_gpus else []),
    ]


def _marks(answers: Iterable[Answer]) -> tuple[Mark, ...]:
    ordered = sorted(answers, key=lambda answer: answer.elements)
    return tuple(_mark(answer, answer.label) for answer in ordered)


def _together(decisions: Sequence[Decision]) -> str:
    changes = {decision.change for decision in decisions}
    return changes.pop() if len(changes) == 1 else BY_CASE


def _gpu_marks(decisions: Sequence[Decision]) -> tuple[Mark, ...]:
    answers = (answer for decision in decisions for answer in decision.answers)
    ordered = sorted(answers, key=lambda answer: answer.elements)
    return tuple(_mark(one, f"{one.setting.device}: {one.label}") for one in ordered)


def name_of(decision: Decision) -> str:
    """Return a setting's name, with the GPU that it ran on; one word for any GPU."""
    setting = decision.setting
    if setting.device == GPU:
        return ON_A_GPU
    return setting.name if setting.device == CPU else f"{setting.name}, {setting.device}"


def _mark(answer: Answer, label: str) -> Mark:
    timing = answer.timing
    return Mark(label, timing.ratio, timing.interval, answer.outcome)


def of_settings(decisions: Sequence[Decision]) -> Markup:
    """Return the picture as HTML, for a wide page and for a phone."""
    rows = setting_rows(decisions)
    shown = figures.show(
        settings_figure(rows, MARGIN),
        finding=finding(rows),
        drawn=DRAWN,
        reading=READING,
        details=_each(rows),
        narrow=settings_figure(rows, MARGIN, narrow=True),
    )
    return Markup(shown.data)


def _each(rows: Sequence[SettingRow]) -> str:
    """Return the decision that stands beside each row."""
    return f"{'; '.join(f'{row.name}: {row.decision}' for row in rows)}."


def finding(rows: Sequence[SettingRow]) -> str:
    """Return how many timings came out how."""
    outcomes = (mark.outcome for row in rows for mark in row.marks)
    return f"With the line: {each_counted(outcomes, 'timings')}."
