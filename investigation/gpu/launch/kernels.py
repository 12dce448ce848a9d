"""What CUDA's published source launches for an iterator: `source.READ` names each passage.

An iterator is computed, by torch itself; what is made of it here was read. The kernels that torch
compiles at run time, for `complex32`, and its copies are left out: of those, only the iterators
are compared.
"""

from pydantic import BaseModel, ConfigDict

from investigation.gpu.launch.iterators import Iterator
from investigation.gpu.launch.reductions import configured
from investigation.subject.gpu_catalog import Chip

WARP = 32
THREADS = 4 * WARP  # thread_constants.h: num_threads()
VECTOR_BYTES = 16
ELEMENTS_WITH_VECTORS = 8  # CUDALoops.cuh: elems_per_thread, for more than one byte in and out
ELEMENTS_UNROLLED = 4  # CUDALoops.cuh: elementwise_thread_work_size
LONG_VECTORS = (9, 10)  # compute capabilities
COMPILED_AT_RUN_TIME = ("complex32",)


class Kernel(BaseModel):
    """A kernel as it is launched: its template instance, grid and block.

    `vector` is how many elements a thread loads at once. `walked` is how many dimensions an
    offset calculator walks for each element, None if there is no calculator. `output_vector`
    is, in a sum, how many outputs a thread computes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    instance: tuple[str | int, ...]
    vector: int = 1
    output_vector: int = 1
    casts: bool = False
    walked: int | None = None
    grid: tuple[int, ...]
    block: tuple[int, ...]
    shared_bytes: int = 0

    def __str__(self) -> str:
        return f"{self.name}<{', '.join(map(str, self.instance))}>"


def launched(iterator: Iterator, chip: Chip) -> Kernel | None:
    """Return the kernel that an iterator launches on a chip, None if none was read.

    Raises `ValueError` for a chip that is not NVIDIA's: HIP's constants are others.
    """
    if chip.backend != "cuda":
        raise ValueError(f"{chip.name}: allowed is a chip of NVIDIA; HIP's constants were not read")
    if iterator.elements == 0 or iterator.common_dtype in COMPILED_AT_RUN_TIME:
        return None
    if iterator.operation == "mul":
        return _casting(iterator) if _casts(iterator) else _plain(iterator, chip)
    return _summing(iterator, chip) if iterator.operation == "sum" else None


def _casts(iterator: Iterator) -> bool:
    return any(operand.dtype != iterator.common_dtype for operand in iterator.operands)


def _plain(iterator: Iterator, chip: Chip) -> Kernel:
    """Do as `gpu_kernel_impl_nocast` in CUDALoops.cuh."""
    bytes_ = _bytes_of_common_dtype(iterator)
    if iterator.contiguous:
        return _with_vectors(iterator, bytes_, chip)
    elements = 2 if bytes_ >= 4 else 4
    return Kernel(
        name="elementwise_kernel",
        instance=(THREADS, elements, _functor(iterator)),
        walked=len(iterator.shape),
        grid=(_blocks(iterator, elements),),
        block=(THREADS,),
    )


def _with_vectors(iterator: Iterator, bytes_: int, chip: Chip) -> Kernel:
    """Do as `launch_vectorized_kernel`, as CUDA 12.8 and newer builds it."""
    longest = 8 if chip.capability[0] in LONG_VECTORS else 4
    width = min(VECTOR_BYTES // bytes_, _aligned_for(iterator, bytes_), longest)
    if width == 1:
        return _unrolled(iterator, casts=False)
    return Kernel(
        name="vectorized_elementwise_kernel",
        instance=(width, _functor(iterator)),
        vector=width,
        grid=(_blocks(iterator, ELEMENTS_WITH_VECTORS),),
        block=(THREADS,),
    )


def _aligned_for(iterator: Iterator, bytes_: int) -> int:
    """Do as `can_vectorize_up_to` in MemoryAccess.cuh, over all operands."""
    widths = (8, 4, 2, 1)
    addresses = [operand.address for operand in iterator.operands]
    return next(n for n in widths if n == 1 or not any(a % (n * bytes_) for a in addresses))


def _casting(iterator: Iterator) -> Kernel:
    """Do as `gpu_kernel_impl` in CUDALoops.cuh if some operand is cast."""
    if iterator.contiguous:
        return _unrolled(iterator, casts=True)
    return Kernel(
        name="elementwise_kernel",
        instance=(THREADS, ELEMENTS_UNROLLED, _functor(iterator)),
        casts=True,
        walked=len(iterator.shape),
        grid=(_blocks(iterator, ELEMENTS_UNROLLED),),
        block=(THREADS,),
    )


def _unrolled(iterator: Iterator, casts: bool) -> Kernel:
    return Kernel(
        name="unrolled_elementwise_kernel",
        instance=(ELEMENTS_UNROLLED, _functor(iterator)),
        casts=casts,
        grid=(_blocks(iterator, ELEMENTS_UNROLLED),),
        block=(THREADS,),
    )


def _blocks(iterator: Iterator, elements: int) -> int:
    return -(-iterator.elements // (elements * THREADS))


def _functor(iterator: Iterator) -> str:
    return f"BinaryFunctor of {iterator.common_dtype}"


def _bytes_of_common_dtype(iterator: Iterator) -> int:
    """Return an element's bytes: without a cast every operand has the common dtype."""
    return iterator.operands[0].element_bytes


def _summing(iterator: Iterator, chip: Chip) -> Kernel:
    config = configured(iterator, chip)
    return Kernel(
        name="reduce_kernel",
        instance=(config.max_threads // config.output_vector, config.output_vector,
                  f"sum of {iterator.operands[-1].dtype}"),
        vector=config.input_vector if config.vectorize_input else 1,
        output_vector=config.output_vector,
        walked=iterator.reduced_dimensions,
        grid=config.grid,
        block=(config.block_width, config.block_height),
        shared_bytes=config.shared_bytes,
    )  # fmt: skip
