"""Worlds for the cells that state an outcome, of the chapters up to that on training.

A world plants the variables that a cell reads, and names the sentences that the cell must then
show. No other world of that cell may show them, unless it names them as well.
"""

from types import SimpleNamespace as Planted
from typing import Any, NamedTuple

import in_place_worlds
from notebook_cells import Anything, Cell
from worlds import CASE, equality, multiply, view

from investigation.display import instrument_words
from investigation.evidence.kinds.correctness import Support
from investigation.evidence.sealed.instructions import InstructionCounts
from investigation.observe.acceptance import ScaleResult, ShapeTrial
from investigation.observe.equality import DtypeResult
from investigation.timing.crossings import Calls


class World(NamedTuple):
    """What is planted, and the sentences that must be shown."""

    sentences: tuple[str, ...]
    planted: dict[str, Any]


def world(*sentences: str, **planted: Any) -> World:
    return World(sentences, planted)


Worlds = dict[Cell, tuple[World, ...]]


def always(value):
    """A function that returns the same, whatever it is called with."""
    return lambda *_, **__: value


def counts(added):
    groups = {"expand_as": {"Python": 100.0 + added}, "broadcast": {"Python": 100.0}}
    return InstructionCounts(groups, {}, "", 20, 8.0, {"valgrind": "valgrind-3.19.0"})


ALIKE, DIFFERENT = ("bfloat16", "bfloat16"), ("float32", "bfloat16")
OF_FOUR = {"x_narrow": Planted(numel=always(4))}


def instructions(reason):
    return Planted(unavailable_reason=always(reason), count=always(counts(7)), LINE={}, OPERANDS="")


def stack(reason, crossing):
    """Two positions in a piece of the stack; without room calls cross its end at so many."""
    without = [Calls(1.0, 2.0)] * crossing + [Calls(0.0, 1.0)] * (2 - crossing)
    positions = {False: without, True: [Calls(0.0, 1.0)] * 2}
    counting = Planted(
        unavailable_reason=always(reason), at_every_position=lambda room: positions[room]
    )
    return {"crossings": counting, "instrument_words": instrument_words}


class Told:
    """A comparison by its sentence and its warnings."""

    def __init__(self, sentence, *warnings):
        self.sentence, self.warnings = sentence, warnings

    def __repr__(self):
        return f"{self.sentence} [1 warning: load]" if self.warnings else self.sentence


CONTEST = {"epyc": "- **tensors**: agrees."}
HERE = {"recorded": Planted(instruction_counts=always(counts(9)), machine=", ".join)}
FOUND = {
    "planted": Planted(found=3, planted=4, wrong_sign=0), "counts": Planted(added=9),
    "alarms": 1, "equal_sides": [None] * 4,
}  # fmt: skip
INSTRUMENT: Worlds = {
    Cell("00_instrument", "00-14"): (
        world("No contest is recorded.", recorded=Planted(contests=always({}))),
        world(
            "epyc:\n\n- **tensors**: agrees.\n\nIt held.",
            recorded=Planted(
                contests=always(CONTEST), concluded=str, prediction_told=always("It held.")
            ),
        ),
    ),
    Cell("00_instrument", "room"): (
        world("piece at **1 of 2 positions**: there each", **stack("", crossing=1)),
        world("piece at **0 of 2 positions**, so this Python seems", **stack("", crossing=0)),
        world("Not counted here: no counter.", **stack("no counter", crossing=0)),
    ),
    Cell("00_instrument", "00-22"): (
        world(
            "expand_as 107, broadcast 100 (20 calls each, 8 s). Counted on this machine, in",
            instructions=instructions(None),
        ),
        world(
            "expand_as 109, broadcast 100 (20 calls each, 8 s). Recorded on another machine "
            "(valgrind). Not counted here: valgrind not found.",
            instructions=instructions("valgrind not found"),
            **HERE,
        ),
    ),
    Cell("00_instrument", "00-25"): (
        world("against itself: A equals A.\n", itself=Told("A equals A"), **FOUND),
        world(
            "against itself: A equals A. Warnings: 1, listed below.\n",
            itself=Told("A equals A", "load"),
            **FOUND,
        ),
    ),
}


def by_hand(same):
    x = Planted(shape=(2, 3))
    return {"x": x, "gate": None, "by_hand": None, "broadcast": always(x),
            "equality": Planted(same_bits=always(same))}  # fmt: skip


