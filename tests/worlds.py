"""A plain world of evidence, and the records that plant another one."""

from datetime import UTC, datetime

from investigation.claims.rules.layouts import GROUPS
from investigation.evidence.environment import describe
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.correctness import RUNS, Acceptance, Equality, TrainingRun
from investigation.evidence.kinds.deployments import RuntimeProgram, RuntimesTried
from investigation.evidence.kinds.in_place import Added, LineInPlace, OfProcess, OnClock, Slot
from investigation.evidence.kinds.layouts import BlockLayouts, Layouts, View
from investigation.evidence.kinds.programs import (
    Agreement,
    CompiledPair,
    ProgramSummary,
    Survival,
)
from investigation.evidence.kinds.resources import Calls, Memory
from investigation.evidence.kinds.timings import MARGIN, STEP_CONFIDENCE, Timed, Timing
from investigation.evidence.questions import Findings
from investigation.evidence.records import Evidence
from investigation.subject.cases import Case
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.timing.statistics import judge

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CASE = Case(slug="host1_before", name="host stage 1, before the pool", shape=(128, 32, 32, 32))
MIXED = CASE.with_gate("bfloat16")
ENVIRONMENT = describe(1)
SMALL = Case(slug="side1", name="1×1 pixels", shape=(1, 16, 1, 1))


def evidence(*records, notebook="01_x", parameters=None, **environment):
    return Evidence(
        notebook=notebook,
        source_sha256="0",
        package_sha256="0",
        parameters=parameters or {},
        environment=ENVIRONMENT.model_copy(update=environment),
        started=NOW,
        finished=NOW,
        records=records,
    )


def timed(ratio, verdict, width=0.002, seconds=1e-4):
    interval = (ratio - width, ratio + width)
    return Timed(
        ratio=ratio, ratio_interval=interval, margin=MARGIN, verdict_in_family=verdict,
        difference_s=seconds * (ratio - 1), baseline_s=seconds, candidate_s=seconds * ratio,
        difference_interval_s=tuple(seconds * (end - 1) for end in interval),
        equivalence_p=0.5, pairs=40, calls_per_block=10,
    )  # fmt: skip


def timing(level, ratio, verdict=None, width=0.002, in_family=None, case=CASE, **about):
    """A comparison in one process; its verdict follows from its interval unless it is given."""
    verdict = verdict or judge((ratio - width, ratio + width), MARGIN)
    alone = timed(ratio, in_family or verdict, width)
    fields = {"memory_format": case.memory_format} if case else {}
    return Timing(
        statement=level, level=level, case=case, ratio=ratio, interval=alone.ratio_interval,
        confidence=0.95, margin=MARGIN, verdict=verdict, alone=alone, **fields | about,
    )  # fmt: skip


def multiply(ratio=1.0, verdict=None, **about):
    return timing("multiply", ratio, verdict, **about)


def mixed_multiply(ratio=1.0, **about):
    """The multiply of two dtypes."""
    return multiply(ratio, case=MIXED, **about)


def of_size(ratio=1.0, **about):
    """The multiply at one of the sizes that are swept over."""
    return multiply(ratio, case=SMALL, series="sizes", **about)


def block(ratio=1.0, **about):
    """The SE block in eager mode."""
    return timing("block", ratio, **about)


def network(ratio=1.0, verdict=None, width=0.002, formats=MEMORY_FORMATS):
    """A forward step of the host network, whole and by the line in place."""
    whole = _steps("network", ratio, verdict, width, formats)
    return [*whole, *in_place("network", ratio, width, formats)]


def training_step(ratio=1.0, verdict=None, width=0.002, formats=MEMORY_FORMATS):
    whole = _steps("training_step", ratio, verdict, width, formats)
    return [*whole, *in_place("training_step", ratio, width, formats)]


