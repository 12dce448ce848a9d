import json

import pytest
from worlds import (
    COPIES_MIXED,
    COPIES_SAME,
    SLOW_BY_CHANCE,
    SLOW_EXPORTED,
    SLOW_MIX,
    SLOW_MULTIPLY,
    WRITES,
    agreement,
    block_in,
    block_tensors,
    by_identity,
    calls,
    equality,
    findings,
    grown,
    mixed_dtypes,
    multiply,
    network,
    pairings,
    parting,
    plain_world,
    planted,
    program,
    recalibration,
    survival,
    training_step,
    view,
)

from investigation.claims import words
from investigation.claims.claim import Claim, judge, supported
from investigation.claims.ledger import CLAIMS
from investigation.claims.questions import MULTIPLY
from investigation.claims.scope import scope
from investigation.evidence.environment import describe
from investigation.evidence.kinds.correctness import RUNS, Acceptance, Equality
from investigation.evidence.questions import QuestionError, ask
from investigation.subject.cases import Case
from pipeline.pages import verdicts

BY_ID = {claim.id: claim for claim in CLAIMS}
SLOW_NETWORK = network(1.02, "slower")
UNCLEAR_NETWORK = network(1.0, "inconclusive", 0.05)

# What each claim comes to in the plain world.
PLAIN = {
    "T1": "qualified", "T2": "supported", "T3": "supported", "T4": "refuted", "T5": "qualified",
    "T6": "refuted", "T7": "supported", "C1": "supported", "C2": "supported", "C3": "supported",
    "C4": "supported", "D1": "supported", "D2": "supported", "D3": "supported", "D4": "supported",
    "P1": "supported", "P2": "supported", "P3": "supported", "P4": "refuted", "P5": "supported",
    "V1": "supported", "V2": "supported", "V3": "supported",
    "X1": "refuted", "X2": "untested", "X3": "supported",
}  # fmt: skip

