"""Worlds for the cells that state an outcome, of the chapters on compiled programs and GPUs."""

from dataclasses import replace
from types import SimpleNamespace as Planted

from chapter_worlds import FORMS, Worlds, always, world
from notebook_cells import Anything, Captions, Cell
from worlds import CASE, NOW, agreement, evidence, multiply, of_size, timing

from investigation.compiled.compile_settings import CompileSetting
from investigation.display.compiled_words import NONE_DIFFER, SAME
from investigation.evidence.kinds.gpus import DeviceFacts, SameLaunches
from investigation.evidence.questions import Findings
from investigation.gpu.prediction import Prediction
from investigation.subject.gpu_catalog import CARDS

PLAIN = CompileSetting("multiply", "inference", False, CASE)
ELSEWHERE = CompileSetting("multiply", "inference", True, CASE)


def made(variant, loops=1):
    return Planted(variant=variant, target="cpu", kernels=1, passes=loops, buffers=1)


def pairing(setting=PLAIN, *, kernels=True, source=True, loops=(1, 1)):
    """Two forms in a setting: whether their kernels and their sources are the same."""
    return Planted(
        setting=setting, same_kernels=kernels, same_source=source, elided=True, fused=True,
        baseline=made("broadcast", loops[0]), candidate=made("expand_as", loops[1]),
        record=always(None),
    )  # fmt: skip


def residual(text):
    return {"codegen": Planted(residual=always(text))}


def programs_of(materialized):
    digests = {"materialized": materialized, "broadcast": "0", "expand_as": "0"}
    return {"generated": {name: Planted(digest=digest) for name, digest in digests.items()}}


def tensors(count):
    return {"codegen": Planted(generate=lambda _form, case: Planted(full_size=count, case=case)),
            "case": CASE}  # fmt: skip


def bits(*rows):
    """The table of bits: of the control, and of the programs whose kernels differ."""
    names = ("one form against the other", "broadcast against eager", "expand_as against eager")
    told = [{"compiled": "block", **dict(zip(names, row, strict=True))} for row in rows]
    return {"rows": told, "same": [row[0] == SAME for row in rows]}


def compiled(with_line, without, *, guards):
    times = zip(FORMS, (with_line, without), strict=True)
    return {
        "compiled": {("height", "automatic", form): count for form, count in times},
        "conditions": {(shapes, "expand_as"): [0] for shapes in ("static", "dynamic")},
        "same_guards": {"static": True, "dynamic": guards},
        "changes": ["height"],
        "modes": ["automatic"],
    }


def obstacles(text):
    return {"captures": Planted(cudagraph_obstacle=always(text)), "x": None, "gate": None}


def timed(*timings):
    return {"times": {f"multiply {number}": one for number, one in enumerate(timings)},
            "figures": Captions(), "compiled_figures": Anything()}  # fmt: skip


