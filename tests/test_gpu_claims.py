import shutil
from collections import defaultdict

import pytest
from gpu_worlds import H200, evidence, findings, memory, plain_records, slower, steps, timed

from investigation.claims import gpu as gpu_claims
from investigation.claims.claim import Verdict
from investigation.claims.gpu import RULES
from investigation.claims.ledger import CLAIMS
from investigation.claims.words import STATUSES
from investigation.evidence import observation
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.questions import Findings
from investigation.evidence.recorder import Recorder
from investigation.gpu import session as gpu_session
from pipeline import places
from pipeline.pages import assembly, chapter_pages, verdicts

BY_CLAIM = {rule.claim: rule for rule in RULES}
NETWORK = [*slower("network", "host", 1.02), *slower("network", "end_to_end", 1.02)]
MULTIPLY = [*slower("multiply", "host", 1.2), *slower("multiply", "end_to_end", 1.1)]
MIXED = slower("multiply", "end_to_end", 1.5, of_two_dtypes=True)
SAME_DTYPE = memory("expand_as", "same", 2**20)
TWO_DTYPES = memory("expand_as", "mixed", 2**20)

TRAINING = slower("training_step", "end_to_end", 1.02)
PLAIN = {
    "T1": "refuted", "T6": "refuted", "C1": "supported", "C4": "supported", "D1": "supported",
    "P1": "supported", "P2": "supported", "P5": "supported", "V3": "supported",
}  # fmt: skip
FLIPS = [
    ("T6", NETWORK, "supported", "Minor: slower in 2 of"),
    ("T6", MULTIPLY, "qualified", "host's part"),
    ("T6", NETWORK + MIXED, "qualified", "two dtypes. The network's forward step: slower."),
    ("C4", NETWORK, "refuted", "measurable in a whole step"),
    ("C4", TRAINING, "refuted", "measurable in a whole step"),
    ("C4", MULTIPLY, "qualified", "a measurable one in"),
    ("C4", MIXED, "qualified", "a measurable one in"),
    ("D1", TRAINING, "refuted", "A training step is slower with `expand_as`"),
    ("D1", TRAINING[1:], "refuted", "A training step is slower with `expand_as`"),
    ("C1", NETWORK, "refuted", "step is slower"),
    ("C1", MIXED, "qualified", "two dtypes"),
    ("P1", NETWORK, "refuted", "step is slower"),
    ("P1", MIXED, "qualified", "two dtypes"),
    ("P2", [SAME_DTYPE], "qualified", "With one dtype the line requests memory"),
    ("P2", [SAME_DTYPE, TWO_DTYPES], "qualified", "With one dtype and two dtypes the line"),
    ("P5", NETWORK, "refuted", "step is slower"),
    ("P5", [TWO_DTYPES], "qualified", "more than style: it changes memory with two dtypes."),
    ("V3", NETWORK, "refuted", "step is slower"),
    ("V3", MULTIPLY, "qualified", "The same in the network."),
]


def verdict(claim, records) -> Verdict:
    on_machines = gpu_claims.on_each_machine(BY_CLAIM[claim], findings(records))
    assert list(on_machines) == [H200]
    return on_machines[H200]


@pytest.mark.parametrize("claim", PLAIN)
def test_where_nothing_differs_each_claim_has_its_verdict(claim):
    assert verdict(claim, plain_records()).status == PLAIN[claim]


@pytest.mark.parametrize(("claim", "slow", "status", "words"), FLIPS)
def test_another_machine_has_another_verdict(claim, slow, status, words):
    judged = verdict(claim, plain_records(*slow))
    assert judged.status == status, judged.sentence
    assert words in judged.sentence


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ([SAME_DTYPE, TWO_DTYPES], "supported", "in every setting tried"),
        ([TWO_DTYPES], "qualified", "owns memory with two dtypes"),
    ],
)
def test_memory_that_the_line_asks_for_decides_t1(more, status, words):
    judged = verdict("T1", plain_records(*more))
    assert judged.status == status
    assert words in judged.sentence
    assert any("1,024 KiB with `expand_as`" in value for _, value in judged.table)


@pytest.mark.parametrize("claim", ["T1", "P2", "P5"])
def test_a_claim_of_memory_is_untested_where_the_device_keeps_no_count(claim):
    records = [record for record in plain_records() if not isinstance(record, Memory)]
    judged = verdict(claim, records)
    assert judged.status == "untested"
    assert "PyTorch does not count" in judged.sentence


def test_what_was_not_looked_at_on_a_gpu_is_not_said_there():
    sentences = {claim: verdict(claim, plain_records()).sentence for claim in ("C1", "P2", "P5")}
    assert "outputs" not in sentences["C1"]
    assert "view" not in sentences["P2"]
    assert sentences["P5"] == "Time and memory stay the same."


@pytest.mark.parametrize("claim", ["T6", "C1", "C4", "P1", "P5", "V3"])
def test_a_claim_of_time_is_untested_where_the_network_is_undecided(claim):
    unclear = [timed(step, 1.0095) for step in steps("network", "end_to_end")]
    judged = verdict(claim, plain_records(*unclear))
    assert judged.status == "untested"
    assert "ndecided" in judged.sentence


