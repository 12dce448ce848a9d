"""What the patch changes for a package's own networks, in sentences for its pull request."""

from collections.abc import Iterable, Iterator

from investigation.evidence.environment import Environment
from investigation.evidence.kinds.released import ReleasedEquality, ReleasedProgram
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.records import Evidence
from investigation.evidence.words import kib, percent


def measured_in(evidences: Iterable[Evidence], package: str) -> list[str]:
    """Return a sentence for each thing that was measured of a package's networks."""
    return [sentence for evidence in evidences for sentence in _of(evidence, package)]


def _of(evidence: Evidence, package: str) -> Iterator[str]:
    for record in evidence.records:
        if isinstance(record, ReleasedEquality) and record.package == package:
            yield _results(record, evidence.environment)
            yield from _programs(evidence, record.network)


def _results(equality: ReleasedEquality, where: Environment) -> str:
    sizes = "×".join(map(str, equality.input))
    return (
        f"{equality.title} {equality.version} with random weights, input {sizes}, "
        f"{where.threads} thread{'s' * (where.threads != 1)} of an {where.processor}, "
        f"torch {where.torch}. Eager mode: {equality.value} of {equality.compared} tensors differ "
        "(outputs, gradients, and the weights after one training step)."
    )


def _programs(evidence: Evidence, network: str) -> Iterator[str]:
    timings = {
        record.runtime: record
        for record in evidence.records
        if isinstance(record, Timing) and (record.network, record.role) == (network, "measurement")
    }
    for record in evidence.records:
        if isinstance(record, ReleasedProgram) and record.network == network:
            yield _program(record, timings.get(record.runtime))


def _program(program: ReleasedProgram, timing: Timing | None) -> str:
    named = f"{program.title} {program.version}".rstrip()
    if timing is None:
        return f"{named}: not measured ({program.refused or 'no time was kept'})."
    return (
        f"{named}: the time of the whole network as released, against patched: "
        f"{percent(timing.ratio, timing.interval)}, {timing.outcome}; steps that only "
        f"expand: {program.expansions} as released, {program.expansions_patched} patched; "
        f"memory written in one inference: {kib(program.bytes_written)} as released, "
        f"{kib(program.bytes_patched)} patched."
    )
