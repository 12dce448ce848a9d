from dataclasses import replace

import process_jobs
import pytest

from investigation.claims import ledger
from investigation.compiled import fusion
from investigation.compiled.compile_settings import CompileSetting, where
from investigation.compiled.fusion import pairing
from investigation.display import compiled_figures, figure_data
from investigation.evidence.kinds.timings import MARGIN, Timed, Timing
from investigation.evidence.questions import Findings
from investigation.evidence.recorder import Recorder
from investigation.subject.cases import Case

CASE = Case(slug="small", name="small", shape=(2, 8, 4, 4))
NARROW = CASE.with_gate("bfloat16")


pytestmark = [pytest.mark.usefixtures("compiler"), pytest.mark.slow]


@pytest.fixture(scope="module")
def plain():
    return pairing(CompileSetting("block", "inference", False, CASE))


@pytest.fixture(scope="module")
def copying():
    return pairing(CompileSetting("block", "inference", False, CASE), "broadcast", "opaque")


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
    pair = pairing(CompileSetting("multiply", "training", False, NARROW))
    assert not pair.same_kernels
    assert pair.baseline.passes > pair.candidate.passes


def test_what_differs_in_the_host_program_only_has_a_mark_of_its_own():
    pair = pairing(CompileSetting("multiply", "training", True, CASE))
    assert pair.same_kernels
    assert not pair.same_source
    assert compiled_figures.mark(pair) == "≈"


def test_what_is_kept_of_a_pair_are_its_setting_and_both_programs(copying):
    record = copying.record()
    assert (record.level, record.mode, record.shapes, record.case) == (
        "block",
        "inference",
        "static",
        CASE,
    )
    assert (record.same_kernels, record.same_source) == (False, False)
    assert record.baseline.sha256 == copying.baseline.digest
    assert record.candidate.kernels == copying.candidate.kernels > record.baseline.kernels
    assert record.candidate.names == copying.candidate.names


def judged(pairings):
    """The compiled claims on the evidence of some pairings."""
    recorder = Recorder("06_compiled")
    recorder.keep(pairings[0].record())
    for layer in fusion.AGREEING:
        recorder.keep(fusion.agreement(pairings, layer))
    verdicts = ledger.verdicts(Findings((recorder.evidence(),)))
    return [verdicts[claim].status for claim in ("C3", "D3", "P3")]


def test_the_claims_flip_when_the_copy_is_real(plain, copying):
    assert judged([plain]) == ["supported"] * 3
    assert judged([copying]) == ["refuted"] * 3
    assert judged([plain, copying]) == ["qualified"] * 3


@pytest.mark.parametrize("mode", ["inference", "training"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_a_copy_that_inductor_cannot_remove_is_counted_as_large_as_the_input(mode, dynamic):
    pair = pairing(CompileSetting("block", mode, dynamic, CASE), "broadcast", "opaque")
    assert pair.candidate.full_size == pair.baseline.full_size + 1
    assert pair.record().candidate.full_size == pair.candidate.full_size
    assert not pair.elided


@pytest.mark.parametrize("gate_dtype", [None, "bfloat16"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_of_the_line_alone_only_the_output_is_as_large_as_the_input(gate_dtype, dynamic):
    case = CASE.with_gate(gate_dtype) if gate_dtype else CASE
    pair = pairing(CompileSetting("multiply", "inference", dynamic, case))
    assert (pair.baseline.full_size, pair.candidate.full_size) == (1, 1)
    assert pair.elided


# As Inductor writes them for the block of `CASE`: a tensor of the gate's size, and of the input's.
ALLOCATED = {
    "a small tensor": "buf90 = empty_strided_cpu((2, 8, 1, 1), (8, 1, 1, 1), torch.float32)",
    "a full-size tensor": "buf90 = empty_strided_cpu((2, 8, 4, 4), (128, 16, 4, 1), torch.float32)",
}


def with_another_tensor(pair, allocation):
    """The same pair, whose candidate allocates a tensor more."""
    program = pair.candidate.programs[0]
    host, line = program.host, "        return ("
    assert host.count(line) == 1
    more = replace(program, host=host.replace(line, f"        {allocation}\n{line}"))
    return replace(pair, candidate=replace(pair.candidate, programs=(more,)))


@pytest.mark.parametrize(
    ("what", "status"), [("a small tensor", "supported"), ("a full-size tensor", "refuted")]
)
def test_only_a_tensor_as_large_as_the_input_is_something_of_the_expansion(plain, what, status):
    pair = with_another_tensor(plain, ALLOCATED[what])
    assert pair.candidate.buffers == pair.baseline.buffers + 1
    assert judged([pair])[0] == status


def test_an_agreement_counts_and_names_where_there_is_none(plain, copying):
    counted = fusion.agreement([plain, copying], "kernels")
    assert (counted.tried, counted.agreeing, counted.target) == (2, 1, "cpu")
    assert counted.differ == tuple(where([copying.setting], [plain.setting, copying.setting]))
    assert fusion.agreement([plain], "kernels").differ == ()


def test_the_grid_marks_each_setting(plain, copying):
    figure = compiled_figures.program_grid([plain])
    assert [text.get_text() for text in figure.axes[0].texts] == ["="]
    figure = compiled_figures.program_grid([copying])
    assert [text.get_text() for text in figure.axes[0].texts] == ["≠"]


def timed(ratio, verdict):
    ends = (ratio - 0.01, ratio + 0.01)
    alone = Timed(
        ratio=ratio, ratio_interval=ends, margin=MARGIN, verdict_in_family=verdict, pairs=40,
        difference_s=ratio - 1, difference_interval_s=(ends[0] - 1, ends[1] - 1), baseline_s=1.0,
        candidate_s=ratio, equivalence_p=0.5, calls_per_block=1,
    )  # fmt: skip
    return Timing(
        statement="compiled", level="multiply", runtime="compile", ratio=ratio, interval=ends,
        confidence=0.95, margin=MARGIN, verdict=verdict, alone=alone,
    )  # fmt: skip


def test_a_figure_of_a_few_comparisons_has_a_row_for_each():
    timings = {"one": timed(1.2, "slower"), "two": timed(1.0, "equivalent")}
    figure = compiled_figures.few_comparisons(timings, MARGIN)
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]
    percents = {"one": [19, 20, 21], "two": [-1, 0, 1]}
    for name, expected in percents.items():
        (row,) = (row for row in figure_data.points(figure) if row["y"] == name)
        assert [row["low"], row["x"], row["high"]] == pytest.approx(expected)


def test_fresh_processes_generate_the_same_as_this_one(plain):
    (pair,) = fusion.pairings([plain.setting], processes=1)
    assert pair.candidate.digest == plain.candidate.digest


def test_what_is_compiled_has_room_for_its_calls(monkeypatch):
    seen = []
    monkeypatch.setattr(fusion, "made_in", lambda *_: seen.append(process_jobs.has_room()))
    fusion.pairing("a setting")
    assert seen == [True, True]
    assert not process_jobs.has_room()
