"""The rules of the claims about torch.compile: evidence in, verdict out, nothing else."""

from collections.abc import Sequence
from itertools import groupby

from investigation.claims.claim import Verdict, qualified, refuted, supported
from investigation.claims.rules import listed
from investigation.evidence.records import Findings, Record

CPU = "cpu"
# A record for each target that source was generated for; a CPU's is always among them.
SAME_KERNELS, FUSED, SAME_SOURCE = "codegen.same_kernels", "codegen.fused", "codegen.same_source"
READS = {name: (f"{name}.cpu",) for name in (SAME_KERNELS, FUSED, SAME_SOURCE)}


def elided(findings: Findings) -> Verdict:
    """C3: does Inductor leave nothing of the expand in its kernels?"""
    return _in_how_many(findings, SAME_KERNELS, "the generated kernels are the same")


def fused(findings: Findings) -> Verdict:
    """D3: do as many kernels run, and has a block's scale step none of its own?"""
    says = "as many kernels run, and a block's scale step has none of its own"
    return _in_how_many(findings, FUSED, says)


def identical(findings: Findings) -> Verdict:
    """P3: is the whole generated program the same, names aside?"""
    return _in_how_many(findings, SAME_SOURCE, "the generated source, names aside, is the same")


def _in_how_many(findings: Findings, prefix: str, says: str) -> Verdict:
    records = list(findings.under(prefix))
    held = sum(int(one.value) for one in records)
    tried = sum(int(one.details["tried"]) for one in records)
    alike = groupby(sorted(records, key=_outcome), _outcome)
    words = "; ".join(_on_targets(list(group), says) for _, group in alike)
    sentence = f"{words[0].upper()}{words[1:]}."
    if held == tried:
        return supported(sentence)
    return qualified(sentence) if held else refuted(sentence)


def _outcome(record: Record) -> tuple[bool, int, int, tuple[str, ...]]:
    """Return what was found for a target, so that targets alike share a sentence; a CPU first."""
    differ = tuple(map(str, record.details["differ"]))
    tried = int(record.details["tried"])
    return record.details["target"] != CPU, int(record.value), tried, differ


def _on_targets(records: Sequence[Record], says: str) -> str:
    _, held, tried, differ = _outcome(records[0])
    share = f"all {tried}" if held == tried else f"{held} of {tried}"
    but = f" (not in {'; '.join(differ)})" if differ else ""
    names = [str(one.details["target"]) for one in records]
    targets = "a CPU" if names == [CPU] else listed(names)
    return f"for {targets}, {says} in {share} settings tried{' each' * (len(names) > 1)}{but}"