def pairs(**worst):
    """Pairs of two dtypes, by the dtype of the gate: their worst difference, and by kind."""
    tried = [DtypeResult("float32", gate, "float32", kind) for gate, kind in worst.items()]
    numbers = [pair for pair in tried if pair.worst == "numbers"]
    differing = sum(pair.worst != "none" for pair in tried)
    return {"tried": tried, "by_kind": {"numbers": numbers}, "floating": ["float32", "bfloat16"],
            "differing": equality("mixed_dtypes", len(tried), differing)}  # fmt: skip


def trial(gate, with_line, without, x=(2, 5, 2, 5)):
    return ShapeTrial(x, gate, "", ScaleResult(with_line, None), ScaleResult(without, None))


def kind(name, expand_as=None, broadcast=None):
    refusals = {"expand_as": expand_as, "broadcast": broadcast}
    return Support(statement=name, tensor=name, refusals=refusals, same=None)


GROWS, FITS = trial((2, 5, 3, 1, 1), None, (2, 5, 3, 2, 5)), trial((1,), (2,), (2,))
BROADCASTING: Worlds = {
    Cell("01_broadcasting", "01-07"): (
        world("`x * y` has the same bits", **by_hand(True)),
        world("`x * y` **does not have** the same bits", **by_hand(False)),
    ),
    Cell("01_broadcasting", "01-16"): (
        world(
            "**0 of 2 pairs differ in some bits.** The prediction holds. Among the 1 ",
            "0 differ as numbers.",
            **pairs(bfloat16="none", int64="none"),
        ),
        world(
            "**1 of 2 pairs differ in some bits.** The prediction was wrong.",
            "Among the 1 pairs of two real floating dtypes, 1 differ as numbers.",
            **pairs(bfloat16="numbers", int64="none"),
        ),
    ),
    Cell("01_broadcasting", "01-29"): (
        world(
            "**For 1 of 2 gate shapes, `expand_as` raises",
            "it accepts a gate whose reshape to `(B, C, 1, 1)` was forgotten, if",
            grown=[GROWS],
            outcomes=[GROWS, trial((2, 5), (2, 5, 2, 5), (2, 5, 2, 5))],
        ),
        world(
            "**For 0 of 2 gate shapes, `expand_as` raises",
            "`expand_as` raises if the reshape to `(B, C, 1, 1)` was forgotten.",
            grown=[],
            outcomes=[FITS, trial((2, 5), None, (2, 5, 2, 5))],
        ),
    ),
    Cell("01_broadcasting", "other-05"): (
        world(
            "Only `expand_as` works with: none. Only `x * y` works with: sparse; nested.",
            kinds=[kind("sparse", "no"), kind("nested", "no"), kind("MKL-DNN", "no", "no")],
        ),
        world(
            "Only `expand_as` works with: nested. Only `x * y` works with: none.",
            kinds=[kind("sparse"), kind("nested", broadcast="no")],
        ),
    ),
}


def expanded(**shares):
    held = Planted(shares_storage=always(shares["storage"]), bytes_allocated=always(0))
    places = {"gate.expand_as(x)": Planted(is_view=shares["view"])}
    shown = {"view": Planted(stride=always((3, 1, 0, 0))), "gate": None, "case": CASE}
    return shown | {"memory": held, "places": places}


FULL = 2**20


def beyond(same, mixed):
    """Bytes beyond the output, of `expand_as` and of `broadcast`, with one and two dtypes."""
    forms = ("expand_as", "broadcast")
    given = {"same": same, "mixed": mixed}
    extra = {
        (dtypes, form): count
        for dtypes, by_form in given.items()
        for form, count in zip(forms, by_form, strict=True)
    }
    return {"extra": extra, "output_bytes": FULL}


def calls(expand_as, broadcast):
    return {("same", "expand_as"): [0] * expand_as, ("same", "broadcast"): [0] * broadcast}


