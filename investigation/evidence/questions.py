"""Questions about evidence: the only way to find a record.

A question names a type of record and the values of some of its fields. A field that the type does
not have, or a value that the field cannot hold, is an error as soon as the question is written; for
the claims that is when the ledger is imported.
"""

import inspect
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from investigation.evidence.environment import Environment
from investigation.evidence.files import EvidenceError
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.observation import HERE, Observation
from investigation.evidence.records import Evidence, Record

R = TypeVar("R", bound=Observation)
Values = tuple[object, ...]
Filed = dict[Values, list[Record]]
ANYWHERE = object()  # as a question's machine: this run's own, and every other


class QuestionError(ValueError):
    """A question that no record could answer; the message names the field and what is allowed."""


@dataclass(frozen=True)
class Question(Generic[R]):
    """Which records of one type are wanted.

    `where` holds the value that each named field must have. `every` names fields of which each of
    some values must be among the answers: if a value is missing, the question has no answer.
    If a question is not `required`, no answer is an answer too.
    """

    of: type[R]
    where: tuple[tuple[str, object], ...]
    every: tuple[tuple[str, Values], ...] = ()
    required: bool = True

    def __str__(self) -> str:
        conditions = [f"{name} {value}" for name, value in self.where if value is not None]
        conditions += [f"{name} {' and '.join(map(str, values))}" for name, values in self.every]
        return f"{_words(self.of)} with {', '.join(conditions)}" if conditions else _words(self.of)

    def matches(self, record: Observation) -> bool:
        """Return whether a record is among the answers."""
        return isinstance(record, self.of) and values_of(record, self.names) == self.values

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The fields that must have a certain value."""
        return tuple(name for name, _ in self.where)

    @cached_property
    def values(self) -> Values:
        """These values, in the order of `names`."""
        return tuple(value for _, value in self.where)

    def on(self, machine: str | None) -> "Question[R]":
        """Return the same question about another machine."""
        others = tuple(pair for pair in self.where if pair[0] != "machine")
        return replace(self, where=(*others, ("machine", machine)))


def values_of(record: Observation, names: Iterable[str]) -> Values:
    """Return a record's values of some fields."""
    return tuple(getattr(record, name) for name in names)


def ask(
    of: type[R],
    *,
    every: Mapping[str, Iterable[object]] | None = None,
    required: bool = True,
    **where: object,
) -> Question[R]:
    """Return a question about this run's own machine, unless `machine` is another or `ANYWHERE`.

    Raises `QuestionError` for a field that the type does not have, or a value that it cannot hold.
    """
    where = {name: value for name, value in ({"machine": None} | where).items()
             if value is not ANYWHERE}  # fmt: skip
    values = {name: tuple(allowed) for name, allowed in (every or {}).items()}
    for name, wanted in (*((field, (value,)) for field, value in where.items()), *values.items()):
        for value in wanted:
            _check(of, name, value)
    return Question(of, tuple(where.items()), tuple(values.items()), required)


def _check(of: type[Observation], name: str, value: object) -> None:
    adapters = _fields(of)
    if name not in adapters:
        raise QuestionError(
            f"{of.__name__} has no field {name}; there are {', '.join(sorted(adapters))}"
        )
    try:
        adapters[name].validate_python(value, strict=True)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise QuestionError(f"{of.__name__}.{name} cannot be {value!r}: {reason}") from None
    if not isinstance(value, Hashable):
        raise QuestionError(
            f"{of.__name__}.{name} is a table, and records are found by fields of one value"
        )


@cache
def _fields(of: type[Observation]) -> Mapping[str, TypeAdapter[Any]]:
    """Return what checks a value of each field and property that a question may name."""
    hints: dict[str, Any] = {
        name: description.annotation for name, description in of.model_fields.items()
    }
    for name, member in inspect.getmembers(of, lambda member: isinstance(member, property)):
        if not hasattr(Observation, name) and not hasattr(Observation.__base__, name):
            hints[name] = get_type_hints(member.fget).get("return", object)
    return {name: TypeAdapter(hint) for name, hint in hints.items()}


def _words(of: type[Observation]) -> str:
    """Return a type's name as words: `RuntimeProgram` is `runtime program`."""
    letters = (f" {letter.lower()}" if letter.isupper() else letter for letter in of.__name__)
    return "".join(letters).strip()


class Findings:
    """All records of one run of the book, which answer questions.

    `recorded` is the evidence of other machines whose records a chapter shows, by machine. Raises
    `EvidenceError` if two records have one identity, also from different chapters.
    """

    def __init__(
        self,
        evidences: Iterable[Evidence],
        recorded: Mapping[str, Iterable[Evidence]] = MappingProxyType({}),
    ) -> None:
        self._measured = {
            record.model_copy(update={"machine": machine}).identity: evidence.environment
            for machine, of_machine in recorded.items()
            for evidence in of_machine
            for record in evidence.records
        }
        self._sources: dict[tuple[object, ...], Evidence] = {}
        self._records: list[Record] = []
        self._filed: dict[tuple[type[Observation], tuple[str, ...]], Filed] = {}
        for evidence in evidences:
            for record in evidence.records:
                self._add(record, evidence)

    def _add(self, record: Record, evidence: Evidence) -> None:
        earlier = self._sources.setdefault(record.identity, evidence).notebook
        if earlier != evidence.notebook:
            raise EvidenceError(
                f"recorded twice: {record.name}, in {earlier} and in {evidence.notebook}"
            )
        self._records.append(record)

    def answers(self, question: Question[R]) -> tuple[R, ...]:
        """Return the records that answer a question, in the order in which they were made.

        Empty if one of its `every` values has no record.
        """
        records = tuple(self._by_values(question.of, question.names).get(question.values, ()))
        for name, values in question.every:
            if not set(values) <= {getattr(record, name) for record in records}:
                return ()
        return records  # type: ignore[return-value]  # they are of the type

    def _by_values(self, of: type[Observation], names: tuple[str, ...]) -> Filed:
        """Return the records of a type by their values of these fields.

        Hundreds of questions are asked, and many name the same fields.
        """
        filed = self._filed.get((of, names))
        if filed is None:
            filed = self._filed[of, names] = defaultdict(list)
            for record in self._records:
                if isinstance(record, of):
                    filed[values_of(record, names)].append(record)
        return filed

    def answer(self, question: Question[R]) -> R:
        """Return the only record that answers a question.

        Raises `EvidenceError` if there is none, or more than one.
        """
        answers = self.answers(question)
        if len(answers) != 1:
            raise EvidenceError(f"{len(answers)} records for one question: {question}")
        return answers[0]

    def chapter_of(self, record: Record) -> str:
        """Return the chapter that made a record."""
        return self.source_of(record).notebook

    def source_of(self, record: Observation) -> Evidence:
        """Return the run of a chapter that made a record, or adopted it from another machine."""
        return self._sources[record.identity]

    def environment_of(self, record: Observation) -> Environment | None:
        """Return where a record was measured; None if another machine's evidence is not here."""
        if record.machine in (None, HERE):
            return self.source_of(record).environment
        return self._measured.get(record.identity)

    @property
    def machines(self) -> tuple[str, ...]:
        """The other machines of which a device was measured, in the order of the records."""
        devices = (record for record in self._records if isinstance(record, DeviceFacts))
        return tuple(dict.fromkeys(device.machine for device in devices if device.machine))
