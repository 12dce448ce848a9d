"""Block and grid of a sum, as `setReduceConfig` in torch's Reduce.cuh sets them for CUDA.

The names are those of the source, so that the two can be read side by side.
"""

import math
from dataclasses import dataclass

from investigation.gpu.launch.iterators import Iterator
from investigation.subject.gpu_catalog import Chip

ACCUMULATED_IN_FLOAT32 = ("float16", "bfloat16")
MIN_VALUES_PER_THREAD, MAX_VALUES_PER_THREAD = 16, 256
VECTORIZE_FROM = 128  # inputs of one output


@dataclass
class ReduceConfig:
    """How a sum is dealt out to threads: `ReduceConfig` in Reduce.cuh."""

    element_bytes: int  # of what is accumulated
    num_outputs: int
    num_inputs: int
    max_threads: int
    input_vector: int
    warp_size: int
    step_input: int = 1
    step_output: int = 1
    ctas_per_output: int = 1
    output_vector: int = 1
    block_width: int = 1
    block_height: int = 1
    vectorize_input: bool = False
    block_x_reduce: bool = False
    block_y_reduce: bool = False

    @property
    def num_threads(self) -> int:
        """Threads of a block."""
        return self.block_width * self.block_height

    @property
    def values_per_thread(self) -> int:
        """Values that one thread adds up."""
        return _div_up(self.num_inputs, self.step_input)

    @property
    def grid(self) -> tuple[int, int]:
        """Blocks: over the outputs, and over the inputs of one output."""
        outputs = _div_up(self.num_outputs // self.output_vector, self.step_output)
        return outputs, self.ctas_per_output

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a block."""
        in_one_warp = not self.block_x_reduce or self.block_width <= self.warp_size
        if not self.block_y_reduce and in_one_warp:
            return 0
        return self.element_bytes * self.num_threads * self.output_vector

    def set_block_dimension(self, dim0: int, dim1: int) -> None:
        """Choose a block's width and height below two upper bounds."""
        most = self.max_threads // self.output_vector
        wide, high = (_last_pow2(dim) if dim < most else most for dim in (dim0, dim1))
        self.block_width = min(wide, self.warp_size)
        self.block_height = min(high, most // self.block_width)
        self.block_width = min(wide, most // self.block_height)


def configured(iterator: Iterator, chip: Chip) -> ReduceConfig:
    """Return the configuration of a sum on a chip. `iterator` has some elements."""
    strides = iterator.operands[-1].stride_bytes
    config = _begun(iterator, chip)
    reduced = iterator.reduced_dimensions
    fastest_is_reduced = reduced == len(iterator.shape) or strides[0] < strides[reduced]
    dim0, dim1 = config.num_inputs, config.num_outputs
    fastest = strides[0] if strides else iterator.operands[-1].element_bytes
    if not fastest_is_reduced:
        dim0, dim1, fastest = dim1, dim0, strides[reduced]
    if fastest == iterator.operands[-1].element_bytes:
        if fastest_is_reduced and dim0 >= VECTORIZE_FROM and reduced == 1:
            config.vectorize_input = True
            dim0 //= config.input_vector
        elif not fastest_is_reduced:
            config.output_vector = _output_vector(iterator)
            dim0 //= config.output_vector
    config.set_block_dimension(dim0, dim1)
    _split(config, fastest_is_reduced)
    _split_over_blocks(config, chip)
    return config


def _begun(iterator: Iterator, chip: Chip) -> ReduceConfig:
    summed = iterator.operands[-1]
    sizes_and_strides = zip(iterator.shape, iterator.operands[0].stride_bytes, strict=True)
    outputs = math.prod(size for size, step in sizes_and_strides if step)
    return ReduceConfig(
        element_bytes=4 if summed.dtype in ACCUMULATED_IN_FLOAT32 else summed.element_bytes,
        num_outputs=outputs,
        num_inputs=iterator.elements // outputs,
        max_threads=256 if summed.dtype == "complex128" else 512,
        input_vector=8 if summed.element_bytes == 2 else 4,
        warp_size=chip.warp_size,
    )


def _output_vector(iterator: Iterator) -> int:
    """Do as `get_output_vec_size`: the longest vector that divides address, size and strides."""
    summed, size = iterator.operands[-1], iterator.operands[-1].element_bytes
    other_strides = [
        stride for i, stride in enumerate(summed.stride_bytes) if i != iterator.reduced_dimensions
    ]
    wanted = (
        summed.address // size,
        iterator.shape[iterator.reduced_dimensions],
        *(stride // size for stride in other_strides),
    )
    return next(n for n in (4, 2, 1) if not any(value % n for value in wanted))


def _split(config: ReduceConfig, fastest_is_reduced: bool) -> None:
    """Deal inputs or outputs out to the threads of a block."""
    if fastest_is_reduced:
        config.block_x_reduce = True
        config.step_input *= config.block_width
    else:
        config.step_output *= config.block_width
    threshold = min(config.block_height * 16, MAX_VALUES_PER_THREAD)
    if config.values_per_thread >= threshold:
        config.block_y_reduce = True
        config.step_input *= config.block_height
    else:
        config.step_output *= config.block_height


def _split_over_blocks(config: ReduceConfig, chip: Chip) -> None:
    """Deal the inputs of one output out to several blocks, if there is enough to do."""
    per_multiprocessor = chip.threads_per_multiprocessor // config.num_threads
    wanted = chip.multiprocessors * per_multiprocessor
    outputs, values = config.grid[0], config.values_per_thread
    if config.block_y_reduce and values >= MAX_VALUES_PER_THREAD and outputs <= wanted:
        most = min(_div_up(wanted, outputs), _div_up(values, MIN_VALUES_PER_THREAD))
        config.ctas_per_output = max(most, _div_up(values, MAX_VALUES_PER_THREAD))
        if config.ctas_per_output > 1:
            config.step_input *= config.ctas_per_output


def _div_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _last_pow2(number: int) -> int:
    """Return the greatest power of two that is not greater; 1 for 0."""
    return 1 << max(number.bit_length() - 1, 0)
