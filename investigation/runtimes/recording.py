"""From what a survey found to its records, and the controls of its instruments."""

from collections.abc import Sequence

from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.deployments import (
    ExporterCombination,
    ExporterGrid,
    RuntimeProgram,
    RuntimesTried,
    VariedExport,
)
from investigation.evidence.kinds.programs import Survival
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.recorder import Recorder
from investigation.runtimes.survey import SurveyRow, version
from investigation.runtimes.variations import Variation, compared, steps_of
from investigation.subject.cases import Case
from investigation.timing.comparison import Comparison
from investigation.timing.processes import Reply
from investigation.timing.recording import same_control, timing_of


def tried(recorder: Recorder, rows: Sequence[SurveyRow]) -> RuntimesTried:
    """Keep which runtimes ran and what became of the others."""
    exported = [row for row in rows if row.ran and row.runtime.family == "exported"]
    return recorder.keep(
        RuntimesTried(
            statement="exported runtimes that ran",
            exported=len(exported),
            states={row.runtime.title: row.state for row in rows},
            logs={row.runtime.title: row.outcome.log for row in rows if row.outcome.log},
        )
    )


def program(recorder: Recorder, row: SurveyRow, case: Case) -> RuntimeProgram:
    """Keep what a runtime's program does more with `expand_as` than without."""
    runtime, seen = row.runtime, row.seen(case, "expand_as")
    return recorder.keep(
        RuntimeProgram(
            statement=f"bytes written more with expand_as: {runtime.title}",
            runtime=runtime.slug,
            title=runtime.title,
            family=runtime.family,
            version=version(runtime),
            survives=row.survives(case),
            same_steps=row.same_steps(case),
            bytes_more=row.written_more(case),
            planned_more=row.planned_more(case),
            equal=seen["equal"],
            furthest=seen["furthest"],
            steps=tuple(step.op for step in row.trace(case, "expand_as").steps),
            case=case,
        )
    )


def survival(recorder: Recorder, row: SurveyRow, case: Case) -> Survival:
    """Keep whether what a runtime runs has an operation more with `expand_as`."""
    title = row.runtime.title
    statement = f"the program runs an operation more with expand_as: {title}"
    return recorder.keep(
        Survival(statement=statement, program=title, runs_more=row.survives(case), case=case)
    )


def varied(recorder: Recorder, variation: Variation, reply: Reply, case: Case) -> VariedExport:
    """Keep whether an export with open sizes, or a quantised one, still runs the expansion."""
    with_it, without = (steps_of(reply, form) for form in ("expand_as", "broadcast"))
    expanding = [step for step in with_it if step.expands]
    return recorder.keep(
        VariedExport(
            statement=f"the {variation.kind} export still runs the expansion: {variation.title}",
            variation=variation.kind,
            runtime=variation.title,
            survives=len(expanding) > sum(step.expands for step in without),
            bytes_expanded=sum(step.bytes_written for step in expanding),
            steps=tuple(step.op for step in with_it),
            plain_steps=tuple(step.op for step in without),
            case=case,
        )
    )


def varied_cost(recorder: Recorder, variation: Variation, reply: Reply, case: Case) -> Timing:
    """Keep what such an export costs with `expand_as`, and that two copies come out alike."""
    copies = compared(reply, "copies")
    about = {"runtime": variation.runtime, "family": "varied"}
    statement = f"two copies of the {variation.kind} export: {variation.title}"
    recorder.keep(timing_of(copies, statement, "block", case, role="control", **about))
    same_control(recorder, copies, of=variation.runtime)
    statement = f"the SE block with expand_as, {variation.kind}: {variation.title}"
    return recorder.keep(
        timing_of(compared(reply, "comparison"), statement, "block", case, **about)
    )


def costs(recorder: Recorder, row: SurveyRow) -> dict[str, Timing]:
    """Keep what the block costs with `expand_as`, by the slug of the workload."""
    return {case.slug: _cost(recorder, row, row.comparison(case), case) for case in row.cases}


def copies(recorder: Recorder, row: SurveyRow) -> dict[str, Timing]:
    """Keep two copies of one program against each other at every workload, by its slug.

    Each is a control: two copies must not come out different.
    """
    timings = {}
    for case in row.cases:
        comparison = row.copies(case)
        timings[case.slug] = _cost(recorder, row, comparison, case, role="control")
        same_control(recorder, comparison, of=f"{row.runtime.slug}, {case.slug}")
    return timings


def written_out(recorder: Recorder, row: SurveyRow, case: Case) -> Timing | None:
    """Keep the gate written out by its source against the plain product.

    None where the runtime refuses that block.
    """
    comparison = row.control("materialized")
    return _cost(recorder, row, comparison, case, role="control") if comparison else None


def _cost(
    recorder: Recorder,
    row: SurveyRow,
    comparison: Comparison,
    case: Case,
    role: str = "measurement",
) -> Timing:
    runtime = row.runtime
    statement = f"the SE block with {comparison.name} against {comparison.baseline_name}"
    about = {"runtime": runtime.slug, "family": runtime.family, "role": role}
    return recorder.keep(
        timing_of(comparison, f"{statement}: {runtime.title}", "block", case, **about)
    )


def detector(recorder: Recorder, row: SurveyRow, case: Case) -> Control | None:
    """Keep a control: a block that returns its expanded gate must be seen to write it.

    None where the runtime refuses that block.
    """
    if "refused" in row.seen(case, "kept"):
        return None
    count = row.written_more(case, "kept")
    statement = "an expanded gate that is returned is seen to be written"
    passed = count >= row.expanded_bytes(case)
    return recorder.control("returned_gate", statement, count, passed=passed, of=row.runtime.slug)


def exporters(
    recorder: Recorder, combinations: Sequence[ExporterCombination], case: Case
) -> ExporterGrid:
    """Keep in how many combinations around ONNX Runtime the expansion is written."""
    plain = [combination for combination in combinations if not combination.ruled]
    return recorder.keep(
        ExporterGrid(
            statement="combinations in which an Expand runs and writes",
            tried=len(plain),
            writing=sum(
                combination.expansions > 0 and combination.bytes_written > 0
                for combination in plain
            ),
            combinations=tuple(combinations),
            case=case,
        )
    )
