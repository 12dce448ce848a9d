"""What every notebook does alike: check its parameters, keep its evidence, close with both."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import HTML, Markdown

from investigation.claims import ledger
from investigation.claims.claim import Verdict, judge, untested
from investigation.claims.rules import FAMILY_CONFIDENCE, listed
from investigation.evidence import records as evidence
from investigation.evidence.environment import PROJECT, describe
from investigation.evidence.harmless import harmless
from investigation.evidence.parameters import Parameters, typed_name
from investigation.evidence.provenance import package_sha256, source_sha256
from investigation.evidence.records import Evidence, Findings, Kind, Record
from investigation.subject.cases import Case
from investigation.timing.comparison import Comparison
from investigation.timing.replicate import Replication

# A control that is judged at 95 % raises a false alarm in one build of twenty for every
# control in the book. Judged at 99.99 %, a hundred controls raise one in a hundred builds.
CONTROL_CONFIDENCE = 0.9999


class ControlFailedError(Exception):
    """The instrument is broken, so its numbers say nothing: the build stops."""


class Chapter:
    """One run of one notebook: its parameters, checked, and what it has observed so far.

    Raises `ParameterError` for a parameter that cannot be used.
    """

    def __init__(self, notebook: str, **parameters: object) -> None:
        self.notebook = notebook
        self.settings = Parameters.check(**parameters)
        self._given = parameters
        self._started = datetime.now(UTC)
        self._records: list[Record] = []

    def record(
        self, record_id: str, kind: Kind, says: str, value: bool | float | str, **rest: Any
    ) -> Record:
        """Keep one observation and return it."""
        made = Record(id=record_id, kind=kind, says=says, value=value, **rest)
        self._records.append(made)
        return made

    def timing(
        self,
        record_id: str,
        says: str,
        comparison: Comparison | Replication,
        case: Case | None = None,
    ) -> Record:
        """Keep a paired comparison: its ratio, candidate over baseline, with the interval."""
        return self.record(
            record_id,
            "timing",
            says,
            comparison.ratio,
            unit="ratio",
            interval=comparison.ratio_interval,
            confidence=comparison.confidence,
            verdict=comparison.verdict,
            case=case,
            details=timing_details(comparison),
        )

    def control(
        self, record_id: str, kind: Kind, says: str, value: bool | float | str, *, passed: bool
    ) -> Record:
        """Keep a control: an observation whose outcome is known beforehand.

        Raises `ControlFailedError` where it did not come out so.
        """
        made = self.record(record_id, kind, says, value, passed=passed)
        if not passed:
            raise ControlFailedError(f"{record_id}: expected was: {says}; seen: {value}")
        return made

    def same_control(self, record_id: str, comparison: Comparison) -> Record:
        """Keep a comparison of something with itself: it must not come out different."""
        judged = comparison.at(CONTROL_CONFIDENCE)
        says = "the same callable on both sides comes out neither faster nor slower"
        passed = judged.verdict in ("equivalent", "inconclusive")
        return self.control(record_id, "timing", says, repr(judged), passed=passed)

    def slower_control(self, record_id: str, comparison: Comparison) -> Record:
        """Keep a comparison with the materialized variant: it must come out slower."""
        judged = comparison.at(CONTROL_CONFIDENCE)
        says = "writing the gate out in full comes out slower"
        return self.control(
            record_id, "timing", says, repr(judged), passed=judged.verdict == "slower"
        )

    def evidence(self) -> Evidence:
        """Return all that was observed so far, with its provenance."""
        return Evidence(
            notebook=self.notebook,
            source_sha256=source_sha256(PROJECT / "notebooks" / f"{self.notebook}.ipynb"),
            package_sha256=package_sha256(),
            parameters=self.settings.model_dump(include=set(self._given)),
            environment=describe(self.settings.threads),
            started=self._started,
            finished=datetime.now(UTC),
            records=tuple(self._records),
        )

    def found(self) -> Markdown:
        """Return what this chapter decides: each claim with its rule and its verdict.

        A claim that needs other chapters' evidence as well is decided in the ledger.
        """
        findings = Findings((self.evidence(),))
        rows = []
        for claim in ledger.CLAIMS:
            if self.notebook in claim.chapters:
                others = [one for one in claim.chapters if one != self.notebook]
                whole = all(record in findings for record in claim.reads)
                verdict = judge(claim, findings) if whole else together_with(others)
                rows.append(ledger.row(claim, verdict))
        return ruled(rows)

    def close(self) -> HTML:
        """Write the evidence; return the environment and the command that reruns the page."""
        kept = self.evidence()
        evidence.write(kept, results_folder() / f"{self.notebook}.json")
        given = " ".join(f"{typed_name(key)}={_typed(value)}" for key, value in self._given.items())
        rows: dict[str, object] = kept.environment.model_dump()
        rows["parameters"] = given
        rows["elapsed"] = f"{(kept.finished - kept.started).total_seconds():.0f} s"
        rows["run again with"] = f"make rerun NOTEBOOK={self.notebook} {given}"
        return table([{"": key.replace("_", " "), "this run": rows[key]} for key in rows])


def together_with(chapters: Sequence[str]) -> Verdict:
    """Return what a chapter shows for a claim that it cannot decide alone."""
    return untested(f"Decided in the ledger, together with {listed(chapters)}.")


def timing_details(timed: Comparison | Replication) -> dict[str, Any]:
    """Return what a timing record keeps beside the ratio; times in seconds per call."""
    kept: dict[str, Any] = {"margin": timed.margin, "warnings": list(timed.warnings)}
    if isinstance(timed, Replication):
        return kept | {
            "processes": [timing_details(one) for one in timed.comparisons],
            "between_percent": timed.between_percent,
            "heterogeneity_p": timed.heterogeneity_p,
        }
    return kept | {
        "verdict_in_family": timed.at(FAMILY_CONFIDENCE).verdict,
        "ratio": timed.ratio,
        "ratio_interval": list(timed.ratio_interval),
        "difference_s": timed.difference_s,
        "difference_interval_s": list(timed.difference_interval),
        "baseline_s": timed.baseline_s,
        "candidate_s": timed.candidate_s,
        "equivalence_p": timed.equivalence_p,
        "pairs": timed.pairs,
        "calls_per_block": timed.calls_per_block,
        "threads": timed.threads,
    }


def results_folder() -> Path:
    """Return the folder that evidence is written to: the build's own staging, or build/results."""
    return Path(os.environ.get("INVESTIGATION_RESULTS", PROJECT / "build" / "results"))


