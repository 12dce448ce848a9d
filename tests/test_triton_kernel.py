"""Reading a generated kernel: made-up texts, in the shape in which Inductor writes them."""

import pytest

from investigation.compiled.kernel_source import GeneratedProgram, normalise
from investigation.compiled.triton import kernel as triton_kernel

KERNEL = """async_compile.triton('kernel_0', '''
@triton_heuristics.pointwise(
    triton_meta={'signature': {'in_ptr0': '*fp32', 'in_ptr1': '*bf16', 'out_ptr0': '*fp32'}},
)
@triton.jit
def kernel_0(in_ptr0, in_ptr1, out_ptr0, xnumel, XBLOCK : tl.constexpr):
    xnumel = 120
    xindex = xoffset + tl.arange(0, XBLOCK)[:]
    xmask = xindex < xnumel
    x2 = xindex
    x1 = xindex // 20
    tmp0 = tl.load(in_ptr0 + (x2), xmask)
    tmp1 = tl.load(in_ptr1 + (x1), xmask, eviction_policy='evict_last').to(tl.float32)
    tmp2 = tl.sigmoid(tmp1)
    tmp3 = tmp0 * tmp2
    tl.store(out_ptr0 + (x2), tmp3, xmask)
''', device_str='cuda')"""
HOST = """        assert_size_stride(primals_1, (2, 3, 4, 5), (60, 20, 5, 1), 'input')
        buf4 = empty_strided_cuda((2, 3), (3, 1), torch.bfloat16)
        buf5 = buf4; del buf4
        buf6 = empty_strided_cuda((2, 3, 4, 5), (60, 20, 5, 1), torch.float32)
        kernel_0.run(primals_1, buf5, buf6, 120, stream=raw_stream0)
"""
PROGRAM = GeneratedProgram((KERNEL,), HOST, ("triton_poi_fused_expand_mul_sigmoid_0",))


def test_a_kernel_reads_the_input_and_the_gate_and_writes_the_output():
    read = triton_kernel.scale_kernel(PROGRAM)
    accesses = [
        (access.kind, access.tensor, access.shape, access.index) for access in read.accesses
    ]
    assert accesses == [
        ("load", "primals_1", (2, 3, 4, 5), "xindex"),
        ("load", "buf5", (2, 3), "xindex // 20"),
        ("store", "buf6", (2, 3, 4, 5), "xindex"),
    ]


def test_what_it_moves_is_each_tensor_once_in_its_own_dtype():
    assert triton_kernel.scale_kernel(PROGRAM).bytes_moved == 4 * 120 + 2 * 6 + 4 * 120


def test_what_the_kernel_does_is_told_without_the_lines_that_only_compute_an_index():
    explained = dict(triton_kernel.scale_kernel(PROGRAM).told())
    assert list(explained.values()) == [
        "reads an element of the input (2×3×4×5)",
        "reads an element of the gate (2×3), one a channel, and converts it",
        "the excitation's last step, done here on the way",
        "multiplies, in a register",
        "writes an element of the output (2×3×4×5)",
    ]


def test_a_gate_that_was_written_out_shows_as_traffic():
    written_out = HOST.replace("(2, 3), (3, 1)", "(2, 3, 4, 5), (60, 20, 5, 1)")
    full = GeneratedProgram(PROGRAM.kernels, written_out, PROGRAM.names)
    assert triton_kernel.scale_kernel(full).bytes_moved == 4 * 120 + 2 * 120 + 4 * 120


# As torch 2.15 writes it: inputs checked in one call, what an operation returns with its dtype.
CHECKED_TOGETHER = """        assert_size_stride_grouped((primals_1, primals_2, s1), ((2, 3, 4, 5), (7, ), (s0, 3)), ((60, 20, 5, 1), (1, ), (3, 1)), 'input')
        buf4 = torch.ops.investigation.copy.default(primals_2)
        buf5 = buf4
        assert_tensor_metadata(buf5, (2, 3), (3, 1), torch.bfloat16, 'copy')
        buf6 = empty_strided_cuda((2, 3, 4, 5), (60, 20, 5, 1), torch.float32)
"""  # noqa: E501  # a line of the generated text


def test_sizes_are_read_however_a_host_program_checks_them():
    assert triton_kernel.tensor_sizes(CHECKED_TOGETHER) == {
        "primals_1": (2, 3, 4, 5),
        "primals_2": (7,),
        "buf5": (2, 3),
        "buf6": (2, 3, 4, 5),
    }


def test_every_line_that_computes_is_explained():
    notes = dict(triton_kernel.scale_kernel(PROGRAM).annotated())
    assert notes["x1 = xindex // 20"].startswith("the number of the gate")
    load = "tmp1 = tl.load(in_ptr1 + (x1), xmask, eviction_policy='evict_last').to(tl.float32)"
    assert notes[load] == "reads buf5 (2×3) at element xindex // 20, and converts it"
    assert notes["tmp3 = tmp0 * tmp2"] == "multiplies, in a register"
    assert notes["tl.store(out_ptr0 + (x2), tmp3, xmask)"].startswith("writes buf6 (2×3×4×5)")
    assert all(notes.values())
    assert not any(line.startswith(("xmask", "xnumel")) for line in notes)


def test_a_program_in_which_nothing_multiplies_is_refused():
    with pytest.raises(
        LookupError, match="no kernel multiplies; there are triton_poi_fused_relu_0"
    ):
        triton_kernel.scale_kernel(GeneratedProgram((KERNEL,), HOST, ("triton_poi_fused_relu_0",)))


def test_what_kernels_do_is_counted_in_their_bodies_alone():
    bodies = triton_kernel.bodies(PROGRAM)
    assert "triton_meta" not in bodies
    counts = triton_kernel.tally(bodies)
    assert counts == {"loads": 2, "stores": 1, "multiplications": 1, "sums": 0}


def test_a_text_that_is_no_kernel_is_refused():
    with pytest.raises(ValueError, match="no kernel in this text"):
        triton_kernel.read("x = 1", HOST)
    with pytest.raises(ValueError, match="does not launch kernel_0"):
        triton_kernel.read(KERNEL, "")


PTX = "ld.global.v2.b32\nld.global.L1::x\nst.global.b32\nmul.f32\nmul.wide.s32\n"
GCN = "global_load_dwordx4\nglobal_store_dword\nv_pk_mul_f32\nv_mul_f32\n"


@pytest.mark.parametrize(
    ("backend", "assembly", "counts"), [("cuda", PTX, (2, 1, 1)), ("hip", GCN, (1, 1, 2))]
)
def test_instructions_are_counted_in_either_assembly(backend, assembly, counts):
    counted = triton_kernel.instructions(assembly, backend)
    assert (counted["loads"], counted["stores"], counted["multiplies"]) == counts


def test_a_size_that_is_named_after_its_kernel_loses_that_name_too():
    file = """triton_poi_fused_{op}_0 = async_compile.triton('triton_poi_fused_{op}_0', '''
pass
''', device_str='cuda')
del async_compile
        triton_poi_fused_{op}_0_xnumel = 64*s0
        triton_poi_fused_{op}_0.run(buf0, triton_poi_fused_{op}_0_xnumel, stream=raw_stream0)
runner = Runner()
"""
    plain, other = (normalise(file.format(op=op)) for op in ("mul", "expand_mul"))
    assert plain.host == other.host
    assert "kernel_0_xnumel = 64*s0" in plain.host
    assert plain.launches == 1
