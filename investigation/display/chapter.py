"""How a chapter opens and closes: its parameters checked, its evidence kept, its rerun command."""

from typing import Any

from IPython.display import HTML

from investigation.display.tables import table
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.timings import Timing, TimingLevel
from investigation.evidence.parameters import typed_name
from investigation.evidence.recorder import Recorder
from investigation.subject.cases import Case
from investigation.timing import recording
from investigation.timing.comparison import Comparison
from investigation.timing.replication import Replication


class Chapter(Recorder):
    """One run of one notebook, as its cells use it; it contains no claim.

    Raises `ParameterError` for a parameter that cannot be used.
    """

    def timing(
        self,
        comparison: Comparison | Replication,
        statement: str,
        level: TimingLevel,
        case: Case | None = None,
        **about: Any,
    ) -> Timing:
        """Keep a comparison; `about` are further fields of `Timing`."""
        return self.keep(recording.timing_of(comparison, statement, level, case, **about))

    def same_control(self, comparison: Comparison, of: str = "") -> Control:
        """Keep a comparison of something with itself: it must not come out different."""
        return recording.same_control(self, comparison, of)

    def slower_control(self, comparison: Comparison, of: str = "") -> Control:
        """Keep a comparison with the gate written out in full: it must come out slower."""
        return recording.slower_control(self, comparison, of)

    def more_work_control(self, comparison: Comparison, of: str = "") -> Control:
        """Keep a comparison of a program with more work against itself: it must come out slower."""
        return recording.more_work_control(self, comparison, of)

    def close(self) -> HTML:
        """Write the evidence; return the environment and the command that reruns the page."""
        evidence = self.write()
        given = " ".join(f"{typed_name(key)}={_typed(value)}" for key, value in self.given.items())
        rows: dict[str, object] = evidence.environment.model_dump()
        rows["parameters"] = given
        rows["elapsed"] = f"{(evidence.finished - evidence.started).total_seconds():.0f} s"
        rows["run again with"] = f"make rerun NOTEBOOK={self.notebook} {given}"
        return table([{"": _label(key), "this run": rows[key]} for key in rows])


def _label(key: str) -> str:
    return "memory, in GiB" if key == "memory_gib" else key.replace("_", " ")


def _typed(value: object) -> str:
    """Return a parameter as a person would type it, all of it, since it is there to be copied."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