def in_place(level, ratio=1.0, width=0.002, formats=MEMORY_FORMATS, step_s=0.05):
    """What the line adds to a step, timed inside the running network."""
    added, ends = ratio - 1, (ratio - width - 1, ratio + width - 1)
    part = {"difference_s": step_s * added, "interval_s": tuple(step_s * end for end in ends)}
    total = OnClock(clock="processor", share=added, share_interval=ends, step_s=step_s, **part)
    return [
        LineInPlace(
            statement=level, level=level, memory_format=memory_format, batch=8, clock="processor",
            over="processes", confidence=STEP_CONFIDENCE, margin=MARGIN,
            verdict=judge((1 + ends[0], 1 + ends[1]), MARGIN), sums=(total,),
            slots=(Slot(case=CASE.with_format(memory_format), line_s=1e-4,
                        forward=Added(**part), **part),),
            processes=(OfProcess(pairs=20, difference_s=0.0, step_s=step_s),) * 2,
        )
        for memory_format in formats
    ]  # fmt: skip


def recalibration(ratio=1.04, verdict=None, width=0.002, formats=MEMORY_FORMATS):
    return _steps("network", ratio, verdict, width, formats, baseline="no SE blocks",
                  candidate="six SE blocks")  # fmt: skip


def _steps(level, ratio, verdict, width, formats, **about):
    return [timing(level, ratio, verdict, width, case=None, memory_format=format_, **about)
            for format_ in formats]  # fmt: skip


def equality(aspect, tried, differing=0, **more):
    return Equality(statement=aspect, aspect=aspect, of="things", tried=tried, differing=differing,
                    **more)  # fmt: skip


def second_gradients(differing=0):
    return equality("second_gradients", 10, differing)


def gradients(setting="mixed", differing=0):
    return equality("gradients_over_dtypes", 30, differing, setting=setting)


def mixed_dtypes(differing=0):
    return equality("mixed_dtypes", 180, differing)


def grown(count=0):
    shapes = [{"input": (2, 3, 4, 5), "gate": (2, 3, 4, 4 + i)} for i in range(count)]
    return Acceptance(statement="shapes that grow", tried=16, grown=shapes)


def view(**changes):
    plain = {"is_view": True, "shares_storage": True, "stride": (3, 1, 0, 0), "bytes_allocated": 0}
    return View(statement="the expanded gate", **plain | changes)


def memory_record(form="expand_as", dtypes="same", count=0, phase="line"):
    """What a form allocates beside its output, or in another phase."""
    return Memory(statement="beside the output", phase=phase, form=form, dtypes=dtypes, bytes=count)


def calls(form, count):
    return Calls(statement="calls", form=form, calls=("aten::mul",) * count)


def pairings(group, differing=0, **more):
    return Layouts(statement=f"{group} layouts", group=group, tried=9, differing=differing, **more)


def block_tensors(memory_format, detached=False, differing=0):
    statement = f"tensors of the block, {memory_format}{', detached' * detached}"
    return BlockLayouts(statement=statement, memory_format=memory_format, detached=detached,
                        tried=9, differing=differing)  # fmt: skip


def run(name, parted=None):
    """A training run in both forms, whose losses part at a step, or never."""
    return TrainingRun(statement=name, run=name, setting=name, same=parted is None, parted=parted,
                       steps=69, apart=0.0 if parted is None else 1e-6)  # fmt: skip


def parting(*names):
    return [run(name, parted=4) for name in names]


def agreement(layer, count=88, target="cpu", differ=()):
    tensors = "full_size" if layer == "elided" else None
    return Agreement(statement=layer, layer=layer, target=target, target_name=target, tried=88,
                     agreeing=count, differ=differ, tensors=tensors)  # fmt: skip


def compiled_block():
    """Both forms of a block, compiled to one program."""
    summary = ProgramSummary(
        sha256="0", kernels_sha256="0", kernels=1, of_a_library=0, loops=1, buffers=1,
        names=("cpp_fused_mul_sigmoid_0",),
    )  # fmt: skip
    return CompiledPair(
        statement="a block, compiled", case=CASE, level="block", mode="inference", shapes="static",
        same_kernels=True, same_source=True, baseline=summary, candidate=summary,
    )  # fmt: skip