DIFFER, CONTROL, OTHER = "differ", (SAME, SAME, SAME), pairing(kernels=False, loops=(2, 1))
FORWARD = {"run": {0: PLAIN}, "outputs": always((None, None))}
COMPILED: Worlds = {
    Cell("06_compiled", "06-11"): (
        world("Between the two forms here: **nothing**.", **residual("") | programs_of("1")),
        world("```diff\n-a\n+b\n```", **residual("-a\n+b") | programs_of("1")),
    ),
    Cell("06_compiled", "06-14"): (
        world("Its **program makes no copy**", case=CASE, **programs_of("0")),
        world("from that of `broadcast`, so the copy is made.", case=CASE, **programs_of("1")),
    ),
    Cell("06_compiled", "06-20"): (
        world(
            "The kernels are the same in **2 of 2** settings. The whole source is the same in 1.",
            "The prediction was right.",
            pairings=[pairing(), pairing(ELSEWHERE, source=False)],
        ),
        world(
            "The kernels are the same in **1 of 2** settings.",
            "**The prediction was wrong.** The kernels differ in:\n\n- multiply, inference, only ",
            pairings=[pairing(kernels=False), pairing(ELSEWHERE)],
        ),
    ),
    Cell("06_compiled", "06-23"): (
        world("In this run there is no such setting.", pairings=[pairing(), OTHER]),
        world(
            "```diff\nmultiply, inference, float32, static, contiguous\n-a",
            pairings=[pairing(source=False)],
            **residual("-a"),
        ),
    ),
    Cell("06_compiled", "06-25"): (
        world(NONE_DIFFER, pairings=[pairing(), pairing(ELSEWHERE, kernels=False)]),
        world("multiply, inference, float32 broadcast 1 2 1", pairings=[OTHER]),
    ),
    Cell("06_compiled", "06-27"): (
        world(NONE_DIFFER, "There is no difference to show.", different=[]),
        world(
            "`x * y` needs more in *multiply, inference, float32* (1 loop).",
            "```diff\nmultiply, inference, float32\n-a",
            different=[OTHER],
            **residual("-a"),
        ),
    ),
    Cell("06_compiled", "06-29"): (
        world(
            "makes 1 tensor as large as its input, its output: **there is no hidden copy.**",
            **tensors(1),
        ),
        world("makes 2 tensors as large as its input, its output included.", **tensors(2)),
    ),
    Cell("06_compiled", "06-34"): (
        world("the kernels of a forward pass are the same.", run={}),
        world("roundings kept multiply, inference, float32 " + SAME, apart=always(SAME), **FORWARD),
        world("roundings kept multiply, inference, float32 0.1", apart=always("0.1"), **FORWARD),
    ),
    Cell("06_compiled", "06-35"): (
        world(NONE_DIFFER, forward=[], with_roundings=[], **bits(CONTROL)),
        world(
            "The two forms return the same bits in 0 of 1 programs whose kernels differ.",
            "With eager mode's roundings kept, both forms of each forward pass agree. Compare runs",
            forward=[PLAIN],
            with_roundings=[SAME],
            **bits(CONTROL, (DIFFER, DIFFER, SAME)),
        ),
        world(
            "The two forms return the same bits in 0 of 1 programs whose kernels differ.",
            "The roundings alone do not explain what differs in a forward pass. Compare runs",
            forward=[PLAIN],
            with_roundings=[DIFFER],
            **bits(CONTROL, (DIFFER, DIFFER, SAME)),
        ),
        world(
            "The two forms return the same bits in 1 of 1 programs whose kernels differ.",
            "Compiled, `x * y` returns eager mode's bits in *block*.",
            forward=[],
            with_roundings=[],
            **bits(CONTROL, CONTROL),
        ),
    ),
    Cell("06_compiled", "06-43"): (
        world(
            "The guards of both forms are identical. ",
            "compiled equally often in 1 of 1 series.",
            **compiled([1, 2], [1, 2], guards=True),
        ),
        world(
            "The guards of both forms are **not identical**. ",
            "compiled equally often in 0 of 1 series.",
            **compiled([1, 2], [1, 1], guards=False),
        ),
    ),
    Cell("06_compiled", "06-54"): (
        world("In the forms of the line it finds nothing.", **obstacles(None)),
        world("it finds a size, a size and a size.", **obstacles("a size")),
    ),
    Cell("06_compiled", "06-62"): (
        world(NONE_DIFFER + " So nothing is timed.", **timed()),
        world("With the line: slower in 1 of 1 timings.", **timed(multiply(1.2))),
        world("With the line: faster in 1 of 1 timings.", **timed(multiply(0.8))),
    ),
    Cell("06_compiled", "06-63"): (
        world("There is no timing to list.", **timed()),
        world("- multiply 0, with `expand_as`: slower, +20.0 %", **timed(multiply(1.2))),
        world("- multiply 0, with `expand_as`: equal", **timed(multiply(1.0))),
    ),
}


def machine_code(*digests):
    codes = [Planted(binary_sha256=digest) for digest in digests]
    return {"proof": None, "triton_recording": Planted(machine_code=always(codes)),
            "figures": Captions(), "gpu_figures": Anything()}  # fmt: skip


def launches(with_line, without):
    calls = dict(zip(FORMS, (with_line, without), strict=True))
    return {"levels": {"multiply": calls, "block": calls},
            "counts": {form: len(made) for form, made in calls.items()},
            "eager_calls": Planted(launching=tuple)}  # fmt: skip


