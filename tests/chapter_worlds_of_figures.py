"""Worlds for the cells whose figure has a finding, which is computed."""

from itertools import product
from types import SimpleNamespace as Planted

import in_place_worlds
import torch
from chapter_worlds import FORMS, FULL, Worlds, always, beyond, counts, world
from chapter_worlds_of_deployments import written
from chapter_worlds_of_programs import drawn, pairing, proven
from notebook_cells import Anything, Cell
from worlds import CASE, block_in, multiply, of_size, released

from investigation.compiled.compile_settings import CompileSetting
from investigation.display import in_place_figures, training_figures, wild_figures
from investigation.evidence.kinds.timings import MARGIN
from investigation.observe.autograd_graph import Gradient, Node
from investigation.subject.memory_formats import MEMORY_FORMATS


def addressed(**elements):
    """The gate as each form multiplies it, by how many elements of the storage are read."""
    memory = Planted(
        multiplied_gate=lambda count, *_: Planted(count=count, stride=always((3, 1, 0, 0))),
        addresses=lambda gate: torch.arange(gate.count)[None],
    )
    return drawn(SCALES=elements, memory=memory)


def grid(*alike):
    ordinary = [Planted(input_layout="contiguous", gate_layout=str(place), alike=same)
                for place, same in enumerate(alike)]  # fmt: skip
    gates = [str(place) for place in range(len(alike))]
    layout = Planted(INPUTS=["contiguous"], GATES=gates, ORDINARY=(2, 3, 4, 5))
    return drawn(ordinary=ordinary, layout=layout)


def outcomes_of(name, *timings):
    return drawn(timing_figures=Anything(), **{name: list(timings)})


def in_place(verdict, share):
    record = in_place_worlds.record(share=share, verdict=verdict)
    words = {name: getattr(in_place_figures, name) for name in ("found", "reading")}
    return drawn(
        in_place=Planted(line=always(None)),
        in_place_records=Planted(keep=always(record)),
        in_place_figures=Planted(line_in_place=always(None), **words),
        settings=Planted(batch=8),
        MEMORY_FORMATS=MEMORY_FORMATS[:1],
    )


def against_a_copy(*ratios):
    """Comparisons of a multiply into memory that is there, and of one as written, with a copy."""
    into, as_written = (
        Planted(baseline_s=1.0, candidate_s=ratio, ratio=ratio, confidence=0.95,
                ratio_interval=(ratio - 0.01, ratio + 0.01))
        for ratio in ratios
    )  # fmt: skip
    return drawn(yardstick=into, as_written=as_written, widest=CASE)


def graphs(arrives, dtype=torch.float32):
    """The backward graph of each form: the gate's node, and the shape of what arrives there."""
    gradient = Gradient(arrives, "float32")
    nodes = {form: [Node("gradient of gate", gradient, ())] for form in FORMS}
    words = Planted(backward_graph=always(None), graphs_told=training_figures.graphs_told)
    graphs_of = {(dtype, form): nodes[form] for form in FORMS}
    return drawn(graphs=graphs_of, FORMS=FORMS, training_figures=words)


def gradients(*differing):
    names = ["float32", "bfloat16"]
    pairs = [
        Planted(differing=tensors, input_dtype=x, gate_dtype=gate)
        for (x, gate), tensors in zip(product(names, repeat=2), differing, strict=True)
    ]
    kinds = Planted(DIFFERENTIABLE=names, compare_dtypes=always(pairs))
    return drawn(gradients=kinds, settings=Planted(seed=1))


def errors(with_line, without):
    words = Planted(gradient_errors=always(None), errors_told=training_figures.errors_told)
    by_form = {"expand_as": [with_line], "broadcast": [without]}
    return drawn(errors={"float16": by_form}, training_figures=words, sizes_of_gradient=[1.0],
                 met=[1.0])  # fmt: skip


def losses(*parting):
    trained = Planted(losses=[0.5])
    return drawn(
        reference=trained, runs={("contiguous", "expand_as"): trained}, parting=parting,
        others={"another seed": trained}, forms={}, controls={}, training_figures=Anything(),
    )  # fmt: skip


def compiled(*pairings):
    compile_settings = Planted(every=always([]))
    fusion = Planted(pairings=always(pairings))
    settings = Planted(dtype_pairs=[], levels=[])
    return drawn(
        fusion=fusion,
        compile_settings=compile_settings,
        settings=settings,
        case=CASE,
        compiled_figures=Anything(),
    )


def binaries(*differing):
    planted = proven(differing=differing)
    (row,) = planted["proof"].against()
    row.same["binary"] = 2 - len(differing)
    return drawn(gpu_figures=Anything(), **planted)