def say(text: str) -> Markdown:
    """Return a sentence that was built from the run's numbers, for display; never markup."""
    return Markdown(harmless(text))


def listing(text: str, language: str) -> Markdown:
    """Return a text as a code block, for display: all of it as it is, and none of it markup."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Markdown(f"{fence}{language}\n{text}\n{fence}")


def table(rows: Iterable[Mapping[str, object]]) -> HTML:
    """Return rows as a table, for display; every cell is text, never markup."""
    frame = pd.DataFrame([{key: _cell(value) for key, value in row.items()} for row in rows])
    # A corner without a name heads nothing, and a screen reader would announce it all the same.
    markup = frame.to_html(index=False, border=0).replace("<th></th>", "<td></td>")
    return HTML(f'<div class="table-scroll">{markup}</div>')


def ruled(rows: Iterable[Mapping[str, object]]) -> Markdown:
    """Return rows of the ledger as paragraphs, for display: the claim, its rule, its verdict."""
    return say("\n".join(f"- {_lines(row)}" for row in rows))


def _lines(row: Mapping[str, object]) -> str:
    said = f"**{row['claim']}**, {row['who']}: “{row['says']}”"
    return f"{said}\\\n  *Rule.* {row['rule']}\\\n  **{row['verdict']}**: {row['because']}"


def _typed(value: object) -> str:
    """Return a parameter as a person would type it, all of it, since it is there to be copied."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value
