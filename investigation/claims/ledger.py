"""The ledger: every sentence that was written about the line, and the rule that decides it."""

from investigation.claims import code_review, drl_review, ours, pytorch_review, ticket
from investigation.claims.claim import Claim, Verdict, judge
from investigation.evidence.questions import Findings

CLAIMS: tuple[Claim, ...] = (
    *ticket.CLAIMS,
    *code_review.CLAIMS,
    *drl_review.CLAIMS,
    *pytorch_review.CLAIMS,
    *ticket.TO_VERIFY,
    *ours.CLAIMS,
)


def verdicts(findings: Findings) -> dict[str, Verdict]:
    """Return the verdict of every claim on these findings."""
    return {claim.id: judge(claim, findings) for claim in CLAIMS}
