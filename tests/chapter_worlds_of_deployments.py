"""Worlds for the cells that state an outcome, of the chapters on exports and on the fix."""

from types import SimpleNamespace as Planted

import torch
from chapter_worlds import Worlds, always, world
from chapter_worlds_of_programs import drawn
from notebook_cells import Anything, Cell
from worlds import CASE, block_in, multiply, program

from investigation.runtimes.program import Step, Trace


def written(**more):
    """Programs by their runtime: how many bytes more each writes with the line."""
    return {"written": {slug: program(slug, count) for slug, count in more.items()}}


MULTIPLY, VIEW, WRITES = Step("Mul", 4096), Step("Expand", 0, True), Step("Expand", 4096, True)


def loaded(**steps):
    """Runtimes by their slug: the steps that each one runs."""
    rows = {slug: Planted(runtime=Planted(title=slug), trace=always(Trace(run, None)))
            for slug, run in steps.items()}  # fmt: skip
    return drawn(by_slug=rows, picture=Anything(), case=CASE)


def exported(**survives):
    """Exports by the title of their variation: whether the expansion survives, None if none."""
    titles = {Variation(title): state for title, state in survives.items()}
    made = {one: Planted(survives=state, bytes_expanded=0, steps=("Mul",))
            for one, state in titles.items() if state is not None}  # fmt: skip
    crashes = {one: Planted(crash="no kernel" if state is None else None)
               for one, state in titles.items()}  # fmt: skip
    copies = Planted(ratio=1.0, ratio_interval=(0.99, 1.01))
    return {"exports": made, "replies": crashes, "times": dict.fromkeys(made, multiply(1.2)),
            "copies": dict.fromkeys(made, copies)}  # fmt: skip


class Variation:
    """A way to export, which two of one runtime share but for their title."""

    runtime, kind = "runtime", "dynamic"

    def __init__(self, title):
        self.title = title


SLOWER, FASTER = block_in("onnxruntime", 2.5), block_in("onnxruntime", 0.8)
RUNTIMES: Worlds = {
    Cell("08_runtimes", "08-11"): (
        world(
            "**These write more bytes with the line: none.** These write no more: eager and mnn.",
            "**Every result agrees with eager mode** within",
            here=[],
            **written(eager=0, mnn=-8),
        ),
        world(
            "**These write more bytes with the line: mnn.** These write no more: none.",
            "**Not every result agrees with eager mode** within",
            here=[],
            written={"mnn": program("mnn", 8, equal=False)},
        ),
    ),
    Cell("08_runtimes", "08-13"): (
        world(
            "An expansion is only a view in eager; no expansion runs in compile.",
            "written a second time.",
            **loaded(eager=(VIEW, MULTIPLY), compile=(MULTIPLY,)),
        ),
        world(
            "An expansion is written to memory before the multiply in eager; an expansion is "
            "written to memory after the multiply in compile.",
            "written a second time.",
            **loaded(eager=(WRITES, MULTIPLY), compile=(MULTIPLY, WRITES)),
        ),
        world(
            "No expansion runs in ncnn.",
            "written a second time.",
            "ncnn takes one image at a time.",
            **loaded(ncnn=(MULTIPLY,)),
        ),
    ),
    Cell("08_runtimes", "08-16"): (
        world("With the line: nothing was timed. None is slower or faster.", every=[]),
        world(
            "With the line: slower in 1 of 1 timings. Largest slowdown: ONNX Runtime",
            every=[SLOWER],
        ),
        world(
            "With the line: faster in 1 of 1 timings. Largest speed-up: ONNX Runtime",
            every=[FASTER],
        ),
    ),
    Cell("08_runtimes", "08-23"): (
        world("ONNX Runtime is not among the runtimes of this run.", grid=[], everywhere=None),
        world(
            "memory in **0 of 9** combinations",
            grid=[0],
            everywhere=Planted(writing=0, tried=9),
        ),
        world(
            "memory in **9 of 9** combinations",
            grid=[0],
            everywhere=Planted(writing=9, tried=9),
        ),
    ),
    Cell("08_runtimes", "08-33"): (
        world(
            "right for 1 of 1 that it names, wrong for none.",
            "five thirds as long: exceeded by none.",
            dear=[],
            **written(eager=0, onnxruntime=8),
        ),
        world(
            "right for 1 of 3 that it names, wrong for onnxruntime and compile.",
            "five thirds as long: exceeded by ONNX Runtime",
            dear=[SLOWER],
            **written(eager=8, onnxruntime=-8, compile=8, mnn=0),
        ),
    ),
    Cell("08_runtimes", "varied-02"): (
        world("None of these runtimes is among those of this run.", **exported()),
        world("None of these exports could be made.", **exported(QDQ=None)),
        world("QDQ open float32 survives 0 B Mul", **exported(QDQ=True, PT2E=None)),
        world("QDQ open float32 gone 0 B Mul", **exported(QDQ=False)),
    ),
    Cell("08_runtimes", "varied-03"): (
        world(
            "survives: 0 of 0 (none). Time with the line: nothing was timed. Not exported: QDQ (",
            **exported(QDQ=None),
        ),
        world("survives: 0 of 1 (none). Time with the line: slower in 1", **exported(QDQ=False)),
        world(
            "survives: 2 of 2 (QDQ and PT2E). Time with the line: slower in 2 of 2 exports.",
            **exported(QDQ=True, PT2E=True),
        ),
    ),
}


