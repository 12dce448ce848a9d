"""Sentences of the chapter on runtimes, computed from the steps that their programs run."""

from collections.abc import Mapping

from investigation.evidence.words import capital, listed
from investigation.runtimes.program import Trace

# Steps that only lay a tensor out anew. An expansion with nothing but these behind it comes after
# the multiply, whose product is what the block returns.
LAYING_OUT = {"Reorder", "ReorderOutput", "Reshape", "reshape", "Raster", "permute_copy"}
PLACES = {
    "before": "an expansion is written to memory before the multiply in",
    "after": "an expansion is written to memory after the multiply in",
    "both": "expansions are written to memory before and after the multiply in",
    "view": "an expansion is only a view in",
    "none": "no expansion runs in",
}


def expansions_told(traces: Mapping[str, Trace]) -> str:
    """Say in which programs an expansion is written, on which side of the multiply.

    `traces` maps a runtime's title to the steps that it runs.
    """
    groups: dict[str, list[str]] = {place: [] for place in PLACES}
    for title, trace in traces.items():
        groups[place_of_expansion(trace)].append(title)
    parts = [f"{PLACES[place]} {listed(titles)}" for place, titles in groups.items() if titles]
    return f"{capital('; '.join(parts))}."


def place_of_expansion(trace: Trace) -> str:
    """Return `before`, `after` or `both` for what is written, else `view` or `none`."""
    places = set()
    for number, step in enumerate(trace.steps, start=1):
        if step.expands and step.bytes_written > 0:
            behind = (other for other in trace.steps[number:] if not other.expands)
            ends = all(other.op in LAYING_OUT for other in behind)
            places.add("after" if ends else "before")
    if not places:
        return "view" if trace.expansions else "none"
    return places.pop() if len(places) == 1 else "both"
