"""ncnn, through pnnx; it takes one image at a time."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ncnn
import numpy as np
import pnnx
import torch
from torch import Tensor, nn

from investigation.runtimes.program import Program, Step


class NoLayerError(ValueError):
    """A converted model with a layer that ncnn does not have."""


def prepare(module: nn.Module, x: Tensor, folder: Path, threads: int) -> Program:
    """Convert by pnnx and load; everything stays float32."""
    image = x[:1].contiguous()
    pnnx.export(module, str(folder / "block.pt"), (image,), fp16=False)
    layers = folder / "block.ncnn.param"
    network, given = _loaded(layers, threads), _given(image)

    def again() -> Callable[[], object]:
        return partial(_extract, _loaded(layers, threads), _given(image), "out0")

    def result() -> Tensor:
        return torch.from_numpy(np.array(_extract(network, given, "out0"), copy=True))[None]

    return Program(again, result, _traced(network, given, layers))


def _given(image: Tensor) -> Any:
    return ncnn.Mat(image[0].numpy()).clone()  # a Mat does not keep the array that it is over


def _loaded(layers: Path, threads: int) -> Any:
    network = _network(threads)
    if network.load_param(str(layers)) or network.load_model(str(layers.with_suffix(".bin"))):
        raise NoLayerError(f"ncnn cannot load a model with the layers {', '.join(_kinds(layers))}")
    return network


def _network(threads: int) -> Any:
    network = ncnn.Net()
    network.opt.num_threads = threads
    for halved in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(network.opt, halved, False)
    return network


def _extract(network: Any, given: Any, blob: str) -> Any:
    extractor = network.create_extractor()
    extractor.input("in0", given)
    status, value = extractor.extract(blob)
    if status:
        raise NoLayerError(f"ncnn cannot compute {blob}: status {status}")
    return value


def _lines(layers: Path) -> list[list[str]]:
    """Return the layers of a param file: kind, name, counts of inputs and outputs, their names."""
    return [line.split() for line in layers.read_text("utf-8").splitlines()[2:]]


def _kinds(layers: Path) -> list[str]:
    return [line[0] for line in _lines(layers)]


def _traced(network: Any, given: Any, layers: Path) -> tuple[Step, ...]:
    """Return the layers with the bytes of what they put out; Input and Split pass on what is."""
    steps = []
    for kind, _, inputs, outputs, *names in _lines(layers):
        if kind not in ("Input", "Split"):
            blobs = names[int(inputs) : int(inputs) + int(outputs)]
            sizes = [np.array(_extract(network, given, blob)).nbytes for blob in blobs]
            steps.append(Step(kind, sum(sizes), expands="xpand" in kind))
    return tuple(steps)
