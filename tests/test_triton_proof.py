"""Kernels for GPUs that are not here, really compiled; skipped without Triton."""

import ast
import dataclasses
import importlib.util

import nbformat
import papermill
import process_jobs
import pytest

from investigation.compiled import compile_settings, fusion
from investigation.compiled.compile_settings import CompileSetting
from investigation.compiled.triton import build as triton_build
from investigation.compiled.triton import coverage
from investigation.compiled.triton import kernel as triton_kernel
from investigation.compiled.triton import proof as triton_proof
from investigation.compiled.triton import recording as triton_recording
from investigation.compiled.triton import targets as triton_targets
from investigation.compiled.triton.agreement import LAYERS
from investigation.compiled.triton.build import Built
from investigation.compiled.triton.installed import NoTritonError
from investigation.compiled.triton.proof import Proof, ProofError
from investigation.compiled.triton.targets import Compiled
from investigation.subject import gpu_catalog
from investigation.subject.cases import Case
from investigation.timing.processes import Reply
from pipeline import places

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

CASE = Case(slug="small", name="small", shape=(4, 16, 8, 8))
BLOCK = CompileSetting("block", "training", False, CASE)
MIXED = CompileSetting("multiply", "inference", False, CASE.with_gate("bfloat16"))
CHIPS = [gpu_catalog.chip(slug) for slug in ("sm_90", "gfx942")]
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton does not exist on this platform"
)


@pytest.fixture(scope="module")
def built():
    """Both forms and the controls, for a chip of each maker."""
    return triton_proof.prove(CHIPS, [BLOCK, MIXED])


@needs_triton
@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.slug)
def test_both_forms_are_the_same_down_to_the_binary(built, chip):
    (row,) = [
        row_of_chip for row_of_chip in built.against("broadcast") if row_of_chip.chip == chip.slug
    ]
    assert row.same == dict.fromkeys(LAYERS, 2)
    variants = built.variants(chip.slug, BLOCK)
    assert len(variants["expand_as"].compiled) >= variants["expand_as"].launches
    assert all(kernel.binary_bytes > 1000 for kernel in variants["expand_as"].compiled)


@needs_triton
@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.slug)
def test_a_copy_that_cannot_be_fused_away_shows_as_a_kernel_and_as_traffic(built, chip):
    variants = built.variants(chip.slug, BLOCK)
    assert variants["materialized"].source_sha256 == variants["broadcast"].source_sha256
    assert variants["opaque"].source_sha256 != variants["broadcast"].source_sha256
    assert variants["opaque"].kernels > variants["broadcast"].kernels
    moved = {
        name: triton_kernel.scale_kernel(variants[name].programs[0].program()).bytes_moved
        for name in ("broadcast", "opaque")
    }
    full = 4 * CASE.elements
    assert moved["broadcast"] == 2 * full + 4 * 4 * 16
    assert moved["opaque"] == 3 * full


@needs_triton
def test_the_gate_is_read_once_a_channel_and_never_written_out(built):
    forward = built.shown(BLOCK)["expand_as"].programs[0].program()
    x, gate, output = triton_kernel.scale_kernel(forward).accesses
    assert (x.kind, gate.kind, output.kind) == ("load", "load", "store")
    assert gate.shape == (4, 16)
    assert gate.index == "xindex // 64"
    sizes = triton_kernel.tensor_sizes(forward.host)
    full = [name for name, shape in sizes.items() if shape == CASE.shape]
    assert full == [x.tensor, output.tensor]


@needs_triton
def test_with_two_dtypes_the_conversion_happens_inside_the_kernel(built):
    program = built.shown(MIXED)["expand_as"].programs[0].program()
    _, gate, _ = triton_kernel.scale_kernel(program).accesses
    assert ".to(tl.float32)" in gate.line
    assert gate.bytes == 2 * 4 * 16


@needs_triton
def test_the_assembly_is_the_chips_own_and_holds_no_path(built):
    for chip, mark in (("sm_90", ".target sm_90a"), ("gfx942", "gfx942")):
        for kernel in built.variants(chip, BLOCK)["expand_as"].compiled:
            assert mark in kernel.assembly
            assert ".py" not in kernel.assembly


@needs_triton
def test_a_second_run_makes_the_same(built):
    again = triton_proof.prove(CHIPS[:1], [MIXED])
    assert again.shown(MIXED) == built.shown(MIXED)


@needs_triton
def test_a_process_that_fails_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(triton_proof, "build_all", process_jobs.refuses)  # which compiles nothing
    with pytest.raises(ProofError, match="compiling for sm_90 failed: KeyError: 'sm_90: no such"):
        triton_proof.prove(CHIPS[:1], [MIXED])


def test_without_triton_that_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NoTritonError, match="not installed here"):
        triton_targets.require_triton()
    with pytest.raises(NoTritonError):
        triton_proof.prove(CHIPS, [MIXED])


@needs_triton
def test_a_text_without_a_kernel_is_refused():
    with pytest.raises(ValueError, match="no Triton kernel in this text: 'x = 1'"):
        triton_targets.compiled("x = 1", CHIPS[0])


