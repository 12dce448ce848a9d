"""What torch's published source makes of an iterator, and the source of each fact."""

import csv
import dataclasses
from itertools import product
from math import prod
from pathlib import Path

import pytest

from investigation.gpu.launch import source
from investigation.gpu.launch.iterators import Iterator, Operand
from investigation.gpu.launch.kernels import launched
from investigation.gpu.launch.source import HEADERS, OtherSourceError, passages
from investigation.subject.gpu_catalog import chip

A100, H100, MI300X = chip("sm_80"), chip("sm_90"), chip("gfx942")
SIZES = {
    "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "float16": 2,
    "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16,
}  # fmt: skip


def operand(dtype, stride_bytes, address=512):
    return Operand(address=address, stride_bytes=stride_bytes, dtype=dtype,
                   element_bytes=SIZES[dtype], conjugated=False, storage_bytes=0)  # fmt: skip


def product_of(dtype="float32", shape=(1000,), gate=None, contiguous=True, address=512):
    """A product whose operands are dense; a gate of another dtype is given as `gate`."""

    def dense(name, **more):
        steps = [SIZES[name] * prod(shape[:i]) for i in range(len(shape))]
        return operand(name, tuple(steps), **more)

    operands = (dense(dtype), dense(dtype, address=address), dense(gate or dtype))
    return iterator("mul", shape, operands, dtype, contiguous)


def sum_of(dtype, shape, of_output, of_input, reduced):
    operands = (operand(dtype, of_output), operand(dtype, of_input))
    return iterator("sum", shape, operands, dtype, False, reduced)


def iterator(operation, shape, operands, common_dtype, contiguous, reduced=0):
    return Iterator(
        operation=operation, shape=shape, contiguous=contiguous, fits_32_bits=True,
        accumulates=False, final_output=True, outputs=1, reduced_dimensions=reduced,
        common_dtype=common_dtype, operands=operands,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "on", "width"),
    [("float32", H100, 4), ("bfloat16", H100, 8), ("bfloat16", A100, 4), ("float64", H100, 2),
     ("bool", H100, 8), ("bool", A100, 4)],
)  # fmt: skip
def test_contiguous_operands_of_one_dtype_are_read_as_vectors_of_16_bytes_at_most(dtype, on, width):
    kernel = launched(product_of(dtype, (4096,)), on)
    assert (kernel.name, kernel.vector, kernel.walked) == (
        "vectorized_elementwise_kernel", width, None
    )  # fmt: skip
    assert (kernel.grid, kernel.block) == ((4,), (128,))  # 8 elements a thread


def test_an_address_that_is_not_aligned_shortens_the_vectors():
    assert launched(product_of(address=512 + 8), H100).vector == 2
    unaligned = launched(product_of(address=512 + 4), H100)
    assert (unaligned.name, unaligned.grid) == ("unrolled_elementwise_kernel", (2,))


def test_an_element_of_16_bytes_is_a_vector_of_its_own():
    assert launched(product_of("complex128"), H100).name == "unrolled_elementwise_kernel"


