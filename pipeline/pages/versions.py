"""What was observed under each torch, as the tables of a page.

Records of different versions are put side by side by what they are about. One torch has more
dtypes than another: counts are compared if two releases tried the same number, and otherwise only
none, some or all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from investigation.claims import ledger
from investigation.claims.claim import Claim
from investigation.evidence import files
from investigation.evidence.kinds.gpus import Launch
from investigation.evidence.kinds.programs import CompiledPair
from investigation.evidence.kinds.resources import Calls
from investigation.evidence.kinds.versions import LeftOut
from investigation.evidence.observation import Observation
from investigation.evidence.questions import Findings
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import manifest
from investigation.evidence.words import listed, of_unit
from pipeline import places
from pipeline.pages.version_reasons import REASONS

# One record for each setting of a compiler, or each launch: counted in other records.
DETAILS = (CompiledPair, Launch, LeftOut)
NOT_OBSERVED = "not observed"
# With what torch ends an error of its compiler.
ADVICE = " Set TORCH_LOGS"


@dataclass(frozen=True)
class Outcome:
    """What is compared of a record: a word or value, and the count where things were tried."""

    word: str
    count: int | None = None
    tried: int | None = None

    def agrees_with(self, other: "Outcome") -> bool:
        """Return whether two versions come to the same."""
        if self.tried is not None and self.tried == other.tried:
            return self.count == other.count
        return self.word == other.word


@dataclass(frozen=True)
class Stretch:
    """Neighbouring versions with one outcome, and each version's own words for it."""

    first: str
    last: str
    found: Outcome
    shown: str

    @property
    def outcome(self) -> str:
        """The outcome in a word."""
        return self.found.word

    @property
    def versions(self) -> str:
        """The versions in words."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Line:
    """One claim or observation over all versions, oldest first."""

    name: str
    statement: str
    stretches: tuple[Stretch, ...]

    @property
    def seen(self) -> tuple[Stretch, ...]:
        """The stretches in which there is an outcome."""
        return tuple(stretch for stretch in self.stretches if stretch.outcome != NOT_OBSERVED)

    @property
    def same(self) -> bool:
        """Whether every version that allows it has the same outcome."""
        return not self.changes

    @property
    def changes(self) -> tuple[str, ...]:
        """The versions that changed the outcome."""
        pairs = pairwise(self.seen)
        return tuple(
            after.first for before, after in pairs if not before.found.agrees_with(after.found)
        )

    @property
    def why(self) -> str:
        """Say why it changed with each release, as far as that is known."""
        reasons = {release: REASONS.get((self.name, release)) for release in self.changes}
        return " ".join(
            f"{release}: {reason or 'not known.'}" for release, reason in reasons.items()
        )


@dataclass(frozen=True)
class Versions:
    """All that was observed, by version: the oldest first."""

    evidences: Mapping[str, Evidence]

    @property
    def claims(self) -> list[Line]:
        """The claims that some version decides without a clock."""
        findings = {version: Findings((evidence,)) for version, evidence in self.evidences.items()}
        decided = {version: ledger.verdicts(found) for version, found in findings.items()}
        lines = [
            Line(claim.id, claim.quote, _stretches({
                version: (Outcome(verdicts[claim.id].status), self._fewer(claim, findings[version]))
                for version, verdicts in decided.items()
            }))
            for claim in ledger.CLAIMS
        ]  # fmt: skip
        return [
            line
            for line in lines
            if {stretch.outcome for stretch in line.stretches} != {"untested"}
        ]

    def _fewer(self, claim: Claim, findings: Findings) -> str:
        """Say if a claim has less to go by under a version than under the newest; else nothing."""
        newest = Findings((list(self.evidences.values())[-1],))
        lacking: dict[str, list[str]] = {"not observed": [], "fewer": []}
        for name, question in claim.questions.items():
            answers, most = (len(run.answers(question)) for run in (findings, newest))
            if answers < most:
                lacking["fewer" if answers else "not observed"].append(name.replace("_", " "))
        return "; ".join(f"{how}: {listed(names)}" for how, names in lacking.items() if names)

    @property
    def observations(self) -> list[Line]:
        """What was observed under one version at least, in the order of the newest."""
        by_version = {
            version: {
                record.identity: record
                for record in evidence.records
                if not isinstance(record, DETAILS)
            }
            for version, evidence in self.evidences.items()
        }
        newest: dict[Any, Observation] = {}
        for records in reversed(by_version.values()):
            newest |= {key: record for key, record in records.items() if key not in newest}
        return [
            Line(record.name, record.statement, _stretches(
                {version: _outcome_and_cell(records.get(key))
                 for version, records in by_version.items()}
            ))
            for key, record in newest.items()
        ]  # fmt: skip

    @property
    def same(self) -> list[Line]:
        """The observations with the same outcome under every version that allows them."""
        return [observation for observation in self.observations if observation.same]

    @property
    def changed(self) -> list[Line]:
        """The others."""
        return [observation for observation in self.observations if not observation.same]

    def compared(self, release: str, other: str) -> str:
        """Tell how many observations that need no clock come to the same under two releases."""
        if other not in self.evidences:
            return f"Nothing is recorded for {other} to compare it with."
        outcomes, others = (self._outcomes(version) for version in (release, other))
        both = outcomes.keys() & others.keys()
        same = sum(outcomes[key].agrees_with(others[key]) for key in both)
        return f"Without a clock, {same} of {len(both)} observations are the same as with {other}."

    def _outcomes(self, version: str) -> dict[Any, Outcome]:
        return {
            record.identity: outcome(record)
            for record in self.evidences[version].records
            if not isinstance(record, DETAILS)
        }

    @property
    def left_out(self) -> list[tuple[str, LeftOut]]:
        """What each version does not allow, with the version."""
        return [
            (version, record)
            for version, evidence in self.evidences.items()
            for record in evidence.records
            if isinstance(record, LeftOut)
        ]

    @property
    def left_out_alike(self) -> list[tuple[str, LeftOut]]:
        """What is not allowed, once for all versions with one reason, with these versions."""
        alike: dict[tuple[object, ...], list[tuple[str, LeftOut]]] = {}
        for version, record in self.left_out:
            reason = record.reason.replace(f"torch {version}", "torch").partition(ADVICE)[0]
            shown = record.model_copy(update={"reason": reason})
            key = (record.part, record.observation, record.lacks, reason)
            alike.setdefault(key, []).append((version, shown))
        return [(", ".join(version for version, _ in same), same[0][1]) for same in alike.values()]


def outcome(record: Observation) -> Outcome:
    """Return what is compared of a record: none, some or all of what was tried, or its value."""
    if isinstance(record, Calls):
        return Outcome(" → ".join(call.removeprefix("aten::") for call in record.calls))
    tried = getattr(record, "tried", None)
    if not isinstance(tried, int) or not isinstance(record.value, int):
        return Outcome(str(record.value))
    word = "none" if not record.value else "all" if record.value == tried else "some"
    return Outcome(word, record.value, tried)


def _outcome_and_cell(record: Observation | None) -> tuple[Outcome, str]:
    """Return a record's outcome, and what a table shows of it."""
    if record is None:
        return Outcome(NOT_OBSERVED), NOT_OBSERVED
    compared = outcome(record)
    if compared.tried is not None:
        return compared, f"{compared.count} of {compared.tried}"
    return compared, compared.word if isinstance(record, Calls) else _with_unit(record)


