"""From the runtimes' answers to a row a runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from investigation.runtimes import workers
from investigation.runtimes.observe import observe
from investigation.runtimes.program import Trace
from investigation.subject.cases import Case
from investigation.subject.runtimes import Runtime
from investigation.timing.comparison import Comparison
from investigation.timing.processes import Reply

FLOAT_BYTES = 4


@dataclass(frozen=True)
class SurveyRow:
    """What became of one runtime: an answer, or the reason why there is none."""

    runtime: Runtime
    outcome: Reply
    cases: tuple[Case, ...]

    @property
    def ran(self) -> bool:
        """Whether there is an answer."""
        return self.outcome.answer is not None

    @property
    def state(self) -> str:
        """Say what became of it, in one line."""
        if self.runtime.missing:
            return f"not installed here: {', '.join(self.runtime.missing)}"
        return "ran" if self.ran else f"crashed: {self.outcome.crash}"

    @property
    def _answer(self) -> Mapping[str, Any]:
        assert self.ran
        answer: Mapping[str, Any] = self.outcome.answer
        return answer

    def seen(self, case: Case, variant: str) -> Mapping[str, Any]:
        """Return what the process recorded of a variant."""
        observed: Mapping[str, Any] = self._answer["cases"][case.slug][variant]
        return observed

    def trace(self, case: Case, variant: str) -> Trace:
        """Return what a variant's program does when it runs."""
        return Trace.from_dict(self.seen(case, variant))

    def survives(self, case: Case) -> bool:
        """Return whether the program runs more expansions with `expand_as` than without."""
        with_it, without = (
            self.trace(case, form).expansions for form in ("expand_as", "broadcast")
        )
        return len(with_it) > len(without)

    def written_more(self, case: Case, variant: str = "expand_as") -> int:
        """Return the bytes that a variant's program writes beyond the plain product's."""
        plain = self.trace(case, "broadcast").bytes_written
        return self.trace(case, variant).bytes_written - plain

    def same_steps(self, case: Case) -> bool:
        """Return whether both programs run the same steps and write the same bytes in each."""
        with_it, without = (self.trace(case, form).steps for form in ("expand_as", "broadcast"))
        return with_it == without

    def expanded_bytes(self, case: Case) -> int:
        """Return the size of the expanded gate: of the images that the runtime takes at a time."""
        images = int(self.seen(case, "broadcast")["images"])
        return FLOAT_BYTES * case.elements // case.shape[0] * images

    def planned_more(self, case: Case) -> int | None:
        """Return by how much the planned memory grows; None if the runtime does not report it."""
        with_it, without = (
            self.trace(case, form).arena_bytes for form in ("expand_as", "broadcast")
        )
        return None if with_it is None or without is None else with_it - without

    def comparison(self, case: Case) -> Comparison:
        """Return `expand_as` timed against the plain product."""
        return Comparison.from_samples(self._answer["comparisons"][case.slug])

    def copies(self, case: Case) -> Comparison:
        """Return the plain product's program timed against a copy of itself."""
        return Comparison.from_samples(self._answer["copies"][case.slug])

    def control(self, name: str) -> Comparison | None:
        """Return a control's comparison; None if the runtime refused one of its arms."""
        comparison = self._answer["controls"].get(name)
        return None if comparison is None else Comparison.from_samples(comparison)


def survey(
    runtimes: Sequence[Runtime], cases: Sequence[Case], settings: Mapping[str, Any]
) -> list[SurveyRow]:
    """Measure every runtime, each in its own process; a runtime that is missing is not started."""
    cases_of = {runtime.slug: tuple(cases[: runtime.most_cases]) for runtime in runtimes}
    here = [runtime for runtime in runtimes if not runtime.missing]
    questions = [
        {
            "slug": runtime.slug,
            "cases": [case.model_dump(mode="json") for case in cases_of[runtime.slug]],
            "settings": dict(settings),
        }
        for runtime in here
    ]
    answers = workers.run(observe, questions, settings["threads"])
    outcomes = dict(zip((runtime.slug for runtime in here), answers, strict=True))
    absent = Reply(None, "not installed")
    return [
        SurveyRow(runtime, outcomes.get(runtime.slug, absent), cases_of[runtime.slug])
        for runtime in runtimes
    ]


def version(runtime: Runtime) -> str:
    """Return the version of the package that runs it, empty if it is not installed."""
    distributions = _distributions().get(runtime.packages[0], [])
    return metadata.version(distributions[0]) if distributions else ""


@cache  # it reads the files of everything that is installed
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
