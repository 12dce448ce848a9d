"""What was read of CUDA's launches in torch's source: each passage, its file and its line.

The headers come with torch, even if it is built for CPUs. A passage is looked up in those that
are installed here, so a line number is that of this torch; a passage that is not there means that
the source has changed, and that what was read from it may no longer hold.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from investigation.compiled.omission import MissingToolError

HEADERS = Path(torch.__file__).parent / "include"
CUDA = "ATen/native/cuda"


class OtherSourceError(MissingToolError):
    """A torch whose source is another than the one that was read."""


@dataclass(frozen=True)
class Passage:
    """A line of torch's source, and what it decides.

    The line is the first that holds `text` after one that holds `after`. `line` is None for a file
    that is not installed.
    """

    decides: str
    file: str
    text: str
    after: str = ""
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}, line {self.line}"


READ: tuple[Passage, ...] = (
    Passage(
        "nothing is launched for no elements",
        f"{CUDA}/Loops.cuh",
        "if (iter.numel() == 0) {",
        "void gpu_kernel(TensorIteratorBase& iter",
    ),
    Passage(
        "what 32 bits cannot index is launched part by part",
        f"{CUDA}/Loops.cuh",
        "for (auto& sub_iter : iter.with_32bit_indexing()) {",
        "void gpu_kernel(TensorIteratorBase& iter",
    ),
    Passage(
        "elements are cast one by one where an operand has not the product's dtype",
        "ATen/native/TensorIteratorDynamicCasting.h",
        "if (iter.input_dtype(nargs - 1) != cpp_map::value) {",
    ),
    Passage(
        "contiguous operands of one dtype are read as vectors",
        f"{CUDA}/CUDALoops.cuh",
        "return launch_vectorized_kernel(numel, f, data);",
    ),
    Passage(
        "a vector has 16 bytes at most",
        f"{CUDA}/CUDALoops.cuh",
        "uint16_t vec_size = 16 / static_cast<uint16_t>(sizeof(cpp_type));",
    ),
    Passage(
        "a vector of 8 is for compute capabilities 9 and 10, such as sm_90 and sm_100",
        f"{CUDA}/CUDALoops.cuh",
        "if (p->major != 9 && p->major != 10) {",
    ),
    Passage(
        "a vector is as long as the addresses are aligned for",
        f"{CUDA}/MemoryAccess.cuh",
        "if (address % vec8_alignment == 0) {",
    ),
    Passage(
        "the grid of a kernel with vectors",
        f"{CUDA}/CUDALoops.cuh",
        "int64_t grid = (N + bws - 1) / bws;",
    ),
    Passage(
        "other strides go through an offset calculator, and a thread computes 2 elements or 4",
        f"{CUDA}/CUDALoops.cuh",
        "constexpr int unroll_factor = sizeof(arg0_t) >= 4 ? 2 : 4;",
    ),
    Passage(
        "contiguous operands of two dtypes are cast in a kernel without offset calculator",
        f"{CUDA}/CUDALoops.cuh",
        "auto loader = memory::LoadWithCast<traits::arity>(iter);",
        "c10::cast_and_store<arg0_t>(dtypes[0], out, result);",  # the end of HIP's part
    ),
    Passage(
        "other strides and two dtypes: an offset calculator, casts, 4 elements a thread",
        f"{CUDA}/CUDALoops.cuh",
        "launch_legacy_kernel<128, 4>(numel, [=] GPU_LAMBDA(int idx) {",
    ),
    Passage(
        "a product is one functor of its common dtype",
        f"{CUDA}/Loops.cuh",
        "gpu_kernel(iter, BinaryFunctor<scalar_t, scalar_t, return_t, func_t>(f));",
    ),
    Passage(
        "a sum's block and grid",
        f"{CUDA}/Reduce.cuh",
        "ReduceConfig setReduceConfig(const TensorIterator& iter){",
    ),
    Passage(
        "a sum's instance: threads a block and outputs a thread",
        f"{CUDA}/Reduce.cuh",
        "reduce_kernel<max_threads / 1, 1, R><<<grid, block, shared_memory, stream>>>(reduction);",
    ),
    Passage(
        "a product's iterator goes to one kernel for each common dtype",
        "aten/src/ATen/native/cuda/BinaryMulKernel.cu",
        "",
    ),
    Passage(
        "a sum reads vectors of 8 where an element has 2 bytes, else of 4",
        "aten/src/ATen/native/cuda/ReduceSumProdKernel.cu",
        "",
    ),
)


def passages(folder: Path = HEADERS) -> tuple[Passage, ...]:
    """Return every passage with its line. Raises `OtherSourceError` if one is not there."""
    return tuple(_with_line(passage, folder) for passage in READ)


def _with_line(passage: Passage, folder: Path) -> Passage:
    if not passage.text:  # CUDA's own kernels are not installed with torch
        return passage
    path = folder / passage.file
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    start = next((i for i, line in enumerate(lines) if passage.after in line), len(lines))
    for number, line in enumerate(lines[start:], start=start + 1):
        if passage.text in line:
            return replace(passage, line=number)
    raise OtherSourceError(
        f"what eager CUDA launches was read from another torch: {passage.file} has no line "
        f"{passage.text!r} here"
    )