def proven(*, differing=(), text=None, chips=("sm_90",), **about):
    """What was compiled for each chip in two settings, and the settings in which forms differ."""
    rows = [
        Planted(
            chip=chip, tried=(PLAIN, ELSEWHERE), same={"source": 2 - len(differing)},
            differing=dict.fromkeys(("source", "kernels", "binary"), differing),
        )
        for chip in chips
    ]  # fmt: skip
    return {"proof": Planted(against=always(rows), first_difference=always(text), **about)}


def difference(same_forward):
    return Planted(setting=PLAIN, diff="-a\n+b", same_forward=same_forward)


def kernel(*accesses, body=""):
    scale = Planted(accesses=accesses, body=body, annotated=always([("tmp0 = x", "reads")]))
    return {"block": None, "scale_kernels": always({"expand_as": scale})}


def load(shape, line="tl.load(in_ptr0)", count=4):
    return Planted(kind="load", tensor="in_ptr0", shape=shape, line=line, bytes=count, index="x1")


X, GATE = load(CASE.shape), load((128, 32, 1, 1), "tl.load(in_ptr1).to(tl.float32)", 16384)
WHOLE_GATE = load(CASE.shape, "tl.load(in_ptr1).to(tl.float32)")
HOST = Planted(call_s=1e-6, extra_s=1e-6)
EAGER = evidence(of_size(1.02), notebook="04_eager_cost")


def in_full(*names, body=""):
    return {"full": names, "gate": GATE, **proven(**kernel(X, body=body))}


def foreseen(host, **device_s):
    """A workload on cards of those names, the slower first: how long each device needs."""
    host_s = None if host is None else host.call_s + host.extra_s
    predicted = [
        Prediction(CASE, replace(CARDS[0], name=name, bandwidth=place), seconds, host_s)
        for place, (name, seconds) in enumerate(device_s.items())
    ]
    return drawn(gpu_figures=Anything(), predicted=predicted, host=host)


def bound(*bounds):
    return {"predicted": [Planted(bound=one) for one in bounds]}


def found(*records):
    return {"findings": Findings((evidence(*records),))}


def same_launches(differing):
    return SameLaunches(statement="l", operation="multiply", family="ordinary", dtypes="same",
                        tried=9, differing=differing)  # fmt: skip


def measured(times):
    return drawn(findings=None, gpu_tables=Planted(predicted_and_measured=always(times)),
                 gpu_figures=Anything())  # fmt: skip


def recorded(*records):
    return {"launched": None, "recording": Planted(records=always(records))}


def predicted_hidden(*ratios):
    timings = [timing("multiply", ratio, quantity="end_to_end") for ratio in ratios]
    large = {"h100": timings} if timings else {}
    return {"findings": None, "hidden": {}, "gpu_tables": Planted(hidden=always(large))}


def drawn(**more):
    return {"figures": Captions(), **more}


DAY = f"{NOW:%Y-%m-%d}"
MACHINE = evidence(accelerator="H100", torch="2.13.0")
DEVICE = DeviceFacts(statement="the device", machine="h100", device_name="H100")


def placed(percent):
    """A device's timing whose preparations lie so far apart."""
    timing = multiply(quantity="device", machine="h100")
    single = timing.alone.model_copy(update={"between_percent": percent})
    return timing.model_copy(update={"alone": single})


def spread_and_speeds(percents, host_and_whole, busy):
    """What a machine's times tell of placement, of its host's speed and of its device's share."""
    tables = Planted(on_device=always(list(map(placed, percents))), busy=always({"h100": busy}),
                     host_and_whole=always(host_and_whole))  # fmt: skip
    return found(DEVICE) | {"gpu_tables": tables}


QUANTITIES = ("host", "device", "end_to_end")


def forward_step(quantity, ratio):
    return timing("network", ratio, quantity=quantity, machine="h200")


