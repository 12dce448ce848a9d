"""Where a claim was tried: computed from the records that answered its questions."""

from collections import Counter
from collections.abc import Iterable, Sequence

from investigation.claims.claim import Questions, Row, answers_to
from investigation.evidence.environment import Environment
from investigation.evidence.kinds.correctness import Equality
from investigation.evidence.kinds.in_place import LineInPlace, Measured
from investigation.evidence.kinds.programs import Agreement
from investigation.evidence.observation import HERE, Observation
from investigation.evidence.questions import Findings
from investigation.evidence.words import listed
from investigation.subject.cases import Case

# Of more sizes than this only the smallest and the largest are named.
MOST_SIZES = 4

# What some kinds of record count.
OF = {
    "acceptance": "gate shapes",
    "agreement": "settings of a compiler",
    "block_layouts": "tensors of a block",
    "layouts": "pairings of layouts",
}


def scope(questions: Questions, findings: Findings) -> tuple[Row, ...]:
    """Return rows of what a claim was tried on; none if no question has an answer."""
    records = [record for answers in answers_to(questions, findings).values() for record in answers]
    if not records:
        return ()
    measured_on = [(record.machine, findings.environment_of(record)) for record in records]
    cases = [case for record in records for case in _cases(record)]
    rows = {
        "machine": listed(_each(record.machine for record in records if record.machine)),
        "processor": _of_each(measured_on, "processor"),
        "device": listed(_each(map(_device, records))),
        "threads": listed(_each(filter(None, (_threads(record, findings) for record in records)))),
        "torch": _of_each(measured_on, "torch"),
        "forms": listed(_each(_forms(records))),
        "input and gate dtypes": _dtypes_tried(records, cases),
        "sizes": _sizes(cases),
        "tried": "; ".join(_times(filter(None, map(_counted, records)))),
    }
    return tuple((label, value) for label, value in rows.items() if value)


def _each(words: Iterable[object]) -> list[str]:
    """Return every word once, in the order in which they first come."""
    return list(dict.fromkeys(map(str, words)))


def _times(words: Iterable[str]) -> list[str]:
    """Return every word once, with how often it comes: two records may count as many."""
    return [f"{many} times {word}" if many > 1 else word for word, many in Counter(words).items()]


def _cases(record: Observation) -> list[Case]:
    """Return the inputs that a record is of: of the line in place, those of its slots."""
    if isinstance(record, LineInPlace):
        return [slot.case for slot in record.slots]
    return [record.case] if record.case else []


def _of_each(measured_on: Iterable[tuple[str | None, Environment | None]], fact: str) -> str:
    """Return a fact about every machine, with the machine's name if they differ in it."""
    known = {
        (machine or HERE, getattr(environment, fact) if environment else "not known")
        for machine, environment in measured_on
    }
    values, names = {value for _, value in known}, {machine for machine, _ in known}
    if len(values) == 1 or len(names) == 1:
        return listed(sorted(values))
    return listed([f"{value} ({machine})" for machine, value in sorted(known)])


def _threads(record: Observation, findings: Findings) -> int | None:
    if isinstance(record, Measured):
        return record.threads
    environment = findings.environment_of(record)
    return environment.threads if environment else None


def _device(record: Observation) -> str:
    """Return where something ran, or for which chip it was only compiled."""
    if isinstance(record, Agreement) and record.target != "cpu":
        return f"{record.target_name} (compiled only)"
    return str(getattr(record, "device", "cpu"))


def _dtypes_tried(records: Sequence[Observation], cases: Sequence[Case]) -> str:
    """Return the dtypes of what was compared, or those of the inputs."""
    compared = [record for record in records if isinstance(record, Equality) and record.among]
    if not compared:
        return listed(_each(map(_dtypes, cases)))
    return "; ".join(_each(f"{len(record.among)} {record.of}" for record in compared))


def _counted(record: Observation) -> str:
    """Return how much was tried, of records that count it and have no input of their own."""
    tried = getattr(record, "tried", None)
    if not isinstance(tried, int) or record.case or getattr(record, "among", None):
        return ""
    return f"{tried:,} {getattr(record, 'of', None) or OF[record.kind]}"


def _forms(records: Iterable[Observation]) -> Iterable[str]:
    for observation in records:
        if isinstance(observation, Measured):
            yield from (observation.candidate, observation.baseline)
        elif getattr(observation, "form", None):
            yield str(getattr(observation, "form"))  # noqa: B009  # some types of record have it
        else:
            yield from ("expand_as", "broadcast")


def _dtypes(case: Case) -> str:
    return f"{case.dtype} × {case.gate_dtype or case.dtype}"


def _sizes(cases: Iterable[Case]) -> str:
    shapes = sorted(
        {case.shape: case.elements for case in cases}.items(),
        key=lambda shape_and_elements: shape_and_elements[1],
    )
    words = ["×".join(map(str, shape)) for shape, _ in shapes]
    if len(words) > MOST_SIZES:
        return f"{len(words)} from {words[0]} to {words[-1]}"
    return listed(words)
