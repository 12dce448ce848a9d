"""The lines of the tables of the chapter on runtimes."""

from collections.abc import Mapping

from investigation.display.outcomes import counted
from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import kib, percent
from investigation.runtimes.survey import SurveyRow
from investigation.subject.cases import Case

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


def at_a_glance(row: SurveyRow, kept: RuntimeProgram | None, timed: Mapping[str, Timing]) -> Line:
    """Return a runtime's line of the table; what did not run has a state and nothing else.

    `timed` has the comparisons of the block by the slug of the workload.
    """
    if kept is None:
        return dict.fromkeys(GLANCE) | {GLANCE[0]: row.runtime.title, GLANCE[1]: row.state}
    cells = (
        row.runtime.title,
        kept.survives,
        kib(kept.bytes_more),
        None if kept.planned_more is None else kib(kept.planned_more),
        kept.equal,
        _change(timed[row.cases[0].slug]),
        counted(timed.values()),
    )
    return dict(zip(GLANCE, cells, strict=True))


def of_a_remedy(kept: RuntimeProgram, timed: Timing) -> Line:
    """Return a remedy's line: what it gives, against the same runtime and the changed source."""
    return {
        "remedy": kept.title,
        "the steps of the changed source": kept.same_steps,
        "writes more": kib(kept.bytes_more),
        "result is eager's": kept.equal,
        "time against the changed source": _change(timed),
    }


def of_controls(row: SurveyRow, case: Case, placed: Mapping[str, Timing]) -> Line:
    """Return a runtime's line of the table of controls; `placed` has its copies' comparisons."""
    refused = row.seen(case, "kept").get("refused")
    names = {"copy": "two copies of one program", "materialized": "written out by its source"}
    return {
        "runtime": row.runtime.title,
        "a returned gate is seen written": refused or kib(row.written_more(case, "kept")),
        **{said: _change(placed[name]) if name in placed else None for name, said in names.items()},
    }


def _change(timing: Timing) -> str:
    return percent(timing.ratio, timing.interval)