def survival(program, runs_more, **more):
    return Survival(statement=program, program=program, runs_more=runs_more, **more)


def program(slug, bytes_more=0, family="exported", equal=True):
    """A runtime that ran, and what it writes more with `expand_as`; a remedy is a family too."""
    return RuntimeProgram(
        statement=slug, runtime=slug, title=slug, family=family, version="1",
        survives=bool(bytes_more),
        same_steps=not bytes_more, bytes_more=bytes_more, planned_more=None, equal=equal,
        furthest=0.0, steps=(), case=CASE,
    )  # fmt: skip


def block_in(slug, ratio=1.0, verdict=None, family="exported", **about):
    """The SE block timed in a runtime."""
    return timing("block", ratio, verdict, runtime=slug, family=family, **about)


def control(name="same", *, passed=True, chapter="01_x"):
    return Control(statement="it holds", chapter=chapter, control=name, seen="so", passed=passed)


def plain_world():
    """What an investigation would find if the reviews were right in everything, by identity."""
    records = [
        equality("reference", 1),
        equality("same_dtype", 16, among=("float32", "bfloat16")),
        mixed_dtypes(),
        gradients("same"),
        gradients("mixed"),
        second_gradients(),
        equality("gradients_over_layouts", 90),
        grown(),
        view(),
        *(memory_record(form, dtypes) for dtypes in ("same", "mixed")
          for form in ("expand_as", "broadcast")),
        calls("expand_as", 4),
        calls("broadcast", 1),
        *(agreement(layer) for layer in ("kernels", "elided", "fused", "source")),
        compiled_block(),
        survival("torch.compile", runs_more=False),
        *(pairings(group) for group in (*GROUPS, "narrow_gate")),
        *(
            block_tensors(memory_format, detached)
            for memory_format in MEMORY_FORMATS
            for detached in (False, True)
        ),
        *network(),
        *training_step(),
        *(run(name) for name in RUNS),
        *recalibration(),
        multiply(),
        multiply(case=MIXED),
        of_size(),
        block(),
        RuntimesTried(statement="runtimes that ran", exported=2, states={"library": "ran"}),
        *(program(name) for name in ("library", "compiler")),
        *(block_in(name) for name in ("library", "compiler")),
        program("mend", family="remedy"),
        block_in("mend", family="remedy"),
        *(released(name, "executorch_xnnpack") for name in ("one_net", "other_net")),
    ]  # fmt: skip
    return by_identity(records)


def released(name, runtime, ratio=1.0, verdict=None, **about):
    """One inference of a network that a package releases, as released against patched."""
    return timing("released_network", ratio, verdict, case=None, network=name, runtime=runtime,
                  **about)  # fmt: skip


def by_identity(records):
    return {record.identity: record for record in records}


def planted(*records):
    """The plain world with some of its records replaced, and others added."""
    return plain_world() | by_identity(records)


def at_one_size(*records):
    """The same with no eager timing but the multiply's: one size, and the network."""
    world = plain_world()
    for other in (of_size(), block()):
        del world[other.identity]
    return world | by_identity(records)


def findings(world):
    return Findings((evidence(*world.values()),))


SLOW_MULTIPLY = multiply(1.05)
# Slower at 95 %, as one of thirty is by chance, and not at the confidence of the family.
SLOW_BY_CHANCE = multiply(1.013, in_family="inconclusive")
SLOW_MIX = mixed_multiply(2.3)
COPIES_MIXED = memory_record(dtypes="mixed", count=2**24)
COPIES_SAME = memory_record(count=2**24)
WRITES = program("library", 2**24)
SLOW_EXPORTED = block_in("library", 1.6)
