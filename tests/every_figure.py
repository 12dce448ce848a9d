"""Every figure of the book with planted evidence, as large as a reader's run makes it."""

import itertools
import math
import random
from collections.abc import Callable

import in_place_worlds
import numpy as np
from chapter_worlds_of_programs import pairing
from matplotlib.figure import Figure
from worlds import block_in, multiply, released

from investigation.compiled import compile_settings
from investigation.compiled.triton import coverage
from investigation.compiled.triton.agreement import ChipAgreement
from investigation.display import (
    compiled_figures,
    contest_figures,
    figures,
    gpu_figures,
    in_place_figures,
    runtime_figures,
    setting_figures,
    timing_figures,
    training_figures,
    wild_figures,
)
from investigation.evidence.kinds.programs import MachineCode
from investigation.evidence.kinds.timings import MARGIN
from investigation.gpu.prediction import HostCost, Prediction, device_s
from investigation.observe import gradients, layout
from investigation.observe.autograd_graph import Gradient, Node
from investigation.runtimes.program import Step, Trace
from investigation.subject import gpu_catalog
from investigation.subject.cases import Case, host_workloads, resnet_workloads
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.runtimes import BY_SLUG
from pipeline.sweep import sweep_pages

THIS = Case(slug="run", name="the shape of this run", shape=(128, 64, 16, 16))
WORKLOADS = (THIS, *host_workloads(128), *resnet_workloads(8))
PAIRS = ("float32", "bfloat16", "float16", "float32:bfloat16", "bfloat16:float32")
KERNEL = {
    "tmp0 = tl.load(in_ptr0 + (x2), None)": "reads an element of the input (128×64×16×16)",
    "tmp1 = tl.load(in_ptr1 + (x1), None, eviction_policy='evict_last').to(tl.float32)": (
        "reads an element of the gate (128×256×1×1), one a channel, and converts it"
    ),
    "tmp2 = tmp0 * tmp1": "multiplies, in a register",
    "tl.store(out_ptr0 + (x2), tmp2, None)": "writes an element of the output (128×64×16×16)",
}
FULL, SMALL = Gradient((2, 3, 4, 5), "float32"), Gradient((2, 3, 1, 1), "bfloat16")
GRAPH = (Node("MulBackward", FULL, (1, 2)), Node("gradient of x", FULL, ()),
         Node("ExpandBackward", FULL, (3,)), Node("gradient of gate", SMALL, ()))  # fmt: skip


def drift() -> Figure:
    dice = np.random.default_rng(1)
    with figures.canvas(height=2.8) as (figure, axis):
        figures.drift(axis, *(1e-6 * dice.normal(400, 8, (2, 900))))
        axis.set_ylabel("µs a call")
    return figure


def contest() -> Figure:
    methods = ("compare", "compare_made", "compare, pairing off", "blocked_autorange, IQRs apart",
               "blocked_autorange, Mann–Whitney", "interleaved, Mann–Whitney", "duet")  # fmt: skip
    shares = {"slower": [0.1, 0.3, 0.6, 1], "faster": [0.1, 0, 0, 0],
              "equivalent": [0.5, 0.4, 0.2, 0], "inconclusive": [0.3, 0.3, 0.2, 0]}  # fmt: skip
    doses = (0, 0.1, 0.25, 1)
    by_dose = {verdict: dict(zip(doses, share, strict=True)) for verdict, share in shares.items()}
    found = dict(zip(doses, (0.05, 0.2, 0.9, 1), strict=True))
    return contest_figures.by_planted_difference(
        doses, dict.fromkeys(methods, by_dose), dict.fromkeys(methods, found)
    )


def bars_of(values: dict[str, float], unit: str, words: str, height: float) -> Figure:
    with figures.canvas(height=height) as (figure, axis):
        figures.bars(axis, values, unit)
        axis.set_xlabel(words)
    return figure


def instructions() -> Figure:
    counted = {"TensorIterator": 64, "autograd": 930, "dispatcher": 1306, "GIL and locks": 3215,
               "allocator": 721, "Python": 1585, "tensors and shapes": 1765,
               "other": 152.0}  # fmt: skip
    return bars_of(counted, "", "instructions that expand_as adds to a call", 2.8)


def allocated() -> Figure:
    counted = {f"{form}, {dtypes} dtype": count for dtypes in ("same", "mixed")
               for form, count in (("expand_as", 0), ("broadcast", 32),
                                   ("materialized", 12288.0))}  # fmt: skip
    return bars_of(counted, "KiB", "KiB allocated beyond the output", 2.8)


def speeds() -> Figure:
    rates = {
        "copy": 25.3,
        "broadcast, into memory that is there": 25.2,
        "broadcast, as written": 24,
    }
    return bars_of(rates, "GB/s", "", 1.8)


def broadcast_picture() -> Figure:
    with figures.canvas(columns=3, width=7.2, height=2.0) as (figure, axes):
        figures.broadcast_picture(axes, (1, 3, 4, 5))
    return figure


