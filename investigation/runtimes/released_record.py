"""What one runtime showed for a released network, as evidence: `python -m` with two paths.

The first path is a question: the network's entry, a runtime, the folder of the patched package,
the settings, and the digests of the patch and of the code that measures. The second is the
path of the evidence.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from investigation.evidence import files
from investigation.evidence.environment import describe
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.released import ReleasedProgram
from investigation.evidence.kinds.timings import CONTROL_CONFIDENCE
from investigation.evidence.records import Evidence, Record
from investigation.runtimes import released, workers
from investigation.runtimes.program import Trace
from investigation.runtimes.survey import version
from investigation.subject.released import ReleasedNetwork
from investigation.subject.runtimes import BY_SLUG
from investigation.timing.comparison import Comparison
from investigation.timing.processes import Reply
from investigation.timing.recording import timing_of

CHAPTER = "10_wild"
EAGER = "eager"
LIMIT_S = 900.0  # to prepare a whole network, and to time it: several times what each takes


class FailedError(Exception):
    """A measurement that means nothing: a control did not hold, or there was not enough time."""


def measured(question: Mapping[str, Any]) -> Evidence:
    """Measure what the question names, and return it as evidence. Raises `FailedError`."""
    network = ReleasedNetwork.model_validate(question["network"])
    settings, runtime = question["settings"], question["runtime"]
    started = datetime.now(UTC)
    torch.set_num_threads(settings["threads"])
    listed: list[Record] = []
    if runtime == EAGER:
        listed += results(network, Path(question["patched"]), settings["seed"], question["patch"])
    released_question = {
        "network": question["network"],
        "slug": runtime,
        "patched": question["patched"],
    }
    released_question |= {"settings": settings}
    (reply,) = workers.run(released.in_runtime, [released_question], settings["threads"], LIMIT_S)
    listed += records(network, runtime, reply)
    return Evidence(
        notebook=CHAPTER,
        source_sha256=question["patch"],
        package_sha256=question["code"],
        parameters=dict(settings),
        environment=describe(settings["threads"]),
        started=started,
        finished=datetime.now(UTC),
        records=tuple(listed),
    )


def results(network: ReleasedNetwork, patched: Path, seed: int, patch: str) -> Iterator[Record]:
    """Yield what the patch changes in eager mode, once two copies have come out the same."""
    again = released.equality(network, None, seed, patch)
    yield _held(
        "repeats",
        f"the same package twice gives the same bits: {network.title}",
        f"{again.value} of {again.compared} tensors differ",
        of=network.name,
        passed=again.value == 0,
    )
    yield released.equality(network, patched, seed, patch)


def records(network: ReleasedNetwork, slug: str, reply: Reply) -> Iterator[Record]:
    """Yield what one runtime showed: its programs, and the times unless it refused them.

    Raises `FailedError` if it took too long, which is no refusal.
    """
    runtime = BY_SLUG[slug]
    statement = f"{network.title} in {runtime.title}"
    about: dict[str, Any] = {"network": network.name, "runtime": slug}
    named: dict[str, Any] = {"title": runtime.title, "version": version(runtime)}
    if reply.late:
        raise FailedError(f"{statement}: {reply.crash}")
    if reply.answer is None:
        yield ReleasedProgram(statement=statement, refused=reply.crash, **named, **about)
        return
    yield _program(statement, reply.answer, named | about)
    line, copies = (Comparison.from_samples(reply.answer[key]) for key in ("line", "copies"))
    about["family"] = runtime.family
    yield timing_of(line, f"{statement}: as released against patched", "released_network", **about)
    yield timing_of(copies, f"{statement}: two copies", "released_network", role="control", **about)
    judged = copies.at(CONTROL_CONFIDENCE)
    yield _held(
        "copies",
        f"two copies of one program come out neither faster nor slower: {statement}",
        repr(judged),
        of=f"{network.name} {slug}",
        passed=judged.verdict in ("equivalent", "inconclusive"),
    )


def _program(
    statement: str, answer: Mapping[str, Any], about: Mapping[str, Any]
) -> ReleasedProgram:
    as_is, patched = (
        Trace.from_dict(answer[variant]) for variant in (released.RELEASED, released.PATCHED)
    )
    return ReleasedProgram(
        statement=statement,
        steps=len(as_is.steps),
        steps_patched=len(patched.steps),
        expansions=len(as_is.expansions),
        expansions_patched=len(patched.expansions),
        bytes_written=as_is.bytes_written,
        bytes_patched=patched.bytes_written,
        equal=answer["equal"],
        **about,
    )


def _held(control: str, statement: str, outcome: str, *, of: str, passed: bool) -> Control:
    if not passed:
        raise FailedError(f"expected: {statement}; seen: {outcome}")
    return Control(
        statement=statement, chapter=CHAPTER, control=control, of=of, seen=outcome, passed=passed
    )


def main(question: str, answer: str) -> int:
    """Answer the question in a file; return the exit status."""
    try:
        evidence = measured(json.loads(Path(question).read_text(encoding="utf-8")))
    except FailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    files.write(evidence, Path(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