# The worlds in which it comes to something else, and what the sentence must then say.
FLIPS = [
    ("T1", [COPIES_MIXED], "qualified", "where input and gate differ in dtype"),
    ("T1", [COPIES_SAME, COPIES_MIXED], "qualified", "where the dtypes are the same"),
    ("T1", [COPIES_SAME], "qualified", "where the dtypes are the same"),
    ("T1", [view(is_view=False)], "refuted", "neither a view nor a copy"),
    ("T1", [WRITES], "qualified", "1 of 2 exported runtimes write it out in full: library"),
    ("T1", [COPIES_SAME, COPIES_MIXED, WRITES], "qualified", "1 of 2 exported runtimes"),
    (
        "T1",
        [COPIES_SAME, COPIES_MIXED, WRITES, program("compiler", 2**24)],
        "supported",
        "in every setting tried",
    ),
    ("T2", [view(is_view=False)], "refuted", "does not return a view"),
    ("T2", [equality("same_dtype", 16, 1)], "refuted", "other bits"),
    ("T3", [equality("reference", 1, 1)], "refuted", "differs from the product"),
    ("T4", [pairings("ordinary", 1)], "supported", "ordinary layouts"),
    (
        "T4",
        [block_tensors("channels_last", detached=True, differing=1)],
        "supported",
        "channels_last, detached",
    ),
    ("T5", [calls("expand_as", 1)], "refuted", "No operation more anywhere"),
    ("T5", [survival("torch.compile", True)], "supported", "runs in torch.compile."),
    (
        "T5",
        [survival("torch.export", True)],
        "qualified",
        "an operation more runs in torch.export; none more in torch.compile",
    ),
    (
        "T5",
        [survival("torch.export", True), calls("expand_as", 1)],
        "qualified",
        "makes 1 ATen calls",
    ),
    ("T6", network(1.04, "slower"), "supported", "at every level"),
    ("T6", [SLOW_MULTIPLY], "qualified", "+5.00 %"),
    ("T6", [SLOW_MIX], "qualified", "2.3 times"),
    ("T6", [SLOW_EXPORTED], "qualified", "exported: up to +60.00 % (+59.80 to +60.20) in library"),
    ("T6", [*network(1.04, "slower"), SLOW_EXPORTED], "qualified", "depends on the setting"),
    ("T6", UNCLEAR_NETWORK, "untested", "cannot tell"),
    ("T7", [equality("same_dtype", 16, 1)], "refuted", "differ for input and gate of one dtype"),
    ("T7", [grown(5)], "qualified", "5 that `expand_as` refuses"),
    ("T7", [mixed_dtypes(27)], "qualified", "27 of 180 pairs"),
    ("C1", SLOW_NETWORK, "refuted", "+2.00 %"),
    ("C1", [equality("same_dtype", 16, 1)], "refuted", "Not of low impact"),
    ("C1", [SLOW_MIX], "qualified", "2.3 times"),
    ("C1", UNCLEAR_NETWORK, "untested", "cannot tell"),
    ("C2", [view(shares_storage=False)], "refuted", "does not return a view"),
    ("C2", [view(bytes_allocated=4)], "refuted", "no memory"),
    ("C4", SLOW_NETWORK, "refuted", "measurable in the network"),
    ("C4", [SLOW_MULTIPLY], "qualified", "measurable one below it"),
    ("C4", training_step(1.02, "slower"), "refuted", "measurable in the network"),
    ("C4", training_step(1.0, "inconclusive", 0.05), "untested", "a training step"),
    ("D1", training_step(1.02, "slower"), "refuted", "+2.00 %"),
    ("D1", training_step(1.02, "slower", formats=("channels_last",)), "refuted", "+2.00 %"),
    ("D1", training_step(0.97, "faster"), "refuted", "-3.00 %"),
    ("D1", training_step(1.008, "slower", 0.004), "untested", "cannot tell"),
    ("D1", training_step(1.0, "inconclusive", 0.05), "untested", "cannot tell"),
    ("D1", parting("gate_bfloat16"), "qualified", "gate_bfloat16 (from step 4 of 69"),
    ("D1", parting("contiguous"), "qualified", "In 5 of 6"),
    ("D1", parting(*RUNS), "refuted", "part in every run"),
    ("D2", [view(bytes_allocated=4)], "refuted", "memory of its own"),
    ("D2", recalibration(1.3), "qualified", "not cheap by the rule"),
    (
        "D2",
        recalibration(1.09, width=0.02, formats=("contiguous",)),
        "qualified",
        "undecided",
    ),
    ("C3", [agreement("kernels", 70)], "qualified", "same in 70 of 88 settings tried"),
    (
        "C3",
        [agreement("kernels", 70, differ=("training: float32",))],
        "qualified",
        "(not in training: float32)",
    ),
    ("C3", [agreement("kernels", 0)], "refuted", "same in 0 of 88"),
    ("C3", [agreement("kernels", 80, "gpu")], "qualified", "for gpu, the generated"),
    ("D3", [agreement("fused", 87)], "qualified", "in 87 of 88"),
    ("D3", [agreement("fused", 0)], "refuted", "in 0 of 88"),
    ("P3", [agreement("source", 1)], "qualified", "in 1 of 88"),
    ("P3", [agreement("source", 0)], "refuted", "in 0 of 88"),
    ("D4", [pairings("channels_last", 1)], "refuted", "do not stay identical"),
    ("P1", SLOW_NETWORK, "refuted", "Not negligible"),
    ("P1", [SLOW_MIX], "qualified", "2.3 times"),
    ("P2", [COPIES_MIXED], "qualified", "16,384 KiB beside the output"),
    ("P2", [view(bytes_allocated=4)], "refuted", "memory of its own"),
    ("P4", [grown(5)], "supported", "refuses 5"),
    ("P5", SLOW_NETWORK, "refuted", "Not only style"),
    ("P5", [COPIES_MIXED], "qualified", "never only style"),
    ("P5", [grown(5)], "qualified", "drops a shape check"),
    ("V1", [equality("same_dtype", 16, 1)], "refuted", "differ"),
    ("V1", [mixed_dtypes(27)], "qualified", "27 of 180"),
    ("V2", [pairings("ambiguous", 2)], "refuted", "ambiguous layouts"),
    ("V3", SLOW_NETWORK, "refuted", "takes longer"),
    ("V3", [SLOW_MULTIPLY], "qualified", "longer in the multiply alone"),
    ("V3", UNCLEAR_NETWORK, "untested", "cannot tell"),
    ("X1", [WRITES], "qualified", "in full: library. Nothing more is written by compiler"),
    ("X1", [WRITES, program("compiler", 8)], "supported", "2 of 2 exported runtimes"),
    ("X1", [WRITES, program("eager", 0, "pytorch")], "qualified", "1 of 2 exported"),
    ("X2", [WRITES], "refuted", "slower in none of them"),
    ("X2", [WRITES, SLOW_EXPORTED], "supported", "library; and nowhere else"),
    (
        "X2",
        [WRITES, SLOW_EXPORTED, block_in("compiler", 1.2, "slower")],
        "qualified",
        "also in compiler",
    ),
    (
        "X2",
        [WRITES, SLOW_EXPORTED, program("compiler", 2**24)],
        "qualified",
        "not seen in compiler",
    ),
    ("X3", [program("mend", 2**24, "remedy")], "refuted", "all the same: mend"),
    ("X3", [program("mend", 0, "remedy", equal=False)], "refuted", "all the same: mend"),
    ("X3", [block_in("mend", 1.3, "slower", "remedy")], "refuted", "all the same: mend"),
    (
        "X3",
        [program("rule", 8, "remedy"), block_in("rule", family="remedy")],
        "qualified",
        "It does in 1 of 2",
    ),
]


