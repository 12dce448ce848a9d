"""What the ledger's claims come to on a GPU: a verdict for every machine that was measured.

The rules are those of the ledger with a GPU's quantities in them. Without a measurement a claim
is untested on a GPU, whatever a processor says of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.claims.rules import MINOR, kib, percent
from investigation.evidence.records import Findings, Record
from investigation.gpu import record as gpu_record
from investigation.subject.cases import MEMORY_FORMATS

Records = Mapping[str, Record]
UNTESTED = "No GPU measurement exists yet"


@dataclass(frozen=True)
class GpuRule:
    """A claim of the ledger, with the rule that decides it from one machine's measurements."""

    claim: str
    quote: str
    rule: str
    decide: Callable[[Records], Verdict]


@dataclass(frozen=True)
class OnMachine:
    """A verdict and the machine that it holds for."""

    machine: str
    verdict: Verdict


def _under(records: Records, *prefixes: str) -> list[Record]:
    return [one for key, one in records.items() if key.startswith(prefixes)]


def _slowest(found: Iterable[Record]) -> Record | None:
    """Return the dearest of those slower at the confidence of their family."""
    slower = [one for one in found if one.details["verdict_in_family"] == "slower"]
    return max(slower, key=lambda one: float(one.value), default=None)


def _network(records: Records) -> list[Record]:
    ids = (f"end_to_end.network.host_network.{layout}" for layout in MEMORY_FORMATS)
    return [records[one] for one in ids]


def _network_words(records: Records) -> str:
    parts = zip(MEMORY_FORMATS, _network(records), strict=True)
    return "a forward step of the host network: " + ", ".join(
        f"{percent(record)} in {layout}" for layout, record in parts
    )


def _multiply_words(records: Records) -> str:
    named = {
        "handed over by the host": "host.multiply.",
        "in the device's own time": "device.multiply.",
        "end to end": "end_to_end.multiply.",
        "end to end with two dtypes": "end_to_end.mixed.",
    }
    worst = {words: _slowest(_under(records, prefix)) for words, prefix in named.items()}
    parts = [f"{words} up to {percent(one)}" for words, one in worst.items() if one is not None]
    return f"the multiply alone, slower {', '.join(parts)}" if parts else "the multiply alone"


def _decided(records: Records) -> set[str]:
    return {str(one.verdict) for one in _network(records)}


def _needs_network(decide: Callable[[Records, set[str]], Verdict]) -> Callable[[Records], Verdict]:
    """Leave a claim untested where the network's comparison came out inconclusive."""

    def decided(records: Records) -> Verdict:
        verdicts = _decided(records)
        if "inconclusive" in verdicts and "slower" not in verdicts:
            return untested(f"This machine cannot tell: {_network_words(records)}.")
        return decide(records, verdicts)

    return decided


@_needs_network
def overhead(records: Records, verdicts: set[str]) -> Verdict:
    """T6: is there an overhead, and is it minor?"""
    where = f"{_multiply_words(records)}; {_network_words(records)}"
    below = _slowest(_under(records, "host.multiply.", "device.multiply.", "end_to_end.multiply."))
    mixed = _slowest(_under(records, "end_to_end.mixed."))
    if below is None and mixed is None and "slower" not in verdicts:
        return refuted(f"No overhead in any quantity: {where}.")
    minor = mixed is None or float(mixed.value) < 1 + MINOR
    if "slower" in verdicts and minor:
        return supported(f"An overhead at every level: {where}.")
    return qualified(f"An overhead that depends on the setting: {where}.")


@_needs_network
def gain(records: Records, verdicts: set[str]) -> Verdict:
    """C4: does the change give no measurable gain?"""
    where = f"{_multiply_words(records)}; {_network_words(records)}"
    if "slower" in verdicts:
        return refuted(f"The gain is measurable in the network: {where}.")
    if _slowest(_under(records, "end_to_end.multiply.", "end_to_end.mixed.")):
        return qualified(f"No gain in the network, a measurable one below it: {where}.")
    return supported(f"No gain from start to finish at any level: {where}.")


@_needs_network
def negligible(records: Records, verdicts: set[str]) -> Verdict:
    """P1: is the impact negligible?"""
    if "slower" in verdicts:
        return refuted(f"Not negligible: {_network_words(records)}.")
    worst = _slowest(_under(records, "end_to_end.mixed."))
    if worst is not None and float(worst.value) >= 1 + MINOR:
        return qualified(
            f"Negligible in {_network_words(records)}; not where the multiply of two dtypes is "
            f"itself the step: {percent(worst)}."
        )
    return supported(f"Negligible in {_network_words(records)}.")


