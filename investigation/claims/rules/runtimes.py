"""The rules of the claims about exported runtimes."""

from collections.abc import Iterable, Sequence

from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.evidence.kinds.deployments import RuntimeProgram, RuntimesTried
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import capital
from investigation.subject.runtimes import BY_SLUG


def title(timing: Timing) -> str:
    """Return the name of the runtime that a timing is of."""
    known = BY_SLUG.get(str(timing.runtime))
    return known.title if known else str(timing.runtime)


def writers(exported: Iterable[RuntimeProgram]) -> list[RuntimeProgram]:
    """Return the runtimes that write the expansion out."""
    return [one for one in exported if one.bytes_more]


def slower(timings: Iterable[Timing]) -> list[Timing]:
    """Return the comparisons in which the line costs a runtime something."""
    return [one for one in timings if one.slower_beyond_placement]


def dearest(timings: Iterable[Timing]) -> Timing | None:
    """Return the comparison in which the line costs most, where any does."""
    return max(slower(timings), key=lambda one: one.ratio, default=None)


def named(programs: Sequence[RuntimeProgram]) -> str:
    """Return the runtimes' names, or `none`."""
    return ", ".join(one.title for one in programs) or "none"


def where_written(exported: Sequence[RuntimeProgram]) -> str:
    """Name the exported runtimes that write the expansion out."""
    found = writers(exported)
    return f"{len(found)} of {len(exported)} exported runtimes write it out in full: {named(found)}"


def written_out(tried: Sequence[RuntimesTried], exported: Sequence[RuntimeProgram]) -> Verdict:
    """X1: does a runtime write the expansion out, once the program is exported?"""
    found = writers(exported)
    if not exported:
        states = tried[0].states.items()
        words = "; ".join(f"{runtime}: {state}" for runtime, state in states)
        return untested(f"No exported runtime ran here: {words}.")
    if len(found) == len(exported):
        return supported(f"{capital(where_written(exported))}.")
    spared = [one for one in exported if not one.bytes_more]
    if found:
        words = f"{capital(where_written(exported))}. Nothing more is written by {named(spared)}."
        return qualified(words)
    return refuted(f"None of {len(exported)} exported runtimes writes it out: {named(spared)}.")


def written_costs(
    tried: Sequence[RuntimesTried], exported: Sequence[RuntimeProgram], blocks: Sequence[Timing]
) -> Verdict:
    """X2: is the block slower where the expansion is written out, and only there?"""
    del tried  # asked for, so that the claim is untested where the chapter has not run
    found = writers(exported)
    if not found:
        return untested("No exported runtime here writes the expansion out.")
    costly = {one.runtime for one in slower(blocks)}
    paying = [one for one in found if one.runtime in costly]
    odd = [one for one in exported if not one.bytes_more and one.runtime in costly]
    words = f"slower where it is written: {named(paying)}"
    if len(paying) == len(found) and not odd:
        return supported(f"{capital(words)}; and nowhere else.")
    if not paying:
        return refuted(f"Written out by {named(found)}, and slower in none of them.")
    but = [one for one in found if one not in paying]
    exceptions = [f"not seen in {named(but)}"] * bool(but) + [f"also in {named(odd)}"] * bool(odd)
    return qualified(f"{capital(words)}; {'; '.join(exceptions)}.")


def mended_without_the_source(
    tried: Sequence[RuntimesTried], remedies: Sequence[RuntimeProgram], remedied: Sequence[Timing]
) -> Verdict:
    """X3: does taking the expansion out of the exported program do as well as the change?"""
    del tried  # as above
    if not remedies:
        return untested("No remedy ran here.")
    costly = {one.runtime for one in slower(remedied)}
    failed = [
        one for one in remedies if not (one.same_steps and one.equal) or one.runtime in costly
    ]
    if not failed:
        return supported(
            "The same steps run as with the source changed, and nothing is slower: "
            f"{named(remedies)}."
        )
    words = f"other steps, other results or slower all the same: {named(failed)}"
    if len(failed) == len(remedies):
        return refuted(f"{capital(words)}.")
    return qualified(f"It does in {len(remedies) - len(failed)} of {len(remedies)}; {words}.")
