"""The rules of the claims about exported runtimes: evidence in, verdict out, nothing else."""

from collections.abc import Iterable, Sequence

from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.evidence.records import Findings, Record

# Two separately prepared copies of one program can differ by where their tensors happen to lie
# (the chapter's controls say by how much). What is smaller than this is no cost of the line.
PLACEMENT = 0.05

RAN = "runtimes.ran"
WRITTEN, REMEDIED = "runtimes.written", "runtimes.remedied"
COSTS, REMEDY_COSTS = "timing.runtimes", "timing.remedies"


def exported(findings: Findings) -> list[Record]:
    """Return what each exported runtime that ran writes more: the bytes, by runtime."""
    return [one for one in findings.under(WRITTEN) if one.details["family"] == "exported"]


def writers(findings: Findings) -> list[Record]:
    """Return the exported runtimes that write the expansion out."""
    return [one for one in exported(findings) if one.value]


def slower(records: Iterable[Record]) -> list[Record]:
    """Return the comparisons that are slower at the confidence of their family, and by enough."""
    return [
        one
        for one in records
        if one.details["verdict_in_family"] == "slower" and float(one.value) > 1 + PLACEMENT
    ]


def dearest(findings: Findings) -> Record | None:
    """Return the comparison in which the line costs an exported runtime most, where any does."""
    costs = (one for one in findings.under(COSTS) if one.details["family"] == "exported")
    return max(slower(costs), key=lambda one: float(one.value), default=None)


def named(records: Sequence[Record]) -> str:
    """Return the runtimes' names, or `none`."""
    return ", ".join(str(one.details["runtime"]) for one in records) or "none"


def where_written(findings: Findings) -> str:
    """Name the exported runtimes that write the expansion out."""
    found, tried = writers(findings), exported(findings)
    return f"{len(found)} of {len(tried)} exported runtimes write it out in full: {named(found)}"


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def written_out(findings: Findings) -> Verdict:
    """X1: does a runtime write the expansion out, once the program is exported?"""
    tried, found = exported(findings), writers(findings)
    if not tried:
        states = findings[RAN].details["states"]
        said = "; ".join(f"{runtime}: {state}" for runtime, state in states.items())
        return untested(f"No exported runtime ran here: {said}.")
    if len(found) == len(tried):
        return supported(f"{_capital(where_written(findings))}.")
    spared = [one for one in tried if not one.value]
    if found:
        words = f"{_capital(where_written(findings))}. Nothing more is written by {named(spared)}."
        return qualified(words)
    return refuted(f"None of {len(tried)} exported runtimes writes it out: {named(spared)}.")


def written_costs(findings: Findings) -> Verdict:
    """X2: is the block slower where the expansion is written out, and only there?"""
    found = writers(findings)
    if not found:
        return untested("No exported runtime here writes the expansion out.")
    paying = [one for one in found if _costs(findings, one)]
    free = [one for one in exported(findings) if not one.value]
    odd = [one for one in free if _costs(findings, one)]
    words = f"slower where it is written: {named(paying)}"
    if len(paying) == len(found) and not odd:
        return supported(f"{_capital(words)}; and nowhere else.")
    if not paying:
        return refuted(f"Written out by {named(found)}, and slower in none of them.")
    but = [one for one in found if one not in paying]
    exceptions = [f"not seen in {named(but)}"] * bool(but) + [f"also in {named(odd)}"] * bool(odd)
    return qualified(f"{_capital(words)}; {'; '.join(exceptions)}.")


def _costs(findings: Findings, runtime: Record) -> bool:
    slug = runtime.id.removeprefix(f"{WRITTEN}.")
    return bool(slower(findings.under(f"{COSTS}.{slug}")))


def mended_without_the_source(findings: Findings) -> Verdict:
    """X3: does taking the expansion out of the exported program do as well as the change?"""
    tried = list(findings.under(REMEDIED))
    if not tried:
        return untested("No remedy ran here.")
    left = [one for one in tried if not (one.details["same_steps"] and one.details["equal"])]
    dear = [
        one
        for one in tried
        if slower([findings[f"{REMEDY_COSTS}.{one.id.removeprefix(f'{REMEDIED}.')}"]])
    ]
    failed = [one for one in tried if one in left or one in dear]
    if not failed:
        return supported(
            f"The same steps run as with the source changed, and nothing is slower: {named(tried)}."
        )
    words = f"other steps, other results or slower all the same: {named(failed)}"
    if len(failed) == len(tried):
        return refuted(f"{_capital(words)}.")
    return qualified(f"It does in {len(tried) - len(failed)} of {len(tried)}; {words}.")
