"""The picture of the first page, drawn from the decisions when the book is assembled."""

from collections.abc import Sequence

from markupsafe import Markup

from investigation.display import figures
from investigation.display.outcomes import counted
from investigation.display.setting_figures import Mark, SettingRow, settings_figure
from investigation.evidence.kinds.timings import MARGIN
from pipeline.pages.answers import Answer
from pipeline.pages.decisions import Decision
from pipeline.pages.settings import CPU, GPU

DRAWN = "Time with expand_as over time without, a row a setting"
READING = "A mark is one timing with its 95 % interval; in a row the smallest input is on top."


def setting_rows(decisions: Sequence[Decision]) -> list[SettingRow]:
    """Return a row a decision, each with its own timings."""
    return [
        SettingRow(
            name_of(decision),
            decision.change,
            tuple(
                _mark(answer)
                for answer in sorted(decision.answers, key=lambda answer: answer.elements)
            ),
        )
        for decision in decisions
    ]


def name_of(decision: Decision) -> str:
    """Return a setting's name, with the GPU that it ran on; one word for any GPU."""
    setting = decision.setting
    if setting.device == GPU:
        return "on a GPU"
    return setting.name if setting.device == CPU else f"{setting.name}, {setting.device}"


def _mark(answer: Answer) -> Mark:
    timing = answer.timing
    return Mark(answer.label, timing.ratio, timing.interval, answer.outcome)


def of_settings(decisions: Sequence[Decision]) -> Markup:
    """Return the picture as HTML, for a wide page and for a phone."""
    rows = setting_rows(decisions)
    shown = figures.show(
        settings_figure(rows, MARGIN),
        finding=finding(decisions),
        drawn=DRAWN,
        reading=READING,
        details=_each(decisions),
        narrow=settings_figure(rows, MARGIN, narrow=True),
    )
    return Markup(shown.data)


def _each(decisions: Sequence[Decision]) -> str:
    """Return the decision that stands beside each row."""
    return f"{'; '.join(f'{name_of(one)}: {one.change}' for one in decisions)}."


def finding(decisions: Sequence[Decision]) -> str:
    """Return how many timings came out how."""
    timings = [answer.timing for decision in decisions for answer in decision.answers]
    return f"With the line: {counted(timings, 'timings')}."