def _with_unit(record: Observation) -> str:
    if isinstance(record.value, int) and not isinstance(record.value, bool):
        return of_unit(record.value, record.unit or "")
    return f"{record.value} {record.unit or ''}".rstrip()


def _stretches(by_version: Mapping[str, tuple[Outcome, str]]) -> tuple[Stretch, ...]:
    """Put neighbouring versions with one outcome together."""
    alike: list[dict[str, tuple[Outcome, str]]] = []
    for version, (compared, shown) in by_version.items():
        if alike and _joins(*list(alike[-1].values())[-1], compared, shown):
            alike[-1][version] = compared, shown
        else:
            alike.append({version: (compared, shown)})
    return tuple(map(_stretch, alike))


def _joins(last: Outcome, last_shown: str, compared: Outcome, shown: str) -> bool:
    """Return whether a version belongs to the stretch whose last version is given."""
    verdict = compared.tried is None and last_shown != shown
    return last.agrees_with(compared) and not verdict


def _stretch(alike: Mapping[str, tuple[Outcome, str]]) -> Stretch:
    """Return versions with one outcome as a stretch, with the first and the last of its words."""
    versions, outcomes = list(alike), list(alike.values())
    words = list(dict.fromkeys(shown for _, shown in outcomes))
    shown = words[0] if len(words) == 1 else f"{words[0]} … {words[-1]}"
    return Stretch(versions[0], versions[-1], outcomes[-1][0], shown)


def read(folder: Path | None = None) -> Versions:
    """Return what is recorded, oldest torch first; none if nothing is."""
    lying = manifest.record_files(folder or places.RECORDED / manifest.VERSIONS)
    evidences = (files.read(path) for path in lying)
    return in_order(evidences)


def in_order(evidences: Iterable[Evidence]) -> Versions:
    """Return evidence by its torch, the oldest first."""
    by_version = {short(evidence.environment.torch): evidence for evidence in evidences}
    ordered: Sequence[str] = sorted(by_version, key=_numbers)
    return Versions({version: by_version[version] for version in ordered})


def short(version: str) -> str:
    """Return a version without the name of its build."""
    return version.partition("+")[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(_leading(version))


def _leading(version: str) -> Iterator[int]:
    for part in version.split("."):
        if not part.isdigit():
            return
        yield int(part)