def blocks(one_s, other_s, ratio):
    """A callable against itself: the times of both sides in the order of running."""
    judged = multiply(ratio)
    itself = Planted(
        samples=Planted(baseline_s=one_s, candidate_s=other_s), ratio=ratio, verdict=judged.verdict,
        ratio_interval=judged.interval, margin=MARGIN, confidence=0.95, name="A again",
        baseline_name="A",
    )  # fmt: skip
    return drawn(itself=itself)


def moves(**more):
    """What the scale kernel of each form moves, by how many bytes it is more than the plain one."""
    kernels = {form: Planted(bytes_moved=2**20 + count)
               for form, count in {"broadcast": 0, **more}.items()}  # fmt: skip
    return drawn(proof=Planted(block=None, scale_kernels=always(kernels)))


def setting(timing):
    return drawn(timing=timing, case=Planted(name="after the pool"), timing_figures=Anything())


def costs(timing):
    return drawn(picture=Anything(), costs={"mnn": {"host": timing}}, **written(mnn=8, eager=0))


def checked(ratio):
    small = Planted(name="1×16×8×8")
    return outcomes_of("unused") | {"of_small": {"after": multiply(ratio)}, "small": small}


def networks(ratio):
    timed = [released("one_net", "openvino", ratio)]
    drawing = Planted(ratios=always(None), found=wild_figures.found)
    return drawn(timed=timed, wild_figures=drawing)


def instructions_of(added):
    return drawn(counted=counts(added), reason=None)


