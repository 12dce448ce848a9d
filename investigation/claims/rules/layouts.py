"""Rules about strides and memory formats."""

from collections.abc import Iterator, Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported
from investigation.evidence.kinds.correctness import Equality
from investigation.evidence.kinds.layouts import BlockLayouts, Layouts

# The groups of one dtype with elements; `channels_last` counts some of them once more.
WITH_ELEMENTS = ("ordinary", "ambiguous", "volumes")
GROUPS = (*WITH_ELEMENTS, "empty", "channels_last")
GROUP_WORDS = {
    "ordinary": "pairings of ordinary layouts",
    "ambiguous": "pairings of ambiguous layouts",
    "volumes": "pairings of layouts of volumes",
    "empty": "pairings of empty tensors, which do not count",
    "narrow_gate": "pairings with a gate of lower precision",
    "channels_last": "of all pairings, those with an input in channels_last order (whole, sliced "
    "or cropped)",
}
Compared = Layouts | BlockLayouts | Equality


def layout_trouble(
    layouts: Sequence[Layouts],
    narrow_gate: Sequence[Layouts],
    blocks: Sequence[BlockLayouts],
    gradients: Sequence[Equality],
) -> Verdict:
    """T4: does any tensor that has elements come out otherwise?"""
    compared = _with_elements(layouts, blocks, gradients)
    table = _table([*layouts, *narrow_gate], blocks, gradients)
    differing, narrow = _differing(compared), narrow_gate[0]
    if differing:
        return supported(f"Values, strides or gradients differ in {differing} cases.", table)
    if narrow.differing:
        return qualified(f"{_alike(compared)} {_narrow(narrow)}", table)
    empty = _differing([group for group in layouts if group.group == "empty"])
    but = " Only empty tensors differ, in strides that address nothing." if empty else ""
    return refuted(f"{_alike(compared)}{but}", table)


def layouts_equal(
    layouts: Sequence[Layouts],
    narrow_gate: Sequence[Layouts],
    blocks: Sequence[BlockLayouts],
    gradients: Sequence[Equality],
) -> Verdict:
    """V2: are the layouts of the outputs the same?"""
    trouble = layout_trouble(layouts, narrow_gate, blocks, gradients)
    turned = {"supported": refuted, "qualified": qualified, "refuted": supported}
    return turned[trouble.status](trouble.sentence, trouble.table)


def channels_last_verified(layouts: Sequence[Layouts], blocks: Sequence[BlockLayouts]) -> Verdict:
    """D4: do broadcasting semantics stay identical under channels_last?"""
    pairings = [pairing for pairing in layouts if pairing.group == "channels_last"]
    of_blocks = [block for block in blocks if block.memory_format == "channels_last"]
    table, differing = _table(pairings, of_blocks, ()), _differing([*pairings, *of_blocks])
    if differing:
        return Verdict(
            status="not_done",
            sentence=f"Compared, and not identical: {differing} cases differ.",
            table=tuple(table),
        )
    return Verdict(
        status="done",
        sentence=f"Compared with one dtype and identical: {_tried(pairings):,} pairings with an "
        "input in channels_last order (whole, sliced or cropped), and the block's forward and "
        "backward pass on such an input, detached or not.",
        table=tuple(table),
    )


def _table(
    layouts: Sequence[Layouts], blocks: Sequence[BlockLayouts], gradients: Sequence[Equality]
) -> list[Row]:
    of_layouts = (
        row
        for group in layouts
        for row in (_row(GROUP_WORDS[group.group], [group]), *_rows_of_differing(group))
    )
    others: dict[str, Sequence[Compared]] = {
        "tensors of the block": blocks,
        "gradients over layouts": gradients,
    }
    return [*of_layouts, *(_row(words, compared) for words, compared in others.items() if compared)]


def _row(words: str, compared: Sequence[Compared]) -> Row:
    return words, f"{_differing(compared):,} of {_tried(compared):,} differ"


def _rows_of_differing(group: Layouts) -> Iterator[Row]:
    if not group.differing:
        return
    if group.convolved is not None:
        yield (
            "of these, with a convolution after the product",
            f"{group.convolved:,} of {group.differing:,} leave it in another layout",
        )
    if group.in_the_block is not None:
        yield (
            "of these, with input and gate laid out as in the ticket's block",
            f"{group.in_the_block:,} of {group.differing:,}",
        )


def _tried(comparisons: Sequence[Compared]) -> int:
    return sum(compared.tried for compared in comparisons)


def _differing(comparisons: Sequence[Compared]) -> int:
    return sum(compared.differing for compared in comparisons)


def _with_elements(
    layouts: Sequence[Layouts], blocks: Sequence[BlockLayouts], gradients: Sequence[Equality]
) -> list[Compared]:
    return [
        *(compared for compared in layouts if compared.group in WITH_ELEMENTS),
        *blocks,
        *gradients,
    ]


def _narrow(group: Layouts) -> str:
    block = ""
    if group.in_the_block is not None:
        block = f", {group.in_the_block or 'none'} of them laid out as in the ticket's block"
    return (
        "With a gate of lower precision those of the product differ in "
        f"{group.differing:,} of {group.tried:,} pairings{block}."
    )


def _alike(compared: Sequence[Compared]) -> str:
    return (
        f"With one dtype, values and strides are the same in {_tried(compared):,} comparisons, "
        "forward and backward."
    )