def test_d1_is_untested_where_a_training_step_reaches_across_the_margin():
    (step, *_) = steps("training_step", "end_to_end")
    for unclear in (timed(step, 1.0095), timed(step, 1.0105)):
        judged = verdict("D1", plain_records(unclear))
        assert judged.status == "untested"
        assert "undecided" in judged.sentence


def test_the_hosts_time_and_the_forward_step_decide_nothing_about_training():
    others = [*slower("training_step", "host", 1.5), *NETWORK]
    assert verdict("D1", plain_records(*others)).status == "supported"


def test_slower_by_chance_among_many_decides_nothing():
    (step, *_) = steps("multiply", "host")
    chance = timed(step, 1.02, in_family="inconclusive")
    judged = verdict("T6", plain_records(chance))
    assert judged.status == "untested"


def test_every_rule_has_a_world_in_which_its_verdict_flips():
    flipped = {claim for claim, _, status, _ in FLIPS if status != PLAIN[claim]} | {"T1"}
    assert flipped == set(PLAIN) == set(BY_CLAIM)


def test_without_a_measurement_no_claim_has_a_verdict_on_a_gpu():
    for rule in RULES:
        assert gpu_claims.on_each_machine(rule, Findings(())) == {}


def test_what_only_a_processor_measured_decides_nothing_on_a_gpu():
    here = Findings((evidence(plain_records(*NETWORK)),))
    for rule in RULES:
        assert gpu_claims.on_each_machine(rule, here) == {}


def test_a_machine_whose_record_lacks_an_answer_leaves_the_claim_untested_there():
    gone = {timed(step).identity for step in steps("network", "end_to_end")}
    judged = verdict(
        "T6",
        [record for record in plain_records() if record.identity not in gone],
    )
    assert judged.status == "untested"
    assert "timing with level network" in dict(judged.table)["without an answer"]


def test_each_machine_has_a_verdict_of_its_own():
    chapter = Recorder("07_gpu", device="cpu")
    gpu_session.adopt(chapter, H200, evidence())
    gpu_session.adopt(chapter, observation.HERE, evidence(plain_records(*NETWORK)))
    on_machines = gpu_claims.on_each_machine(BY_CLAIM["T6"], Findings((chapter.evidence(),)))
    assert {machine: judged.status for machine, judged in on_machines.items()} == {
        H200: "refuted", observation.HERE: "supported",
    }  # fmt: skip


def test_the_ledgers_page_gets_a_verdict_a_machine_or_says_that_there_is_none():
    claims = {claim.id: claim for claim in CLAIMS}
    none = verdicts.on_a_gpu(claims["T6"], Findings(()))
    assert none["found"] == []
    assert claims["T6"].rule in none["rule"]
    assert BY_CLAIM["T6"].differs in none["rule"]
    (judged,) = verdicts.on_a_gpu(claims["T6"], findings(plain_records(*MULTIPLY)))["found"]
    assert (judged["machine"], judged["verdict"]) == (H200, "qualified")
    assert ("machine", H200) in judged["scope"]
    assert judged["table"]
    assert verdicts.on_a_gpu(claims["T2"], Findings(())) is None


def ledger_with(records, folder):
    """The ledger's page where a GPU made these records and nothing else was measured."""
    return ledger_of(verdicts.claims(findings(records)), folder)


def ledger_of(claims, folder):
    shutil.copy(places.BOOK / "claims.md", folder)
    names = {"claims": claims, "statuses": STATUSES, "counted": len, "titles": defaultdict(str)}
    assembly.write_pages(folder, names)
    return (folder / "claims.md").read_text().partition("## V3,")[2].partition("<details")[0]


def test_each_gpus_verdict_stands_beside_the_processors_and_says_how_it_is_judged(tmp_path):
    plain = ledger_with(plain_records(), tmp_path)
    assert "On a CPU: " in plain
    assert f"**On {H200}: supported.** " in plain
    assert f"(Judged there: {BY_CLAIM['V3'].differs})" in plain
    slow = ledger_with(plain_records(*NETWORK), tmp_path)
    assert f"**On {H200}: refuted.** The network's forward step is slower" in slow
    unclear = [timed(step, 1.0095) for step in steps("network", "end_to_end")]
    assert f"**On {H200}: untested.** " in ledger_with(plain_records(*unclear), tmp_path)


def test_without_a_gpu_the_ledgers_page_names_no_device(tmp_path):
    shown = ledger_of(verdicts.claims(Findings(())), tmp_path)
    assert "On a CPU: " not in shown
    assert "**On " not in shown


def test_the_rules_on_a_gpu_are_the_ledgers_own():
    claims = {claim.id: claim for claim in CLAIMS}
    assert all(rule.decide is claims[rule.claim].decide for rule in RULES)


def test_the_chapters_page_shows_each_machine_or_says_that_there_is_none():
    none = chapter_pages.gpu_claims_of("07_gpu", verdicts.claims(Findings(())))
    assert none.count("**untested on a GPU**") == len(RULES)
    both = verdicts.claims(findings(machines=(H200, observation.HERE)))
    page = chapter_pages.gpu_claims_of("07_gpu", both)
    for machine in (H200, observation.HERE):
        assert page.count(f"on {machine}:") == len(RULES)