def addresses() -> Figure:
    read = {"expand_as": np.arange(3).repeat(12), "broadcast": np.arange(3).repeat(12),
            "materialized": np.arange(36)}  # fmt: skip
    with figures.canvas(columns=3, width=7.2, height=4.4) as (figure, axes):
        for axis, (name, at) in zip(axes, read.items(), strict=True):
            title = f"{name}\n(36, 12, 4, 1)"
            figures.address_picture(axis, at.reshape(3, 3, 4), title, figures.COLOURS[name])
    return figure


def grid(rows: list[str], columns: list[str], height: float) -> Figure:
    pairings = itertools.product(rows, columns)
    alike = {pairing: number % 3 > 0 for number, pairing in enumerate(pairings)}
    with figures.canvas(width=7.2, height=height) as (figure, axis):
        figures.verdict_grid(axis, alike, rows, columns)
        axis.set(xlabel="gate", ylabel="input")
    return figure


def forms(spread: float = 0.2) -> dict[str, object]:
    dice = random.Random(1)
    return timing_figures.labelled(
        multiply(1 + dice.uniform(-0.05, spread), width=0.01, case=case.with_format(memory_format))
        for case in WORKLOADS for memory_format in MEMORY_FORMATS
    )  # fmt: skip


def two_dtypes() -> Figure:
    timed = [multiply(1.5 + 0.1 * place, case=case.with_gate("bfloat16"))
             for place, case in enumerate(WORKLOADS)]  # fmt: skip
    return timing_figures.multiples(timing_figures.labelled(timed))


def by_size() -> Figure:
    sizes = [Case(slug=f"s{side}", name=f"s{side}", shape=(1, 16, side, side))
             for side in (1, 4, 16, 64, 256, 512)]  # fmt: skip
    timed = [multiply(1 + 1 / (1 + place), width=0.05, case=case)
             for place, case in enumerate(sizes)]  # fmt: skip
    return timing_figures.cost_by_size(timed, MARGIN)


def additions() -> Figure:
    names = ("expand_as", "assert, broadcast_shapes", "assert, the result's shape",
             "assert, the exact shape", "annotation, jaxtyping")  # fmt: skip
    return timing_figures.additions({name: multiply(1.1 + place / 10)
                                     for place, name in enumerate(names)})  # fmt: skip


def in_place() -> Figure:
    return in_place_figures.line_in_place(
        {name: in_place_worlds.record(name) for name in MEMORY_FORMATS}
    )


def graphs_backward() -> Figure:
    with figures.canvas(columns=2, height=2.7) as (figure, axes):
        for axis, form in zip(axes, ("expand_as", "broadcast"), strict=True):
            training_figures.backward_graph(axis, GRAPH, form, marked="Expand")
    return figure


def errors() -> Figure:
    sizes = [10.0**power for power in range(-8, 1)]
    of_forms = {"expand_as": [1e-2 / (1 + size) for size in sizes],
                "broadcast": [1e-3] * len(sizes)}  # fmt: skip
    return training_figures.gradient_errors(
        sizes, {"bfloat16": of_forms, "float16": of_forms}, (1e-5, 1e-3)
    )


def losses() -> Figure:
    fall = [2.3 * math.exp(-step / 20) for step in range(40)]
    curves = {"broadcast": fall, "expand_as": fall, "another seed": [1.1 * loss for loss in fall]}
    names = ("float32, gradient penalty", "float32, bfloat16 gate", "float32, float16 gate",
             "one unit more", "another seed")  # fmt: skip
    apart = {name: [10.0 ** (place - 7) * step for step in range(40)]
             for place, name in enumerate(names)}  # fmt: skip
    return training_figures.loss_curves(curves, apart)


def programs() -> Figure:
    tried = list(compile_settings.every(THIS, PAIRS))
    return compiled_figures.program_grid(
        [pairing(setting, kernels=place % 5 > 0, source=place % 3 > 0)
         for place, setting in enumerate(tried)]
    )  # fmt: skip


def compiled_timings() -> Figure:
    names = ("multiply, training, float32 × bfloat16",
             "block, inference, float32 under autocast to bfloat16",
             "block, training, float32 under autocast to bfloat16")  # fmt: skip
    return compiled_figures.few_comparisons(
        {name: multiply(0.97, width=0.05) for name in names}, MARGIN
    )


def code(form: str) -> MachineCode:
    return MachineCode(
        statement="", form=form, target="sm_80", target_name="gfx942 (MI300X)", lines=tuple(KERNEL),
        words=tuple(KERNEL.values()), binary_sha256="e6414977c6c9" * 6, binary_bytes=13240,
        case=THIS,
    )  # fmt: skip


def agreements() -> Figure:
    settings = list(compile_settings.every(THIS, PAIRS))
    chips = []
    for chip in gpu_catalog.CHIPS:
        tried = tuple(setting for setting in settings
                      if chip in coverage.compiled_for(setting, gpu_catalog.CHIPS))  # fmt: skip
        chips.append(ChipAgreement(chip=chip.slug, variant="expand_as", tried=tried, same={},
                                   differing={"binary": tried[::7]}))  # fmt: skip
    return gpu_figures.agreement_grid(chips, "binary")


