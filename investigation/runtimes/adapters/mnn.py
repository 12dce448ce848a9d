"""MNN, through ONNX.

The converter is called as the function that it is. The command line around it installs a
logging package when imported and reports each conversion to its makers.
"""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import _tools  # MNN's converter
import MNN
import numpy as np
import torch
from torch import Tensor, nn

from investigation.runtimes.adapters import onnxruntime
from investigation.runtimes.program import Program, Step

FLOAT_BYTES = 4
# Which of the session's figures is its memory, in MiB.
MEMORY = 0
MIB = 2**20


def prepare(module: nn.Module, x: Tensor, folder: Path, threads: int) -> Program:
    """Export to ONNX, convert, and open a session."""
    source, model = folder / "block.onnx", folder / "block.mnn"
    onnxruntime.export(module, x, source)
    _convert("ONNX", source, "--MNNModel", model)
    interpreter, session = _opened(model, x, threads)

    def again() -> Callable[[], object]:
        own, opened = _opened(model, x, threads)
        return partial(own.runSession, opened)

    def result() -> Tensor:
        interpreter.runSession(session)
        return _read(interpreter, session, x)

    expands = "BroadcastTo" in _operators(model)
    arena = round(interpreter.getSessionInfo(session, MEMORY) * MIB)
    return Program(again, result, _traced(interpreter, session, x, expands=expands), arena)


def _opened(model: Path, x: Tensor, threads: int) -> tuple[Any, Any]:
    interpreter = MNN.Interpreter(str(model))
    settings = {"backend": "CPU", "numThread": threads, "precision": "high"}
    session = interpreter.createSession(settings)
    interpreter.getSessionInput(session).copyFrom(_tensor(x))
    return interpreter, session


def _convert(kind: str, source: Path, option: str, target: Path) -> None:
    words = ["mnnconvert", "-f", kind, "--bizCode", "block", option, str(target)]
    _tools.mnnconvert([*words, "--modelFile", str(source)])


def _operators(model: Path) -> list[str]:
    """Return the kinds of operator in a converted model."""
    listing = model.with_suffix(".json")
    _convert("MNN", model, "--JsonFile", listing)
    return [str(operator["type"]) for operator in json.loads(listing.read_text("utf-8"))["oplists"]]


def _tensor(x: Tensor) -> Any:
    return MNN.Tensor(
        tuple(x.shape), MNN.Halide_Type_Float, x.numpy(), MNN.Tensor_DimensionType_Caffe
    )


def _read(interpreter: Any, session: Any, like: Tensor) -> Tensor:
    host = _tensor(torch.zeros_like(like))
    interpreter.getSessionOutput(session).copyToHostTensor(host)
    return torch.from_numpy(np.array(host.getData(), dtype=np.float32).reshape(like.shape))


def _traced(interpreter: Any, session: Any, x: Tensor, *, expands: bool) -> tuple[Step, ...]:
    """Return what MNN reports about each operator that it runs.

    MNN expands by a copy that it calls Raster, as it calls each change of shape. It is the copy
    that gives the multiply a tensor of the input's size.
    """
    traced: list[Step] = []

    def note(outputs: Any, operator: Any) -> bool:
        sizes = [math.prod(output.getShape()) for output in outputs]
        traced.append(Step(operator.getType(), FLOAT_BYTES * sum(sizes)))
        return True

    interpreter.runSessionWithCallBackInfo(session, lambda *_: True, note)
    copies = [i for i, step in enumerate(traced) if _is_copy_of(step, x)]
    if expands and copies:
        traced[copies[-1]] = Step("Raster", traced[copies[-1]].bytes_written, expands=True)
    return tuple(traced)


def _is_copy_of(step: Step, x: Tensor) -> bool:
    return step.op == "Raster" and step.bytes_written == FLOAT_BYTES * x.numel()