def test_two_forms_that_were_not_compiled_are_not_the_same_for_that():
    bare = [
        made_up(form).model_copy(update={"compiled": ()}) for form in ("expand_as", "broadcast")
    ]
    assert Proof(tuple(bare)).against("broadcast", layers=("source",))[0].same["source"] == 1
    with pytest.raises(ProofError, match="neither form was compiled: block, training"):
        Proof(tuple(bare)).against("broadcast")


def made_up(variant, binary="b", assembly="a", **rest):
    code = Compiled(
        kernel="kernel_0",
        configuration="c",
        assembly_sha256=assembly,
        binary_sha256=binary,
        binary_bytes=1,
        assembly="",
    )
    plain = {"source_sha256": "s", "kernels_sha256": "k", "kernels": 3, "launches": 3}
    more = {"library_calls": (), "full_size": 1, "scales_alone": False, "programs": ()}
    filled = plain | more | rest
    return Built(chip="sm_90", setting=BLOCK, variant=variant, compiled=(code,), **filled)


@pytest.mark.parametrize(
    ("change", "layer"),
    [
        ({"source_sha256": "t"}, "source"),
        ({"kernels_sha256": "l"}, "kernels"),
        ({"assembly": "d"}, "assembly"),
        ({"binary": "c"}, "binary"),
    ],
)
def test_a_difference_in_any_layer_shows_in_that_layer_alone(change, layer):
    worlds = [made_up("broadcast"), made_up("expand_as", **change)]
    (row,) = Proof(tuple(worlds)).against("broadcast")
    assert row.same == {tried_layer: int(tried_layer != layer) for tried_layer in LAYERS}
    assert row.differing[layer] == (BLOCK,)
    assert compile_settings.where(row.differing[layer], row.tried)


@pytest.mark.parametrize(
    ("change", "held"), [({}, True), ({"kernels": 4}, False), ({"scales_alone": True}, False)]
)
def test_fused_means_as_many_kernels_and_none_for_the_scale_step_alone(change, held):
    worlds = [made_up("broadcast"), made_up("expand_as", **change)]
    assert Proof(tuple(worlds)).fused("sm_90") == [(BLOCK, held)]


