"""X4, a whole deployed network is slower for it: by network and runtime, in both directions."""

import pytest
from worlds import by_identity, evidence, findings, network, planted, released

from investigation.claims.claim import judge
from investigation.claims.ledger import CLAIMS
from investigation.claims.scope import scope
from investigation.display import wild
from investigation.evidence import files
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.questions import Findings
from investigation.evidence.sealed import machines

(X4,) = (claim for claim in CLAIMS if claim.id == "X4")
XNNPACK = "executorch_xnnpack"
SLOW_ONE = released("one_net", XNNPACK, 1.2)
SLOW_OTHER = released("other_net", XNNPACK, 1.3)
FAST_OTHER = released("other_net", XNNPACK, 0.8)
UNCLEAR_OTHER = released("other_net", XNNPACK, width=0.05)


def judged(*records):
    return judge(X4, findings(planted(*records)))


SLOW = "1 slower (ExecuTorch (XNNPACK): one_net)"
FAST = "1 faster (ExecuTorch (XNNPACK): other_net)"
WORLDS = [
    ([], "refuted", "Of 2 pairs of network and runtime, 2 equal."),
    ([SLOW_ONE, SLOW_OTHER], "supported", "2 slower (ExecuTorch (XNNPACK): one_net and other_net"),
    ([SLOW_ONE], "qualified", f"{SLOW} and 1 equal."),
    ([SLOW_ONE, FAST_OTHER], "qualified", f"{SLOW} and {FAST}."),
    ([SLOW_ONE, UNCLEAR_OTHER], "qualified", f"{SLOW} and 1 undecided."),
    ([FAST_OTHER], "refuted", f"{FAST} and 1 equal."),
    ([UNCLEAR_OTHER], "untested", "1 equal and 1 undecided."),
]


@pytest.mark.parametrize(("records", "status", "words"), WORLDS)
def test_each_network_in_each_runtime_counts_by_itself(records, status, words):
    verdict = judged(*records)
    assert (verdict.status, words in verdict.sentence) == (status, True), verdict.sentence
    assert len(verdict.sentence.split()) <= 40


def test_what_is_slower_by_chance_among_many_is_not_slower():
    lucky = released("one_net", XNNPACK, 1.2, in_family="inconclusive")
    assert judged(lucky).status == "untested"


def test_every_pair_of_network_and_runtime_is_a_row_of_the_table():
    rows = dict(judged(SLOW_ONE, released("one_net", "onnxruntime", 0.9)).table)
    assert rows["one_net, ExecuTorch (XNNPACK)"].startswith("+20.0 %")
    assert rows["one_net, ONNX Runtime (dynamo)"].endswith(": faster")
    assert rows["other_net, ExecuTorch (XNNPACK)"].endswith(": equal")


def test_controls_and_the_host_network_are_no_evidence_of_it():
    copies = released("one_net", XNNPACK, 1.2, role="control", candidate="copy")
    assert judged(copies, *network(1.2)).status == "refuted"


def test_what_was_recorded_on_another_machine_counts_and_is_named():
    there = released("one_net", XNNPACK, 1.2, machine="epyc-2-cores")
    world = findings(by_identity([there]))
    assert judge(X4, world).status == "supported"
    assert dict(scope(X4.questions, world))["machine"] == "epyc-2-cores"


def scope_of(*shown, **recorded):
    """The scope on a chapter that shows these records, with what lies under `results`."""
    world = Findings((evidence(*shown, processor="this chapter's", torch="9.9"),), recorded)
    return dict(scope(X4.questions, world))


def on(machine, *networks):
    """What a chapter shows of a machine, and the evidence that was recorded on it."""
    measured = [released(name, XNNPACK, 1.2) for name in networks]
    return [timing.model_copy(update={"machine": machine}) for timing in measured], measured


def test_the_scope_names_processor_torch_and_threads_of_the_machine_that_measured():
    shown, measured = on("machine_a", "one_net", "other_net")
    rows = scope_of(*shown, machine_a=[evidence(*measured, processor="P of a", torch="2.9")])
    assert (rows["machine"], rows["processor"], rows["torch"]) == ("machine_a", "P of a", "2.9")
    assert (rows["device"], rows["threads"]) == ("cpu", "1")


def test_if_machines_differ_the_scope_says_which_has_what():
    (shown, measured), (others, of_b) = on("machine_a", "one_net"), on("machine_b", "one_net")
    of_each = {
        "machine_a": [evidence(*measured, processor="P of a", torch="2.9")],
        "machine_b": [evidence(*of_b, processor="P of b", torch="2.9")],
    }
    rows = scope_of(*shown, *others, **of_each)
    assert rows["processor"] == "P of a (machine_a) and P of b (machine_b)"
    assert rows["torch"] == "2.9"


def test_the_chapters_own_processor_is_not_given_for_a_machine_whose_evidence_is_not_here():
    shown, measured = on("machine_a", "one_net")
    assert scope_of(*shown)["processor"] == "not known"
    elsewhere = [evidence(*measured, processor="P of b")]
    assert scope_of(*shown, machine_b=elsewhere)["processor"] == "not known"


def test_every_network_of_the_committed_records_has_its_environment():
    shown = [record for record in wild.networks() if isinstance(record, Timing)]
    rows = scope_of(*shown, **machines.recorded())
    (path, *_) = sorted(machines.RESULTS.glob("*/network_*.json"))
    where = files.read(path).environment
    assert where.processor in rows["processor"]
    assert where.torch in rows["torch"]
    assert "not known" not in rows["processor"]


def test_without_a_measured_network_it_is_untested_and_the_command_is_named():
    verdict = judge(X4, findings({}))
    assert verdict.status == "untested"
    assert "make wild NETWORK=all" in verdict.sentence
