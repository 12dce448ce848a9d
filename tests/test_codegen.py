import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from torch._inductor import exc

from investigation.compiled import codegen, lowering, toolchain
from investigation.compiled.codegen import generate
from investigation.compiled.toolchain import NoCompilerError
from investigation.subject.cases import Case

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

CASE = Case(slug="small", name="small", shape=(2, 8, 4, 4))


@pytest.fixture(scope="module")
def multiplies(request):
    request.getfixturevalue("compiler")
    return {name: generate(name, CASE) for name in codegen.VARIANTS}


def test_expand_as_and_broadcast_generate_the_same_program(multiplies):
    plain, other = multiplies["broadcast"], multiplies["expand_as"]
    assert plain.digest == other.digest
    assert plain.names != other.names
    assert codegen.residual(plain, other) == ""


def test_a_copy_that_inductor_cannot_remove_is_seen(multiplies):
    plain, other = multiplies["broadcast"], multiplies["opaque"]
    assert plain.kernel_digest != other.kernel_digest
    assert plain.kernels == 1
    assert other.kernels == 2
    assert "torch.ops.investigation.copy.default" in codegen.residual(plain, other)


def test_the_graphs_on_the_way_hold_the_expand_and_the_copy(multiplies):
    graphs = multiplies["materialized"].graphs
    assert graphs["dynamo"] == ("expand_as", "contiguous", "mul")
    assert graphs["aten"] == ("aten.expand.default", "aten.clone.default", "aten.mul.Tensor")
    assert multiplies["broadcast"].graphs["inductor forward"] == ("aten.mul.Tensor",)


@pytest.mark.usefixtures("compiler")
def test_training_gives_a_forward_and_a_backward_program():
    generated = generate("expand_as", CASE, mode="training")
    assert len(generated.programs) == 2
    assert "aten.sum.dim_IntList" in generated.graphs["inductor backward"]


@pytest.mark.usefixtures("compiler")
def test_with_dynamic_shapes_sizes_become_arguments():
    assert "const int64_t ks0" in generate("broadcast", CASE, dynamic=True).kernel_source
    assert "ks0" not in generate("broadcast", CASE).kernel_source


@pytest.mark.usefixtures("compiler")
def test_a_block_with_a_gate_of_another_dtype_runs_under_autocast():
    generated = generate("broadcast", CASE.with_gate("bfloat16"), "block")
    assert "_enter_autocast" in generated.graphs["dynamo"]
    assert "at::BFloat16" in generated.kernel_source


@pytest.mark.usefixtures("compiler")
def test_in_a_block_the_multiply_shares_a_kernel_and_behind_a_copy_it_does_not():
    fused, alone = (generate(name, CASE, "block") for name in ("expand_as", "opaque"))
    assert not any(program.scales_alone for program in fused.programs)
    assert any(program.scales_alone for program in alone.programs)


def test_what_was_generated_cannot_be_changed(multiplies):
    with pytest.raises(FrozenInstanceError):
        multiplies["broadcast"].variant = "expand_as"


def test_a_notebook_has_caches_of_its_own_that_go_with_it():
    program = (
        "import os\n"
        "from investigation.compiled import lowering, toolchain\n"
        "folder = toolchain.empty_caches()\n"
        "assert os.environ['TORCHINDUCTOR_CACHE_DIR'] == str(folder)\n"
        "print(folder, list(folder.iterdir()), sep='\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    folder, inside = done.stdout.splitlines()
    assert inside == "[]", done.stderr
    assert not Path(folder).exists()


def test_a_folder_whose_path_would_break_the_compilers_command_is_said_in_one_line(
    tmp_path, monkeypatch
):
    folder = tmp_path / "two words"
    folder.mkdir()
    monkeypatch.setattr(toolchain, "cache_dir", lambda: str(folder))
    with pytest.raises(NoCompilerError, match=r"breaks at a space, and .*; use a folder") as error:
        toolchain.require_cpp_compiler()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_torch_that_lowers_the_backward_pass_late_makes_the_same_programs(monkeypatch, dynamic):
    generated = {}
    for at_once in (True, False):
        monkeypatch.setattr(lowering, "LOWERS_AT_ONCE", at_once)
        if not at_once:
            monkeypatch.setattr(lowering, "AT_ONCE", {})
        generated[at_once] = generate("expand_as", CASE, "block", "training", dynamic=dynamic)
    assert len(generated[False].programs) == 2, "forward and backward"
    assert generated[False].source == generated[True].source
    assert generated[False].graphs == generated[True].graphs


def test_no_compiler_is_said_in_one_line(monkeypatch):
    def missing():
        raise exc.InvalidCxxCompiler

    monkeypatch.setattr(toolchain, "get_cpp_compiler", missing)
    with pytest.raises(NoCompilerError, match=r"needs a C\+\+ compiler for a CPU") as error:
        generate("broadcast", CASE)
    assert "\n" not in str(error.value)


def test_no_headers_of_python_are_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain, "get_path", lambda _: str(tmp_path))
    with pytest.raises(NoCompilerError, match=r"has no Python\.h"):
        generate("broadcast", CASE)