@pytest.mark.parametrize("shares", [1, 2])
def test_settings_are_dealt_so_that_no_process_gets_all_the_dear_ones(shares):
    settings = list(compile_settings.every(CASE, ["float32", "bfloat16"]))
    dealt = triton_proof.dealt_out(settings, shares)
    assert len(dealt) == shares
    assert sorted(setting.slug for share in dealt for setting in share) == sorted(
        setting.slug for setting in settings
    )
    for dear in ("dynamic", "channels_last", "training", "block", "block.training"):
        counts = [sum(dear in setting.slug for setting in share) for share in dealt]
        assert counts == [sum(dear in setting.slug for setting in settings) // shares] * shares
    assert [len(share) for share in triton_proof.dealt_out(settings[:1], 8)] == [1]
    assert triton_proof.dealt_out(settings[:1], 0) == [settings[:1]]


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_each_form_is_built_in_processes_of_its_own_with_caches_of_their_own(monkeypatch, cores):
    jobs_put = []

    def answered(jobs, _):
        jobs_put.extend(jobs)
        return [Reply([]) for _ in jobs]

    monkeypatch.setattr(triton_targets, "require_triton", lambda: "Triton")
    monkeypatch.setattr(triton_proof, "CORES", cores)
    monkeypatch.setattr(triton_proof, "in_fresh_processes", answered)
    triton_proof.prove(CHIPS, [BLOCK, MIXED])
    by_form = {form: [job for job in jobs_put if job.arguments["form"] == form]
               for form in coverage.FORMS}  # fmt: skip
    shares = [[job.arguments["dumped"] for job in jobs] for jobs in by_form.values()]
    assert shares[0] == shares[1]
    assert len(shares[0]) == min(2, max(1, cores // 2))
    for cache in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TMPDIR"):
        assert len({job.environment[cache] for job in jobs_put}) == len(jobs_put)


def test_the_controls_are_made_at_every_level_and_in_every_mode_and_for_every_chip():
    settings = list(compile_settings.every(CASE, declared("07_gpu")))
    with_controls = [setting for setting in settings if coverage.has_controls(setting)]
    assert all(map(coverage.is_shown, with_controls))
    assert {(setting.level, setting.mode) for setting in with_controls} == {
        (setting.level, setting.mode) for setting in settings
    }
    for_every_chip = [setting for setting in with_controls if coverage.in_full(setting)]
    assert {setting.level for setting in for_every_chip} == {"multiply", "block"}
    assert {setting.case.memory_format for setting in for_every_chip} == {
        "contiguous",
        "channels_last",
    }
    assert any(setting.case.gate_dtype for setting in for_every_chip if setting.level == "block")


def test_a_process_makes_one_form_and_its_control_and_never_the_other_form(monkeypatch):
    variants = []

    def keep(_setting, variant, _target):
        variants.append(variant)
        return variant

    monkeypatch.setattr(fusion, "made_in", keep)
    monkeypatch.setattr(triton_targets, "apart", lambda *_: [])
    for form in coverage.FORMS:
        for setting in (BLOCK, dataclasses.replace(BLOCK, dynamic=True)):
            assert list(triton_build.build([], setting, form)) == []
    assert variants == [
        "expand_as",
        "materialized",
        "expand_as",
        "broadcast",
        "opaque",
        "broadcast",
    ]


def declared(notebook):
    parameters = papermill.inspect_notebook(str(places.NOTEBOOKS / f"{notebook}.ipynb"))
    return ast.literal_eval(parameters["dtype_pairs"]["default"])


def test_the_settings_are_those_of_the_compiled_chapter():
    assert declared("07_gpu") == declared("06_compiled")
    for name in ("06_compiled", "07_gpu"):
        cells = nbformat.read(places.NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
        assert any(
            "list(compile_settings.every(case, settings.dtype_pairs" in cell.source
            for cell in cells
        )


def test_every_setting_is_compiled_for_the_first_chip_and_what_the_others_lack_is_named():
    settings = list(compile_settings.every(CASE, declared("07_gpu")))
    chips = [gpu_catalog.chip(slug) for slug in ("sm_80", "sm_90", "gfx942")]
    every, fewer = coverage.left_out(settings, chips)
    assert every == (chips[:1], [])
    others, without = fewer
    assert others == chips[1:]
    full = [setting for setting in settings if setting not in without]
    assert full == [setting for setting in settings if coverage.in_full(setting)]
    blocks = [setting for setting in full if setting.level == "block"]
    assert {(block.mode, block.dynamic) for block in blocks} == {("training", False)}
    assert {block.case.gate_dtype for block in blocks} == {None, "bfloat16"}
    assert {block.case.dtype for block in blocks} == {"float32", "bfloat16", "float16"}
    assert {block.case.memory_format for block in blocks} == {"contiguous", "channels_last"}
    assert MIXED in full
    named = " ".join(compile_settings.where(without, settings))
    for setting in without:
        assert setting.dtypes in named


def test_a_setting_that_is_not_for_every_chip_is_generated_for_the_first_alone(monkeypatch):
    generated = {}

    def keep(setting, _variant, target):
        generated[setting.slug] = target.name

    monkeypatch.setattr(fusion, "made_in", keep)
    monkeypatch.setattr(triton_targets, "apart", lambda _, chips: [None for _ in chips])
    monkeypatch.setattr(triton_build, "_built", lambda *_: None)
    for setting in (BLOCK, dataclasses.replace(BLOCK, dynamic=True)):
        list(triton_build.build(CHIPS, setting, "expand_as"))
    both = " and ".join(chip.name for chip in CHIPS)
    assert list(generated.values()) == [both, CHIPS[0].name]


@needs_triton
def test_the_line_alone_becomes_a_record_a_form_that_tells_a_difference(built):
    forms = list(triton_recording.machine_code(built))
    assert [form.form for form in forms] == ["expand_as", "broadcast"]
    assert forms[0].binary_sha256 == forms[1].binary_sha256
    assert "reads an element of the gate (4×16×1×1)" in forms[0].words[1]
    code = built.variants("sm_90", MIXED)["broadcast"]
    planted = code.model_copy(
        update={"compiled": (code.compiled[0].model_copy(update={"binary_sha256": "other"}),)}
    )
    world = Proof(tuple(planted if program == code else program for program in built.built))
    plain, other = triton_recording.machine_code(world)
    assert plain.binary_sha256 != other.binary_sha256 == "other"


@needs_triton
def test_the_difference_between_two_kernels_is_shown_and_what_they_do_is_counted(built):
    assert built.first_difference() is None
    plain = built.shown(BLOCK)["broadcast"]
    first, *rest = plain.programs
    doubled = [text.replace("tmp0 * tmp", "tmp0 * tmp0 * tmp") for text in first.kernels]
    other = plain.model_copy(
        update={
            "variant": "expand_as",
            "kernels_sha256": "other",
            "programs": (first.model_copy(update={"kernels": tuple(doubled)}), *rest),
        }
    )
    difference = Proof((plain, other)).first_difference()
    assert difference.setting == BLOCK
    assert not difference.same_forward
    assert "+    tmp3 = tmp0 * tmp0 * tmp2" in difference.diff
    assert difference.does["broadcast"]["loads"] == difference.does["expand_as"]["loads"] > 0


def test_a_difference_whose_text_was_not_kept_is_not_shown():
    worlds = [made_up("broadcast"), made_up("expand_as", kernels_sha256="other")]
    assert Proof(tuple(worlds)).first_difference() is None


@pytest.mark.parametrize(
    ("change", "held"),
    [({}, True), ({"kernels": 2}, True), ({"kernels": 4}, False), ({"full_size": 2}, False)],
)
def test_elided_means_no_kernel_and_no_tensor_as_large_as_the_input_more(change, held):
    worlds = [made_up("broadcast"), made_up("expand_as", **change)]
    assert Proof(tuple(worlds)).elided("sm_90") == [(BLOCK, held)]
