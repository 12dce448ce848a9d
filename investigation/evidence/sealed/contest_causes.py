"""Why a contest of timers missed a target: what its own trials say, in a sentence."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from scipy.stats import binom

from investigation.evidence.sealed.contest import CONFIDENCE, Trial
from investigation.evidence.words import listed, share

RARE = 0.01


def of_alarms(alarms: Mapping[str, Any]) -> str:
    """Say how often chance alone raises so many false alarms at the promised confidence."""
    count, size = alarms["count"], alarms["of"]
    chance = float(binom.sf(count - 1, size, 1 - CONFIDENCE))
    return (
        f"Even a true rate of {share(1 - CONFIDENCE)} gives {count} or more of {size} {_in(chance)}"
    )


def of_coverage(coverage: Mapping[str, Any]) -> str:
    """Say how often chance alone leaves so many intervals beside the truth."""
    count, size = coverage["count"], coverage["of"]
    chance = float(binom.cdf(count, size, CONFIDENCE))
    promised = f"Even a true coverage of {share(CONFIDENCE)}"
    return f"{promised} gives {count} or fewer of {size} {_in(chance)}"


def _in(chance: float) -> str:
    more = ", so there is more to it than chance." if chance < RARE else "."
    shown = "less than 0.1 %" if chance < 0.001 else share(chance)
    return f"in {shown} of contests{more}"


def of_finding(trials: Sequence[Trial], dose: float, wanted: float) -> str:
    """Say how narrow intervals have to be to find a dose so often, and how many are wider.

    An estimate that is `z` half-widths too small must still leave 1 out of its interval.
    """
    normal = NormalDist()
    errors = normal.inv_cdf(wanted) / normal.inv_cdf((1 + CONFIDENCE) / 2)
    needed = dose / (1 + errors)
    reaches = sorted(map(_reach, trials))
    wider = sum(reach > needed for reach in reaches)
    return (
        f"That takes intervals of ±{needed:.2g} %. In {wider} of {len(reaches)} trials the noise "
        f"of this machine made them wider, up to ±{reaches[-1]:.2g} %."
    )


def of_wrong_signs(trials: Sequence[Trial]) -> str:
    """Say at which doses the sign was wrong, and how far the intervals reach there."""
    wrong = Counter(trial.dose for trial in trials if trial.wrong_sign)
    at = [f"{count} at {dose:+g} %" for dose, count in sorted(wrong.items())]
    beyond = (1 - CONFIDENCE) / 2
    return (
        f"{listed(at)}. An interval lies on the wrong side of a very small difference in up to "
        f"{share(beyond)} of trials by design."
    )


def of_error(ours_percent: float, rival_percent: float, wanted: float) -> str:
    """Say how much longer a trial would have to take, if errors fall with the root of the time."""
    needed = wanted * rival_percent
    longer = (ours_percent / needed) ** 2
    times = f"{longer:,.0f}" if longer >= 10 else f"{longer:.2g}"
    return (
        f"The rival's error is {rival_percent:.3g} %, so ours had to be {needed:.3g} % and is "
        f"{ours_percent:.3g} %. Errors fall with the square root of the time: a trial would have "
        f"to take {times} times as long."
    )


def _reach(trial: Trial) -> float:
    """Return half the width of a trial's interval, in per cent of the baseline."""
    if trial.low is None or trial.high is None:
        return float("inf")
    return 100 * (trial.high - trial.low) / 2
