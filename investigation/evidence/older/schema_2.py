"""What the records of schema 2 stood for.

A record was found by a dotted id, and what it was about stood in that id and in a free `details`.
The patterns below are all that is left of those ids. What a page can now count by itself, such as
the sizes at which the line is slower, was a record of its own and is left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from investigation.evidence.older.schema_2_timings import TIMINGS, Convert, Fields, Named, Old


class UnknownIdError(LookupError):
    """An id that schema 2 did not have; the message is the id."""


def typed(evidence: Mapping[str, Any]) -> Iterator[Fields]:
    """Iterate over the fields of the typed records. Raises `UnknownIdError`."""
    by_id = {record["id"]: record for record in evidence["records"]}
    if "layout.view.is_view" in by_id:
        yield _view(by_id)
    if "timing.contest.live.found" in by_id:
        yield _planted(by_id)
    for record in by_id.values():
        old = {"device": evidence["parameters"].get("device", "cpu"), "details": {}, **record}
        fields = (
            _control(old, evidence["notebook"])
            if old.get("passed") is not None
            else _converted(old)
        )
        if fields:
            yield {"says": old["says"], "case": old.get("case"), **fields}


def _converted(old: Old) -> Fields:
    for pattern, convert in PATTERNS:
        if match := pattern.fullmatch(old["id"]):
            return convert(old, match.groupdict())
    raise UnknownIdError(old["id"])


def _control(old: Old, chapter: str) -> Fields:
    outcome = {"control": old["id"], "seen": str(old["value"]), "passed": old["passed"]}
    return {"type": "control", "chapter": chapter, **outcome}


def _view(by_id: Mapping[str, Old]) -> Fields:
    stride = by_id["layout.view.stride"]
    return {
        "type": "view", "says": "what gate.expand_as(x) returns", "case": stride.get("case"),
        "is_view": by_id["layout.view.is_view"]["value"],
        "shares_storage": by_id["layout.view.shares_storage"]["value"],
        "stride": [int(text) for text in re.findall(r"\d+", stride["value"])],
        "bytes_allocated": by_id["allocation.view"]["value"],
    }  # fmt: skip


def _planted(by_id: Mapping[str, Old]) -> Fields:
    detected, wrong = (by_id[f"timing.contest.live.{name}"] for name in ("found", "wrong_sign"))
    return {
        "type": "planted_differences", "says": detected["says"], "found": detected["value"],
        "wrong_sign": wrong["value"], "planted": detected["details"]["of"],
        "doses_percent": detected["details"]["doses_percent"],
    }  # fmt: skip


def _keep(
    kind: str, /, whole: bool = False, always: Fields | None = None, **fields: str
) -> Convert:
    """Return a conversion that keeps the parts of the id that its pattern names.

    Each of `fields` is a detail, `value` or `details`, under the name that it had; `whole` keeps
    all details; `always` is the same for every such record.
    """

    def convert(old: Old, named_parts: Named) -> Fields:
        values = {**old["details"], "value": old["value"], "details": old["details"]}
        details = old["details"] if whole else {}
        named = {field: values.get(key) for field, key in fields.items()}
        return {**details, "type": kind, **named_parts, **(always or {}), **named}

    return convert


def _equality(aspect: str, of: str, **fields: str) -> Convert:
    """Return a conversion of a count of what differs, or of whether all is the same."""

    def convert(old: Old, named: Named) -> Fields:
        details, means_same = old["details"], isinstance(old["value"], bool)
        tried = details.get("tried", details.get("elements", len(details.get("dtypes", [])) or 1))
        return {
            "type": "equality", "aspect": aspect, "of": of, "tried": tried,
            "setting": (named.get("setting") or "").replace(".", ", "),
            "differing": int(not old["value"]) if means_same else old["value"],
            **{field: details[key] for field, key in fields.items()},
        }  # fmt: skip

    return convert


def _search(old: Old, named: Named) -> Fields:
    example = None if old["value"] == "none found" else old["value"]
    return {
        "type": "equality", "aspect": "search", "of": "examples", "example": example,
        "setting": str(named["setting"]).replace("_", " "), "tried": old["details"]["tried"],
        "differing": int(example is not None),
    }  # fmt: skip


def _memory(**same: str) -> Convert:
    def convert(old: Old, named: Named) -> Fields:
        mixed = named.get("dtypes") in ("mixed_dtype", "bfloat16_gate")
        return {
            **old["details"], "type": "memory", **named, **same, "bytes": old["value"],
            "dtypes": "mixed" if mixed else "same", "device": old["device"],
        }  # fmt: skip

    return convert


def _grown(old: Old, named: Named) -> Fields:
    shapes = [
        {"input": input_shape, "gate": gate} for input_shape, gate in old["details"]["shapes"]
    ]
    return {"type": "acceptance", "tried": old["details"]["tried"], "grown": shapes, **named}


def _pair(old: Old, named: Named) -> Fields:
    forms = {"baseline": old["details"]["broadcast"], "candidate": old["details"]["expand_as"]}
    same_source = forms["baseline"]["sha256"] == forms["candidate"]["sha256"]
    sameness = {"same_kernels": old["value"], "same_source": same_source}
    return {"type": "compiled_pair", **named, **forms, **sameness}


def _no_dimensions(old: Old, named: Named) -> Fields:
    expanded, plain = re.findall(r"\w+(?= and |$)", old["value"])
    dtypes = {"operands": "float16 input, float32 gate", "expand_as": expanded, "broadcast": plain}
    return {"type": "scalar_gate", **named, **dtypes}


def _dropped(old: Old, named: Named) -> Fields:
    """Leave out what is counted from other records, or was merged into another one."""
    del old, named
    return {}


FORM, TARGET, SETTING = (
    r"(?P<form>\w+)",
    r"(?P<target>\w+)",
    r"(?P<setting>\w+\.\w+\.\w+\.\w+\.\w+)",
)
FORMAT = r"(?P<memory_format>contiguous|channels_last)"
GROUP = r"(?P<group>ordinary|ambiguous|volumes|empty|channels_last)"
IDS: tuple[tuple[str, Convert], ...] = (
    *TIMINGS,
    (r"timing\.contest\.live\.\w+|layout\.view\.\w+|allocation\.view", _dropped),
    (r"timing\.stops_mattering", _dropped),
    (r"timing\.bandwidth\.(?P<of>\w+)", _keep("bandwidth", gb_per_s="value")),
    (
        r"instructions\.difference",
        _keep("instructions", added="value", by_group="by_group", counted_on="environment",
              recorded_elsewhere="recorded_elsewhere"),
    ),
    (r"equality\.reference", _equality("reference", "products")),
    (r"equality\.same_dtype", _equality("same_dtype", "dtypes", among="dtypes")),
    (r"equality\.specials", _equality("special_values", "products", among="values")),
    (r"equality\.mixed", _equality("mixed_dtypes", "pairs", differing_by="by_kind")),
    (r"equality\.mixed_floating", _equality("mixed_floating_dtypes", "pairs")),
    (r"equality\.autocast", _equality("autocast", "dtypes", among="dtypes")),
    (r"equality\.search\.(?P<setting>\w+)", _search),
    (
        r"equality\.scalar_gate",
        _keep("scalar_gate", whole=True, always={"operands": "float32 input, float64 gate"}),
    ),
    (r"acceptance\.grown", _grown),
    (rf"allocation\.extra\.(?P<dtypes>\w+)\.{FORM}", _memory(phase="line")),
    (rf"allocation\.(?P<dtypes>same_dtype|mixed_dtype)\.{FORM}", _memory(phase="line")),
    (rf"allocation\.saved\.(?P<dtypes>\w+)\.{FORM}", _memory(phase="saved")),
    (rf"allocation\.step\.{FORM}", _memory(phase="training_step")),
    (rf"allocation\.(?P<phase>forward|backward)\.(?P<dtypes>\w+)\.{FORM}", _memory()),
    (r"allocation\.views_removed", _memory(phase="without_views", form="expand_as")),
    (r"dispatch\.host_mixes", _keep("mixed_multiplies", mixed="value", tried="tried")),
    (r"dispatch\.(?P<form>expand_as|broadcast)", _keep("calls", calls="calls")),
    (
        rf"dispatch\.rounds_first\.{FORM}",
        _keep("backward_calls", rounds_before_sum="value", calls="calls"),
    ),
    (rf"dispatch\.gpu\.(?P<level>\w+)\.{FORM}", _keep("launches", launches="value")),
    (rf"layout\.{GROUP}", _keep("layouts", differing="value", tried="tried")),
    (
        rf"layout\.block\.{FORMAT}",
        _keep("block_layouts", always={"detached": False}, differing="value", tried="tried"),
    ),
    (
        rf"layout\.block\.{FORMAT}_detached",
        _keep("block_layouts", always={"detached": True}, differing="value", tried="tried"),
    ),
    (rf"graph\.nodes\.{FORM}", _keep("graph_nodes", nodes="value", in_network="network")),
    (r"equality\.gradients\.layouts", _equality("gradients_over_layouts", "tensors")),
    (r"equality\.gradients\.ways", _equality("gradients_over_ways", "tensors", among="ways")),
    (r"equality\.gradients\.second", _equality("second_gradients", "tensors")),
    (
        r"equality\.gradients\.dtypes\.(?P<setting>same|mixed)",
        _equality("gradients_over_dtypes", "pairs", where="which"),
    ),
    (r"equality\.gradients\.error\.(?P<dtype>\w+)", _keep("gradient_error", whole=True)),
    (r"equality\.gradients\.mixed_ways", _equality("gradients_over_mixed_ways", "tensors")),
    (r"equality\.curve\.(?P<run>\w+)", _keep("training_run", whole=True, same="value")),
    (
        r"codegen\.setting\.(?P<level>\w+)\.(?P<mode>\w+)\.\w+\.(?P<shapes>\w+)\.\w+",
        _pair,
    ),
    (
        rf"codegen\.(?:gpu\.)?(?:same_)?(?P<layer>kernels|source|binary|fused)\.{TARGET}",
        _keep("agreement", target_name="target", tried="tried", agreeing="value", differ="differ"),
    ),
    (rf"equality\.compiled\.{SETTING}", _equality("compiled", "programs")),
    (rf"equality\.emulated\.{SETTING}", _equality("compiled_with_eager_roundings", "programs")),
    (r"codegen\.guards\.(?P<shapes>\w+)", _keep("guards", same="value", guards="guards")),
    (r"codegen\.recompilations", _keep("recompilations", equal="value", tried="tried")),
    (
        r"codegen\.mixed_buffers",
        _keep("full_size_tensors", always={"program": "multiply_of_two_dtypes"}, count="value"),
    ),
    (
        r"codegen\.gpu\.full_size_tensors",
        _keep("full_size_tensors", always={"program": "block_on_a_gpu"}, count="value",
              names="tensors"),
    ),
    (
        r"codegen\.materialized_is_fused_away",
        _keep("fused_away", always={"target": "cpu", "tried": 1}, fused_away="value"),
    ),
    (
        r"codegen\.gpu\.materialized_fused_away",
        _keep("fused_away", always={"target": "gpu"}, fused_away="value", tried="tried"),
    ),
    (r"codegen\.built", _keep("libraries_built", built="details")),
    (r"graph\.cudagraph", _keep("cuda_graph_obstacles", obstacles="details")),
    (r"graph\.more\.\w+", _keep("survival", program="form", runs_more="value")),
    (r"runtimes\.ran", _keep("runtimes_tried", exported="value", states="states", logs="logs")),
    (
        r"runtimes\.(?:written|remedied)\.(?P<runtime>\w+)",
        _keep("runtime_program", whole=True, title="runtime", bytes_more="value"),
    ),
    (
        r"runtimes\.onnx_grid",
        _keep("exporter_grid", writing="value", tried="tried", combinations="combinations"),
    ),
    (
        r"prediction\.device\.(?P<card>\w+)\.\w+",
        _keep("predicted_time", device_s="value", bound="bound"),
    ),
    (r"prediction\.hidden\.(?P<card>\w+)", _keep("hidden_from", elements="value")),
    (rf"codegen\.gpu\.traffic\.{FORM}", _keep("traffic", bytes="value")),
    (r"equality\.fix\.no_dimensions", _no_dimensions),
    (r"equality\.fix\.exponent", _equality("exponent", "elements", furthest="largest_relative")),
    (r"equality\.fix\.(?P<module>\w+)", _keep("rewrite", whole=True)),
    (
        r"acceptance\.check\.(?P<check>\w+)",
        _keep("shape_check", refused="value", growing="tried", stricter="stricter"),
    ),
)  # fmt: skip
PATTERNS = tuple((re.compile(pattern), convert) for pattern, convert in IDS)
