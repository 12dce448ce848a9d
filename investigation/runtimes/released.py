"""A released network as it is and with the patch: its results, and its programs in each runtime.

Everything here runs in the network's own environment, which has its package installed.
"""

import importlib
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from investigation.evidence.kinds.released import ReleasedEquality
from investigation.observe.equality import same_bits
from investigation.runtimes.observe import close
from investigation.runtimes.program import Load, Program, Trace, loads_of
from investigation.runtimes.workers import Answer
from investigation.subject.released import ReleasedNetwork
from investigation.subject.runtimes import BY_SLUG
from investigation.timing.errors import BudgetError
from investigation.timing.preparations import sample_made

PATCHED, RELEASED, COPY = "broadcast", "expand_as", "copy"
LEARNING_RATE = 0.01
# What a comparison gets the time for, whatever the budget: with fewer preparations there is no
# interval at the confidence of a control.
PREPARATIONS, CALLS = 18, 4
PATIENCE = 3  # how much longer it may take if that is not enough
# Whose versions the record keeps beside the package's own.
NAMED = ("torch", "torchvision")
Settings = Mapping[str, Any]
# Where a package was last imported from, by its name: a folder, or None for the installed package.
NOWHERE = Path()
IMPORTED: dict[str, Path | None] = {}


class LastFirst(nn.Module):
    """A network that returns its outputs in reverse: the last one depends on all of it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return what the network returns for `x`, the last output first."""
        return tuple(tensors(self.network(x)))[::-1]


def make(network: ReleasedNetwork, folder: Path | None, seed: int) -> nn.Module:
    """Make the network from the package in `folder`, or from the one that is installed.

    Its weights are drawn from `seed`. So are scales and offsets of normalisations: if a
    package sets one to 0, whatever runs before it would not show in the result.
    """
    factory = _factory(network, folder)
    torch.manual_seed(seed)
    module = factory(*network.arguments, **network.options)
    for parameter in module.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
    return module.eval()


def _factory(network: ReleasedNetwork, folder: Path | None) -> Callable[..., nn.Module]:
    """Return the factory, from the package in `folder` or from the one that is installed.

    A package that was imported from elsewhere is forgotten first; some take long to import.
    """
    if IMPORTED.get(network.top, NOWHERE) != folder:
        for name in [name for name in sys.modules if name.partition(".")[0] == network.top]:
            del sys.modules[name]
    path = [] if folder is None else [str(folder)]
    sys.path[:0] = path
    try:
        module, _, name = network.factory.partition(":")
        factory: Callable[..., nn.Module] = getattr(importlib.import_module(module), name)
    finally:
        del sys.path[: len(path)]
    IMPORTED[network.top] = folder
    return factory


def input_of(network: ReleasedNetwork, seed: int, batch: int | None = None) -> Tensor:
    """Return an input of the network's sizes, drawn from `seed`; `batch` replaces the first."""
    sizes = network.input if batch is None else (batch, *network.input[1:])
    return torch.randn(sizes, generator=torch.Generator().manual_seed(seed))