@pytest.mark.parametrize(("dtype", "elements"), [("float32", 2), ("bfloat16", 4)])
def test_other_strides_go_through_an_offset_calculator(dtype, elements):
    kernel = launched(product_of(dtype, (10, 100), contiguous=False), H100)
    assert kernel.instance[:2] == (128, elements)
    assert (kernel.walked, kernel.casts, kernel.vector) == (2, False, 1)
    assert kernel.grid == (-(-1000 // (128 * elements)),)


def test_two_dtypes_are_cast_in_the_kernel_and_never_read_as_vectors():
    dense = launched(product_of(gate="bfloat16"), H100)
    strided = launched(product_of(shape=(10, 100), gate="bfloat16", contiguous=False), H100)
    assert (dense.name, dense.casts, dense.walked) == ("unrolled_elementwise_kernel", True, None)
    assert (strided.name, strided.casts, strided.walked) == ("elementwise_kernel", True, 2)
    assert strided.instance[:2] == (128, 4)


def test_a_sum_along_the_fastest_dimension_reads_vectors():
    kernel = launched(sum_of("float32", (256, 8192), (0, 4), (4, 1024), 1), H100)
    assert (kernel.block, kernel.grid, kernel.vector) == ((32, 16), (512, 1), 4)
    narrow = launched(sum_of("bfloat16", (256, 8192), (0, 2), (2, 512), 1), H100)
    assert narrow.vector == 8


def test_a_sum_along_another_dimension_computes_several_outputs_a_thread():
    kernel = launched(sum_of("float32", (256, 64, 128), (0, 4, 256), (256, 4, 65536), 1), H100)
    assert (kernel.output_vector, kernel.instance[:2]) == (4, (128, 4))
    assert (kernel.block, kernel.grid) == ((32, 4), (64, 1))


def test_one_long_sum_is_dealt_out_to_as_many_blocks_as_the_chip_holds():
    few = sum_of("float32", (2**24, 1), (0, 4), (4, 2**26), 1)
    assert launched(few, H100).grid == (1, 132 * 2048 // 512)
    assert launched(few, A100).grid == (1, 108 * 2048 // 512)


def test_what_was_not_read_has_no_kernel():
    assert launched(product_of(shape=(0,)), H100) is None
    assert launched(iterator("copy", (4,), (), None, True), H100) is None
    with pytest.raises(ValueError, match="NVIDIA"):
        launched(product_of(), MI300X)


def test_every_instance_is_a_kernel_of_the_library_that_torch_ships():
    """The names were read from libtorch_cuda of torch 2.13.0 for CUDA 13.0."""
    path = Path(__file__).parent / "data" / "kernels_of_libtorch_cuda.csv"
    with path.open(encoding="utf-8", newline="") as file:
        shipped = {tuple(row.values()) for row in csv.DictReader(file)}
    wanted = set()
    for dtype, contiguous, on in product(SIZES, (True, False), (A100, H100)):
        for gate, address in product(
            (None, "int8" if dtype != "int8" else "bool"), (512, 513, 520)
        ):
            shape = (1000,) if contiguous else (10, 100)
            wanted.add(_row(launched(product_of(dtype, shape, gate, contiguous, address), on)))
        size = SIZES[dtype]
        for stride, n in product(((size, 256 * size), (64 * size, size)), (64, 62, 63)):
            wanted.add(_row(launched(sum_of(dtype, (256, n), (0, size), stride, 1), on), dtype))
    assert wanted <= shipped
    assert len(wanted) > 80


def _row(kernel, summed=None):
    how = "casts" if kernel.casts else ""
    if summed:
        how = f"vectors of {8 if SIZES[summed] == 2 else 4}"
    *numbers, functor = kernel.instance
    return kernel.name, ", ".join(map(str, numbers)), functor.rpartition(" ")[2], how


def test_every_passage_is_a_line_of_the_headers_that_are_installed():
    for passage in passages():
        if passage.text:
            lines = (HEADERS / passage.file).read_text(encoding="utf-8").splitlines()
            assert passage.text in lines[passage.line - 1]
            assert str(passage) == f"{passage.file}, line {passage.line}"
    assert [passage.file for passage in passages() if not passage.text] == [
        "aten/src/ATen/native/cuda/BinaryMulKernel.cu",
        "aten/src/ATen/native/cuda/ReduceSumProdKernel.cu",
    ]


def test_a_torch_whose_source_is_another_is_named_in_one_line(monkeypatch):
    changed = dataclasses.replace(source.READ[0], text="if (iter.is_empty()) {")
    monkeypatch.setattr(source, "READ", (changed,))
    with pytest.raises(OtherSourceError, match=r"Loops.cuh has no line .* here$") as raised:
        passages()
    assert "\n" not in str(raised.value)
