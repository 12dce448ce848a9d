"""Tables of what eager CUDA launches: both forms side by side, and the source of each fact."""

from collections.abc import Iterable, Iterator

from investigation.evidence.kinds.gpus import Launch, SameLaunches
from investigation.evidence.words import listed
from investigation.gpu.launch.source import Passage

OPERATIONS = {
    "multiply": "the product",
    "gradient_of_input": "the input's gradient",
    "gradient_of_gate": "the gate's gradient",
}
FAMILIES = {
    "ordinary": "every pairing of layouts",
    "ambiguous": "the same, with a dimension of size 1",
    "narrow_gate": "both of these, a gate of lower precision",
    "volumes": "volumes",
    "empty": "without elements",
    "large": "more bytes than 32 bits count",
    "dtypes": "every pair of dtypes",
}


def same_rows(records: Iterable[SameLaunches]) -> Iterator[dict[str, object]]:
    """Yield a row a group: what was tried, and how many settings differ, and how."""
    for record in sorted(records, key=_place):
        how = [f"{name} ({count})" for name, count in record.differing_by.items()]
        yield {
            "settings": FAMILIES[record.family],
            "dtypes": "one" if record.dtypes == "same" else "two",
            "what is computed": OPERATIONS[record.operation],
            "tried": record.tried,
            "differ": record.differing,
            "how": listed(how) or "–",
        }


def _place(record: SameLaunches) -> tuple[int, bool, int]:
    return (
        list(FAMILIES).index(record.family),
        record.dtypes == "mixed",
        list(OPERATIONS).index(record.operation),
    )


def launch_rows(launches: Iterable[Launch]) -> Iterator[dict[str, object]]:
    """Yield a row a launch: its iterator, computed, and its kernel, read."""
    for launch in launches:
        yield {
            "form": launch.form,
            "launch": f"{launch.place + 1}: {launch.calculates}",
            "iteration": _sizes(launch.shape),
            "strides in bytes": " · ".join(
                f"{_sizes(stride, ', ')} {dtype}"
                for stride, dtype in zip(launch.stride_bytes, launch.dtypes, strict=True)
            ),
            "kernel": launch.kernel or "not read",
            "elements a load": launch.vector or "–",
            "casts": "–" if launch.casts is None else launch.casts,
            "offset calculator": _walked(launch),
            "blocks × threads": _grid(launch),
        }


def _sizes(sizes: Iterable[int], between: str = "×") -> str:
    return between.join(map(str, sizes))


def _walked(launch: Launch) -> str:
    if launch.kernel is None:
        return "–"
    return "none" if launch.walked is None else f"{launch.walked} dimensions"


def _grid(launch: Launch) -> str:
    if launch.grid is None or launch.block is None:
        return "–"
    return f"{_sizes(launch.grid)} × {_sizes(launch.block)}"


def source_rows(passages: Iterable[Passage]) -> Iterator[dict[str, object]]:
    """Yield a row a passage of torch's source that was read."""
    for passage in passages:
        yield {
            "what was read": passage.decides,
            "file": passage.file,
            "line": str(passage.line or "not installed with torch"),
        }
