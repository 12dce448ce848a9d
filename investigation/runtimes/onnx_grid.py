"""ONNX Runtime in every combination of exporter, shapes and optimisation that PyTorch offers."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from investigation.evidence.kinds.deployments import ExporterCombination
from investigation.evidence.words import kib
from investigation.runtimes import workers
from investigation.runtimes.modules import block
from investigation.runtimes.observe import close
from investigation.runtimes.program import Trace
from investigation.subject.cases import Case

RULED = "all, after onnxscript's rule"
LEVELS = ("none", "basic", "extended", "layout", "all")


@dataclass(frozen=True)
class OnnxExport:
    """One way to write an ONNX file: which exporter, with which shapes, optimised by itself or not.

    The TorchScript exporter has no optimisation of its own to switch off.
    """

    exporter: Literal["dynamo", "torchscript"]
    dynamic: bool
    optimize: bool = True

    @property
    def name(self) -> str:
        """Say it in words."""
        shapes = "dynamic" if self.dynamic else "static"
        plain = "" if self.optimize else ", not optimised"
        return f"{self.exporter}, {shapes} shapes{plain}"


EXPORTS = (
    OnnxExport("dynamo", dynamic=False),
    OnnxExport("dynamo", dynamic=False, optimize=False),
    OnnxExport("dynamo", dynamic=True),
    OnnxExport("dynamo", dynamic=True, optimize=False),
    OnnxExport("torchscript", dynamic=False),
    OnnxExport("torchscript", dynamic=True),
)


def grid(
    case: Mapping[str, Any], threads: int, folder: str
) -> Generator[None, None, workers.Answer]:
    """Export each form, run it at each level, and take the expansion out by rule; no timing.

    The answer's `rows` are an `ExporterCombination` for each form, level and remedy.
    """
    torch.set_grad_enabled(mode=False)
    given = Case.model_validate(case)
    x, _ = given.tensors()
    expected = block(given, "broadcast")(x)
    rows = []
    for number, form in enumerate(EXPORTS):
        place = Path(folder, str(number))
        place.mkdir()
        plain, ruled = _exported(form, given, x, place)
        rows += [ran(form, level, False, plain, x, threads, expected) for level in LEVELS]
        rows.append(ran(form, "all", True, ruled, x, threads, expected))
    yield
    return {"rows": [row.model_dump() for row in rows]}


def _exported(form: OnnxExport, case: Case, x: Tensor, place: Path) -> tuple[Path, Path]:
    """Write a form as it comes and with the expansion taken out by onnxscript's rule."""
    from investigation.runtimes.adapters import onnxruntime

    plain, ruled = place / "plain.onnx", place / "ruled.onnx"
    onnxruntime.export(
        block(case, "expand_as"),
        x,
        plain,
        exporter=form.exporter,
        dynamic=form.dynamic,
        optimize=form.optimize,
    )
    onnxruntime.apply_rule(plain, ruled)
    return plain, ruled


def ran(
    form: OnnxExport,
    level: str,
    ruled: bool,
    model: Path,
    x: Tensor,
    threads: int,
    expected: Tensor,
) -> ExporterCombination:
    """Run an exported model at one of ONNX Runtime's levels; return what became of its `Expand`."""
    from investigation.runtimes.adapters import onnxruntime

    program = onnxruntime.load(model, x, threads, level)
    expansions = Trace.of(program).expansions
    return ExporterCombination(
        form=form.name,
        level=level,
        ruled=ruled,
        expansions=len(expansions),
        bytes_written=sum(step.bytes_written for step in expansions),
        equal=close(program.result(), expected),
    )


def ask(case: Case, threads: int) -> list[ExporterCombination]:
    """Return what became of each combination, in a process of its own; none if it crashed."""
    arguments = {"case": case.model_dump(mode="json"), "threads": threads}
    (outcome,) = workers.run(grid, [arguments], threads)
    rows = outcome.answer["rows"] if outcome.answer else []
    return [ExporterCombination.model_validate(row) for row in rows]


def lines(combinations: Sequence[ExporterCombination]) -> list[dict[str, object]]:
    """Return a table line a form: what the expansion writes at each level."""
    table: dict[str, dict[str, object]] = {}
    for combination in combinations:
        line = table.setdefault(combination.form, {"exporter": combination.form})
        written = kib(combination.bytes_written) if combination.expansions else "no Expand"
        line[RULED if combination.ruled else combination.level] = written
    return list(table.values()) or [{"": "ONNX Runtime did not run here"}]