YES_NO = {"yes_no": {True: "yes", False: "no"}}
STRIDES: Worlds = {
    Cell("02_strides", "02-05"): (
        world(
            "The same storage as the gate: **yes**. Another tensor object that is a view: **yes**.",
            **expanded(storage=True, view=True),
        ),
        world(
            "The same storage as the gate: **no**. Another tensor object that is a view: **no**.",
            **expanded(storage=False, view=False),
        ),
    ),
    Cell("02_strides", "02-16"): (
        world(
            "`expand_as` allocates 0 B more than `broadcast`. The prediction holds in both.",
            **beyond((0, 0), (0, 0)),
        ),
        world(
            "With two dtypes, `expand_as` allocates 1,024 KiB more than `broadcast`. "
            "**With two dtypes, the prediction was wrong: the line allocates more",
            " With two dtypes, that is as much as the expanded gate in full.",
            **beyond((0, 0), (FULL, 0)),
        ),
        world(
            "With two dtypes, `expand_as` allocates 16 B less than `broadcast`.",
            "**With one dtype and two dtypes, the prediction was wrong",
            **beyond((8, 8), (8, 24)),
        ),
    ),
    Cell("02_strides", "02-19c"): (
        world(
            "`expand_as` allocates 16 B beyond the output, and `broadcast` 16 B. Both convert the "
            "input and nothing else, as the explanation predicts.",
            of_turned={"expand_as": 16, "broadcast": 16},
            **OF_FOUR,
        ),
        world(
            "`expand_as` allocates 32 B beyond the output, and `broadcast` 16 B. **The explanation",
            of_turned={"expand_as": 32, "broadcast": 16},
            **OF_FOUR,
        ),
        world(
            "`expand_as` allocates 0 B beyond the output, and `broadcast` 0 B. **The explanation",
            of_turned={"expand_as": 0, "broadcast": 0},
            **OF_FOUR,
        ),
    ),
    Cell("02_strides", "02-22b"): (
        world(
            "the host network: 0 of 1 multiplies; a block: 1 of 1 multiplies. The network does not",
            multiplied={"the host network": [ALIKE], "a block": [DIFFERENT]},
        ),
        world(
            "the host network: 1 of 2 multiplies. The network reaches the case by itself.",
            multiplied={"the host network": [ALIKE, DIFFERENT]},
        ),
    ),
    Cell("02_strides", "02-26"): (
        world(
            "4 ATen calls with `expand_as`, 1 without; a second tensor object that is a view: yes.",
            "As **memory**, with one dtype: `expand_as` allocates 0 B beyond",
            **beyond((0, 0), (0, 0)) | YES_NO | {"calls": calls(4, 1), "returned": view()},
        ),
        world(
            "1 ATen calls with `expand_as`, 1 without; a second tensor object that is a view: no.",
            "with one dtype: `expand_as` allocates 1,024 KiB beyond the output",
            **beyond((FULL, 0), (0, 0))
            | YES_NO
            | {"calls": calls(1, 1), "returned": view(is_view=False)},
        ),
    ),
}


def laid_out(*elements, empty=0):
    differing = [Planted(elements=count) for count in elements]
    return {"every_difference": differing, "tried": {"empty": [0] * 9},
            "differing": {"empty": [0] * empty}}  # fmt: skip


def traced(tensor, alike=True, kept=True):
    formats = ("channels_last",) if kept else ("contiguous",)
    return Planted(tensor=tensor, same_layout=alike, same_values=True,
                   baseline=Planted(formats=formats))  # fmt: skip


LAYOUTS: Worlds = {
    Cell("03_channels_last", "03-13"): (
        world(
            "Pairings with elements that differ: 0. Empty pairings that differ: 0 of 9.",
            **laid_out(),
        ),
        world(
            "Pairings with elements that differ: 0. Empty pairings that differ: 1 of 9. "
            "The strides of an empty tensor reach no element",
            **laid_out(0, empty=1),
        ),
        world(
            "Pairings with elements that differ: 1. Empty pairings that differ: 1 of 9. "
            "An operator that reads those elements sees the difference.",
            **laid_out(24, 0, empty=1),
        ),
    ),
    Cell("03_channels_last", "03-19"): (
        world(
            "**2 of 2** tensors have the same strides and bits",
            "the output is in channels_last; the gradient of the input is in channels_last.",
            traces={("channels_last", False): [traced("output"), traced("gradient of the input")]},
        ),
        world(
            "**1 of 2** tensors have the same strides and bits",
            "the output **is not** in channels_last; the gradient of the input is in",
            traces={
                ("channels_last", False): [
                    traced("output", kept=False),
                    traced("gradient of the input", alike=False),
                ]
            },
        ),
    ),
}


