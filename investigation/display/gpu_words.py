"""Sentences of the GPU chapter's figures, computed from what was compiled and predicted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from investigation.display.launch_tables import OPERATIONS
from investigation.display.outcomes import NOT_TIMED, counted
from investigation.evidence.kinds.gpus import LaunchOperation, SameLaunches
from investigation.evidence.kinds.programs import MachineCode
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.observation import Dtypes
from investigation.evidence.records import Evidence
from investigation.evidence.words import capital, listed, microseconds, more_bytes, number_of, share
from investigation.gpu.prediction import HostCost, Prediction
from investigation.subject.cases import Case
from investigation.subject.gpu_catalog import Card

# A part that takes this many times as long as the whole was timed on a host of another speed.
LONGER = 1.01


def digests_told(forms: Sequence[MachineCode]) -> str:
    """Say whether the machine code of all forms has one digest."""
    same = len({form.binary_sha256 for form in forms}) == 1
    return f"The digests of both forms' machine code are {'the same' if same else 'not the same'}."


def moved_told(moved: Mapping[str, int], baseline: str = "broadcast") -> str:
    """Say by how many bytes the scale kernel of each form moves more or less than the baseline's.

    `moved` maps a form to the bytes that its kernel reads and writes.
    """
    by_difference: dict[int, list[str]] = {}
    for form, count in moved.items():
        if form != baseline:
            by_difference.setdefault(count - moved[baseline], []).append(form)
    parts = [
        f"{more_bytes(difference) if difference else 'as many bytes'} with {listed(forms)}"
        for difference, forms in sorted(by_difference.items())
    ]
    return f"Against {baseline}, the scale kernel moves {listed(parts)}."


def launches_told(records: Iterable[SameLaunches]) -> str:
    """Say whether all launches are the same but those of a narrower gate's gradient.

    That is the gate's gradient with two dtypes, which is foretold to come in another order. Raises
    `ValueError` where there is no other launch to judge by.
    """
    tried: Counter[tuple[Dtypes, LaunchOperation]] = Counter()
    differing: Counter[tuple[Dtypes, LaunchOperation]] = Counter()
    for record in records:
        if (record.dtypes, record.operation) != ("mixed", "gradient_of_gate"):
            tried[record.dtypes, record.operation] += record.tried
            differing[record.dtypes, record.operation] += record.differing
    if not tried:
        raise ValueError("no launch to judge the prediction by")
    wrong = [
        f"{OPERATIONS[operation]} with {'one dtype' if dtypes == 'same' else 'two dtypes'} "
        f"({count:,} of {tried[dtypes, operation]:,})"
        for (dtypes, operation), count in differing.items()
        if count
    ]
    if wrong:
        return f"**The prediction was wrong** in some settings of {listed(wrong)}."
    return (
        f"**The prediction was right** in all {tried.total():,} settings: only the gradient of a "
        "gate of another dtype may differ."
    )


def bounds_told(predictions: Sequence[Prediction], host: HostCost | None) -> str:
    """Say in which pairs of workload and card the device waits, so that the host's time shows.

    Without the host's time, say only how long the device is predicted to need.
    """
    if host is None:
        times = [prediction.device_s for prediction in predictions]
        return (
            f"The predicted times reach from {microseconds(min(times))} to "
            f"{microseconds(max(times))}. The host's time is not known."
        )
    waiting = [prediction for prediction in predictions if prediction.bound == "launch"]
    counted = f"{len(waiting)} of {len(predictions)} pairs of workload and card"
    if not waiting:
        return f"The device is predicted to wait in {counted}, so its memory sets every time."
    places = ". ".join(_places(waiting, len({prediction.card for prediction in predictions})))
    return (
        f"The device is predicted to wait for the host in {counted}; the time that expand_as adds "
        f"on the host would show there. {places}."
    )


def _places(waiting: Sequence[Prediction], cards: int) -> Iterator[str]:
    """Name the workloads at which each of the cards waits, and those at which only faster ones do.

    The faster a card's memory, the shorter it needs: if it waits, all with faster memory do.
    """
    by_case: dict[Case, list[Card]] = {}
    for prediction in sorted(waiting, key=lambda prediction: prediction.case.elements):
        by_case.setdefault(prediction.case, []).append(prediction.card)
    everywhere = [case.name for case, some in by_case.items() if len(some) == cards]
    elsewhere = [
        f"{case.name} ({min(some, key=lambda card: card.bandwidth).name})"
        for case, some in by_case.items()
        if len(some) < cards
    ]
    if everywhere:
        yield f"On every card: {'; '.join(everywhere)}"
    if elsewhere:
        yield f"On the named card and those with faster memory: {'; '.join(elsewhere)}"


def hidden_told(large: Mapping[str, Sequence[Timing]]) -> str:
    """Say how multiplies came out that a device was predicted to hide its host in.

    `large` maps a machine to their timings from start to finish.
    """
    found = "; ".join(f"{machine}: {counted(timings)}" for machine, timings in large.items())
    outcomes = {timing.outcome for timings in large.values() for timing in timings}
    verdict = "That does not decide whether the prediction is right."
    if "slower" in outcomes:
        verdict = "**The predicted size does not hide the host everywhere.**"
    elif outcomes == {"equivalent"}:
        verdict = "**The prediction was right.**"
    return f"From start to finish, at the predicted size and above: {found}. {verdict}"


def machines_told(machines: Mapping[str, Evidence]) -> str:
    """Name each machine whose GPU was measured: the GPU, the torch that ran it, and the day."""
    parts = (
        f"{name}: {evidence.environment.accelerator}, torch {evidence.environment.torch}, "
        f"{evidence.finished:%Y-%m-%d}"
        for name, evidence in machines.items()
    )
    return f"Measured on {number_of(len(machines), 'machine')}. {'; '.join(parts)}."


def steps_told(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield a sentence for each whole step that was timed on a machine, of the table's rows."""
    for row in rows:
        parts = [
            f"{name} {told}"
            for name, told in row.items()
            if name not in ("timed", "on") and told != NOT_TIMED
        ]
        if "step" in str(row["timed"]) and parts:
            yield f"{row['on']}, {row['timed']}, with the line: {'. '.join(map(capital, parts))}."


