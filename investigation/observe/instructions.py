"""How many instructions a statement takes, exactly, and where they are spent.

Callgrind runs the process on a simulated processor and counts every instruction, so a busy
machine changes only how long that takes. torch's `Timer` starts that process,
which is why `investigation.timing.processes` does not. All statements are counted in one, because
importing torch under Callgrind is what takes the time; it is not instrumented before that is done.
"""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch.utils.benchmark import CallgrindStats, FunctionCounts, Timer

from investigation.evidence.sealed.instructions import InstructionCounts

# A function belongs to the first group whose pattern its "file:function [library]" contains.
GROUPS: tuple[tuple[str, str], ...] = (
    (
        "TensorIterator",
        r"TensorIterator|OperandInfo|DimCounter|AVX|[vV]ectorized|loop2d|mul_Tensor\(",
    ),
    (
        "autograd",
        r"torch::autograd::(?!THP)|VariableType|ADInplaceOrView|Autograd|ViewInfo|GradMode",
    ),
    (
        "dispatcher",
        r"at::_ops::|OperatorEntry|Dispatch|KernelFunction|BoxedKernel|wrap_kernel|LocalDispatch"
        r"|RecordFunction|StepCallbacks|tls_get_addr|torch_function_mode|TorchFunctionTLS",
    ),
    (
        "GIL and locks",
        r"pthread_|take_gil|drop_gil|gil_scoped|PyEval_(Save|Acquire|Restore)Thread|PyThreadState"
        r"|get_internals",
    ),
    (
        "allocator",
        r"malloc|_int_free|:free|cfree|memalign|[aA]llocator|alloc_cpu|operator (new|delete)"
        r"|StorageImpl|DataPtr|empty_(cpu|generic)|MemoryReporter|memoryProfiling|alignment",
    ),
    (
        "Python",
        r"Python-\d|/Python/|/Objects/|/Include/|/Modules/|libpython|libtorch_python|pybind11"
        r"|THPVariable|_Py|PyObject|PyInterpreter",
    ),
    (
        "tensors and shapes",
        r"TensorImpl|TensorBase|SymInt|ArrayRef|[sS]tride|infer_|expand|SmallVector|intrusive_ptr"
        r"|StorageNbytes|non_overlapping|MemoryFormat",
    ),
)
OTHER = "other"
PROGRAMS = ("valgrind", "callgrind_control", "callgrind_annotate")
# torch's own warm-up of a statement, and enough calls for Python to specialise each function.
TORCH_WARM_UP, WARM_UP = 10, 20
EMPTY = "pass"
# torch has Callgrind instrument a process from its start, which makes importing torch take three
# times as long. This runs first on PATH in valgrind's place, and sets an environment variable:
# with it `INSTRUMENT`, which goes before a setup, starts the counting. torch looks for garbage
# between the repeats, and Python at its end: what is loaded by then is left out of that.
PROGRAM = """#!/bin/sh
for word do
  shift
  [ "$word" = --instr-atstart=yes ] && word=--instr-atstart=no
  set -- "$@" "$word"
done
UNDER_CALLGRIND=1 exec {valgrind} "$@"
"""
INSTRUMENT = """
import atexit, gc, os, subprocess
gc.freeze()
atexit.register(gc.freeze)
if "UNDER_CALLGRIND" in os.environ:
    begin = ["callgrind_control", "--instr=on", str(os.getpid())]
    subprocess.run(begin, check=True, stdout=subprocess.DEVNULL)
"""

# The line in both forms, on tensors so small that the calls are all there is.
LINE = {"broadcast": "x * gate", "expand_as": "x * gate.expand_as(x)"}
OPERANDS = "import torch; x = torch.rand(2, 8, 4, 4); gate = torch.rand(2, 8, 1, 1)"


class InstructionError(RuntimeError):
    """Instructions cannot be counted here; the message gives the reason."""


def group_names() -> tuple[str, ...]:
    """Name the function groups, "other" last."""
    return (*(name for name, _ in GROUPS), OTHER)


