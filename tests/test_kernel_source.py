import pytest

from investigation.compiled import kernel_source
from investigation.compiled.kernel_source import SourceError, normalise, outermost_loops, residual

CPP = """import torch
cpp_fused_{ops}_0 = async_compile.cpp_pybinding(['const float*', 'float*'], r'''
#include <torch/csrc/inductor/cpp_prefix.h>
extern "C"  void  kernel(const float* in_ptr0, float* out_ptr0)
{{
    for(int64_t x0=0; x0<8; x0+=1)
    {{
        for(int64_t x1=0; x1<4; x1+=1)
        {{
            out_ptr0[x0] = in_ptr0[x1] {sign} 2;
        }}
    }}
    {{
        for(int64_t x0=0; x0<8; x0+=1)
        {{
            out_ptr0[x0] = 1;
        }}
    }}
}}
''')


async_compile.wait(globals())
del async_compile

class Runner:
    def call(self, args):
        arg0_1, = args
        # Topologically Sorted Source Nodes: [{ops}], Original ATen: [aten.{ops}]
        buf0 = empty_strided_cpu((8, ), (1, ), torch.float32)
        extern_kernels.mm(arg0_1, arg0_1, out=buf0)
        cpp_fused_{ops}_0(arg0_1, buf0)
        buf1 = buf0; del buf0  # reuse
        return (buf1, )

runner = Runner(partitions=[])
def benchmark_compiled_module(): pass
"""
TRITON = """
# kernel path: /tmp/somewhere/{ops}.py
triton_poi_fused_{ops}_0 = async_compile.triton('triton_poi_fused_{ops}_0', '''
import triton
@triton.jit
def triton_poi_fused_{ops}_0(in_ptr0, out_ptr0, xnumel, XBLOCK : tl.constexpr):
    tl.store(out_ptr0, tl.load(in_ptr0))
''', device_str='cuda')


async_compile.wait(globals())
del async_compile

class Runner:
    def call(self, args):
        buf0 = empty_strided_cuda((8, ), (1, ), torch.float32)
        triton_poi_fused_{ops}_0.run(args[0], buf0, 8, stream=stream0)
        return (buf0, )

runner = Runner(partitions=[])
"""


def cpp(ops="mul", sign="*"):
    return normalise(CPP.format(ops=ops, sign=sign))


def test_names_of_kernels_and_comments_do_not_tell_two_programs_apart():
    plain, other = cpp("mul"), cpp("expand_mul")
    assert (plain.kernels, plain.host) == (other.kernels, other.host)
    assert plain.names == ("cpp_fused_mul_0",)
    assert other.names == ("cpp_fused_expand_mul_0",)


def test_an_operator_in_a_kernel_tells_two_programs_apart():
    assert cpp().kernels != cpp(sign="+").kernels


def test_a_program_is_counted_by_launches_library_calls_buffers_and_passes():
    program = cpp()
    assert program.launches == 1
    assert program.library_calls == ("extern_kernels.mm",)
    assert program.buffers == 1
    assert program.passes == 2


def test_a_triton_kernel_is_read_alike():
    plain, other = (normalise(TRITON.format(ops=ops)) for ops in ("mul", "expand_mul"))
    assert plain.kernels == other.kernels
    assert plain.host == other.host
    assert (plain.launches, plain.passes, plain.buffers) == (1, 1, 1)
    assert "kernel path" not in plain.host


def test_the_body_of_a_kernel_is_its_source_alone():
    body = kernel_source.body(cpp().kernels[0])
    assert body.startswith("#include")
    assert body.endswith("}")


def test_only_a_loop_inside_no_other_is_outermost():
    assert outermost_loops("for(a)\n{\n    for(b)\n    {\n    }\n}\nfor(c)\n{\n}") == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cpp_fused_mul_0", {"mul"}),
        ("cpp_fused_expand_mul_sigmoid_view_12", {"expand", "mul", "sigmoid", "view"}),
        ("triton_poi_fused_mul_0", {"mul"}),
    ],
)
def test_a_name_tells_the_operations_that_were_fused(name, words):
    assert kernel_source.operations(name) == words


def test_a_kernel_of_the_scale_step_only_is_noticed():
    assert cpp("expand_mul").scales_alone
    assert not cpp("mul_sigmoid").scales_alone


@pytest.mark.parametrize("sign", ["/ std::exp(2) +", "* x.exp_u20() *", "* sigmoid(3) *"])
def test_a_sigmoid_that_a_kernels_name_leaves_out_is_found_in_its_text(sign):
    assert not cpp("mul", sign).scales_alone


def test_the_residual_names_both_sides_and_is_empty_for_equal_texts():
    assert residual("a\nb", "a\nb", ("one", "other")) == ""
    assert residual("a\nb", "a\nc", ("one", "other")).splitlines() == [
        "--- one", "+++ other", "@@ -2 +2 @@", "-b", "+c",
    ]  # fmt: skip


def test_a_text_that_is_no_generated_file_is_refused():
    with pytest.raises(SourceError, match="no host program in the generated file"):
        normalise("print(1)")
