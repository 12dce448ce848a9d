"""Which chapters run beside each other: those without a clock, while nothing is timed."""

import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from investigation.evidence import imports
from pipeline import guard, places
from pipeline.chapters import execution, freshness
from pipeline.faults import BuildError

AT_ONCE = 2
# A chapter that imports one of these, itself or through others, may time something.
CLOCKS = frozenset({"time", "timeit", "torch.utils.benchmark"})

Plan = Mapping[Path, Mapping[str, object]]


def uses_clock(notebook: Path) -> bool:
    """Return whether a notebook imports a clock, itself or through the package's modules."""
    return not CLOCKS.isdisjoint(imports.named(notebook, places.PACKAGE))


def turns(notebooks: list[Path], *, alone_when_timed: bool = True) -> Iterator[list[Path]]:
    """Yield the notebooks in the order in which they run, those together that run side by side.

    A notebook with a clock comes alone, unless its times need not mean anything. A notebook
    that reads another's evidence comes after it.
    """
    waiting = list(notebooks)
    timed = {path for path in notebooks if alone_when_timed and uses_clock(path)}
    while waiting:
        ready = [
            notebook
            for notebook in waiting
            if not _reads_one_of(notebook, waiting[: waiting.index(notebook)])
        ]
        turn = [notebook for notebook in ready if notebook not in timed] or ready[:1]
        yield turn
        waiting = [notebook for notebook in waiting if notebook not in turn]


def _reads_one_of(notebook: Path, earlier: list[Path]) -> bool:
    return not {path.stem for path in earlier}.isdisjoint(freshness.reads(notebook))


@dataclass
class Execution:
    """The chapters of one build that are being executed, and how many have begun."""

    plan: Plan
    time_limit_s: float | None = None
    alone_when_timed: bool = True
    keep_going: bool = False
    mark: str = ""
    begun: int = 0
    running: set[str] = field(default_factory=set)
    failed: list[BuildError] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def execute(self) -> None:
        """Execute them all. Raises `BuildError` for the first that fails; the rest is kept.

        With `keep_going` it is raised when all have run, and names each that failed.
        """
        with guard.watched(str(places.BUILD)) as self.mark:
            for turn in turns(list(self.plan), alone_when_timed=self.alone_when_timed):
                if len(turn) == 1:
                    self._alone(*turn)
                else:
                    self._side_by_side(turn)
        if self.failed:
            raise BuildError("; ".join(map(str, self.failed)))

    def _alone(self, notebook: Path) -> None:
        self._execute(notebook, self._position(), quietly=False)

    def _side_by_side(self, notebooks: list[Path]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = [pool.submit(self._beside, notebook) for notebook in notebooks]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException as error:
                pool.shutdown(wait=False, cancel_futures=True)
                if not isinstance(error, BuildError):  # nothing else ends what still runs
                    guard.sweep(self.mark)
                raise

    def _beside(self, notebook: Path) -> None:
        with self.lock:
            position, others = self._position(), sorted(self.running)
            self.running.add(notebook.stem)
            beside = f", beside {', '.join(others)}" if others else ""
            print(f"{position} {notebook.stem}{beside}", file=sys.stderr)
        try:
            self._execute(notebook, position, quietly=True)
        finally:
            with self.lock:
                self.running.discard(notebook.stem)

    def _execute(self, notebook: Path, position: str, *, quietly: bool) -> None:
        try:
            execution.execute(
                notebook,
                self.plan[notebook],
                position,
                self.mark,
                time_limit_s=self.time_limit_s,
                quietly=quietly,
            )
        except BuildError as error:
            if not self.keep_going:
                raise
            self.failed.append(error)

    def _position(self) -> str:
        self.begun += 1
        return f"[{self.begun}/{len(self.plan)}]"
