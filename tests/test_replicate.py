import math
import os
import re
import sys
from collections.abc import Callable
from itertools import repeat
from pathlib import Path

import pytest
from fake_clock import FakeMachine, steady

from investigation.subject.workloads import Makers
from investigation.timing.comparison import Comparison
from investigation.timing.errors import MeasurementError
from investigation.timing.measure import compare_on
from investigation.timing.preparations import FEWEST
from investigation.timing.replicate import (
    KEEPING_MEMORY,
    ReplicationError,
    replicate,
    replicate_together,
)
from investigation.timing.replication import Replication
from investigation.timing.settings import Settings

# Kernels, compilers or processes of their own.
pytestmark = pytest.mark.slow

Arms = tuple[Callable[[], object], Callable[[], object]]


def spins(baseline: int, candidate: int) -> Arms:
    return spin(baseline), spin(candidate)


def spin(loops: int) -> Callable[[], None]:
    def work() -> None:
        for _ in repeat(None, loops):
            pass

    return work


def hashes(folder: str) -> Arms:
    """Arms of a process that leaves its hash seed and its number in `folder`."""
    Path(folder, str(os.getpid())).write_text(os.environ["PYTHONHASHSEED"])
    return spins(5000, 5000)


def notes(folder: str, name: str, candidate: int) -> Arms:
    """Arms of a process that adds their name to a file of its own in `folder`."""
    with Path(folder, str(os.getpid())).open("a") as file:
        file.write(f"{name} ")
    return spins(2000, candidate)


def remembers(folder: str) -> Arms:
    """Arms of a process that leaves in `folder` its environment variable for memory."""
    Path(folder, str(os.getpid())).write_text(os.environ.get("MALLOC_TRIM_THRESHOLD_", "unset"))
    return spins(5000, 5000)


def crashes(how: str) -> Arms:
    if how == "exit":
        os._exit(3)

    return spin(5000), fail


def fail() -> None:
    raise RuntimeError("the arm\nbroke")


def comparison(ratio: float, seed: int) -> Comparison:
    machine = FakeMachine(steady, seed)
    arms = machine.work(5e-4), machine.work(ratio * 5e-4)
    return compare_on(machine, Settings(budget_s=0.3, seed=seed), *arms)


def test_a_planted_difference_is_found_across_fresh_processes() -> None:
    outcome = replicate((spins, {"baseline": 2000, "candidate": 8000}), processes=2, budget_s=0.1)
    assert outcome.ratio == pytest.approx(4, rel=0.3)
    assert len(outcome.comparisons) == 2
    assert all(comparison.verdict == "slower" for comparison in outcome.comparisons)


def test_every_process_is_fresh_and_has_its_own_hash_seed(tmp_path: Path) -> None:
    replicate((hashes, {"folder": str(tmp_path)}), processes=2, budget_s=0.05, seed=7)
    hash_seeds = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert sorted(hash_seeds.values()) == ["7", "8"]
    assert str(os.getpid()) not in hash_seeds


def test_comparisons_share_their_processes_and_take_turns_to_begin(tmp_path: Path) -> None:
    arms = {
        name: (notes, {"folder": str(tmp_path), "name": name, "candidate": loops})
        for name, loops in (("more", 8000), ("same", 2000))
    }
    outcome = replicate_together(arms, processes=2, budget_s=0.1)
    assert list(outcome) == ["more", "same"]
    assert outcome["more"].ratio > 2 > outcome["same"].ratio
    began = [path.read_text().split() for path in tmp_path.iterdir()]
    assert sorted(began) == [["more", "same"], ["same", "more"]]


def loaded(folder: str, *, anew: bool) -> Arms | Makers:
    """Arms, or makers of them, that leave in `folder` what is loaded whenever one works."""

    def work() -> None:
        Path(folder, str(os.getpid())).write_text(" ".join(sys.modules))

    return Makers(lambda: work, lambda: work) if anew else (work, work)


@pytest.mark.parametrize("anew", [False, True])
def test_a_process_that_only_times_does_not_wait_for_what_only_judges(
    tmp_path: Path, anew: bool
) -> None:
    arms = {"folder": str(tmp_path), "anew": anew}
    replicate((loaded, arms), processes=2, budget_s=0.2)
    noted = [set(file.read_text().split()) for file in tmp_path.iterdir()]
    assert len(noted) == 2
    for modules in noted:
        assert {"torch", "scipy"} <= modules
        assert not {"scipy.stats", "statsmodels"} & modules