def host_speeds_told(times: Iterable[tuple[float, float]]) -> str:
    """Say in how many cases a host's part is longer than the whole call, timed at another moment.

    `times` holds both, in seconds, of one case on one machine.
    """
    pairs = list(times)
    longer = sum(host > LONGER * whole for host, whole in pairs)
    if not longer:
        return ""
    return (
        f"In {longer} of {number_of(len(pairs), 'case')} the host's part of a call is longer than "
        "the whole call, which was timed at another moment: the host runs at more than one speed. "
        "Both forms of a comparison take turns, so ratios hold. Compare no microseconds across "
        "columns."
    )


def busy_told(shares: Mapping[str, Sequence[float]]) -> str:
    """Say for which share of a step each machine's device works; `shares` has it by format."""
    parts = (
        f"{machine}, {share(min(some))} to {share(max(some))}" for machine, some in shares.items()
    )
    waits = all(value < 1 for some in shares.values() for value in some)
    return (
        "The device's share of a forward step of the network: "
        f"{'; '.join(parts)}.{' For the rest the device waits for its host.' if waits else ''}"
    )


def placement_told(timings: Iterable[Timing]) -> str:
    """Say how far apart preparations of one comparison lay, over all comparisons of a kind."""
    between = sorted(
        timing.single.between_percent
        for timing in timings
        if timing.single.between_percent is not None
    )
    if not between:
        return ""
    return (
        f"Between preparations of one comparison the ratio of the device's times differs by "
        f"{between[len(between) // 2]:.2g} % (standard deviation, the median of "
        f"{number_of(len(between), 'comparison')}), and by {between[-1]:.2g} % at most."
    )


def measured_told(times: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    """Say for each machine how measured device times lie to the predicted ones.

    `times` maps a machine to its workloads, and a workload's name to both times in seconds.
    """
    return " ".join(
        f"{machine}: {_against(workloads.values())}." for machine, workloads in times.items()
    )


def _against(pairs: Iterable[tuple[float, float]]) -> str:
    ratios = [measured / predicted for predicted, measured in pairs]
    longer = sum(ratio > 1 for ratio in ratios)
    shorter = sum(ratio < 1 for ratio in ratios)
    return (
        f"the device needs {min(ratios):.2g} to {max(ratios):.2g} times the predicted time, "
        f"longer at {longer} and shorter at {shorter} of {number_of(len(ratios), 'point')}"
    )
