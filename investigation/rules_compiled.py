"""The rules of the claims about torch.compile: evidence in, verdict out, nothing else."""

from investigation.claims import Verdict, qualified, refuted, supported
from investigation.evidence import Findings, Record

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
    words = "; ".join(_on_target(one, says) for one in records)
    sentence = f"{words[0].upper()}{words[1:]}."
    if held == tried:
        return supported(sentence)
    return qualified(sentence) if held else refuted(sentence)


def _on_target(record: Record, says: str) -> str:
    held, tried = int(record.value), int(record.details["tried"])
    share = f"all {tried}" if held == tried else f"{held} of {tried}"
    differ = "; ".join(record.details["differ"])
    but = f" (not in {differ})" if differ else ""
    target = "a CPU" if record.details["target"] == "cpu" else record.details["target"]
    return f"for {target}, {says} in {share} settings tried{but}"
