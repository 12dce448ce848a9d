"""A released network as it is and with the patch, measured by its own environment's Python."""

import importlib
import json
import sys
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from investigation.evidence import files, wild
from investigation.evidence.environment import describe
from investigation.evidence.provenance import package_sha256
from investigation.evidence.records import Evidence, Record
from investigation.evidence.timings import Timing
from investigation.observe.equality import same_bits
from investigation.runtimes import workers
from investigation.runtimes.observe import close
from investigation.runtimes.program import Program, Trace
from investigation.runtimes.survey import version
from investigation.runtimes.workers import Answer, Job
from investigation.subject.released import BY_SLUG, ReleasedNetwork
from investigation.subject.released import RUNTIMES as TRIED_IN
from investigation.subject.runtimes import BY_SLUG as RUNTIMES
from investigation.timing.comparison import Comparison
from investigation.timing.measure import Arm, DeviceClock, compare_patiently
from investigation.timing.recording import timing_of

PAIRS_AFFORDED = 40
LEARNING_RATE = 0.01
VERSIONS = ("broadcast", "expand_as", "copy")  # patched, as released, as released once more
Settings = Mapping[str, Any]


def make(network: ReleasedNetwork, folder: Path | None, seed: int) -> nn.Module:
    """Make the network from the package in `folder`, or from the one that is installed.

    Its weights are drawn from `seed`; scales of normalisations too, none of which is then 0.
    """
    for name in [one for one in sys.modules if one.partition(".")[0] == network.top]:
        del sys.modules[name]
    if folder is not None:
        sys.path.insert(0, str(folder))
    try:
        factory = _named(network.factory)
    finally:
        if folder is not None:
            sys.path.remove(str(folder))
    torch.manual_seed(seed)
    made: nn.Module = factory(*network.arguments, **network.options)
    for parameter in made.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
    return made.eval()


def _named(factory: str) -> Any:
    module, _, name = factory.partition(":")
    return getattr(importlib.import_module(module), name)


def x_of(network: ReleasedNetwork, seed: int, batch: int = 1) -> Tensor:
    """Return an input drawn from `seed`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, *network.sizes[1:], generator=generator)


def same_results(network: ReleasedNetwork, patched: Path, seed: int) -> wild.ReleasedNetwork:
    """Compare bits in eager mode: outputs, gradients, and the weights after a training step."""
    arms = [make(network, folder, seed) for folder in (None, patched)]
    outputs = [list(_tensors(arm(x_of(network, seed)))) for arm in arms]
    steps = [_trained(arm, x_of(network, seed, batch=2), seed) for arm in arms]
    gradients, weights = zip(*steps, strict=True)
    return wild.ReleasedNetwork(
        says=f"{network.title} in eager mode: tensors that the patch changes",
        network=network.slug,
        title=network.title,
        package=network.package,
        version=metadata.version(network.package),
        outputs=_differing(*outputs),
        gradients=_differing(*gradients),
        weights=_differing(*weights),
    )


def _trained(arm: nn.Module, x: Tensor, seed: int) -> tuple[list[Tensor], list[Tensor]]:
    arm.train()
    torch.manual_seed(seed)  # of dropout
    optimizer = torch.optim.SGD(arm.parameters(), lr=LEARNING_RATE)
    sum(one.square().mean() for one in _tensors(arm(x))).backward()  # type: ignore[union-attr]
    gradients = [one.grad for one in arm.parameters() if one.grad is not None]
    optimizer.step()
    return gradients, list(arm.state_dict().values())


def _tensors(made: object) -> Iterator[Tensor]:
    if isinstance(made, Tensor):
        yield made
    elif isinstance(made, list | tuple):
        for one in made:
            yield from _tensors(one)


def _differing(one: list[Tensor], other: list[Tensor]) -> tuple[int, int]:
    pairs = [(a.detach(), b.detach()) for a, b in zip(one, other, strict=True)]
    return len(pairs), sum(not same_bits(a, b) for a, b in pairs)


def in_runtime(
    slug: str, network: str, patched: str, settings: Settings, folder: str
) -> Generator[None, None, Answer]:
    """Prepare the network's programs in one runtime, yield once, time them, return the answer."""
    torch.set_grad_enabled(mode=False)
    about, runtime = BY_SLUG[network], RUNTIMES[slug]
    x = x_of(about, settings["seed"])
    adapter = importlib.import_module(f"investigation.runtimes.adapters.{runtime.adapter}")
    prepare = getattr(adapter, runtime.function)
    programs: dict[str, Program] = {}
    for name in VERSIONS:
        place = Path(folder, name)
        place.mkdir()
        source = Path(patched) if name == "broadcast" else None
        module = make(about, source, settings["seed"]).requires_grad_(requires_grad=False)
        programs[name] = prepare(module, x, place, settings["threads"], **runtime.options)
    expected = next(_tensors(make(about, None, settings["seed"])(x)))
    compared = {one: programs[one] for one in VERSIONS[:2]}
    answer: Answer = {one: Trace.of(each).to_dict() for one, each in compared.items()}
    answer["equal"] = all(close(one.result(), expected) for one in compared.values())
    yield
    answer["timing"] = _timed(programs, settings, "broadcast", "expand_as")
    answer["copies"] = _timed(programs, settings, "expand_as", "copy")
    return answer


