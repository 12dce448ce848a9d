"""The lines of the tables of the chapter on runtimes."""

from collections.abc import Mapping, Sequence

from investigation.display.outcomes import counted
from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import kib, outcome_of, percent, rounded_up
from investigation.runtimes.survey import SurveyRow
from investigation.subject.cases import Case
from investigation.timing.statistics import SEEN_PERCENT

Line = dict[str, object]
GLANCE = (
    "runtime",
    "an expansion survives",
    "writes more",
    "plans more",
    "result is eager's",
    "time with it",
    "outcome",
)


def at_a_glance(
    row: SurveyRow, program: RuntimeProgram | None, timed: Mapping[str, Timing]
) -> Line:
    """Return a runtime's line of the table; what did not run has a state and nothing else.

    `timed` has the comparisons of the block by the slug of the workload.
    """
    if program is None:
        return dict.fromkeys(GLANCE) | {GLANCE[0]: row.runtime.title, GLANCE[1]: row.state}
    cells = (
        row.runtime.title,
        program.survives,
        kib(program.bytes_more),
        None if program.planned_more is None else kib(program.planned_more),
        program.equal,
        _change(timed[row.cases[0].slug]),
        counted(timed.values()),
    )
    return dict(zip(GLANCE, cells, strict=True))


def of_a_remedy(program: RuntimeProgram, timed: Timing, copies: Timing) -> Line:
    """Return a remedy's line: what it gives, against the same runtime and the changed source.

    `copies` is the changed source's program against a copy of itself.
    """
    return {
        "remedy": program.title,
        "the steps of the changed source": program.same_steps,
        "writes more": kib(program.bytes_more),
        "result is eager's": program.equal,
        "time against the changed source": _change(timed),
        "outcome": outcome_of(timed),
        "two copies of the changed source": _change(copies),
    }


def of_controls(
    row: SurveyRow, case: Case, copies: Mapping[str, Timing], written: Timing | None
) -> Line:
    """Return a runtime's line of the table of controls.

    `copies` has the comparisons of two copies by the slug of the workload, `written` that of the
    gate written out by its source.
    """
    refused = row.seen(case, "kept").get("refused")
    between = [copy.single.between_percent or 0 for copy in copies.values()]
    return {
        "runtime": row.runtime.title,
        "written if the gate is returned": refused or kib(row.written_more(case, "kept")),
        "two copies, here": _change(copies[case.slug]) if copies else None,
        "preparations differ by up to": _between(between),
        ".contiguous() against x * y": _change(written) if written else None,
    }


def _between(percents: Sequence[float]) -> str | None:
    if not percents:
        return None
    return f"{rounded_up(max(percents))} %" if max(percents) >= SEEN_PERCENT else "none seen"


def _change(timing: Timing) -> str:
    return percent(timing.ratio, timing.interval)