def tensors(output: object) -> Iterator[Tensor]:
    """Iterate over the tensors that a network returns, in lists, tuples and dicts too."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from tensors(list(output.values()))
    elif isinstance(output, list | tuple):
        for part in output:
            yield from tensors(part)


def equality(
    network: ReleasedNetwork, patched: Path | None, seed: int, patch_sha256: str
) -> ReleasedEquality:
    """Compare bits in eager mode: outputs, gradients, and the weights after a training step."""
    arms = [make(network, folder, seed) for folder in (None, patched)]
    with torch.no_grad():
        outputs = [list(tensors(arm(input_of(network, seed)))) for arm in arms]
    steps = [_trained(arm, input_of(network, seed, batch=2), seed) for arm in arms]
    gradients, weights = zip(*steps, strict=True)
    return ReleasedEquality(
        statement=f"{network.title} in eager mode: tensors that the patch changes",
        network=network.name,
        title=network.title,
        package=network.package,
        version=metadata.version(network.package),
        input=network.input,
        outputs=_differing(*outputs),
        gradients=_differing(*gradients),
        weights=_differing(*weights),
        patch_sha256=patch_sha256,
        versions={package.metadata["Name"]: package.version for package in metadata.distributions()
                  if package.metadata["Name"] in NAMED},
    )  # fmt: skip


def _trained(arm: nn.Module, x: Tensor, seed: int) -> tuple[list[Tensor], list[Tensor]]:
    """Return the gradients of a training step, and the weights after it."""
    arm.train()
    torch.manual_seed(seed)  # of dropout
    optimizer = torch.optim.SGD(arm.parameters(), lr=LEARNING_RATE)
    loss = torch.stack([tensor.square().mean() for tensor in tensors(arm(x))]).sum()
    loss.backward()
    gradients = [parameter.grad for parameter in arm.parameters() if parameter.grad is not None]
    optimizer.step()
    return gradients, list(arm.state_dict().values())


def _differing(expected: list[Tensor], actual: list[Tensor]) -> tuple[int, int]:
    pairs = [(a.detach(), b.detach()) for a, b in zip(expected, actual, strict=True)]
    return len(pairs), sum(not same_bits(a, b) for a, b in pairs)


def in_runtime(
    network: Mapping[str, Any], slug: str, patched: str, settings: Settings, folder: str
) -> Generator[None, None, Answer]:
    """Prepare the network's programs in one runtime, yield once, time them, return the answer.

    `settings` are `budget_s`, `threads`, `seed` and `margin`.
    """
    torch.set_grad_enabled(mode=False)
    torch.set_num_threads(settings["threads"])
    about = ReleasedNetwork.model_validate(network)
    sources = {RELEASED: None, COPY: None, PATCHED: Path(patched)}
    with torch.no_grad():
        *_, expected = tensors(make(about, None, settings["seed"])(_x(about, settings)))
    programs = {
        name: _program(about, slug, source, Path(folder, name), settings)
        for name, source in sources.items()
    }
    compared = {name: programs[name] for name in (RELEASED, PATCHED)}
    answer: Answer = {name: Trace.of(program).to_dict() for name, program in compared.items()}
    answer["equal"] = all(close(program.result(), expected) for program in compared.values())
    loads = loads_of(programs)
    del programs, compared
    yield
    answer["line"] = _timed(loads, PATCHED, RELEASED, settings)
    answer["copies"] = _timed(loads, RELEASED, COPY, settings)
    return answer


def _x(network: ReleasedNetwork, settings: Settings) -> Tensor:
    return input_of(network, settings["seed"])


def _program(
    network: ReleasedNetwork, slug: str, source: Path | None, folder: Path, settings: Settings
) -> Program:
    """Return the network's program in one runtime, prepared in a folder of its own."""
    folder.mkdir()
    runtime = BY_SLUG[slug]
    adapter = importlib.import_module(f"investigation.runtimes.adapters.{runtime.adapter}")
    module = make(network, source, settings["seed"]).requires_grad_(requires_grad=False)
    several = isinstance(module(_x(network, settings)), list | tuple)
    prepare: Callable[..., Program] = getattr(adapter, runtime.function)
    return prepare(
        LastFirst(module).eval() if several else module,
        _x(network, settings),
        folder,
        settings["threads"],
        **runtime.options,
    )


def _timed(loads: Mapping[str, Load], baseline: str, candidate: str, settings: Settings) -> Answer:
    """Compare two programs, each loaded anew several times; the slower they are, the longer."""
    first, second = (loads[name] for name in (baseline, candidate))
    wanted_s = PREPARATIONS * (_seconds(first) + _seconds(second))
    budget_s = max(settings["budget_s"], wanted_s)
    shared = {key: settings[key] for key in ("threads", "seed", "margin")}
    shared |= {"baseline_name": baseline, "name": candidate}
    try:
        return sample_made(first, second, budget_s=budget_s, **shared).to_dict()
    except BudgetError:  # a machine that is slow for a while; nothing has been compared yet
        return sample_made(first, second, budget_s=PATIENCE * budget_s, **shared).to_dict()


def _seconds(load: Load) -> float:
    """Return what it takes to load a program and to run it `CALLS` times, but for the first time.

    What happens only once can take seconds.
    """
    load()()
    began = perf_counter()
    run = load()
    for _ in range(CALLS):
        run()
    return perf_counter() - began
