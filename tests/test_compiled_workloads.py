import runpy
import shutil
from pathlib import Path

import pytest
import torch
from torch._inductor import codecache
from torch._inductor.utils import fresh_cache

from investigation.compiled import toolchain
from investigation.compiled.workloads import (
    apart,
    compare_compiling,
    compiled_makers,
    in_own_frame,
    outputs,
)
from investigation.observe.equality import same_bits
from investigation.subject.cases import Case

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

CASE = Case(slug="small", name="small", shape=(2, 8, 4, 4))


def test_a_form_in_training_returns_the_output_and_both_gradients():
    both = outputs(CASE, "multiply", "training", compiled=False)
    assert [len(tensors) for tensors in both] == [3, 3]
    assert all(map(same_bits, *both))


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("mode", ["inference", "training"])
def test_a_compiled_form_computes_what_the_eager_one_does_over_operands_of_its_own(mode):
    makers = compiled_makers(CASE, "multiply", mode, "broadcast", "expand_as")
    eager = outputs(CASE, "multiply", mode, compiled=False)
    for make, expected in zip(makers, eager, strict=True):
        with torch.set_grad_enabled(mode == "training"):
            assert all(map(torch.allclose, make()(), expected))


@pytest.fixture
def headers(tmp_path, monkeypatch):
    """A folder for compiled headers; torch remembers which it has compiled."""
    for name in ("_HEADER_DIR", "_HEADER_LOCK_DIR"):
        monkeypatch.setattr(codecache, name, getattr(codecache, name))
    codecache._precompile_header.cache_clear()
    yield tmp_path
    codecache._precompile_header.cache_clear()


@pytest.mark.usefixtures("compiler")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="torch compiles no header without it")
def test_compiled_headers_lie_with_the_caches_and_not_in_the_systems_folder(headers, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(headers))
    runpy.run_path(toolchain.__file__)  # as the first import does
    assert Path(codecache._HEADER_DIR).parent == headers
    torch._dynamo.reset()
    with fresh_cache():
        outputs(CASE, "multiply", "inference")
    assert list(Path(codecache._HEADER_DIR).glob("*.gch"))


def test_without_openssl_no_header_is_compiled(headers, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    config = toolchain.inductor_config
    both = ("cpp_cache_precompile_headers", "aot_inductor.precompile_headers")
    with config.patch(dict.fromkeys(both, True)):
        toolchain.keep_headers_in(headers)
        assert not config.cpp_cache_precompile_headers
        assert not config.aot_inductor.precompile_headers


@pytest.mark.usefixtures("compiler")
def test_compiling_is_compared_on_a_budget_that_grows_until_it_holds_six_pairs():
    comparison = compare_compiling(CASE, budget_s=0.01, margin=0.1, seed=0)
    assert comparison.pairs >= 6
    assert comparison.baseline_s > 0.001


def test_each_arm_has_code_of_its_own():
    first, other = in_own_frame(torch.relu), in_own_frame(torch.relu)
    assert first.__code__ is not other.__code__
    assert torch.equal(first(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]))


def test_what_both_forms_compute_is_told_apart_by_bits_and_then_by_numbers():
    tensors, other = outputs(CASE, "multiply", "training", compiled=False)
    assert apart(tensors, other) == "the same bits"
    far = apart([torch.tensor([1.0, 2.0])], [torch.tensor([1.0, 2.5])])
    assert far == "differ by up to 20 % of the largest"