def with_blocks(**verdicts):
    return {name: Planted(verdict=verdict) for name, verdict in verdicts.items()}


EAGER: Worlds = {
    Cell("04_eager_cost", "04-33c"): (
        world(
            "In contiguous the network is faster with more work in it.",
            with_blocks=with_blocks(contiguous="faster", channels_last="slower"),
        ),
        world(
            "In no format is the network shown to be faster",
            with_blocks=with_blocks(contiguous="inconclusive", channels_last="slower"),
        ),
    ),
    Cell("04_eager_cost", "threads-03"): (
        world("No other number of threads was timed", threaded={}),
        world("with 2 threads", "slower", threaded={"with 2 threads": multiply(1.2)}),
    ),
    Cell("04_eager_cost", "threads-05"): (
        world("The network was not timed on more threads", in_threads={}),
        world(
            "- 2 threads, contiguous: `expand_as` adds",
            "the step takes the same time within 1 %.",
            in_threads={2: None},
            in_place_records=Planted(line_in_place=always(in_place_worlds.record())),
        ),
        world(
            "- 2 threads, contiguous: `expand_as` adds",
            "the step is slower.",
            in_threads={2: None},
            in_place_records=Planted(
                line_in_place=always(in_place_worlds.record(share=0.1, verdict="slower"))
            ),
        ),
    ),
}

FORMS = ("expand_as", "broadcast")


def allocated(same, mixed):
    """Bytes that a pass of each form allocates, with one and with two dtypes."""
    given = {"same": same, "mixed": mixed}
    return {
        "phases": {
            (dtypes, form): {name: Planted(bytes_asked=count) for name in ("forward", "backward")}
            for dtypes, by_form in given.items()
            for form, count in zip(FORMS, by_form, strict=True)
        },
        "DTYPES": given,
        "FORMS": FORMS,
    }


def gradient(*differing, narrower=False):
    return Planted(input_dtype="float32", gate_dtype="bfloat16", differing=differing,
                   narrower_gate=narrower)  # fmt: skip


def runs(*apart):
    """Training runs, by how far the losses of the two forms are apart."""
    compared = [Planted(apart=far) for far in apart]
    return {"compared": compared, "parting": [one for one in compared if one.apart],
            "seeds_apart": 0.5}  # fmt: skip


def both_ways(timing, **dtypes):
    return {"DTYPES": dict.fromkeys(dtypes, CASE), "WORDS": dtypes, "settings": Anything(),
            "timed_programs": always(timing), "training_workloads": Planted(
                scale_step_makers=always(()))}  # fmt: skip


TRAINING: Worlds = {
    Cell("05_training", "05-14"): (
        world(
            "both forms allocate and hold the same bytes.",
            "`expand_as` allocates 8 B more in the forward pass",
            **allocated((8, 8), (16, 8)),
        ),
        world(
            "both forms allocate and hold **different** bytes.",
            "`expand_as` allocates 8 B less in the forward pass and 8 B less in the backward pass",
            **allocated((16, 8), (8, 16)),
        ),
    ),
    Cell("05_training", "05-33"): (
        world(
            "0 of 2 pairs differ. What differs: none. ",
            "These are **not the same pairs**.",
            pairs=[gradient(), gradient(narrower=True)],
        ),
        world(
            "1 of 2 pairs differ. What differs: gate. ",
            "These are **the same pairs**.",
            pairs=[gradient(), gradient("gate", narrower=True)],
        ),
        world(
            "1 of 2 pairs differ. What differs: gate and x. ",
            "These are **not the same pairs**.",
            pairs=[gradient("x", "gate"), gradient(narrower=True)],
        ),
    ),
    Cell("05_training", "05-52"): (
        world("**2 of 2 runs** have the same losses in both forms, bit for bit.", **runs(0, 0)),
        world(
            "**1 of 2 runs** have the same losses",
            "In the others the losses differ by at most 0.13; between two seeds they differ by up",
            **runs(0, 0.121),
        ),
    ),
    Cell("05_training", "05-55"): (
        world("One dtype: slower, ", **both_ways(multiply(1.2), same="one dtype")),
        world("Bfloat16 gate: equal, ", **both_ways(multiply(1.0), mixed="bfloat16 gate")),
    ),
}

MEASURED: Worlds = INSTRUMENT | BROADCASTING | STRIDES | LAYOUTS | EAGER | TRAINING
