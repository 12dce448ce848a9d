"""ONNX Runtime in every combination of exporter, shapes and optimisation that PyTorch offers."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from investigation.claims.rules import kib
from investigation.runtimes import workers
from investigation.runtimes.modules import block
from investigation.runtimes.observe import close
from investigation.runtimes.program import Trace
from investigation.subject.cases import Case

Row = dict[str, Any]
RULED = "all, after onnxscript's rule"
LEVELS = ("none", "basic", "extended", "layout", "all")


@dataclass(frozen=True)
class Form:
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


FORMS = (
    Form("dynamo", dynamic=False),
    Form("dynamo", dynamic=False, optimize=False),
    Form("dynamo", dynamic=True),
    Form("dynamo", dynamic=True, optimize=False),
    Form("torchscript", dynamic=False),
    Form("torchscript", dynamic=True),
)


def grid(case: Mapping[str, Any], threads: int, folder: str) -> Generator[None, None, Row]:
    """Export each form, run it at each level, and take the expansion out by rule; no timing.

    The answer's `rows` say for each form, level and remedy how many `Expand` nodes ran, what they
    wrote, and whether the result was equal to eager's.
    """
    torch.set_grad_enabled(mode=False)
    given = Case.model_validate(case)
    x, _ = given.tensors()
    expected = block(given, "broadcast")(x)
    rows = []
    for number, form in enumerate(FORMS):
        place = Path(folder, str(number))
        place.mkdir()
        plain, ruled = _exported(form, given, x, place)
        rows += [_ran(form, level, False, plain, x, threads, expected) for level in LEVELS]
        rows.append(_ran(form, "all", True, ruled, x, threads, expected))
    yield
    return {"rows": rows}


def _exported(form: Form, case: Case, x: Tensor, place: Path) -> tuple[Path, Path]:
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


def _ran(
    form: Form, level: str, ruled: bool, model: Path, x: Tensor, threads: int, expected: Tensor
) -> Row:
    from investigation.runtimes.adapters import onnxruntime

    program = onnxruntime.load(model, x, threads, level)
    expansions = Trace.of(program).expansions
    return {
        "form": form.name,
        "level": level,
        "ruled": ruled,
        "expansions": len(expansions),
        "bytes_written": sum(step.bytes_written for step in expansions),
        "equal": close(program.result(), expected),
    }


def ask(case: Case, threads: int) -> list[Row]:
    """Return the grid's rows from a process of its own; none where it crashed."""
    arguments = {"case": case.model_dump(mode="json"), "threads": threads}
    (outcome,) = workers.run([workers.Job(grid, arguments, threads)])
    return outcome.answer["rows"] if outcome.answer else []


def lines(rows: list[Row]) -> list[dict[str, object]]:
    """Return a table line a form: what the expansion writes at each level."""
    table: dict[str, dict[str, object]] = {}
    for row in rows:
        level = RULED if row["ruled"] else row["level"]
        line = table.setdefault(row["form"], {"exporter": row["form"]})
        line[level] = kib(row["bytes_written"]) if row["expansions"] else "no Expand"
    return list(table.values()) or [{"": "ONNX Runtime did not run here"}]
