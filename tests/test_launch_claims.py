"""What the launches of eager CUDA show about a claim, if they are the same and if not."""

import pytest
from worlds import CASE, findings, plain_world, planted

from investigation.claims.claim import Note, judge
from investigation.claims.ledger import CLAIMS
from investigation.evidence.kinds.gpus import Launch, SameLaunches
from investigation.evidence.questions import QuestionError, ask
from pipeline.pages import verdicts

BITS, MEMORY, LAYOUTS = ("T7", "V1"), ("T1", "C2", "P2"), ("T4", "V2", "D4")
NOTED = {claim.id: claim for claim in CLAIMS if claim.eager_cuda}
SHOWN, NOT_SO = "Shown by the launch", "The launch shows otherwise"


def same(operation, family, dtypes="same", differing=0, how="other kernels"):
    by = {"differing_by": {how: differing}, "example": "x × y"} if differing else {}
    return SameLaunches(statement="launches", operation=operation, family=family, dtypes=dtypes,
                        tried=9, differing=differing, **by)  # fmt: skip


def launch(calculates="mul", place=0, operation="multiply"):
    return Launch(
        statement="a launch", case=CASE, operation=operation, form="expand_as", place=place,
        calculates=calculates, shape=(4,), stride_bytes=((4,),), dtypes=("float32", "bfloat16"),
        contiguous=True, fits_32_bits=True, chip="sm_90",
    )  # fmt: skip


ALIKE = [
    *(same(operation, family)
      for operation in ("multiply", "gradient_of_input", "gradient_of_gate")
      for family in ("ordinary", "ambiguous", "volumes", "empty", "dtypes")),
    same("multiply", "dtypes", "mixed"),
    same("multiply", "narrow_gate", "mixed"),
    same("gradient_of_gate", "dtypes", "mixed", 3, "another order"),
    same("gradient_of_input", "dtypes", "mixed", 2, "other arguments"),
    launch(),
]  # fmt: skip

# The worlds in which the line of some claims is the opposite, and words that it then holds.
OTHERWISE = [
    (BITS, [same("multiply", "dtypes", "mixed", 4)], "differ in 4 of 63 settings"),
    (BITS, [same("multiply", "ordinary", "same", 1, "other arguments")], "other arguments in 1"),
    (MEMORY, [same("multiply", "dtypes", "mixed", 4)], "(other kernels in 4, such as x × y)"),
    (
        MEMORY,
        [launch("copy", place=1)],
        "more than the product is launched, for float32 and bfloat16",
    ),
    (LAYOUTS, [same("multiply", "volumes", "same", 2)], "differ in 2 of 90 settings"),
    (LAYOUTS, [same("multiply", "narrow_gate", "mixed", 3)], "differ in 3 of 90 settings"),
    (LAYOUTS, [same("gradient_of_gate", "ordinary", "same", 1)], "other kernels in 1"),
]


def world(*changed):
    return findings(planted(*ALIKE, *changed))


def note(claim, *changed):
    return NOTED[claim].eager_cuda.on(world(*changed))


def test_the_claims_that_have_a_line_are_these():
    assert set(NOTED) == {*BITS, *MEMORY, *LAYOUTS}


@pytest.mark.parametrize("claim", sorted(NOTED))
def test_where_the_launches_are_the_same_the_line_says_so_and_what_it_does_not_show(claim):
    assert note(claim).startswith(SHOWN)
    assert "Not shown: time, other backends, and a kernel that a library chooses" in note(claim)


@pytest.mark.parametrize(("claims", "changed", "words"), OTHERWISE)
def test_where_they_are_not_the_line_says_the_opposite(claims, changed, words):
    for claim in claims:
        assert note(claim, *changed).startswith(NOT_SO)
        assert words in note(claim, *changed)
        assert "Not shown: time" in note(claim, *changed)


def test_every_line_has_a_world_in_which_it_says_the_opposite():
    assert {claim for claims, *_ in OTHERWISE for claim in claims} == set(NOTED)


@pytest.mark.parametrize("claim", MEMORY)
def test_a_complex_gate_and_a_narrower_one_are_left_out_of_the_backward_pass_by_name(claim):
    line = note(claim)
    assert "a complex gate is conjugated and written to memory at full size (2 settings)" in line
    assert "a gate narrower than the product has its gradient rounded at full size (3 set" in line
    none = [same(f"gradient_of_{operand}", "dtypes", "mixed") for operand in ("input", "gate")]
    assert "The same holds in the backward pass. " in note(claim, *none)


@pytest.mark.parametrize("claim", MEMORY)
@pytest.mark.parametrize(
    "changed",
    [
        same("gradient_of_input", "ordinary", "same", 1, "other arguments"),
        same("gradient_of_input", "dtypes", "mixed", 1, "other kernels"),
    ],
)
def test_any_other_difference_in_the_backward_pass_is_not_taken_for_these(claim, changed):
    assert "Not in the backward pass: its launches differ in" in note(claim, changed)


@pytest.mark.parametrize("claim", BITS)
def test_the_gradients_say_nothing_of_the_outputs(claim):
    assert note(claim, same("gradient_of_gate", "ordinary", "same", 5)).startswith(SHOWN)


@pytest.mark.parametrize("claim", sorted(NOTED))
def test_no_launch_changes_a_verdict(claim):
    alike = judge(NOTED[claim], findings(plain_world()))
    for _, changed, _ in OTHERWISE:
        assert judge(NOTED[claim], world(*changed)) == alike


@pytest.mark.parametrize("claim", sorted(NOTED))
def test_without_launches_one_line_says_what_it_takes(claim):
    line = NOTED[claim].eager_cuda.on(findings(plain_world()))
    assert line.startswith("Not shown here: it takes a run of the GPU chapter")


def test_the_ledger_keeps_the_line_with_the_claim():
    lines = {claim["id"]: claim["eager_cuda"] for claim in verdicts.claims(world())}
    assert {name for name, line in lines.items() if line} == set(NOTED)
    assert lines["T7"] == note("T7")


def test_a_note_that_does_not_take_the_answers_to_its_questions_is_refused():
    with pytest.raises(QuestionError, match="its rule takes other, its questions are launches"):
        Note({"launches": ask(SameLaunches)}, lambda other: f"{other}", "a run")
