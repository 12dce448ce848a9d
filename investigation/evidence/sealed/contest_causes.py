"""Why a contest of timers missed a target: what its own trials say, in a sentence."""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from investigation.evidence.sealed.contest import CONFIDENCE, Trial, rms_error_percent
from investigation.evidence.words import change, listed, share

# Each contest has eight rates that are held against chance: 0.01 would come up now and then.
RARE = 0.001
WORST = 0.01


def of_alarms(alarms: Mapping[str, Any]) -> str:
    """Say how often chance alone raises so many false alarms at the promised confidence."""
    count, size = alarms["count"], alarms["of"]
    chance = float(binom.sf(count - 1, size, 1 - CONFIDENCE))
    true = share(1 - CONFIDENCE)
    return f"With a true rate of {true}, {count} or more of {size} {_how_often(chance)}"


def of_limit(alarms: Mapping[str, Any], limit: float) -> str:
    """Say how often so many trials keep the upper limit of a true rate below a limit."""
    size = alarms["of"]
    kept = [count for count in range(size + 1) if _upper_limit(count, size) < limit]
    chance = float(binom.cdf(kept[-1], size, 1 - CONFIDENCE)) if kept else 0.0
    said = (
        f"With {size} trials, a true rate of {share(1 - CONFIDENCE)} meets this in {share(chance)} "
        "of contests."
    )
    return said if alarms["share"] <= 1 - CONFIDENCE else f"{said} {of_alarms(alarms)}"


def _upper_limit(count: int, size: int) -> float:
    return float(proportion_confint(count, size, alpha=1 - CONFIDENCE, method="wilson")[1])


def of_coverage(coverage: Mapping[str, Any]) -> str:
    """Say how often chance alone leaves so many intervals beside the truth."""
    count, size = coverage["count"], coverage["of"]
    chance = float(binom.cdf(count, size, CONFIDENCE))
    true = share(CONFIDENCE)
    return f"With a true coverage of {true}, {count} or fewer of {size} {_how_often(chance)}"


def _how_often(chance: float) -> str:
    if chance < RARE:
        return f"come up in less than {share(RARE)} of contests: chance alone does not explain it."
    return f"come up by chance in {share(chance)} of contests."


def of_finding(trials: Sequence[Trial], dose: float, wanted: float) -> str:
    """Say how narrow intervals have to be to find a dose so often, and how many are wider.

    In so many trials an estimate is too small by at most `short` half-widths of its interval, and
    what is left of the dose must be more than one half-width.
    """
    normal = NormalDist()
    short = normal.inv_cdf(wanted) / normal.inv_cdf((1 + CONFIDENCE) / 2)
    needed = dose / (1 + short)
    wider = [reach for reach in map(_reach, trials) if reach > needed]
    if not wider:
        return f"All intervals reach ±{needed:.2g} % or less, so it is the estimates that are off."
    ends = [reach for reach in wider if math.isfinite(reach)]
    farthest = f", at most ±{max(ends):.2g} %" if len(ends) == len(wider) else ""
    return (
        f"To find it in {share(wanted)} of trials, intervals must reach ±{needed:.2g} % or less. "
        f"They reached further in {len(wider)} of {len(trials)} trials{farthest}."
    )


def of_wrong_signs(trials: Sequence[Trial]) -> str:
    """Say at which doses the sign was wrong, with the estimates, and whether chance allows that."""
    wrong = [trial for trial in trials if trial.wrong_sign]
    parts = []
    for dose in sorted({trial.dose for trial in wrong}):
        estimates = [change(trial.ratio) for trial in wrong if trial.dose == dose]
        tried = sum(trial.dose == dose for trial in trials)
        parts.append(f"{len(estimates)} of {tried} at {dose:+g} % (estimated: {listed(estimates)})")
    said = f"{listed(parts)}."
    if any(_reach(trial) < abs(trial.dose) for trial in wrong):
        return said
    return (
        f"{said} Each of these intervals reaches further than the planted difference. By chance "
        f"alone such an interval lies on the wrong side in up to {share((1 - CONFIDENCE) / 2)} of "
        "trials."
    )


def of_error(trials: Sequence[Trial], rival_percent: float, wanted: float) -> str:
    """Say how large the error may be, and how much of it the worst trials make."""
    ordered = sorted(trials, key=lambda trial: abs(math.log(trial.ratio / trial.truth)))
    worst = math.ceil(WORST * len(ordered))
    whole, rest = rms_error_percent(ordered), rms_error_percent(ordered[:-worst] or ordered)
    return (
        f"The rival's error is {rival_percent:.3g} %, so ours had to be at most "
        f"{wanted * rival_percent:.3g} %. It is {whole:.3g} %; without the worst {worst} of "
        f"{len(ordered)} trials it is {rest:.3g} %."
    )


def _reach(trial: Trial) -> float:
    """Return half the width of a trial's interval, in per cent of the baseline."""
    if trial.low is None or trial.high is None:
        return math.inf
    return 100 * (trial.high - trial.low) / 2
