"""The same flips once more, end to end: another variant in, another verdict out."""

import pytest
import torch
from worlds import equality, findings, grown, memory_record, pairings, planted, view

from investigation.claims.claim import judge
from investigation.claims.ledger import CLAIMS
from investigation.observe import acceptance, layout, memory
from investigation.observe import equality as bits
from investigation.subject.cases import Case
from investigation.subject.variants import broadcast, expand_as, materialized

BY_ID = {claim.id: claim for claim in CLAIMS}
CASE = Case(slug="small", name="small", shape=(2, 3, 16, 16))


def copying(x, gate):
    return x * gate.expand_as(x).contiguous()


def forgetful(x, gate):
    return (x * gate).contiguous()


def memory_records(expanding):
    x, gate = CASE.tensors()
    _, half = CASE.with_gate("bfloat16").tensors()
    output = x.numel() * 4
    for dtypes, gate_of_dtype in (("same", gate), ("mixed", half)):
        for form, scale in (("expand_as", expanding), ("broadcast", broadcast)):
            beside = memory.bytes_allocated(lambda s=scale, g=gate_of_dtype: s(x, g)) - output
            yield memory_record(form, dtypes, beside)
    operand = memory.multiplied_gate(expanding, x, gate)
    shared = memory.shares_storage(operand, gate)
    yield view(shares_storage=shared, is_view=memory.place(operand).is_view)


def layout_records(candidate):
    for group, sizes in (("ordinary", (layout.ORDINARY,)), ("ambiguous", layout.AMBIGUOUS)):
        compared = list(layout.compare_layouts(expand_as, candidate, sizes, seed=0))
        yield pairings(
            group, sum(not (pairing.same_layout and pairing.same_values) for pairing in compared)
        )


def equality_records(candidate):
    (result,) = bits.compare_dtypes(expand_as, candidate, [("float32", "float32")], 0, "cpu")
    yield equality("same_dtype", 1, int(result.worst != "none"))


def acceptance_records(baseline):
    outcomes = acceptance.compare_acceptance(baseline, broadcast)
    yield grown(sum(outcome.silently_grown for outcome in outcomes))


def verdict(claim, records):
    """Judge in the plain world with these records; the variants run in eager mode alone."""
    world = {
        key: record
        for key, record in planted(*records).items()
        if getattr(record, "family", None) != "exported"
    }
    return judge(BY_ID[claim], findings(world)).status


def halved(x, gate):
    return x * gate * torch.tensor(0.5)


@pytest.mark.parametrize(
    ("claim", "observe", "real", "plant", "expected"),
    [
        ("T1", memory_records, expand_as, copying, ("qualified", "supported")),
        ("P2", memory_records, expand_as, copying, ("qualified", "refuted")),
        ("C2", memory_records, expand_as, materialized, ("supported", "refuted")),
        ("T4", layout_records, broadcast, forgetful, ("refuted", "supported")),
        ("V2", layout_records, broadcast, forgetful, ("supported", "refuted")),
        ("T7", equality_records, broadcast, halved, ("supported", "refuted")),
        ("P4", acceptance_records, expand_as, broadcast, ("supported", "refuted")),
    ],
)
def test_a_planted_variant_flips_the_verdict(claim, observe, real, plant, expected):
    assert (verdict(claim, observe(real)), verdict(claim, observe(plant))) == expected