def _timed(programs: Mapping[str, Program], settings: Settings, one: str, other: str) -> Answer:
    clock = DeviceClock.of("cpu")
    arms = {name: programs[name] for name in (one, other)}
    pair_s = sum(Arm(name, each.run).seconds(1, clock) for name, each in arms.items())
    kept = {key: settings[key] for key in ("threads", "seed", "margin")}
    return compare_patiently(
        programs[one].run,
        programs[other].run,
        budget_s=max(settings["budget_s"], PAIRS_AFFORDED * pair_s),
        baseline_name=one,
        name=other,
        **kept,
    ).to_dict()


def records(
    network: ReleasedNetwork, slug: str, outcome: workers.Outcome
) -> Iterator[wild.ReleasedProgram | Timing]:
    """Yield what one runtime showed: its programs, and the times unless it refused them."""
    runtime = RUNTIMES[slug]
    about: dict[str, Any] = {"network": network.slug, "runtime": slug}
    says = f"{network.title} in {runtime.title}"
    seen = outcome.answer
    title, of = runtime.title, version(runtime)
    if seen is None:
        reason = outcome.crash or "no answer"
        yield wild.ReleasedProgram(says=says, title=title, version=of, refused=reason, **about)
        return
    released, patched = (Trace.from_dict(seen[one]) for one in ("expand_as", "broadcast"))
    yield wild.ReleasedProgram(
        says=says,
        title=title,
        version=of,
        steps=len(released.steps),
        steps_patched=len(patched.steps),
        expansions=len(released.expansions),
        expansions_patched=len(patched.expansions),
        bytes_written=released.bytes_written,
        bytes_patched=patched.bytes_written,
        equal=seen["equal"],
        **about,
    )
    for name, role in (("timing", "measurement"), ("copies", "control")):
        compared = Comparison.from_dict(seen[name])
        said = f"{says}: {compared.name} against {compared.baseline_name}"
        yield timing_of(compared, said, "network", family=runtime.family, role=role, **about)


def main(question: str, answer: str) -> None:
    """Write evidence on one network: a question names `network`, `patched` and `settings`.

    Run by the Python of the network's own environment. `digest` is the patch's.
    """
    asked = json.loads(Path(question).read_text(encoding="utf-8"))
    network, settings = BY_SLUG[asked["network"]], asked["settings"]
    started = datetime.now(UTC)
    torch.set_num_threads(settings["threads"])
    found: list[Record] = [same_results(network, Path(asked["patched"]), settings["seed"])]
    about = {key: asked[key] for key in ("network", "patched", "settings")}
    jobs = [Job(in_runtime, {"slug": slug} | about, settings["threads"]) for slug in TRIED_IN]
    for slug, outcome in zip(TRIED_IN, workers.run(jobs), strict=True):
        found += records(network, slug, outcome)
    evidence = Evidence(
        notebook="10_wild",
        source_sha256=asked["digest"],
        package_sha256=package_sha256(),
        parameters=settings,
        environment=describe(settings["threads"]),
        started=started,
        finished=datetime.now(UTC),
        records=tuple(found),
    )
    files.write(evidence, Path(answer))
