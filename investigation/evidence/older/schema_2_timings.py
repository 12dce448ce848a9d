"""What the timings of schema 2 stood for (see `evidence.schema_2`)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Old = Mapping[str, Any]
Fields = Mapping[str, Any]
Named = Mapping[str, str | None]
# From a record and the parts of its id to the fields that they stood for.
Convert = Callable[[Old, Named], Fields]

KEPT_ALONE = (
    "ratio",
    "ratio_interval",
    "margin",
    "warnings",
    "verdict_in_family",
    "difference_s",
    "difference_interval_s",
    "baseline_s",
    "candidate_s",
    "equivalence_p",
    "pairs",
    "calls_per_block",
)


def _timing(level: str | None = None, **about: Any) -> Convert:
    """Return a conversion of a comparison; `about` are fields that every such id stood for."""

    def convert(old: Old, named_parts: Named) -> Fields:
        details, case = old["details"], old.get("case")
        parts = details.get("processes", [])
        fields = {
            "type": "timing", "level": level, "ratio": old["value"], "interval": old["interval"],
            "confidence": old["confidence"],
            "verdict": _today(old["verdict"], old["interval"], details["margin"]),
            "margin": details["margin"], "warnings": details["warnings"],
            "device": old["device"], "threads": (parts or [details])[0].get("threads", 1),
            "memory_format": case["memory_format"] if case else "contiguous",
            "between_percent": details.get("between_percent"),
            "heterogeneity_p": details.get("heterogeneity_p"),
            "family": details.get("family"),
        }  # fmt: skip
        fields |= {"processes": [_timed(part) for part in parts]} if parts else {
            "alone": _timed(details)
        }  # fmt: skip
        named = {key: value for key, value in named_parts.items() if value is not None}
        return fields | about | named

    return convert


def _timed(details: Mapping[str, Any]) -> Fields:
    timed = {name: details[name] for name in KEPT_ALONE}
    in_family = _today(timed["verdict_in_family"], timed["ratio_interval"], timed["margin"])
    return timed | {"verdict_in_family": in_family}


def _today(verdict: str, interval: Sequence[float | None], margin: float) -> str:
    """Return an old verdict as it is called today.

    Slower was an interval above 1, and is one beyond the margin. An end of None is infinite.
    """
    low, high = interval
    beyond = {
        "slower": low is not None and low > 1 + margin,
        "faster": high is not None and high < 1 / (1 + margin),
    }
    return verdict if beyond.get(verdict, True) else "inconclusive"


def _measured_on_a_gpu(old: Old, named: Named) -> Fields:
    level = {"mixed": "multiply"}.get(str(named["level"]), str(named["level"]))
    candidate, role = "expand_as", "measurement"
    if level in ("same", "materialized"):
        candidate, role = {"same": "broadcast"}.get(level, level), "control"
        level = "multiply"
    return _timing(level, candidate=candidate, role=role)(
        old, {"quantity": named["quantity"], "memory_format": named["memory_format"]}
    )


QUANTITY = r"(?P<quantity>host|device|cold|end_to_end)"
FORMAT = r"(?P<memory_format>contiguous|channels_last)"
TIMINGS: tuple[tuple[str, Convert], ...] = (
    (r"timing\.instrument\.replicated", _timing("multiply", role="demonstration")),
    (r"timing\.(?:multiply|mixed)\.\w+(?:\.\w+)?", _timing("multiply")),
    (r"timing\.sweep\.\w+", _timing("multiply", series="sizes")),
    (r"timing\.replicated\.reader|timing\.one_setting", _timing("multiply")),
    (r"timing\.mechanism\.dropped", _timing("multiply", baseline="dropped", series="sizes")),
    (r"timing\.mechanism\.cold", _timing("multiply", quantity="cold", series="sizes")),
    (r"timing\.block\.\w+\.\w+", _timing("block")),
    (rf"timing\.network\.{FORMAT}", _timing("network")),
    (
        rf"timing\.recalibration\.{FORMAT}",
        _timing("network", baseline="no SE blocks", candidate="six SE blocks"),
    ),
    (rf"timing\.training\.{FORMAT}", _timing("training_step")),
    (r"timing\.scale_step\.\w+", _timing("scale_step", mode="training")),
    (
        r"timing\.compiled\.(?P<level>\w+)\.(?P<mode>\w+)\.\w+\.\w+\.\w+",
        _timing(runtime="compile"),
    ),
    (r"timing\.compile", _timing("compilation", runtime="compile")),
    (r"timing\.runtimes\.(?P<runtime>\w+)\.\w+", _timing("block")),
    (r"timing\.remedies\.(?P<runtime>\w+)", _timing("block")),
    (
        r"timing\.placement\.(?P<runtime>\w+)\.(?P<candidate>copy|materialized)",
        _timing("block", role="control"),
    ),
    (
        r"timing\.check\.\w+?\.(?P<candidate>\w+)",
        _timing("check"),
    ),
    (
        rf"{QUANTITY}\.(?P<level>multiply|mixed|block|network|same|materialized)\.\w+\.{FORMAT}",
        _measured_on_a_gpu,
    ),
)
