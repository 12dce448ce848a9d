"""The rules of the claims about exported programs.

A program is one way for the block to reach a runtime; a runtime may have several.
"""

from collections.abc import Iterable, Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.judging import (
    Sorted,
    change,
    part_row,
    runtime_title,
)
from investigation.evidence.kinds.deployments import RuntimeProgram, RuntimesTried
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import kib, listed, outcome_of
from investigation.subject.runtimes import BY_SLUG


def writers(exported: Iterable[RuntimeProgram]) -> list[RuntimeProgram]:
    """Return the programs that write the expansion out."""
    return [program for program in exported if program.bytes_more > 0]


def of_runtimes(exported: Sequence[RuntimeProgram]) -> str:
    """Say in how many runtimes at least one program writes the expansion out."""
    written, tried = (
        {_runtime(program) for program in programs} for programs in (writers(exported), exported)
    )
    return f"{len(written)} of {len(tried)} runtimes"


def program_rows(exported: Iterable[RuntimeProgram]) -> list[Row]:
    """Return a row for each program: what it writes more in one inference."""
    return [
        (
            program.title,
            f"{kib(program.bytes_more)} more written"
            if program.bytes_more > 0
            else "no more written",
        )
        for program in exported
    ]


def written_out(tried: Sequence[RuntimesTried], exported: Sequence[RuntimeProgram]) -> Verdict:
    """X1: does an exported program write the expansion out?"""
    if not exported:
        return untested("No exported program ran here.", list(tried[0].states.items()))
    writing, table = writers(exported), program_rows(exported)
    share = (
        f"{len(writing)} of {len(exported)} exported programs write the expansion to memory "
        f"({of_runtimes(exported)})."
    )
    if len(writing) == len(exported):
        return supported(share, table)
    return qualified(share, table) if writing else refuted(share, table)


def written_costs(
    tried: Sequence[RuntimesTried], exported: Sequence[RuntimeProgram], blocks: Sequence[Timing]
) -> Verdict:
    """X2: is the block slower where the expansion is written out, and only there?"""
    del tried  # a question, so that the claim is untested if the chapter has not run
    writing = {writer.runtime for writer in writers(exported)}
    if not writing:
        return untested("No exported program here writes the expansion to memory.")
    there = Sorted.of(timing for timing in blocks if timing.runtime in writing)
    elsewhere = Sorted.of(timing for timing in blocks if timing.runtime not in writing)
    table = [_timed_row(program, blocks) for program in exported]
    sentence = (
        f"Programs that write it: {there.counts or 'none'} of {len(there)} timings. "
        f"Others: {elsewhere.counts or 'none'} of {len(elsewhere)}."
    )
    against = [*there.faster, *there.that_are("equivalent"), *elsewhere.slower]
    if not there.slower and len(there) and not there.undecided:
        return refuted(f"{sentence} No program that writes it is slower.", table)
    if there.slower and against:
        return qualified(f"{sentence} {_faster_words(there)}".rstrip(), table)
    if not there.slower or there.undecided or elsewhere.undecided or not len(elsewhere):
        return untested(sentence, table)
    return supported(sentence, table)


def mended_without_the_source(
    tried: Sequence[RuntimesTried], remedies: Sequence[RuntimeProgram], remedied: Sequence[Timing]
) -> Verdict:
    """X3: does taking the expansion out of the exported program do as well as the change?"""
    del tried  # as above
    if not remedies:
        return untested("No remedy ran here.")
    table = [_remedy_row(program, remedied) for program in remedies]
    alike = [program for program in remedies if program.same_steps and program.equal]
    times = {program.runtime: _of(program, remedied) for program in alike}
    slow = [name for name, timings in times.items() if timings.slower]
    unclear = [
        name for name, timings in times.items() if name not in slow and not _decided(timings)
    ]
    failed = len(remedies) - len(alike) + len(slow)
    mended = len(remedies) - failed - len(unclear)
    sentence = (
        f"As good as the changed source: {mended} of {len(remedies)} remedies. Not as good: "
        f"{failed}. Undecided in time: {len(unclear)}."
    )
    if mended == len(remedies):
        return supported(sentence, table)
    if failed == len(remedies):
        return refuted(sentence, table)
    return qualified(sentence, table) if mended and failed else untested(sentence, table)


def _runtime(program: RuntimeProgram) -> str:
    """Return the runtime's name, the same for every way by which a program reaches it."""
    runtime = BY_SLUG.get(program.runtime)
    return runtime.adapter if runtime else program.runtime


def _of(program: RuntimeProgram, timings: Sequence[Timing]) -> Sorted:
    return Sorted.of(_timings_of(program, timings))


def _timings_of(program: RuntimeProgram, timings: Sequence[Timing]) -> list[Timing]:
    return [timing for timing in timings if timing.runtime == program.runtime]


def _decided(timings: Sorted) -> bool:
    return bool(len(timings)) and not timings.undecided


def _timed_row(program: RuntimeProgram, timings: Sequence[Timing]) -> Row:
    written = "writes it" if program.bytes_more > 0 else "does not"
    timings_of_program = _of(program, timings).timings
    return part_row(f"{program.title}: {written}", timings_of_program)


def _remedy_row(program: RuntimeProgram, timings: Sequence[Timing]) -> Row:
    steps = "the same steps" if program.same_steps else "other steps"
    results = "" if program.equal else ", other results"
    times = [f"{change(timing)}: {outcome_of(timing)}" for timing in _timings_of(program, timings)]
    return program.title, "; ".join([f"{steps}{results}", *times])


def _faster_words(timings: Sorted) -> str:
    """Name some programs in which the block is faster with the expansion; the table lists all."""
    where = list(dict.fromkeys(runtime_title(timing) for timing in timings.faster))
    named = [*where[:2], *["others"] * (len(where) > 2)]
    return f"Faster with it at some workloads: {listed(named)}." if where else ""
