"""The ledger as a whole, and every rule in its planted worlds."""

import json
import re

import pytest
from claim_worlds import EDGES, FLIPS, PLAIN
from worlds import (
    SLOW_BY_CHANCE,
    WRITES,
    agreement,
    block_in,
    by_identity,
    findings,
    grown,
    multiply,
    pairings,
    plain_world,
    planted,
    program,
    survival,
)

from investigation.claims import words
from investigation.claims.claim import Claim, judge, supported
from investigation.claims.ledger import CLAIMS
from investigation.claims.questions import MULTIPLY
from investigation.claims.scope import scope
from investigation.evidence.environment import describe
from investigation.evidence.kinds.correctness import Acceptance, Equality
from investigation.evidence.questions import QuestionError, ask
from investigation.subject.cases import Case
from pipeline.pages import verdicts

BY_ID = {claim.id: claim for claim in CLAIMS}
TABLE_OF_EDGES = [
    pytest.param(plant, beside, edge, claim, expected, id=f"{claim}-{number}")
    for number, (plant, beside, edge, claims) in enumerate(EDGES)
    for claim, expected in claims.items()
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


@pytest.mark.parametrize(("claim", "records", "status", "words"), FLIPS)
def test_another_world_has_another_verdict(claim, records, status, words):
    verdict = judged(claim, *records)
    assert verdict.status == status, verdict.sentence
    assert words in verdict.sentence
    assert verdict != judged(claim)


@pytest.mark.parametrize(("plant", "beside", "edge", "claim", "expected"), TABLE_OF_EDGES)
def test_each_edge_of_a_margin_decides_from_both_sides_and_in_both_directions(
    plant, beside, edge, claim, expected
):
    equal, undecided, slower, faster = expected
    width, near = 0.002, 0.0001

    def status(ratio):
        records = plant(ratio, width=width)
        return judged(claim, *beside, *(records if isinstance(records, list) else [records])).status

    assert status(edge - width - near) == equal
    assert status(edge - width + near) == undecided
    assert status(edge + width - near) == undecided
    assert status(edge + width + near) == slower
    if faster is not None:
        assert status(1 / edge + width + near) == equal
        assert status(1 / edge + width - near) == undecided
        assert status(1 / edge - width + near) == undecided
        assert status(1 / edge - width - near) == faster


@pytest.mark.parametrize("claim", BY_ID)
def test_a_rule_names_in_words_just_the_statuses_that_it_returns(claim):
    statuses = {"supported", "refuted", "qualified", "untested", "done", "not_done"}
    returned = {PLAIN[claim], *(status for flipped, _, status, _ in FLIPS if flipped == claim)}
    for *_, claims in EDGES:
        returned |= set(claims.get(claim, ())) - {None}
    rule = BY_ID[claim].rule
    named = {
        status
        for status in statuses
        if re.search(rf"\b{status.capitalize().replace('_', ' ')}\b", rule)
    }
    assert named == returned


@pytest.mark.parametrize("claim", ["T6", "C4", "V3"])
def test_a_multiply_that_is_slower_by_chance_among_many_decides_nothing(claim):
    verdict = judged(claim, SLOW_BY_CHANCE)
    assert verdict.status == "untested", verdict.sentence


def test_every_claim_has_a_world_in_which_its_verdict_flips():
    flipped = {claim for claim, _, status, _ in FLIPS if status != PLAIN[claim]}
    assert flipped == set(BY_ID)


@pytest.mark.parametrize("claim", BY_ID)
def test_a_claim_is_untested_and_names_the_question_that_has_no_answer(claim):
    for question in BY_ID[claim].questions.values():
        if question.required:
            world = {
                key: record for key, record in plain_world().items() if not question.matches(record)
            }
            verdict = judge(BY_ID[claim], findings(world))
            assert verdict.status == ("not_done" if claim == "D4" else "untested")
            assert BY_ID[claim].needs in verdict.sentence
            assert str(question) in dict(verdict.table)["without an answer"]


@pytest.mark.parametrize("claim", ["T6", "C1", "C4", "D1", "D2", "P1", "P5", "V3"])
def test_a_step_measured_in_one_memory_format_only_decides_nothing(claim):
    one_format = {
        key: record
        for key, record in plain_world().items()
        if getattr(record, "level", None) not in ("network", "training_step")
        or record.memory_format == "contiguous"
    }
    assert judge(BY_ID[claim], findings(one_format)).status == "untested"


def test_every_claim_has_a_rule_a_chapter_a_deciding_cell_and_a_required_question():
    for claim in CLAIMS:
        assert claim.chapters
        assert claim.cell
        assert any(question.required for question in claim.questions.values())


def claim_with(decide, **questions):
    return Claim(id="Z1", who="me", quote="", read_as="", rule="", history=(), not_covered="",
                 chapters=("01_x",), cell=None, needs="", decide=decide,
                 questions=questions)  # fmt: skip


def test_a_rule_that_does_not_take_the_answers_to_its_questions_is_refused():
    with pytest.raises(QuestionError, match="Z1: its rule takes shapes, its questions are bits"):
        claim_with(lambda shapes: supported(f"{shapes}"), bits=ask(Equality))


def test_a_rule_receives_the_answers_to_its_questions_and_nothing_else():
    received = {}

    def decide(accepted):
        received.update(accepted=accepted)
        return supported("")

    judge(claim_with(decide, accepted=ask(Acceptance)), findings(planted(grown(2))))
    assert received == {"accepted": (grown(2),)}


def test_each_target_has_a_row_with_the_settings_that_differ():
    verdict = judged("P3", agreement("source", 80, "chip", differ=("training: float32",)))
    assert "in 168 of 176 settings tried, for 2 targets" in verdict.sentence
    assert dict(verdict.table) == {
        "a CPU": "88 of 88", "chip": "80 of 88; not: training: float32",
    }  # fmt: skip


def test_a_program_that_two_chapters_tried_counts_once():
    tried = [
        survival("library", True, case=Case(slug=slug, name=slug, shape=(1, 2, 3, 4)))
        for slug in ("one", "two")
    ]
    verdict = judged("T5", *tried)
    assert "in 1 of 2 compiled and exported programs" in verdict.sentence
    assert dict(verdict.table)["an additional operation runs in"] == "library"


def test_two_ways_to_one_runtime_are_two_programs_of_one_runtime():
    ways = [program(slug, 2**24) for slug in ("onnxruntime", "onnxruntime_ts")]
    assert "3 of 4 exported programs write the expansion to memory (2 of 3 runtimes)" in (
        judged("X1", WRITES, *ways).sentence
    )


def test_a_runtime_that_is_slower_by_chance_costs_nothing():
    lucky = block_in("library", 1.2, in_family="inconclusive")
    assert judged("X2", WRITES, lucky).status == "untested"


def test_a_program_that_is_faster_at_one_workload_and_slower_at_another_is_no_cost_everywhere():
    other = Case(slug="other", name="other workload", shape=(1, 2, 3, 4))
    both = [block_in("library", 1.6), block_in("library", 0.8, case=other)]
    verdict = judged("X2", WRITES, *both)
    assert verdict.status == "qualified"
    assert "Faster with it at some workloads: library." in verdict.sentence
    row = dict(verdict.table)["library: writes it"]
    assert "2 timings: 1 slower, 1 faster" in row
    assert "at library, other workload" in row


def test_where_no_exported_program_ran_the_ledger_tells_what_became_of_the_runtimes():
    world = {
        key: record
        for key, record in plain_world().items()
        if getattr(record, "family", None) != "exported"
    }
    verdict = judge(BY_ID["X1"], findings(world))
    assert verdict.status == "untested"
    assert ("library", "ran") in verdict.table


@pytest.mark.parametrize("claim", ["T7", "P4", "P5"])
def test_a_shape_check_is_told_together_with_what_it_is_in_the_tickets_own_block(claim):
    assert "always fits" in dict(judged(claim, grown(5)).table)["in the ticket's own block"]


def test_every_claim_says_how_it_is_read_what_it_does_not_cover_and_when_its_rule_changed():
    for claim in CLAIMS:
        assert claim.read_as
        assert claim.not_covered
        assert claim.history == tuple(sorted(claim.history, key=lambda change: change.date))


def test_the_pages_get_every_claim_with_its_numbers_its_scope_and_its_history():
    shown = {
        claim["id"]: claim for claim in json.loads(json.dumps(verdicts.claims(findings(planted()))))
    }
    for claim in CLAIMS:
        entry = shown[claim.id]
        assert (entry["read_as"], entry["not_covered"]) == (claim.read_as, claim.not_covered)
        assert dict(entry["scope"])["device"] == "cpu"
        assert all(len(row) == 2 for row in entry["table"])
        assert [change["what"] for change in entry["history"]] == [
            change.what for change in claim.history
        ]


def test_a_scope_names_what_was_tried_and_is_empty_where_nothing_was():
    questions = BY_ID["T6"].questions
    rows = dict(scope(questions, findings(planted())))
    assert rows["torch"] == describe(1).torch
    assert rows["threads"] == "1"
    assert rows["forms"] == "expand_as and broadcast"
    assert rows["sizes"] == "1×16×1×1 and 128×32×32×32"
    assert scope(questions, findings({})) == ()


def test_a_scope_counts_what_has_no_size_and_names_chips_that_were_only_compiled_for():
    world = findings(planted(agreement("elided", 9, "sm_90")))
    assert dict(scope(BY_ID["V2"].questions, world))["tried"].startswith(
        "6 times 9 pairings of layouts; "
    )
    assert dict(scope(BY_ID["P4"].questions, world))["tried"] == "16 gate shapes"
    assert dict(scope(BY_ID["C3"].questions, world))["device"] == "cpu and sm_90 (compiled only)"


def test_a_scope_with_many_sizes_names_the_smallest_and_the_largest():
    sizes = [Case(slug=f"s{side}", name="s", shape=(1, 16, side, side)) for side in range(1, 7)]
    world = by_identity(multiply(case=size) for size in sizes)
    rows = dict(scope({"multiply": MULTIPLY}, findings(world)))
    assert rows["sizes"] == "6 from 1×16×1×1 to 1×16×6×6"


def test_what_a_narrow_gate_changes_is_counted_in_the_tickets_block_and_behind_a_convolution():
    world = planted(pairings("narrow_gate", 7, convolved=3, in_the_block=2))
    judged = judge(BY_ID["T4"], findings(world))
    assert "in 7 of 9 pairings, 2 of them laid out as in the ticket's block." in judged.sentence
    rows = dict(judged.table)
    assert rows["of these, with a convolution after the product"] == (
        "3 of 7 leave it in another layout"
    )
    (of_the_block,) = (value for label, value in rows.items() if "ticket's block" in label)
    assert of_the_block == "2 of 7"
