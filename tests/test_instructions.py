import json
import shutil
from typing import Any

import pytest

from investigation.evidence.sealed.instructions import InstructionCounts
from investigation.observe import instructions
from investigation.observe.instructions import InstructionError

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

# As Callgrind writes them, torch 2.13 and CPython 3.11.
FUNCTIONS = {
    "???:at::TensorIteratorBase::build(at::TensorIteratorConfig&) [libtorch_cpu.so]": (
        "TensorIterator"
    ),
    "???:at::OperandInfo::tensor(c10::MaybeOwned<at::TensorBase>&&) [libtorch_cpu.so]": (
        "TensorIterator"
    ),
    "???:at::_ops::expand_as::call(at::Tensor const&, at::Tensor const&) [libtorch_cpu.so]": (
        "dispatcher"
    ),
    "???:c10::impl::OperatorEntry::lookup(c10::DispatchKeySet) const [libtorch_cpu.so]": (
        "dispatcher"
    ),
    "???:torch::autograd::DifferentiableViewMeta::~DifferentiableViewMeta() [libtorch_cpu.so]": (
        "autograd"
    ),
    "???:torch::autograd::THPVariable_expand_as(_object*, _object*, _object*) "
    "[libtorch_python.so]": "Python",
    "/build/Python-3.11.7/Python/ceval.c:_PyEval_EvalFrameDefault [libpython3.11.so.1.0]": "Python",
    "/build/Python-3.11.7/Python/ceval_gil.h:take_gil [libpython3.11.so.1.0]": "GIL and locks",
    "./nptl/./nptl/pthread_mutex_lock.c:pthread_mutex_lock@@GLIBC_2.2.5 [libc.so.6]": (
        "GIL and locks"
    ),
    "./malloc/./malloc/malloc.c:_int_free [libc.so.6]": "allocator",
    "./malloc/./malloc/malloc.c:free [libc.so.6]": "allocator",
    "???:at::native::expand(at::Tensor const&, c10::ArrayRef<long>, bool) [libtorch_cpu.so]": (
        "tensors and shapes"
    ),
    "./csu/./csu/errno-loc.c:__errno_location [libc.so.6]": "other",
}

needs_callgrind = pytest.mark.skipif(
    not instructions.available(), reason=instructions.unavailable_reason() or ""
)


def recorded(extra: float) -> InstructionCounts:
    baseline = dict.fromkeys(instructions.group_names(), 100.0)
    return InstructionCounts(
        by_group={
            "broadcast": baseline,
            "expand_as": baseline | {"dispatcher": 100.0 + extra, "autograd": 130.0},
        },
        statements={"broadcast": "x * y", "expand_as": "x * y.expand_as(x)"},
        setup="x = y = 1",
        number=50,
        elapsed_s=48.0,
        environment={"valgrind": "valgrind-3.19.0"},
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_the_group_that_a_reader_expects(function: str) -> None:
    assert instructions.group_of(function) == FUNCTIONS[function]


@pytest.mark.parametrize("extra", [250.0, -250.0])
def test_the_difference_is_the_sum_of_its_groups_and_has_a_sign(extra: float) -> None:
    counts = recorded(extra)
    groups = counts.difference_by_group("expand_as", "broadcast")
    assert groups["dispatcher"] == extra
    assert groups["Python"] == 0
    assert counts.difference("expand_as", "broadcast") == sum(groups.values()) == extra + 30
    assert counts.difference("broadcast", "expand_as") == -extra - 30


def test_a_recorded_count_survives_json_and_reads_as_a_sentence() -> None:
    counts = recorded(250)
    assert InstructionCounts.from_dict(json.loads(json.dumps(counts.to_dict()))) == counts
    assert repr(counts) == (
        "instructions a call: broadcast 800, expand_as 1,080 (50 calls each, 48 s)"
    )


def test_a_machine_without_valgrind_says_so_and_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    assert not instructions.available()
    with pytest.raises(InstructionError, match=r"valgrind, .* not found: .* system package"):
        instructions.count({"empty": "pass"}, "")


@needs_callgrind
def test_a_statement_that_raises_comes_through_before_callgrind_starts() -> None:
    with pytest.raises(ZeroDivisionError):
        instructions.count({"broken": "1 / 0"}, "")


def test_each_repeat_counts_one_statement() -> None:
    names: list[str] = []
    statements = {"a": "seen.append('a')", "b": "seen.append('b')"}
    world: dict[str, Any] = {"seen": names}
    exec(instructions.by_turns(statements, "", number=3), world)
    names.clear()
    for _ in range(3 + 2 * 3):  # torch's warm-up is no longer than a repeat
        next(world["turns"])()
    assert names[3:] == ["a"] * 3 + ["b"] * 3
