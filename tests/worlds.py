"""A plain world of evidence, and the changes that plant another one."""

from datetime import UTC, datetime

from investigation.claims import rules_compiled
from investigation.claims.rules import BLOCKS, LAYOUTS
from investigation.claims.rules_training import RUNS
from investigation.evidence.environment import describe
from investigation.evidence.records import Evidence, Findings, Record
from investigation.subject.cases import MEMORY_FORMATS, Case

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CASE = Case(slug="host1_before", name="host stage 1, before the pool", shape=(128, 32, 32, 32))


def fact(record_id, value, kind="equality", **rest):
    return Record(id=record_id, kind=kind, says=record_id, value=value, **rest)


def timing(record_id, ratio, verdict, width=0.002, in_family=None):
    interval = (ratio - width, ratio + width)
    return fact(record_id, ratio, "timing", unit="ratio", interval=interval, confidence=0.95,
                verdict=verdict, case=CASE,
                details={"verdict_in_family": in_family or verdict})  # fmt: skip


def curve(name, parted=None):
    """A training run in both forms, whose losses part at a step, or never."""
    details = {"setting": name, "parted": parted, "steps": 69, "apart": 0.0 if not parted else 1e-6}
    return fact(f"equality.curve.{name}", parted is None, details=details)


def compiled_alike(name, count, target="cpu", differ=()):
    details = {"tried": 88, "target": target, "differ": list(differ)}
    return fact(f"{name}.{target}", count, "codegen", unit="settings", details=details)


def form(name, runs_more):
    slug = name.lower().replace(".", "_")
    return fact(f"graph.more.{slug}", runs_more, "graph", details={"form": name})


def runtime(slug, bytes_more, family="exported", equal=True):
    """A runtime that ran, and what it writes more with `expand_as`; a remedy is a family too."""
    prefix = "runtimes.remedied" if family == "remedy" else "runtimes.written"
    same = not bytes_more
    details = {"runtime": slug, "family": family, "equal": equal, "same_steps": same}
    return fact(f"{prefix}.{slug}", bytes_more, "allocation", unit="bytes", details=details)


def block_cost(slug, ratio, verdict, family="exported", in_family=None):
    """The SE block timed in a runtime; a remedy is timed at one workload only."""
    name = f"remedies.{slug}" if family == "remedy" else f"runtimes.{slug}.host1_before"
    made = timing(f"timing.{name}", ratio, verdict, in_family=in_family)
    details = made.details | {"runtime": slug, "family": family}
    return made.model_copy(update={"details": details})


def plain_world():
    """What an investigation would find if the reviews were right in everything."""
    records = [
        fact("equality.reference", True),
        fact("equality.same_dtype", True),
        fact("equality.mixed", 0, details={"tried": 180}),
        fact("acceptance.grown", 0, "acceptance", details={"tried": 16}),
        fact("layout.view.shares_storage", True, "layout"),
        fact("layout.view.is_view", True, "layout"),
        fact("layout.view.stride", "(3, 1, 0, 0)", "layout"),
        fact("allocation.view", 0, "allocation"),
        *(
            fact(f"allocation.extra.{dtypes}.{name}", 0, "allocation")
            for dtypes in ("same_dtype", "mixed_dtype")
            for name in ("expand_as", "broadcast")
        ),
        fact("dispatch.expand_as", 4, "dispatch"),
        fact("dispatch.broadcast", 1, "dispatch"),
        *(compiled_alike(name, 88) for name in rules_compiled.READS),
        form("torch.compile", False),
        *(fact(key, 0, "layout", details={"tried": 9}) for key in (*LAYOUTS, *BLOCKS)),
        fact("layout.channels_last", 0, "layout", details={"tried": 9}),
        fact("layout.empty", 0, "layout", details={"tried": 9}),
        *(timing(f"timing.network.{name}", 1.0, "equivalent") for name in MEMORY_FORMATS),
        *(timing(f"timing.training.{name}", 1.0, "equivalent") for name in MEMORY_FORMATS),
        *(curve(name) for name in RUNS),
        *(timing(f"timing.recalibration.{name}", 1.04, "slower") for name in MEMORY_FORMATS),
        timing("timing.multiply.host1_before.contiguous", 1.0, "equivalent"),
        timing("timing.mixed.host1_before", 1.0, "equivalent"),
        fact("runtimes.ran", 2, "graph", details={"states": {"library": "ran"}}),
        *(runtime(name, 0) for name in ("library", "compiler")),
        *(block_cost(name, 1.0, "equivalent") for name in ("library", "compiler")),
        runtime("mend", 0, "remedy"),
        block_cost("mend", 1.0, "equivalent", "remedy"),
    ]
    return {record.id: record for record in records}


def findings(world):
    evidence = Evidence(
        notebook="01_x",
        source_sha256="0",
        package_sha256="0",
        parameters={},
        environment=describe(1),
        started=NOW,
        finished=NOW,
        records=tuple(world.values()),
    )
    return Findings((evidence,))


def planted(**changes):
    """The plain world with some records' values, or whole records, replaced; `__` is a dot."""
    world = plain_world()
    for name, change in changes.items():
        key = name.replace("__", ".")
        world[key] = (
            change
            if isinstance(change, Record)
            else world[key].model_copy(update={"value": change})
        )
    return findings(world)


def slower_network(by=1.02):
    """Plant a network in which the line costs something."""
    return {
        f"timing__network__{name}": timing(f"timing.network.{name}", by, "slower")
        for name in MEMORY_FORMATS
    }


def inconclusive_network():
    """Plant a machine that is too noisy to tell."""
    return {
        f"timing__network__{name}": timing(f"timing.network.{name}", 1.0, "inconclusive", 0.05)
        for name in MEMORY_FORMATS
    }


def training_step(ratio, verdict, width=0.002, formats=MEMORY_FORMATS):
    """Plant a training step of another time, in all memory formats or in some."""
    return {
        f"timing__training__{name}": timing(f"timing.training.{name}", ratio, verdict, width)
        for name in formats
    }


def parting_curves(*names):
    """Plant training runs whose losses part."""
    return {f"equality__curve__{name}": curve(name, parted=4) for name in names}


SLOW_MULTIPLY = {
    "timing__multiply__host1_before__contiguous": timing(
        "timing.multiply.host1_before.contiguous", 1.05, "slower"
    )
}
# Slower at 95 %, as one of thirty is by chance, and not at the confidence of the family.
SLOW_BY_CHANCE = {
    "timing__multiply__host1_before__contiguous": timing(
        "timing.multiply.host1_before.contiguous", 1.003, "slower", in_family="inconclusive"
    )
}
SLOW_MIX = {"timing__mixed__host1_before": timing("timing.mixed.host1_before", 2.3, "slower")}
COPIES_MIXED = {"allocation__extra__mixed_dtype__expand_as": 2**24}
COPIES_SAME = {"allocation__extra__same_dtype__expand_as": 2**24}


def same_only(name, count):
    """Plant a compiler that makes the two forms alike in some settings only."""
    key = f"{name}.cpu".replace(".", "__")
    return {key: compiled_alike(name, count, differ=["training: float32"])}


def also_for_a_gpu(name, count):
    """Plant another target beside the CPU, alike in some settings only."""
    return {f"{name}.gpu".replace(".", "__"): compiled_alike(name, count, "gpu")}


def by_id(*records):
    """Plant records under their own ids."""
    return {record.id.replace(".", "__"): record for record in records}


WRITES = by_id(runtime("library", 2**24))
SLOW_EXPORTED = by_id(block_cost("library", 1.6, "slower"))
