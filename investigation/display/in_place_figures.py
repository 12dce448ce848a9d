"""The line timed in place, as a figure and in words: what it adds to each slot and to the step."""

import math
from collections.abc import Mapping, Sequence
from statistics import stdev

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from investigation.display.figures import COLOURS, INK, canvas, interval, rows
from investigation.display.keys import require_each_once
from investigation.evidence.kinds.in_place import Added, LineInPlace, OnClock
from investigation.evidence.words import added, change, percent, rounded_up

SUM, SHARE = "all slots", "share of the step"
ENDLESS = "too few processes for an interval"
Row = dict[str, object]


def line_in_place(records: Mapping[str, LineInPlace]) -> Figure:
    """Return a figure of what the candidate adds, a column a memory format.

    Above, microseconds a slot and in sum; below, the sum as a share of the step, over the margin.
    The panels share their rows: a slot that a format lacks is empty there. Raises `ValueError` for
    two slots of one name.
    """
    slots_of = {name: _parts(record) for name, record in records.items()}
    names = list(dict.fromkeys(part for parts in slots_of.values() for part in parts))
    heights = {"height_ratios": [3.2, 1]}
    with canvas(
        columns=len(records), rows=2, height=3.6, squeeze=False, sharey="row", gridspec_kw=heights
    ) as (figure, axes):
        for (name, record), slots, share in zip(records.items(), *axes, strict=True):
            _slots(slots, record, [*names, SUM])
            slots.set_title(name)
            _share(share, record)
            share.set_title(f"{name}, {SHARE}", fontsize=9)
    return figure


def _parts(record: LineInPlace) -> dict[str, Added]:
    names = [slot.case.name.removeprefix("host ") for slot in record.slots]
    require_each_once("slots", names)
    return dict(zip(names, record.slots, strict=True))


def _slots(axis: Axes, record: LineInPlace, names: Sequence[str]) -> None:
    """Draw what is added at each slot, and in sum, in microseconds, each in the row of its name."""
    for name, estimate in {**_parts(record), SUM: record.decisive}.items():
        low, high = (1e6 * end for end in estimate.interval_s)
        verdict = record.verdict if name == SUM else None
        interval(axis, names.index(name), 1e6 * estimate.difference_s, (low, high), verdict)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.axvline(0, color=INK, lw=0.8)
    axis.set_xlabel("µs that expand_as adds")


def _share(axis: Axes, record: LineInPlace) -> None:
    """Draw the sum as a share of the step, over the band of the margin."""
    band = 100 * record.margin
    axis.axvspan(-band, band, color=COLOURS["neutral"], alpha=0.18, lw=0)
    axis.axvline(0, color=INK, lw=0.8)
    low, high = record.decisive.share_interval
    rows(axis, [SHARE], [100 * record.share], [(100 * low, 100 * high)], [record.verdict])
    axis.set_xlabel("% of the step")


def in_words(name: str, record: LineInPlace) -> str:
    """Say what the candidate adds to a step, and how fine the interval is."""
    total = record.decisive
    return (
        f"{name}: `{record.candidate}` adds {_added(total)} to a step of "
        f"{1e3 * total.step_s:,.1f} ms, {_of_the_step(total)}; {_verdict(record)}."
        f"{_resolution(record)}"
    )


def _verdict(record: LineInPlace) -> str:
    return {
        "equivalent": f"the step takes the same time within {100 * record.margin:g} %",
        "inconclusive": "whether the step takes the same time is not decided",
    }.get(record.verdict, f"the step is {record.verdict}")


def _resolution(record: LineInPlace) -> str:
    """Say how small a share of the step the interval can tell from none, and what limits that."""
    low, high = record.decisive.share_interval
    if not math.isfinite(high):
        return ""
    half = rounded_up(100 * (high - low) / 2)
    said = f" The interval reaches {half} % of the step to either side"
    if record.over != "processes":
        return f"{said}."
    shares = [process.difference_s / process.step_s for process in record.processes]
    apart = rounded_up(100 * stdev(shares))
    return (
        f"{said}. The estimates of single processes have a standard deviation of {apart} % of the "
        "step; at most four times as many processes halve the interval."
    )


def _added(total: OnClock) -> str:
    if math.isfinite(total.interval_s[1]):
        return added(total.difference_s, total.interval_s)
    return f"{1e6 * total.difference_s:+,.2f} µs ({ENDLESS})"


def _of_the_step(total: OnClock) -> str:
    low, high = total.share_interval
    if math.isfinite(high):
        return percent(1 + total.share, (1 + low, 1 + high))
    return change(1 + total.share)


def found(records: Mapping[str, LineInPlace]) -> str:
    """Say for each format by what share the candidate changes the step, and the outcome."""
    return " ".join(
        f"{name}: {record.candidate} adds {_of_the_step(record.decisive)} to a step; "
        f"{_verdict(record)}."
        for name, record in records.items()
    )


def reading(records: Mapping[str, LineInPlace]) -> str:
    """Say how to read the figure."""
    first = next(iter(records.values()))
    return (
        "In µs: the time that expand_as adds to the line at each SE block, and in sum. In %: "
        f"the sum as a share of the step; grey is the margin of ±{100 * first.margin:g} %. "
        f"{100 * first.confidence:.6g} % intervals over {len(first.processes)} processes."
    )


def clock_rows(records: Mapping[str, LineInPlace]) -> list[Row]:
    """Return a row for each format and clock: what is added, its share, and how long a step is."""
    return [
        {
            "format": name,
            "clock": f"{sum_.clock}{' (decides)' if sum_.clock == record.clock else ''}",
            "a step": f"{1e3 * sum_.step_s:,.1f} ms",
            "expand_as adds": _added(sum_),
            "of the step": _of_the_step(sum_),
            "pairs of steps": record.pairs,
        }
        for name, record in records.items()
        for sum_ in record.sums
    ]