def anew(folder: str) -> Makers:
    """Makers that leave in `folder` how often the candidate was made in this process."""
    note = Path(folder, str(os.getpid()))

    def make() -> Callable[[], object]:
        note.write_text(f"{note.read_text() if note.exists() else ''}made ")
        return spin(5000)

    return Makers(lambda: spin(5000), make)


def test_arms_that_come_as_makers_are_made_several_times_in_each_process(tmp_path: Path) -> None:
    outcome = replicate((anew, {"folder": str(tmp_path)}), processes=2, budget_s=0.3)
    assert all(comparison.preparations >= FEWEST for comparison in outcome.comparisons)
    assert all(path.read_text().count("made") >= FEWEST for path in tmp_path.iterdir())


def test_an_environment_reaches_every_process_and_only_those(tmp_path: Path) -> None:
    arms, before = (remembers, {"folder": str(tmp_path)}), dict(os.environ)
    replicate(arms, processes=2, budget_s=0.1, environment=KEEPING_MEMORY)
    values = [path.read_text() for path in tmp_path.iterdir()]
    assert values == [KEEPING_MEMORY["MALLOC_TRIM_THRESHOLD_"]] * 2
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "RuntimeError: the arm broke (raised by the arm 'candidate' of a comparison)"),
        ("exit", "exit status 3, no message"),
    ],
)
def test_a_process_that_fails_is_named_with_the_reason(how: str, reason: str) -> None:
    message = f"process 1 of the replication failed: {reason}"
    with pytest.raises(ReplicationError, match=f"^{re.escape(message)}$"):
        replicate((crashes, {"how": how}), processes=2, budget_s=0.1)


def test_arms_that_another_process_cannot_import_are_refused() -> None:
    def local() -> Arms:
        return spins(1, 1)

    with pytest.raises(ValueError, match=r"local cannot be imported .* at the top of a module"):
        replicate((local, {}), processes=2)


@pytest.mark.parametrize("processes", [-1, 0, 1])
def test_fewer_than_two_processes_are_refused(processes: int) -> None:
    with pytest.raises(ValueError, match=f"processes must be 2 or more, not {processes}"):
        replicate((spins, {"baseline": 1, "candidate": 1}), processes=processes)


def test_processes_that_agree_are_surer_than_one() -> None:
    outcome = Replication.of([comparison(1.02, seed) for seed in range(6)])
    assert outcome.verdict == "slower"
    assert outcome.ratio == pytest.approx(1.02, abs=0.001)
    assert outcome.spread.between_percent < 0.1


def test_processes_that_disagree_are_inconclusive_though_each_is_sure() -> None:
    planted = [1.03, 0.97] * 3
    outcome = Replication.of([comparison(ratio, seed) for seed, ratio in enumerate(planted)])
    assert {comparison.verdict for comparison in outcome.comparisons} == {"slower", "faster"}
    assert outcome.verdict == "inconclusive"
    assert outcome.spread.heterogeneity_p < 1e-6


def test_a_replication_reads_as_a_sentence() -> None:
    outcome = Replication.of([comparison(1.05, seed) for seed in range(6)])
    pattern = (
        r"candidate is [45]\.\d\d % slower than baseline \(95 % interval [\d.]+ % to [\d.]+ %; "
        r"6 processes; (processes differ by [\d.e-]+ % \(p = [\d.e-]+\)"
        r"|between processes no difference is seen above the noise of one, [\d.e-]+ %)\)"
    )
    assert re.fullmatch(pattern, repr(outcome))


def test_warnings_name_their_process() -> None:
    machine = FakeMachine(steady)
    slow = machine.work(0.02)
    few = compare_on(machine, Settings(budget_s=0.5), slow, slow)
    outcome = Replication.of([comparison(1, 0), few])
    assert any(re.match(r"process 2: only \d+ rounds", warning) for warning in outcome.warnings)


def test_too_few_processes_for_the_confidence_leave_the_interval_without_ends() -> None:
    few = Replication.of([comparison(1.05, seed) for seed in range(3)])
    assert few.ratio_interval == (0, math.inf)
    assert few.verdict == "inconclusive"
    assert "95 % interval without an end" in repr(few)


def test_the_same_processes_can_be_judged_at_another_confidence() -> None:
    outcome = Replication.of([comparison(1.05, seed) for seed in range(11)])
    strict = outcome.at(0.999)
    assert strict.ratio == outcome.ratio
    assert strict.ratio_interval[0] < outcome.ratio_interval[0]
    assert strict.at(0.95) == outcome


def test_a_failed_replication_is_a_measurement_error() -> None:
    assert issubclass(ReplicationError, MeasurementError)