SETTING = CompileSetting("multiply", "inference", False, CASE)
SLOW, FAST, EQUAL = multiply(1.2), multiply(0.8), multiply(1.0)
CAPTIONS: Worlds = {
    Cell("00_instrument", "00-06"): (
        world(
            "Both sides are slow or fast together, each against its own median, in 4 of 4 pairs;",
            "half. A again and A are equal within 1 %: +0.00 % (95 % interval",
            **blocks([1, 2, 4, 5], [3, 4, 6, 7], 1.0),
        ),
        world(
            "Both sides are slow or fast together, each against its own median, in 0 of 4 pairs;",
            "half. A again is 20.0 % slower than A (95 % interval",
            **blocks([1, 2, 4, 5], [7, 6, 4, 3], 1.2),
        ),
        world(
            "median, in 2 of 4 pairs;",
            "half. A again is 20.0 % faster than A (95 % interval",
            **blocks([1, 2, 4, 5], [7, 3, 4, 6], 0.8),
        ),
    ),
    Cell("00_instrument", "00-23"): (
        world("With expand_as a call takes 9 more instructions", **instructions_of(9)),
        world("With expand_as a call takes 3 fewer instructions", **instructions_of(-3)),
    ),
    Cell("02_strides", "02-07"): (
        world(
            "Different elements read: 3 with expand_as, 3 with broadcast and 36 with materialized.",
            **addressed(expand_as=3, broadcast=3, materialized=36),
        ),
        world(
            "Different elements read: 36 with expand_as, 3 with broadcast and 36 with",
            **addressed(expand_as=36, broadcast=3, materialized=36),
        ),
    ),
    Cell("02_strides", "02-15"): (
        world(
            "with two dtypes, 0 B for expand_as and 0 B for broadcast.",
            **drawn(**beyond((0, 0), (0, 0))),
        ),
        world(
            "with two dtypes, 1,024 KiB for expand_as and 64 B for broadcast.",
            **drawn(**beyond((0, 0), (FULL, 64))),
        ),
    ),
    Cell("03_channels_last", "03-04b"): (
        world("pairing. The outputs differ in 0 of 2 pairings.", **grid(True, True)),
        world("pairing. The outputs differ in 1 of 2 pairings.", **grid(True, False)),
    ),
    Cell("04_eager_cost", "04-12"): (
        world("with expand_as: slower in 1 of 1 timings.", **outcomes_of("multiplies", SLOW)),
        world(
            "with expand_as: faster in 1, equal in 1 of 2 timings. Each",
            **outcomes_of("multiplies", FAST, EQUAL),
        ),
    ),
    Cell("04_eager_cost", "04-16"): (
        world(
            "At 16 elements expand_as adds 1,800 ns to 2,200 ns a call. At 4,194,304 elements",
            "expand_as adds −200 ns to 200 ns a call.",
            **outcomes_of("grown", of_size(1.02), EQUAL),
        ),
        world(
            "At 16 elements expand_as adds −2,200 ns to −1,800 ns a call.",
            **outcomes_of("grown", of_size(0.98), SLOW),
        ),
    ),
    Cell("04_eager_cost", "04-25"): (
        world(
            "the multiply with expand_as: slower in 1 of 1 timings. Input",
            **outcomes_of("mixed", SLOW),
        ),
        world(
            "the multiply with expand_as: faster in 1 of 1 timings. Input",
            **outcomes_of("mixed", FAST),
        ),
    ),
    Cell("04_eager_cost", "04-27b"): (
        world("block with expand_as: slower in 1 of 1 timings.", **outcomes_of("blocks", SLOW)),
        world("block with expand_as: faster in 1 of 1 timings.", **outcomes_of("blocks", FAST)),
    ),
    Cell("04_eager_cost", "1806d3ce"): (
        world("the step takes the same time within 1 %.", **in_place("equivalent", 0.0005)),
        world("the step is slower.", **in_place("slower", 0.1)),
        world("the step takes the same time is not decided.", **in_place("inconclusive", 0.01)),
    ),
    Cell("04_eager_cost", "04-37"): (
        world("that is there +50.0 % (+49.0 to +51.0); as written", **against_a_copy(1.5, 1.6)),
        world("that is there −50.0 % (−51.0 to −49.0); as written", **against_a_copy(0.5, 1.6)),
    ),
    Cell("05_training", "05-06"): (
        world("and the gate gets (2, 3, 1, 1) float32. With", **graphs((2, 3, 1, 1))),
        world("and the gate gets (2, 3, 4, 5) float32. With", **graphs((2, 3, 4, 5))),
    ),
    Cell("05_training", "05-35"): (
        world("the gate gets (2, 3, 1, 1) float32", **graphs((2, 3, 1, 1), torch.bfloat16)),
        world("the gate gets (2, 3, 4, 5) float32", **graphs((2, 3, 4, 5), torch.bfloat16)),
    ),
    Cell("05_training", "05-32"): (
        world("a pair. A gradient differs in 0 of 4 pairs.", **gradients((), (), (), ())),
        world("a pair. A gradient differs in 1 of 4 pairs.", **gradients((), ("x",), (), ())),
    ),
    Cell("05_training", "05-41"): (
        world("gate's gradient is 2 times as large for float16.", **errors(2.0, 1.0)),
        world("gate's gradient is 0.5 times as large for float16.", **errors(1.0, 2.0)),
    ),
    Cell("05_training", "05-51c"): (
        world("The losses differ between the forms in 0 of 6 runs.", **losses()),
        world("The losses differ between the forms in 1 of 6 runs.", **losses(None)),
    ),
    Cell("05_training", "8898d330"): (
        world("the step takes the same time within 1 %.", **in_place("equivalent", 0.0005)),
        world("the step is faster.", **in_place("faster", -0.1)),
    ),
    Cell("06_compiled", "06-19"): (
        world("The kernels are the same in 1 of 1 settings.", **compiled(pairing())),
        world("The kernels are the same in 0 of 1 settings.", **compiled(pairing(kernels=False))),
    ),
    Cell("07_gpu", "07-26"): (
        world("The same binaries in 2 of 2 cells.", **binaries()),
        world("The same binaries in 1 of 2 cells.", **binaries(SETTING)),
    ),
    Cell("07_gpu", "07-37"): (
        world(
            "moves as many bytes with expand_as and 64 KiB more with opaque.",
            **moves(expand_as=0, opaque=2**16),
        ),
        world(
            "moves 64 KiB less with opaque and 8 B more with expand_as.",
            **moves(expand_as=8, opaque=-(2**16)),
        ),
    ),
    Cell("08_runtimes", "08-15"): (
        world("write more with the line: slower in 1 of 1 timings", **costs(block_in("mnn", 1.2))),
        world("write more with the line: faster in 1 of 1 timings", **costs(block_in("mnn", 0.8))),
    ),
    Cell("09_fix", "fix-29"): (
        world("Against x * y: slower in 1 of 1 checks.", **checked(1.2)),
        world("Against x * y: faster in 1 of 1 checks.", **checked(0.8)),
        world("Against x * y: equal in 1 of 1 checks.", **checked(1.0)),
    ),
    Cell("10_wild", "wild-04"): (
        world("a runtime. Slower in 1 of 1. Largest slowdown: one_net", **networks(1.2)),
        world("a runtime. Faster in 1 of 1. Largest speed-up: one_net", **networks(0.8)),
        world("a runtime. Equal in 1 of 1. None is slower or faster.", **networks(1.0)),
    ),
    Cell("one_setting", "one-08"): (
        world("after the pool: slower, +20.0 % (", **setting(SLOW)),
        world("after the pool: faster, −20.0 % (", **setting(FAST)),
        world("after the pool: equal, +0.00 % (", **setting(EQUAL)),
        world("after the pool: undecided, +1.00 % (", **setting(multiply(1.01))),
    ),
}