@_needs_network
def same_time(records: Records, verdicts: set[str]) -> Verdict:
    """V3: does the forward pass take the same time?"""
    where = f"{_multiply_words(records)}; {_network_words(records)}"
    if "slower" in verdicts:
        return refuted(f"It takes longer with `expand_as`: {where}.")
    if _slowest(_under(records, "end_to_end.multiply.", "end_to_end.mixed.")):
        return qualified(f"The same in the network, longer in the multiply alone: {where}.")
    return supported(f"The same: {where}.")


def intermediate(records: Records) -> Verdict:
    """T1: does the line ask the device for more memory with `expand_as`?"""
    if not all(one in records for one in gpu_record.ALLOCATIONS):
        return untested("torch keeps no count of what this device's allocator is asked for.")
    asked = {one: float(records[one].value) for one in gpu_record.ALLOCATIONS}
    more = {
        dtypes: asked[f"allocation.{dtypes}.expand_as"] > asked[f"allocation.{dtypes}.broadcast"]
        for dtypes in ("same_dtype", "mixed_dtype")
    }
    words = ", ".join(
        f"{dtypes.replace('_', ' ')}: {kib(asked[f'allocation.{dtypes}.expand_as'])} against "
        f"{kib(asked[f'allocation.{dtypes}.broadcast'])}"
        for dtypes in more
    )
    if all(more.values()):
        return supported(f"It asks for more beside the output in every setting tried ({words}).")
    if any(more.values()):
        return qualified(f"It asks for more beside the output in some settings ({words}).")
    return refuted(f"It asks for no more beside the output ({words}); what it makes is a view.")


RULES: tuple[GpuRule, ...] = (
    GpuRule(
        "T1",
        "expand_as() creates an unnecessary intermediate tensor",
        "Supported if the line asks the device's allocator for more bytes with `expand_as` than "
        "without, with one dtype and with two; qualified if with one of them; refuted if never.",
        intermediate,
    ),
    GpuRule(
        "T6",
        "minor performance overhead",
        "Refuted if nothing is slower with `expand_as`, neither a multiply in any quantity nor "
        "the network's step; supported if the network's step is slower and no multiply of two "
        "dtypes by 10 % or more; qualified otherwise; untested if the network is inconclusive.",
        overhead,
    ),
    GpuRule(
        "C4",
        "worth it for clarity, unlikely to give measurable gains",
        "The gain only. Supported if nothing is slower with `expand_as` from start to finish; "
        "qualified if a multiply is and the network's step is not; refuted if the step is; "
        "untested if the network is inconclusive.",
        gain,
    ),
    GpuRule(
        "P1",
        "negligible impact",
        "Supported if the network's step is within ±1 % from start to finish in both memory "
        "formats and no multiply of two dtypes is slower by 10 % or more; qualified if only the "
        "network's part holds; refuted if the step is slower; untested if it is inconclusive.",
        negligible,
    ),
    GpuRule(
        "V3",
        "forward-pass time",
        "Supported if nothing is slower with `expand_as` from start to finish; qualified if a "
        "multiply is and the network's step is not; refuted if the step is; untested if it is "
        "inconclusive.",
        same_time,
    ),
)


def on_each_machine(rule: GpuRule, findings: Findings) -> list[OnMachine]:
    """Return the claim's verdict on every machine that was measured; empty where none was."""
    return [
        OnMachine(machine, rule.decide(records))
        for machine, records in gpu_record.machines(findings).items()
    ]


def rows(findings: Findings) -> Iterable[dict[str, object]]:
    """Yield a claim and a machine a row, as the chapter shows them."""
    for rule in RULES:
        found = on_each_machine(rule, findings)
        if not found:
            yield _row(rule, "on no machine yet", "untested on a GPU", f"{UNTESTED}.")
        for one in found:
            yield _row(rule, f"on {one.machine}", one.verdict.status, one.verdict.sentence)


def _row(rule: GpuRule, who: str, status: str, sentence: str) -> dict[str, object]:
    return {
        "claim": rule.claim,
        "who": who,
        "says": rule.quote,
        "rule": rule.rule,
        "verdict": status,
        "because": sentence,
    }
