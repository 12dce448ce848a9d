"""A comparison of two runs as text for a terminal, as a page, and as data."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from investigation.evidence.files import write_atomically
from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.observation import Observation
from investigation.evidence.words import percent
from pipeline.compare.comparing import ClaimPair, Pair, RunComparison
from pipeline.pages import templating

WIDEST = 46  # characters of a column in a terminal


def write(comparison: RunComparison, folder: Path) -> Path:
    """Write the page and its data into `folder`; return the page's path."""
    page = folder / "index.html"
    write_atomically(folder / "compare.json", json.dumps(data(comparison), indent=1) + "\n")
    write_atomically(page, render(comparison))
    return page


def render(comparison: RunComparison) -> str:
    """Return the page. Whatever the records hold is text there, never markup."""
    jinja = templating.environment(shown=shown, scaled=scaled, mark=mark, outcome=outcome)
    return jinja.get_template("compare.html").render(comparison=comparison)


def shown(record: Observation | None) -> str:
    """Return a record's value with its unit and interval, as a person reads it."""
    if isinstance(record, Measured):
        return percent(record.ratio, record.interval)
    return "–" if record is None else f"{record.value} {record.unit or ''}".rstrip()


def scaled(pair: Pair) -> list[tuple[str, float, float, float]]:
    """Return each run's interval and value as shares of a width in per cent, base first.

    The width spans both intervals and 1.
    """
    both = {"base": pair.base, "head": pair.head}
    runs = [(name, record) for name, record in both.items() if isinstance(record, Measured)]
    ends = [1.0, *(end for _, record in runs for end in record.interval if math.isfinite(end))]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return 100 * min(1.0, max(0.0, (value - low) / span))

    return [
        (name, place(record.interval[0]), place(record.ratio), place(record.interval[1]))
        for name, record in runs
    ]


def data(comparison: RunComparison) -> dict[str, Any]:
    """Return the comparison as plain data."""
    return {
        "base": comparison.base.name,
        "head": comparison.head.name,
        "verdicts_changed": [claim.id for claim in comparison.changed],
        "evidence_lost": [claim.id for claim in comparison.lost],
        "chapters_failed": dict(comparison.failed),
        "claims": [
            {"id": claim.id, "base": claim.base.model_dump(), "head": claim.head.model_dump()}
            for claim in comparison.claims
        ],
        "observations": [
            {
                "name": pair.name,
                "outcome": pair.outcome,
                "obstacles": pair.obstacles,
                "base": shown(pair.base),
                "head": shown(pair.head),
            }
            for pair in comparison.pairs
        ],
    }


def text(comparison: RunComparison) -> str:
    """Return the comparison as tables for a terminal."""
    claims = [
        (claim.id, claim.base.status, claim.head.status, mark(claim).upper())
        for claim in comparison.claims
    ]
    measured = [
        (measurement.name, shown(measurement.base), shown(measurement.head), _verdict(measurement))
        for measurement in comparison.measurements
    ]
    facts = [
        (
            fact.name,
            shown(fact.base),
            shown(fact.head),
            _verdict(fact),
        )
        for fact in comparison.differing_facts
    ]
    failed = [(name, _plain(reason)) for name, reason in comparison.failed.items()]
    parts = [*_table(("failed in head", "why"), failed), ""] * bool(failed)
    parts += [*_table(("claim", "base", "head", ""), claims), ""]
    parts += [*_table(("measurement", "base", "head", ""), measured), ""] * bool(measured)
    parts += [*_table(("fact that differs", "base", "head", ""), facts), ""] * bool(facts)
    return "\n".join([*parts, summary(comparison)])


def summary(comparison: RunComparison) -> str:
    """Return the outcome in a few sentences."""
    verdicts = outcome(comparison)
    outcomes = [measurement.outcome for measurement in comparison.measurements]
    return (
        f"{verdicts} Of {len(outcomes)} measurements {outcomes.count('agree')} agree, "
        f"{outcomes.count('differ')} differ, {outcomes.count('not comparable')} cannot be "
        "compared, and the rest is in one run only."
    )


def outcome(comparison: RunComparison) -> str:
    """Return which verdicts changed, which claims lost evidence, and which chapters failed."""
    changed = ", ".join(claim.id for claim in comparison.changed)
    sentences = [f"Verdicts changed: {changed}." if changed else "No verdict changed."]
    if comparison.lost:
        sentences.append(f"Evidence lost: {', '.join(claim.id for claim in comparison.lost)}.")
    if comparison.failed:
        sentences.append(f"Chapters failed: {', '.join(comparison.failed)}.")
    return " ".join(sentences)


def mark(claim: ClaimPair) -> str:
    """Return in a word what became of a claim's verdict; nothing if it is the same."""
    changes = {"changed": claim.changed, "evidence lost": claim.lost, "now decided": claim.gained}
    return next((word for word, held in changes.items() if held), "")


def _verdict(pair: Pair) -> str:
    return f"{pair.outcome}: {'; '.join(pair.obstacles)}" if pair.obstacles else pair.outcome


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Iterate over the lines of a table; what a terminal would obey is shown as text."""
    cells = [head, *([_cell(value) for value in row[:-1]] + [_plain(row[-1])] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(head) - 1)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield "  ".join([*padded, row[-1]]).rstrip()


def _cell(value: str) -> str:
    plain = _plain(value)
    return plain if len(plain) <= WIDEST else plain[: WIDEST - 1] + "…"


def _plain(value: str) -> str:
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in value
    )
