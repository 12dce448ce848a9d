"""The numbers that a page publishes under its figures, and the evidence that they must be of."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag

from investigation.display.timing_figures import label
from investigation.evidence.kinds.in_place import LineInPlace
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.observation import Observation
from investigation.subject.runtimes import BY_SLUG

Row = dict[str, str]
ENDS = ("low", "high")


@dataclass(frozen=True)
class Drawn:
    """A figure of a page: what it shows in words, and the rows of its CSV."""

    page: str
    alt: str
    rows: list[Row]

    @property
    def has_intervals(self) -> bool:
        """Whether every row is of a timing, by its interval."""
        return all(row["low"] and row["high"] for row in self.rows)


def drawn(folder: Path) -> Iterator[Drawn]:
    """Give every figure with numbers of a finished book."""
    for path in sorted((folder / "html").rglob("*.html")):
        if not path.relative_to(folder / "html").parts[0].startswith("_"):
            soup = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
            yield from (
                Drawn(path.stem, link.find_parent("figure").svg["aria-label"], rows_of(link))
                for link in soup.select("a.figure-data")
            )


def rows_of(link: Tag) -> list[Row]:
    """Return the rows of the CSV that a link carries."""
    text = unquote(link["href"].split(",", 1)[1])
    return list(csv.DictReader(io.StringIO(text)))


def figures(soup: BeautifulSoup) -> Iterator[list[Row]]:
    """Give the rows of each figure's CSV on a page."""
    yield from map(rows_of, soup.select("a.figure-data"))


def finding(figure: Tag) -> str:
    """Return what a figure's alternative text ends with and its caption begins with, or nothing."""
    alternative, caption = str(figure.svg["aria-label"]), figure.figcaption.text
    starts = [at for at in range(len(alternative)) if alternative[:at].endswith(". ")]
    return next((alternative[at:] for at in starts if caption.startswith(alternative[at:])), "")


def with_intervals(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that are of a timing, by their interval."""
    return [row for row in rows if row["low"] and row["high"]]


def marks(record: Observation) -> Iterator[tuple[tuple[str, str], list[float]]]:
    """Give the panels and rows that a measurement may stand in, each with its numbers there.

    A panel is "" if a figure has one only. The same place comes once for each unit.
    """
    if isinstance(record, LineInPlace):
        yield from _marks_of_a_line(record)
    if isinstance(record, Timing):
        yield from product(_names(record), _numbers(record))


def _names(timing: Timing) -> set[tuple[str, str]]:
    case, runtime = timing.case, BY_SLUG.get(str(timing.runtime))
    names = {
        ("", label(timing)),
        ("", timing.statement),
        ("", timing.statement.removeprefix("compiled: ")),
    }
    if timing.network and runtime:
        names.add((timing.network, runtime.title))
    if case:
        panel = f"{case.name.replace(',', '')} {'×'.join(map(str, case.shape))}"
        names |= {(panel, runtime.title)} if runtime else set()
        sized = ("added to a call", "share of the multiply")
        names |= {(panel, str(float(case.elements))) for panel in sized}
    return names


def _numbers(timing: Timing) -> list[list[float]]:
    """Return a timing's value and interval in each of the units that figures use."""
    ratio = [timing.ratio, *timing.interval]
    numbers = [ratio, [100 * (bound - 1) for bound in ratio]]
    if timing.alone:
        added = [timing.alone.difference_s, *timing.alone.difference_interval_s]
        numbers += [[scale * number for number in added] for scale in (1e6, 1e9)]
    return numbers


def _marks_of_a_line(record: LineInPlace) -> Iterator[tuple[tuple[str, str], list[float]]]:
    panel, whole = record.memory_format, "share of the step"
    parts = {slot.case.name.removeprefix("host "): slot for slot in record.slots}
    for name, part in (parts | {"all slots": record.decisive}).items():
        yield (panel, name), [1e6 * value for value in (part.difference_s, *part.interval_s)]
    share = (record.share, *record.decisive.share_interval)
    yield (f"{panel}, {whole}", whole), [100 * value for value in share]


def place(row: Row) -> tuple[str, str]:
    """Return the panel and the name of the row that a number stands in."""
    return row["panel"], row["y"] if not _is_number(row["y"]) else row["x"]


def values(row: Row) -> list[float]:
    """Return the value and the interval that a row has."""
    value = row["y"] if _is_number(row["y"]) else row["x"]
    return [float(number) for number in (value, row["low"], row["high"])]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