GPUS: Worlds = {
    Cell("07_gpu", "07-81"): (
        world("both forms' machine code are the same. The kernel", **machine_code("a", "a")),
        world("both forms' machine code are not the same. The kernel", **machine_code("a", "b")),
    ),
    Cell("07_gpu", "07-10"): (
        world(
            "launches: 1 with `expand_as`, 1 without.",
            "**Both forms make the same launches, at every level.**",
            **launches(["mul"], ["mul"]),
        ),
        world(
            "launches: 2 with `expand_as`, 1 without.",
            "**The launches differ in the multiply and block.**",
            **launches(["copy", "mul"], ["mul"]),
        ),
    ),
    Cell("07_gpu", "07-23"): (
        world("2 of 2 programs", "In these, Inductor removes the copy", **proven()),
        world("0 of 2 programs", "The copy is made.", **proven(differing=(PLAIN, ELSEWHERE))),
    ),
    Cell("07_gpu", "07-28"): (
        world("**The prediction was right: the same machine code in every setting", **proven()),
        world(
            "differs in:\n\n- sm_90 (H100): multiply, inference, only static contiguous: float32",
            **proven(differing=(PLAIN,)),
        ),
        world(
            "- sm_80 (A100) and sm_90 (H100): multiply, inference, only static contiguous",
            **proven(differing=(PLAIN,), chips=("sm_80", "sm_90")),
        ),
    ),
    Cell("07_gpu", "07-30"): (
        world("The kernels of both forms are the same in every setting of this run.", **proven()),
        world(
            "The kernels differ only in settings whose text was not kept.",
            **proven(differing=(PLAIN,)),
        ),
        world(
            "The forward pass's kernels are the same.",
            **proven(differing=(PLAIN,), text=difference(True)),
        ),
        world(
            "The forward pass's kernels are **not** the same.",
            **proven(differing=(PLAIN,), text=difference(False)),
        ),
    ),
    Cell("07_gpu", "07-34t"): (
        world("2, the input and the output. **The gate is never expanded", **in_full("x", "out")),
        world("full size: 3 (x, gate and out).", **in_full("x", "gate", "out")),
        world("full size: 0 (none).", **in_full()),
        world(
            "full size: 1 (x).",
            "The kernel also computes the sigmoid",
            **in_full("x", body="tl.sigmoid"),
        ),
    ),
    Cell("07_gpu", "07-41"): (
        world("No pair of two dtypes is among", **proven(multiply=None)),
        world("tmp0 = x", "reads", **proven(multiply=PLAIN, **kernel(X))),
    ),
    Cell("07_gpu", "07-42"): (
        world("No. The gate, 16 KiB, is", case=CASE, **proven(multiply=PLAIN, **kernel(X, GATE))),
        world(
            "This run shows no gate that is loaded small",
            case=CASE,
            **proven(multiply=PLAIN, **kernel(X, WHOLE_GATE)),
        ),
        world("This run shows no gate that is loaded small", case=CASE, **proven(multiply=None)),
    ),
    Cell("07_gpu", "07-48"): (
        world("The eager chapter has not run on this", earlier=Planted(chapter=always(None))),
        world("a call takes 100.00 µs, and `expand_as`", earlier=Planted(chapter=always(EAGER))),
    ),
    Cell("07_gpu", "07-50"): (
        world(
            "times reach from 1.00 µs to 3.00 µs. The host's time is not known. A prediction",
            **foreseen(None, slow=3e-6, fast=1e-6),
        ),
        world(
            "The device is predicted to wait in 0 of 2 pairs of workload and card, so its memory",
            "Left of the vertical line",
            **foreseen(HOST, slow=4e-6, fast=3e-6),
        ),
        world(
            "The device is predicted to wait for the host in 1 of 2 pairs of workload and card;",
            "On the named card and those with faster memory: host stage 1, before the pool (fast).",
            "Left of the vertical line",
            **foreseen(HOST, slow=3e-6, fast=1e-6),
        ),
        world(
            "The device is predicted to wait for the host in 2 of 2 pairs of workload and card;",
            "On every card: host stage 1, before the pool.",
            "Left of the vertical line",
            **foreseen(HOST, slow=1e-6, fast=1e-6),
        ),
    ),
    Cell("07_gpu", "07-51"): (
        world(host=None, **bound("launch")),
        world("In 0 of 1 pairs of workload and card", host=HOST, **bound("bandwidth")),
        world(
            "In 1 of 2 pairs of workload and card",
            "A loop that only multiplies would show the extra time there.",
            host=HOST,
            **bound("launch", "bandwidth"),
        ),
    ),
    Cell("07_gpu", "07-53t"): (
        world("**No GPU measurement exists yet.**", machines={}),
        world(
            f"Measured on 2 machines. h100: H100, torch 2.13.0, {DAY}; this run: H100, torch "
            f"2.13.0, {DAY}.",
            machines=dict.fromkeys(("h100", "this run"), MACHINE),
        ),
    ),
    Cell("07_gpu", "07-58t"): (
        world(findings=Findings(())),
        world(
            "the ratio of the device's times differs by 0.2 % (standard deviation, the median of "
            "3 comparisons), and by 0.9 % at most.",
            "The device's share of a forward step of the network: h100, 25.0 % to 50.0 %. For the "
            "rest the device waits for its host.",
            **spread_and_speeds((0.1, 0.2, 0.9), [(1.0, 2.0), (2.0, 2.0)], [0.25, 0.5]),
        ),
        world(
            "by 0.4 % (standard deviation, the median of 1 comparison), and by 0.4 % at most.",
            "In 1 of 2 cases the host's part of a call is longer than the whole call",
            "The device's share of a forward step of the network: h100, 100.0 % to 100.0 %.",
            **spread_and_speeds((0.4,), [(2.1, 2.0), (1.0, 2.0)], [1.0]),
        ),
    ),
    Cell("07_gpu", "07-55"): (
        world(**measured({})),
        world(
            "h100: the device needs 1.5 to 2 times the predicted time, longer at 2 and shorter at "
            "0 of 2 points. One point per workload and format.",
            **measured({"h100": {"a": (1.0, 1.5), "b": (1.0, 2.0)}}),
        ),
        world(
            "h100: the device needs 0.5 to 1 times the predicted time, longer at 0 and shorter at "
            "1 of 2 points. One point per workload and format.",
            **measured({"h100": {"a": (1.0, 0.5), "b": (1.0, 1.0)}}),
        ),
    ),
    Cell("07_gpu", "07-55t"): (
        world(**predicted_hidden()),
        world("h100: equal in 1 of 1. **The prediction was right.**", **predicted_hidden(1.0)),
        world(
            "h100: slower in 1, equal in 1 of 2. **The predicted size does not hide the host",
            **predicted_hidden(1.2, 1.0),
        ),
        world(
            "h100: equal in 1, undecided in 1 of 2. That does not decide whether",
            **predicted_hidden(1.0, 1.01),
        ),
    ),
    Cell("07_gpu", "07-71t"): (
        world("**The prediction was right** in all 9 settings", **recorded(same_launches(0))),
        world(
            "**The prediction was wrong** in some settings of the product with one dtype (2 of 9).",
            **recorded(same_launches(2)),
        ),
    ),
    Cell("07_gpu", "07-found"): (
        world(
            "the launches were not examined on this machine.",
            "Compiled: no machine code was generated on this machine.",
            "Measured on: no GPU yet.",
            **found(),
        ),
        world(
            "the launch of the product differs in 0 of 9 settings.",
            "the same machine code in 88 of 88 settings",
            "Measured on: h100.",
            **found(
                same_launches(0),
                agreement("binary", 88, "sm_90"),
                DeviceFacts(statement="d", machine="h100", device_name="H100"),
            ),
        ),
        world(
            "the launch of the product differs in 2 of 9 settings.",
            "the same machine code in 44 of 88 settings",
            "Measured on: no GPU yet.",
            **found(same_launches(2), agreement("binary", 44, "sm_90")),
        ),
        world(
            "the launches were not examined on this machine.",
            "Compiled: no machine code was generated on this machine.",
            "Measured on: h200.",
            "h200, the network's forward step, with the line: The host's part slower in 1 of 1; "
            "+5.00 % to +5.00 %. The device's part equal in 1 of 1; +0.00 % to +0.00 %. From "
            "start to finish faster in 1 of 1; −5.00 % to −5.00 %.",
            **found(
                DEVICE.model_copy(update={"machine": "h200"}),
                *map(forward_step, QUANTITIES, (1.05, 1.0, 0.95)),
            ),
        ),
    ),
}


PROGRAMS: Worlds = COMPILED | GPUS
