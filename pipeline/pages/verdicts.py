"""Judge every claim on the evidence of a build and keep the verdicts as one file."""

import json
from pathlib import Path
from typing import Any

from investigation.claims import gpu, ledger
from investigation.claims.claim import Claim, Verdict
from investigation.claims.history import Change
from investigation.claims.scope import scope
from investigation.evidence import files
from investigation.evidence.questions import Findings
from investigation.evidence.records import Evidence
from pipeline import places


def gather(notebooks: list[Path]) -> tuple[Evidence, ...]:
    """Return the evidence of these notebooks' last executions."""
    return tuple(files.read(places.RESULTS / f"{path.stem}.json") for path in notebooks)


def write_claims(findings: Findings) -> None:
    """Write `build/claims.json`: every claim with its rule, its verdict and its deciding cell."""
    files.write_atomically(places.CLAIMS, json.dumps(claims(findings), indent=1) + "\n")


def claims(findings: Findings) -> list[dict[str, Any]]:
    """Return every claim as plain data."""
    verdicts = ledger.verdicts(findings)
    return [
        {
            "id": claim.id,
            "who": claim.who,
            "quote": claim.quote,
            "read_as": claim.read_as,
            "rule": claim.rule,
            **_verdict(verdicts[claim.id]),
            "scope": scope(claim.questions, findings),
            "not_covered": claim.not_covered,
            "history": [_change(change) for change in claim.history],
            "chapters": list(claim.chapters),
            "cell": claim.cell,
            "questions": {name: str(question) for name, question in claim.questions.items()},
            "gpu": on_a_gpu(claim, findings),
            "eager_cuda": claim.eager_cuda.on(findings) if claim.eager_cuda else None,
        }
        for claim in ledger.CLAIMS
    ]


def on_a_gpu(claim: Claim, findings: Findings) -> dict[str, Any] | None:
    """Return a claim's rule on a GPU and its verdict on each that was measured, or None.

    None for a claim that needs no GPU. Without a measurement the list of verdicts is empty.
    """
    rule = next((known_rule for known_rule in gpu.RULES if known_rule.claim == claim.id), None)
    if rule is None:
        return None
    judged = [
        {"machine": machine, **_verdict(verdict), "scope": gpu.scope_on(machine, rule, findings)}
        for machine, verdict in gpu.on_each_machine(rule, findings).items()
    ]
    words = f"{claim.rule} *On a GPU:* {rule.differs}"
    return {"rule": words, "differs": rule.differs, "found": judged}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain data; `table` holds rows of a label and a value."""
    return {"verdict": verdict.status, "because": verdict.sentence, "table": verdict.table}


def _change(change: Change) -> dict[str, str]:
    return {"date": change.date.isoformat(), "what": change.what, "why": change.why}