def group_of(function: str) -> str:
    """Find the group of a Callgrind function, written "file:function [library]"."""
    return next((name for name, pattern in GROUPS if re.search(pattern, function)), OTHER)


def unavailable_reason() -> str | None:
    """Return why instructions cannot be counted here; None if they can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not found: Callgrind comes with the system package valgrind"
    return None


def available() -> bool:
    """Whether instructions can be counted here."""
    return unavailable_reason() is None


def count(variants: Mapping[str, str], setup: str, number: int = 50) -> InstructionCounts:
    """Count the instructions of each statement, `variants` by name, after `setup`.

    One thread; grad mode as `setup` leaves it. Takes half a minute, nearly all of it torch's
    import. Raises InstructionError if Callgrind is missing or fails; what a statement itself
    raises comes through before Callgrind starts.
    """
    if reason := unavailable_reason():
        raise InstructionError(reason)
    started = time.perf_counter()
    empty, *stats = _collect({EMPTY: "pass", **variants}, setup, number)
    overhead = _by_group(empty.stats(), number)
    return InstructionCounts(
        by_group={
            name: _without(_by_group(counted.stats(), number), overhead)
            for name, counted in zip(variants, stats, strict=True)
        },
        statements=dict(variants),
        setup=setup,
        number=number,
        elapsed_s=time.perf_counter() - started,
        environment=_environment(),
    )


def _collect(statements: Mapping[str, str], setup: str, number: int) -> list[CallgrindStats]:
    setup = INSTRUMENT + by_turns(statements, setup, number)
    timer = Timer("next(turns)()", setup=setup, num_threads=1)
    with _our_programs_first():
        try:
            return list(
                timer.collect_callgrind(
                    number, repeats=len(statements), collect_baseline=False, retain_out_file=False
                )
            )
        except OSError as error:
            raise InstructionError(f"Callgrind failed: {str(error).splitlines()[-1]}") from error


def by_turns(statements: Mapping[str, str], setup: str, number: int) -> str:
    """Write the setup after which `next(turns)()` runs each statement `number` times in turn.

    Callgrind runs as many repeats as there are statements, so that each repeat counts
    one statement; torch's warm-up takes the first few turns. Each is a function, so that the
    cost of `next` and of the call is the same for all, and taken off with the empty one's.
    """
    functions = [
        f"def turn_{index}():\n{textwrap.indent(textwrap.dedent(statement), '    ')}"
        for index, statement in enumerate(statements.values())
    ]
    return "\n".join(
        [
            textwrap.dedent(setup),
            "from itertools import chain, repeat",
            *functions,
            f"functions = ({', '.join(f'turn_{index}' for index in range(len(functions)))},)",
            f"for function in functions:\n    for _ in range({WARM_UP}):\n        function()",
            f"turns = chain(repeat(turn_0, {min(number, TORCH_WARM_UP)}),"
            f" *[repeat(function, {number}) for function in functions])",
        ]
    )


@contextmanager
def _our_programs_first() -> Iterator[None]:
    """Put `PROGRAM` first on PATH, and this interpreter: torch starts plain `python` under it."""
    path = os.environ.get("PATH", "")
    with TemporaryDirectory(prefix="valgrind-") as folder:
        program = Path(folder, "valgrind")
        program.write_text(PROGRAM.format(valgrind=shlex.quote(str(shutil.which("valgrind")))))
        program.chmod(0o755)
        os.environ["PATH"] = os.pathsep.join([folder, str(Path(sys.executable).parent), path])
        try:
            yield
        finally:
            os.environ["PATH"] = path


def _by_group(functions: FunctionCounts, number: int) -> dict[str, float]:
    total: Counter[str] = Counter()
    for function in functions:
        total[group_of(function.function)] += function.count
    return {name: total[name] / number for name in group_names()}


def _without(counts: Mapping[str, float], overhead: Mapping[str, float]) -> dict[str, float]:
    return {name: round(counts[name] - overhead[name], 2) for name in group_names()}


def _environment() -> dict[str, str]:
    version = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    return {
        "valgrind": version.stdout.strip(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