def scanned(*places):
    """What the fix finds in every text: for each place, whether it removes the expansion."""
    found = [Planted(cuts=cuts, line=3, message="a `y`") for cuts in places]
    return {"scan": always(found), "MODULES": {"se": "SqueezeExcitation"}, "texts": {"se": ""}}


def corpus(after, *places):
    held = Planted(read=always(Planted(rewritten=[0, 0], kept=[0, 0, 0])))
    settled = [Planted(text=text, expansions=1) for text in after]
    return {"corpus": held, "settle": always(settled), **scanned(*places)}


def patched(lines):
    return {"fixed": {"se": Planted(text="")}, "corpus": Planted(changed_lines=always(lines)),
            **scanned()}  # fmt: skip


def powers(*changed):
    """The gradient before and after, in which some elements of a channel of nine differ."""
    before, after = torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3)
    before.flatten()[list(changed)] = 1.5
    return {"before": {"gradient of x": before}, "behind": {"gradient of x": after}}


def checks(**low_us):
    """Ways of checking by the microsecond from which what they add is, to one more."""
    intervals = {name: (1e-6 * low, 1e-6 * (low + 1)) for name, low in low_us.items()}
    return {"of_small": {name: Planted(single=Planted(difference_interval_s=ends))
                         for name, ends in intervals.items()},
            "of_reader": dict.fromkeys(intervals, multiply())}  # fmt: skip


FIX: Worlds = {
    Cell("09_fix", "fix-07"): (
        world(
            "From 2 pieces of code the rule removes 2 expansions.",
            "**0 of these are rewritten**.",
            **corpus(["x * y", "x + y"], False),
        ),
        world("**1 of these are rewritten**.", **corpus(["y.expand_as(x)"], True)),
    ),
    Cell("09_fix", "fix-10"): (
        world("**SqueezeExcitation**\n\n```diff\n-a\n```", **patched("-a\n")),
        world("**SqueezeExcitation**\n\n```diff\n-b\n```", **patched("-b\n")),
    ),
    Cell("09_fix", "fix-11"): (
        world("No line is left to a person.", **scanned(True)),
        world("se.py 3 a y", **scanned(False, True)),
    ),
    Cell("09_fix", "fix-22"): (
        world(
            "0 of 9 elements of the base's gradient differ. Tensors that differ: none.", **powers()
        ),
        world(
            "1 of 9 elements of the base's gradient differ. Tensors that differ: gradient of x.",
            "by at most 5.0e-01 of their value. A channel has 9 elements; the first that differs "
            "is number 8, counted from 0.",
            **powers(8),
        ),
    ),
    Cell("09_fix", "fix-31"): (
        world(
            "slower than `expand_as`: after; before. Faster: none. Undecided: none. "
            "The prediction was right: every replacement",
            **checks(expand_as=1, after=3, before=4),
        ),
        world(
            "slower than `expand_as`: before. Faster: after. Undecided: none. "
            "**The prediction was wrong: not every replacement",
            **checks(expand_as=3, after=1, before=5),
        ),
        world(
            "Undecided: after. This run cannot tell whether every replacement takes more time.",
            **checks(expand_as=3, after=3, before=5),
        ),
    ),
}

DEPLOYED: Worlds = RUNTIMES | FIX
