import pytest
from worlds import fact, findings, timing

from investigation.claims import ledger, rules_compiled
from investigation.compiled import fusion
from investigation.compiled.fusion import Setting, pairing, settings, where
from investigation.display import compiled_figures
from investigation.subject.cases import Case

CASE = Case(slug="small", name="small", shape=(2, 8, 4, 4))
NARROW = CASE.with_gate("bfloat16")


pytestmark = pytest.mark.usefixtures("compiler")


@pytest.fixture(scope="module")
def plain():
    return pairing(Setting("block", "inference", False, CASE))


@pytest.fixture(scope="module")
def copying():
    return pairing(Setting("block", "inference", False, CASE), "broadcast", "opaque")


def test_in_a_block_of_one_dtype_the_two_forms_are_one_program(plain):
    assert plain.same_kernels
    assert plain.same_source
    assert plain.fused
    assert compiled_figures.mark(plain) == "="


def test_a_copy_that_inductor_cannot_remove_is_another_program_with_a_kernel_more(copying):
    assert not copying.same_kernels
    assert not copying.same_source
    assert not copying.same_count
    assert not copying.fused
    assert compiled_figures.mark(copying) == "≠"


def test_training_with_a_narrow_gate_is_told_apart():
    found = pairing(Setting("multiply", "training", False, NARROW))
    assert not found.same_kernels
    assert found.baseline.passes > found.candidate.passes


def test_what_differs_in_the_host_program_only_has_a_mark_of_its_own():
    found = pairing(Setting("multiply", "training", True, CASE))
    assert found.same_kernels
    assert not found.same_source
    assert compiled_figures.mark(found) == "≈"


def test_a_setting_has_a_name_and_a_slug_that_say_all_of_it():
    setting = Setting("block", "training", True, NARROW.with_format("channels_last"))
    kind = "block, training, float32 under autocast to bfloat16"
    assert setting.name == f"{kind}, dynamic, channels_last"
    assert setting.slug == "block.training.float32_bfloat16.dynamic.channels_last"
    assert Setting("multiply", "training", True, NARROW).dtypes == "float32 × bfloat16"


def test_settings_cross_everything_but_what_autocast_cannot_make():
    tried = list(settings(CASE, ["float32", "float32:bfloat16", "bfloat16:float32"]))
    assert len(tried) == 2 * 2 * 2 * (3 + 2)
    assert len({one.slug for one in tried}) == len(tried)
    widened = [one for one in tried if one.case.gate_dtype == "float32"]
    assert {one.level for one in widened} == {"multiply"}
    assert len(list(settings(CASE, ["float32"], ["multiply"]))) == 8


def judged(found):
    """The compiled claims on the evidence of some pairings."""
    held = {
        rules_compiled.SAME_KERNELS: lambda one: one.same_kernels,
        rules_compiled.FUSED: lambda one: one.fused,
        rules_compiled.SAME_SOURCE: lambda one: one.same_source,
    }
    world = {}
    for name, test in held.items():
        count, details = fusion.agreement(found, test)
        world[f"{name}.cpu"] = fact(f"{name}.cpu", count, "codegen", details=details)
    verdicts = ledger.verdicts(findings(world))
    return [verdicts[claim].status for claim in ("C3", "D3", "P3")]


def test_the_claims_flip_when_the_copy_is_real(plain, copying):
    assert judged([plain]) == ["supported"] * 3
    assert judged([copying]) == ["refuted"] * 3
    assert judged([plain, copying]) == ["qualified"] * 3


def test_where_things_differ_is_said_together_and_only_as_far_as_it_reaches():
    tried = list(settings(CASE, ["float32", "bfloat16"], ["multiply"]))
    training = [one for one in tried if one.mode == "training"]
    assert where(training, tried) == ["multiply, training: float32, bfloat16"]
    dynamic = [one for one in training if one.dynamic and one.dtypes == "float32"]
    assert where(dynamic, tried) == [
        "multiply, training, only dynamic contiguous and dynamic channels_last: float32"
    ]
    assert where([], tried) == []


def test_the_grid_marks_each_setting(plain, copying):
    figure = compiled_figures.program_grid([plain])
    assert [text.get_text() for text in figure.axes[0].texts] == ["="]
    figure = compiled_figures.program_grid([copying])
    assert [text.get_text() for text in figure.axes[0].texts] == ["≠"]


def test_a_figure_of_a_few_comparisons_has_a_row_for_each():
    records = [timing("timing.compiled.a", 1.2, "slower"), timing("timing.compiled.b", 1, "faster")]
    (axis,) = compiled_figures.few_comparisons(records, ["one", "two"], 0.01).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]


def test_fresh_processes_generate_the_same_as_this_one(plain):
    (found,) = fusion.pairings([plain.setting], processes=1)
    assert found.candidate.digest == plain.candidate.digest
