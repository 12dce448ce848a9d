"""What the patch changes for a package's own networks, in sentences for its pull request."""

from collections.abc import Iterable, Iterator

from investigation.evidence.environment import Environment
from investigation.evidence.kinds.released import ReleasedEquality, ReleasedProgram
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.records import Evidence
from investigation.evidence.words import kib, percent


def measured_in(evidences: Iterable[Evidence], package: str) -> list[str]:
    """Return a sentence for each thing that was measured of a package's networks."""
    return [sentence for one in evidences for sentence in _of(one, package)]


def _of(evidence: Evidence, package: str) -> Iterator[str]:
    for one in evidence.records:
        if isinstance(one, ReleasedEquality) and one.package == package:
            yield _results(one, evidence.environment)
            yield from _programs(evidence, one.network)


def _results(one: ReleasedEquality, where: Environment) -> str:
    sizes = "×".join(map(str, one.input))
    return (
        f"{one.title} {one.version} with random weights, input {sizes}, {where.threads} "
        f"thread{'s' * (where.threads != 1)} of an {where.processor}, torch {where.torch}. Eager "
        f"mode: {one.value} of {one.compared} tensors differ (outputs, gradients, and the weights "
        "after one training step)."
    )


def _programs(evidence: Evidence, network: str) -> Iterator[str]:
    timings = {
        one.runtime: one
        for one in evidence.records
        if isinstance(one, Timing) and (one.network, one.role) == (network, "measurement")
    }
    for one in evidence.records:
        if isinstance(one, ReleasedProgram) and one.network == network:
            yield _program(one, timings.get(one.runtime))


def _program(one: ReleasedProgram, timing: Timing | None) -> str:
    named = f"{one.title} {one.version}".rstrip()
    if timing is None:
        return f"{named}: not measured ({one.refused or 'no time was kept'})."
    return (
        f"{named}: the time of the whole network as released, against patched: "
        f"{percent(timing.ratio, timing.interval)}, {timing.outcome}; steps that only "
        f"expand: {one.expansions} as released, {one.expansions_patched} patched; memory written "
        f"in one inference: {kib(one.bytes_written)} as released, {kib(one.bytes_patched)} patched."
    )