def judged(claim, *records):
    return judge(BY_ID[claim], findings(planted(*records)))


def test_every_sentence_of_the_ticket_and_its_reviews_is_in_the_ledger():
    expected = [f"T{i}" for i in range(1, 8)] + [f"C{i}" for i in range(1, 5)]
    expected += [f"D{i}" for i in range(1, 5)] + [f"P{i}" for i in range(1, 6)]
    expected += ["V1", "V2", "V3"]
    assert [claim.id for claim in CLAIMS if claim.who != words.OURS] == expected


@pytest.mark.parametrize("claim", BY_ID)
def test_the_plain_world_has_its_verdict(claim):
    assert judged(claim).status == PLAIN[claim], judged(claim).sentence


@pytest.mark.parametrize(("claim", "records", "status", "says"), FLIPS)
def test_another_world_has_another_verdict(claim, records, status, says):
    verdict = judged(claim, *records)
    assert verdict.status == status, verdict.sentence
    assert says in verdict.sentence
    assert verdict != judged(claim)


@pytest.mark.parametrize("claim", ["T6", "C4", "V3"])
def test_one_multiply_that_is_slower_by_chance_moves_no_claim(claim):
    verdict = judged(claim, SLOW_BY_CHANCE)
    assert verdict.status == PLAIN[claim], verdict.sentence


def test_every_claim_has_a_world_in_which_its_verdict_flips():
    flipped = {claim for claim, _, status, _ in FLIPS if status != PLAIN[claim]}
    assert flipped == set(BY_ID)


@pytest.mark.parametrize("claim", BY_ID)
def test_a_claim_is_untested_and_names_the_question_that_has_no_answer(claim):
    for question in BY_ID[claim].questions.values():
        if question.required:
            world = {key: one for key, one in plain_world().items() if not question.matches(one)}
            verdict = judge(BY_ID[claim], findings(world))
            assert verdict.status == "untested"
            assert BY_ID[claim].needs in verdict.sentence
            assert str(question) in dict(verdict.table)["without an answer"]


@pytest.mark.parametrize("claim", ["T6", "C1", "C4", "D1", "D2", "P1", "P5", "V3"])
def test_a_step_measured_in_one_memory_format_only_decides_nothing(claim):
    one_format = {
        key: one
        for key, one in plain_world().items()
        if getattr(one, "level", None) not in ("network", "training_step")
        or one.memory_format == "contiguous"
    }
    assert judge(BY_ID[claim], findings(one_format)).status == "untested"


