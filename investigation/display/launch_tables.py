"""Tables of what eager CUDA launches: the forms beside each other, and where each fact is from."""

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
    "volumes": "volumes",
    "empty": "without elements",
    "large": "more bytes than 32 bits count",
    "dtypes": "every pair of dtypes",
}


def same_rows(found: Iterable[SameLaunches]) -> Iterator[dict[str, object]]:
    """Yield a row a group: what was tried, and how many settings differ, and how."""
    for one in sorted(found, key=_place):
        how = [f"{name} ({count})" for name, count in one.differing_by.items()]
        yield {
            "settings": FAMILIES[one.family],
            "dtypes": "one" if one.dtypes == "same" else "two",
            "what is computed": OPERATIONS[one.operation],
            "tried": one.tried,
            "differ": one.differing,
            "how": listed(how) or "–",
        }


def _place(one: SameLaunches) -> tuple[int, bool, int]:
    return (
        list(FAMILIES).index(one.family),
        one.dtypes == "mixed",
        list(OPERATIONS).index(one.operation),
    )


def launch_rows(found: Iterable[Launch]) -> Iterator[dict[str, object]]:
    """Yield a row a launch: its iterator, computed, and its kernel, read."""
    for one in found:
        yield {
            "form": one.form,
            "launch": f"{one.place + 1}: {one.calculates}",
            "iteration": _sizes(one.shape),
            "strides in bytes": " · ".join(
                f"{_sizes(stride, ', ')} {dtype}"
                for stride, dtype in zip(one.stride_bytes, one.dtypes, strict=True)
            ),
            "kernel": one.kernel or "not read",
            "elements a load": one.vector or "–",
            "casts": "–" if one.casts is None else one.casts,
            "offset calculator": _walked(one),
            "blocks × threads": _grid(one),
        }


def _sizes(sizes: Iterable[int], between: str = "×") -> str:
    return between.join(map(str, sizes))


def _walked(one: Launch) -> str:
    if one.kernel is None:
        return "–"
    return "none" if one.walked is None else f"{one.walked} dimensions"


def _grid(one: Launch) -> str:
    if one.grid is None or one.block is None:
        return "–"
    return f"{_sizes(one.grid)} × {_sizes(one.block)}"


def source_rows(passages: Iterable[Passage]) -> Iterator[dict[str, object]]:
    """Yield a row a passage of torch's source that was read."""
    for one in passages:
        yield {
            "what was read": one.decides,
            "file": one.file,
            "line": one.line or "not installed with torch",
        }