def bounds() -> Figure:
    predicted = [Prediction(case, card, device_s(case, card), 4e-6)
                 for case in WORKLOADS for card in gpu_catalog.CARDS]  # fmt: skip
    return gpu_figures.bounds(predicted, HostCost(4e-6, 2e-6))


def predicted() -> Figure:
    points = {f"workload {power}": (1e-6 * 4**power, 1.3e-6 * 4**power) for power in range(6)}
    names = ("NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB")
    return gpu_figures.predicted_and_measured(dict.fromkeys(names, points))


def traces() -> Figure:
    steps = tuple(Step(name, 16384) for name in ("adaptive_avg_pool2d", "linear", "relu", "linear",
                  "cpp_fused_expand_mul_sigmoid_0"))  # fmt: skip
    deep = (*steps, Step("expand_as", 2**24, expands=True), Step("mul", 2**24))
    names = ("PyTorch eager", "torch.compile", "ONNX Runtime (dynamo)", "OpenVINO (torch.export)",
             "ExecuTorch (XNNPACK)", "ncnn")  # fmt: skip
    return runtime_figures.graphs({name: Trace(deep if place % 2 else steps, None)
                                   for place, name in enumerate(names)})  # fmt: skip


RUNTIMES = tuple(BY_SLUG)[:13]


def costs() -> Figure:
    cases = (WORKLOADS[1], WORKLOADS[6], WORKLOADS[7], WORKLOADS[-1])
    return runtime_figures.costs(
        block_in(slug, 1 + 0.2 * place, width=0.05, case=case)
        for case in cases for place, slug in enumerate(RUNTIMES)
    )  # fmt: skip


def networks() -> Figure:
    return wild_figures.ratios(
        [released(network, slug, 1 + 0.1 * place, width=0.02)
         for network in ("attn_sleep", "ecaresnet26t", "mobilenet_v3_large")
         for place, slug in enumerate(RUNTIMES[:5])]
    )  # fmt: skip


def setting_rows() -> list[setting_figures.SettingRow]:
    names = ("PyTorch eager, one dtype", "PyTorch eager, two dtypes", "training, two dtypes",
             *(BY_SLUG[slug].title for slug in RUNTIMES))  # fmt: skip
    mark = setting_figures.Mark
    marks = (mark("the multiply", 1.5, (1.4, 1.6), "slower"),
             mark("the block", 0.9, (0.8, 0.95), "faster"),
             mark("large", 1.0, (0.99, 1.01), "equivalent"))  # fmt: skip
    return [setting_figures.SettingRow(name, "depends on size", marks) for name in names]


def sweep() -> Figure:
    rows = [
        {"shape": shape, "dtype": dtype, "threads": threads, "ratio": 1.02, "low": 1.01,
         "high": 1.03, "verdict": "slower"}
        for shape in ("128×64×16×16", "1×16×1×1", "8×2048×7×7", "8×256×56×56")
        for dtype in ("float32", "bfloat16") for threads in (1, 2)
    ]  # fmt: skip
    return sweep_pages.small_multiples(rows, ["shape", "dtype", "threads"])


EVERY: dict[str, Callable[[], Figure]] = {
    "drift": drift,
    "contest": contest,
    "instructions": instructions,
    "broadcast picture": broadcast_picture,
    "addresses": addresses,
    "allocated": allocated,
    "layouts": lambda: grid(list(layout.INPUTS), list(layout.GATES), 5.2),
    "multiplies": lambda: timing_figures.comparisons(forms(), MARGIN),
    "one setting": lambda: timing_figures.comparisons(
        {"the setting of this cell": multiply(1.1)}, MARGIN
    ),
    "by size": by_size,
    "two dtypes": two_dtypes,
    "in place": in_place,
    "speeds": speeds,
    "backward graphs": graphs_backward,
    "gradients": lambda: grid(gradients.DIFFERENTIABLE, gradients.DIFFERENTIABLE, 3.4),
    "gradient errors": errors,
    "losses": losses,
    "programs": programs,
    "compiled timings": compiled_timings,
    "one kernel": lambda: gpu_figures.one_kernel([code("expand_as"), code("broadcast")]),
    "agreements": agreements,
    "bounds": bounds,
    "predicted and measured": predicted,
    "traces": traces,
    "costs": costs,
    "additions": additions,
    "networks": networks,
    "settings": lambda: setting_figures.settings_figure(setting_rows(), MARGIN),
    "sweep": sweep,
}

# Those that have a drawing of their own for a phone.
NARROW: dict[str, Callable[[], Figure]] = {
    "one kernel": lambda: gpu_figures.one_kernel(
        [code("expand_as"), code("broadcast")], narrow=True
    ),
    "settings": lambda: setting_figures.settings_figure(setting_rows(), MARGIN, narrow=True),
}
