import pytest

from investigation.compiled import captures
from investigation.compiled.codegen import VARIANTS
from investigation.subject.cases import Case

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

CASE = Case(slug="small", name="small", shape=(2, 8, 4, 4))
X, GATE = CASE.tensors()


@pytest.mark.parametrize("name", captures.CAPTURES)
def test_each_form_keeps_the_multiply_and_shows_the_expand_where_it_is(name):
    captured = {
        variant: captures.CAPTURES[name](scale, X, GATE) for variant, scale in VARIANTS.items()
    }
    assert len(captured["broadcast"]) == 1
    assert "mul" in captured["broadcast"][0]
    assert any("expand" in operation for operation in captured["expand_as"])


def test_with_views_removed_the_expand_is_a_copy():
    assert "expand_copy" in captures.functionalized_views(VARIANTS["expand_as"], X, GATE)[0]


@pytest.mark.usefixtures("compiler")
def test_aotinductor_writes_one_program_for_both_forms_and_another_for_a_copy():
    sources = {name: captures.aot_source(name, X, GATE) for name in VARIANTS}
    assert sources["expand_as"] == sources["broadcast"]
    assert sources["opaque"] != sources["broadcast"]
    assert "kernel_0" in sources["broadcast"]
    assert "cpp_fused" not in sources["broadcast"]
    assert captures.kernels_in(sources["expand_as"]) == captures.kernels_in(sources["broadcast"])
    assert captures.kernels_in(sources["opaque"]) >= 1


def test_a_librarys_kernels_are_counted_once_each():
    library = "void kernel_0(); void kernel_1(); kernel_1(); // kernel_10x"
    assert captures.kernels_in(library) == 2


def reads_a_number(x, gate):
    return x * gate * x.sum().item()


def test_what_makes_the_host_wait_is_unfit_for_a_cuda_graph():
    assert "local_scalar_dense" in captures.cudagraph_obstacle(reads_a_number, X, GATE)
    assert captures.cudagraph_obstacle(VARIANTS["expand_as"], X, GATE) is None