def test_every_claim_has_a_rule_a_chapter_a_deciding_cell_and_a_required_question():
    for claim in CLAIMS:
        assert claim.chapters
        assert claim.cell
        assert any(one.required for one in claim.questions.values())


def made(decide, **questions):
    return Claim(id="Z1", who="me", quote="", read_as="", rule="", history=(), not_covered="",
                 chapters=("01_x",), cell=None, needs="", decide=decide,
                 questions=questions)  # fmt: skip


def test_a_rule_that_does_not_take_the_answers_to_its_questions_is_refused():
    with pytest.raises(QuestionError, match="Z1: its rule takes shapes, its questions are bits"):
        made(lambda shapes: supported(f"{shapes}"), bits=ask(Equality))


def test_a_rule_receives_the_answers_to_its_questions_and_nothing_else():
    received = {}

    def decide(accepted):
        received.update(accepted=accepted)
        return supported("")

    judge(made(decide, accepted=ask(Acceptance)), findings(planted(grown(2))))
    assert received == {"accepted": (grown(2),)}


def test_targets_that_came_out_alike_share_a_sentence():
    verdict = judged("C3", *(agreement("kernels", 80, target) for target in ("one", "two")))
    assert "; for one and two, the generated kernels are the same in 80 of 88" in verdict.sentence
    assert "settings tried each" in verdict.sentence


def test_a_program_that_two_chapters_tried_is_named_once():
    tried = [
        survival("library", True, case=Case(slug=slug, name=slug, shape=(1, 2, 3, 4)))
        for slug in ("one", "two")
    ]
    assert "runs in library;" in judged("T5", *tried).sentence


def test_a_runtime_that_is_slower_by_chance_or_by_a_little_costs_nothing():
    lucky = block_in("library", 1.2, "slower", in_family="inconclusive")
    little = block_in("library", 1.03, "slower")
    for cost in (lucky, little):
        assert judged("X2", WRITES, cost).status == "refuted"


def test_where_no_exported_runtime_ran_the_ledger_tells_what_became_of_them():
    world = {
        key: one for key, one in plain_world().items() if getattr(one, "family", None) != "exported"
    }
    verdict = judge(BY_ID["X1"], findings(world))
    assert verdict.status == "untested"
    assert "library: ran" in verdict.sentence


def test_every_claim_says_how_it_is_read_what_it_does_not_cover_and_when_its_rule_changed():
    for claim in CLAIMS:
        assert claim.read_as
        assert claim.not_covered
        assert claim.history == tuple(sorted(claim.history, key=lambda one: one.date))


def test_the_pages_get_every_claim_with_its_numbers_its_scope_and_its_history():
    kept = {one["id"]: one for one in json.loads(json.dumps(verdicts.claims(findings(planted()))))}
    for claim in CLAIMS:
        told = kept[claim.id]
        assert (told["read_as"], told["not_covered"]) == (claim.read_as, claim.not_covered)
        assert dict(told["scope"])["device"] == "cpu"
        assert all(len(row) == 2 for row in told["table"])
        assert [one["what"] for one in told["history"]] == [one.what for one in claim.history]


def test_a_scope_names_what_was_tried_and_is_empty_where_nothing_was():
    questions = BY_ID["T6"].questions
    told = dict(scope(questions, findings(planted())))
    assert told["torch"] == describe(1).torch
    assert told["threads"] == "1"
    assert told["forms"] == "expand_as and broadcast"
    assert told["sizes"] == "128×32×32×32"
    assert scope(questions, findings({})) == ()


def test_a_scope_with_many_sizes_names_the_smallest_and_the_largest():
    sizes = [Case(slug=f"s{side}", name="s", shape=(1, 16, side, side)) for side in range(1, 7)]
    world = by_identity(multiply(case=one) for one in sizes)
    told = dict(scope({"multiply": MULTIPLY}, findings(world)))
    assert told["sizes"] == "6 from 1×16×1×1 to 1×16×6×6"
