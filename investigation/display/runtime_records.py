"""What the chapter keeps of a survey: records, and the rows of its tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from investigation.claims.rules import kib, percent
from investigation.claims.rules_runtimes import COSTS, RAN, REMEDIED, REMEDY_COSTS, WRITTEN, slower
from investigation.display.chapter import Chapter, timing_details
from investigation.evidence.records import Record
from investigation.runtimes.survey import Row, version
from investigation.subject.cases import Case
from investigation.timing.comparison import Comparison

Line = dict[str, object]
GLANCE = (
    "runtime",
    "an expansion survives",
    "writes more",
    "plans more",
    "result is eager's",
    "time with it",
    "slower in",
)


def ran(chapter: Chapter, rows: Sequence[Row]) -> Record:
    """Keep which runtimes ran and what became of the others."""
    exported = [row for row in rows if row.ran and row.runtime.family == "exported"]
    states = {row.runtime.title: row.state for row in rows}
    logs = {row.runtime.title: row.outcome.log for row in rows if row.outcome.log}
    says = "exported runtimes that ran"
    details = {"states": states, "logs": logs}
    return chapter.record(RAN, "graph", says, len(exported), unit="runtimes", details=details)


def written(chapter: Chapter, row: Row, case: Case) -> Record:
    """Keep what a runtime writes more with `expand_as`, in bytes of one inference."""
    prefix = REMEDIED if row.runtime.family == "remedy" else WRITTEN
    seen = row.seen(case, "expand_as")
    return chapter.record(
        f"{prefix}.{row.runtime.slug}",
        "allocation",
        f"bytes written more with expand_as: {row.runtime.title}",
        row.written_more(case),
        unit="bytes",
        case=case,
        details=_who(row)
        | {
            "survives": row.survives(case),
            "same_steps": row.same_steps(case),
            "planned_more": row.planned_more(case),
            "equal": seen["equal"],
            "furthest": seen["furthest"],
            "steps": [step.op for step in row.trace(case, "expand_as").steps],
        },
    )


def _who(row: Row) -> dict[str, Any]:
    runtime = row.runtime
    return {"runtime": runtime.title, "family": runtime.family, "version": version(runtime)}


def more(chapter: Chapter, row: Row, case: Case) -> Record:
    """Keep whether what an exported runtime runs has an operation more with `expand_as`."""
    return chapter.record(
        f"graph.more.runtime_{row.runtime.slug}",
        "graph",
        f"the program runs an operation more with expand_as: {row.runtime.title}",
        row.survives(case),
        details={"form": row.runtime.title},
        case=case,
    )


def costs(chapter: Chapter, row: Row) -> dict[str, Record]:
    """Keep what the block costs with `expand_as`, by the slug of the workload."""
    if row.runtime.family == "remedy":
        ids = {row.cases[0].slug: f"{REMEDY_COSTS}.{row.runtime.slug}"}
    else:
        ids = {case.slug: f"{COSTS}.{row.runtime.slug}.{case.slug}" for case in row.cases}
    cases = {case.slug: case for case in row.cases}
    return {
        slug: _cost(chapter, record_id, row, row.comparison(cases[slug]), cases[slug])
        for slug, record_id in ids.items()
    }


def _cost(chapter: Chapter, record_id: str, row: Row, comparison: Comparison, case: Case) -> Record:
    return chapter.record(
        record_id,
        "timing",
        f"the SE block with {comparison.name} against {comparison.baseline_name}: "
        f"{row.runtime.title}",
        comparison.ratio,
        unit="ratio",
        interval=comparison.ratio_interval,
        confidence=comparison.confidence,
        verdict=comparison.verdict,
        case=case,
        details=timing_details(comparison) | _who(row),
    )


def detector(chapter: Chapter, row: Row, case: Case) -> Record | None:
    """Keep a control: a block that returns its expanded gate must be seen to write it.

    None where the runtime refuses that block.
    """
    if "refused" in row.seen(case, "kept"):
        return None
    count = row.written_more(case, "kept")
    return chapter.control(
        f"runtimes.control.{row.runtime.slug}",
        "allocation",
        "an expanded gate that is returned is seen to be written",
        count,
        passed=count >= row.expanded_bytes(case),
    )


def copies(chapter: Chapter, row: Row, case: Case) -> dict[str, Record]:
    """Keep two comparisons: two copies of one program, and the gate written out by its source."""
    found = {name: row.control(name) for name in ("copy", "materialized")}
    return {
        name: _cost(chapter, f"timing.placement.{row.runtime.slug}.{name}", row, comparison, case)
        for name, comparison in found.items()
        if comparison is not None
    }


def control_line(row: Row, case: Case, seen: Record | None, placed: Mapping[str, Record]) -> Line:
    """Return a runtime's line of the table of controls."""
    detected = row.seen(case, "kept")["refused"] if seen is None else kib(float(seen.value))
    names = {"copy": "two copies of one program", "materialized": "written out by its source"}
    timed = {said: placed.get(name) for name, said in names.items()}
    return {
        "runtime": row.runtime.title,
        "a returned gate is seen written": detected,
        **{said: None if record is None else percent(record) for said, record in timed.items()},
    }


def grid(chapter: Chapter, combinations: Sequence[Mapping[str, Any]], case: Case) -> Record:
    """Keep in how many combinations around ONNX Runtime the expansion is written."""
    plain = [one for one in combinations if not one["ruled"]]
    return chapter.record(
        "runtimes.onnx_grid",
        "graph",
        "combinations in which an Expand runs and writes",
        sum(one["expansions"] > 0 and one["bytes_written"] > 0 for one in plain),
        unit="combinations",
        case=case,
        details={"tried": len(plain), "combinations": list(combinations)},
    )


def at_a_glance(row: Row, kept: Record | None, timed: Mapping[str, Record]) -> Line:
    """Return a runtime's line of the table; what did not run has a state and nothing else."""
    if kept is None:
        return dict.fromkeys(GLANCE) | {GLANCE[0]: row.runtime.title, GLANCE[1]: row.state}
    planned = kept.details["planned_more"]
    first = timed[row.cases[0].slug]
    cells = (
        row.runtime.title,
        kept.details["survives"],
        kib(float(kept.value)),
        None if planned is None else kib(planned),
        kept.details["equal"],
        percent(first),
        f"{len(slower(timed.values()))} of {len(timed)}",
    )
    return dict(zip(GLANCE, cells, strict=True))
