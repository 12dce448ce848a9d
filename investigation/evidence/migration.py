"""Evidence of older schemas, brought up to this one.

Until schema 2 a record was found by its dotted id, and what it was about stood in that id and in a
free `details`. The patterns below are all that is left of those ids: each says which fields an id
stood for. What a page can now count by itself, such as the sizes at which the line is slower, was
a record of its own and is left out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from investigation.evidence import migration_of_timings
from investigation.evidence.migration_of_timings import Fields, Named, Old

# An id, and the fields that it and its details stood for; None for what is no record any more.
Convert = Callable[[Old, Named], Fields | None]


class MigrationError(ValueError):
    """Evidence that cannot be brought up to this schema; the message says why."""


def migrated(raw: object, to: int) -> Mapping[str, Any]:
    """Return parsed evidence in schema `to`, a version at a time.

    Raises `MigrationError` for a version or a record that is not known.
    """
    kept: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    version = kept.get("schema_version")
    while version in MIGRATIONS and type(version) is int:
        kept = {**MIGRATIONS[version](kept), "schema_version": version + 1}
        version += 1
    if version != to or type(version) is not int:
        readable = f"{', '.join(map(str, MIGRATIONS))} and {to}"
        raise MigrationError(f"schema version {version!r}, this book reads {readable}")
    return kept


def _with_package(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """Version 1 did not keep which state of the package had measured."""
    return {**kept, "package_sha256": "unknown"}


def _with_types(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """Version 2 kept records by id."""
    try:
        return {**kept, "records": list(_typed(kept))}
    except (AttributeError, KeyError, TypeError) as error:
        raise MigrationError(f"not the records of schema 2 ({error!r})") from None


# From each older version to the next.
MIGRATIONS: Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    1: _with_package,
    2: _with_types,
}


def _typed(kept: Mapping[str, Any]) -> Iterator[Fields]:
    if "records" not in kept:
        return
    by_id = {one["id"]: one for one in kept["records"]}
    if "layout.view.is_view" in by_id:
        yield _view(by_id)
    if "timing.contest.live.found" in by_id:
        yield _planted(by_id)
    for old in by_id.values():
        old = {"device": kept["parameters"].get("device", "cpu"), "details": {}, **old}
        fields = _control(old, kept["notebook"]) if old.get("passed") is not None else _one(old)
        if fields is not None:
            yield {"says": old["says"], "case": old.get("case"), **fields}


def _one(old: Old) -> Fields | None:
    for pattern, convert in PATTERNS:
        if found := pattern.fullmatch(old["id"]):
            return convert(old, found.groupdict())
    raise MigrationError(f"no record of schema 2 is called {old['id']}")


def _control(old: Old, chapter: str) -> Fields:
    return {
        "type": "control", "chapter": chapter, "control": old["id"], "seen": str(old["value"]),
        "passed": old["passed"],
    }  # fmt: skip


def _view(by_id: Mapping[str, Old]) -> Fields:
    stride = by_id["layout.view.stride"]
    return {
        "type": "view", "says": "what gate.expand_as(x) returns", "case": stride.get("case"),
        "is_view": by_id["layout.view.is_view"]["value"],
        "shares_storage": by_id["layout.view.shares_storage"]["value"],
        "stride": [int(one) for one in re.findall(r"\d+", stride["value"])],
        "bytes_allocated": by_id["allocation.view"]["value"],
    }  # fmt: skip


def _planted(by_id: Mapping[str, Old]) -> Fields:
    found, wrong = (by_id[f"timing.contest.live.{one}"] for one in ("found", "wrong_sign"))
    return {
        "type": "planted_differences", "says": found["says"], "found": found["value"],
        "wrong_sign": wrong["value"], "planted": found["details"]["of"],
        "doses_percent": found["details"]["doses_percent"],
    }  # fmt: skip


def _equality(aspect: str, of: str, **names: str) -> Convert:
    """Return a conversion of a count of what differs, or of whether all is the same."""

    def convert(old: Old, found: Named) -> Fields:
        details = old["details"]
        bool_means_same = isinstance(old["value"], bool)
        tried = details.get("tried", details.get("elements", len(details.get("dtypes", [])) or 1))
        fields = {
            "type": "equality", "aspect": aspect, "of": of, "tried": tried,
            "setting": (found.get("setting") or "").replace(".", ", "),
            "differing": int(not old["value"]) if bool_means_same else old["value"],
        }  # fmt: skip
        return fields | {field: details[key] for field, key in names.items()}

    return convert


def _search(old: Old, found: Named) -> Fields:
    example = None if old["value"] == "none found" else old["value"]
    return {
        "type": "equality", "aspect": "search", "of": "examples", "example": example,
        "setting": str(found["setting"]).replace("_", " "), "tried": old["details"]["tried"],
        "differing": int(example is not None),
    }  # fmt: skip


def _memory(phase: str, form: str | None = None) -> Convert:
    def convert(old: Old, found: Named) -> Fields:
        mixed = found.get("dtypes") in ("mixed_dtype", "bfloat16_gate")
        kept = {key: value for key, value in old["details"].items() if value is not None}
        return {
            "type": "memory", "phase": phase or found["phase"], "form": form or found["form"],
            "dtypes": "mixed" if mixed else "same", "bytes": old["value"],
            "device": old["device"],
        } | kept  # fmt: skip

    return convert


def _copy(kind: str, **fields: str) -> Convert:
    """Return a conversion that keeps what the id names, the value under `value`, and details.

    `fields` maps a field to the detail that it was; `value` names the field of the value.
    """

    def convert(old: Old, found: Named) -> Fields:
        details = {"value": old["value"], **old["details"]}
        return {"type": kind, **found} | {field: details[key] for field, key in fields.items()}

    return convert


def _block_layouts(old: Old, found: Named) -> Fields:
    return {
        "type": "block_layouts", "memory_format": found["memory_format"],
        "detached": bool(found["detached"]), "tried": old["details"]["tried"],
        "differing": old["value"],
    }  # fmt: skip


def _second(old: Old, found: Named) -> Fields:
    del found
    return {
        "type": "equality", "aspect": "second_gradients", "of": "tensors",
        "tried": old["details"]["tried"], "differing": old["value"],
    }  # fmt: skip


def _gradient_error(old: Old, found: Named) -> Fields:
    return {"type": "gradient_error", "dtype": found["dtype"], **old["details"]}


def _run(old: Old, found: Named) -> Fields:
    return {"type": "training_run", "run": found["run"], "same": old["value"], **old["details"]}


def _grown(old: Old, found: Named) -> Fields:
    del found
    shapes = [{"input": one, "gate": gate} for one, gate in old["details"].get("shapes", [])]
    return {"type": "acceptance", "tried": old["details"]["tried"], "grown": shapes}


def _pair(old: Old, found: Named) -> Fields:
    forms = {"baseline": old["details"]["broadcast"], "candidate": old["details"]["expand_as"]}
    same_source = forms["baseline"]["sha256"] == forms["candidate"]["sha256"]
    return {
        "type": "compiled_pair", "same_kernels": old["value"], "same_source": same_source,
        **found, **forms,
    }  # fmt: skip


def _agreement(old: Old, found: Named) -> Fields:
    details = old["details"]
    return {
        "type": "agreement", "target_name": details["target"], "tried": details["tried"],
        "agreeing": old["value"], "differ": details["differ"], **found,
    }  # fmt: skip


def _survival(old: Old, found: Named) -> Fields:
    del found
    return {"type": "survival", "program": old["details"]["form"], "runs_more": old["value"]}


def _runtime_program(old: Old, found: Named) -> Fields:
    details = dict(old["details"])
    title = details.pop("runtime")
    return {
        "type": "runtime_program", "runtime": found["runtime"], "title": title,
        "bytes_more": old["value"], **details,
    }  # fmt: skip


def _instructions(old: Old, found: Named) -> Fields:
    del found
    details = old["details"]
    return {
        "type": "instructions", "added": old["value"], "by_group": details["by_group"],
        "recorded_elsewhere": details["recorded_elsewhere"], "counted_on": details["environment"],
    }  # fmt: skip


def _rewrite(old: Old, found: Named) -> Fields:
    return {"type": "rewrite", "module": found["module"], **old["details"]}


def _predicted(old: Old, found: Named) -> Fields:
    bound = old["details"].get("bound")
    return {
        "type": "predicted_time", "card": found["card"], "device_s": old["value"], "bound": bound,
    }  # fmt: skip


def _buffers(old: Old, found: Named) -> Fields:
    del found
    program = "block_on_a_gpu" if "tensors" in old["details"] else "multiply_of_two_dtypes"
    names = old["details"].get("tensors", [])
    return {"type": "full_size_tensors", "program": program, "count": old["value"], "names": names}


def _fused_away(old: Old, found: Named) -> Fields:
    tried = old["details"].get("tried", 1)
    target = "gpu" if found["gpu"] else "cpu"
    return {
        "type": "fused_away", "target": target, "tried": tried, "fused_away": int(old["value"]),
    }  # fmt: skip


def _built(old: Old, found: Named) -> Fields:
    del found
    return {"type": "libraries_built", "built": old["details"]}


def _obstacles(old: Old, found: Named) -> Fields:
    del found
    return {"type": "cuda_graph_obstacles", "obstacles": old["details"]}


def _scalar_gate(old: Old, found: Named) -> Fields:
    del found
    return {
        "type": "scalar_gate", "operands": "float32 input, float64 gate", **old["details"],
    }  # fmt: skip


def _no_dimensions(old: Old, found: Named) -> Fields:
    del found
    expanded, plain = old["value"].split(" and ")
    return {
        "type": "scalar_gate", "operands": "float16 input, float32 gate", "expand_as": expanded,
        "broadcast": plain,
    }  # fmt: skip


def _dropped(old: Old, found: Named) -> None:
    """Leave out what is counted from other records, or was merged into another one."""
    del old, found


COMPILED = r"(?P<setting>\w+\.\w+\.\w+\.\w+\.\w+)"
IDS: tuple[tuple[str, Convert], ...] = (
    *migration_of_timings.IDS,
    (r"timing\.contest\.live\.\w+|layout\.view\.\w+|allocation\.view", _dropped),
    (r"timing\.stops_mattering", _dropped),
    (r"instructions\.difference", _instructions),
    (r"equality\.reference", _equality("reference", "products")),
    (r"equality\.same_dtype", _equality("same_dtype", "dtypes", among="dtypes")),
    (r"equality\.specials", _equality("special_values", "products", among="values")),
    (r"equality\.mixed", _equality("mixed_dtypes", "pairs", differing_by="by_kind")),
    (r"equality\.mixed_floating", _equality("mixed_floating_dtypes", "pairs")),
    (r"equality\.autocast", _equality("autocast", "dtypes", among="dtypes")),
    (r"equality\.search\.(?P<setting>\w+)", _search),
    (r"equality\.scalar_gate", _scalar_gate),
    (r"acceptance\.grown", _grown),
    (r"allocation\.extra\.(?P<dtypes>\w+)\.(?P<form>\w+)", _memory("line")),
    (r"allocation\.(?P<dtypes>same_dtype|mixed_dtype)\.(?P<form>\w+)", _memory("line")),
    (r"allocation\.saved\.(?P<dtypes>\w+)\.(?P<form>\w+)", _memory("saved")),
    (r"allocation\.step\.(?P<form>\w+)", _memory("training_step")),
    (r"allocation\.(?P<phase>forward|backward)\.(?P<dtypes>\w+)\.(?P<form>\w+)", _memory("")),
    (r"allocation\.views_removed", _memory("without_views", "expand_as")),
    (r"dispatch\.host_mixes", _copy("mixed_multiplies", mixed="value", tried="tried")),
    (r"dispatch\.(?P<form>expand_as|broadcast)", _copy("calls", calls="calls")),
    (
        r"dispatch\.rounds_first\.(?P<form>\w+)",
        _copy("backward_calls", rounds_before_sum="value", calls="calls"),
    ),
    (r"dispatch\.gpu\.(?P<level>\w+)\.(?P<form>\w+)", _copy("launches", launches="value")),
    (
        r"layout\.(?P<group>ordinary|ambiguous|volumes|empty|channels_last)",
        _copy("layouts", differing="value", tried="tried"),
    ),
    (
        r"layout\.block\.(?P<memory_format>contiguous|channels_last)(?P<detached>_detached)?",
        _block_layouts,
    ),
    (
        r"graph\.nodes\.(?P<form>\w+)",
        _copy("graph_nodes", nodes="value", in_network="network"),
    ),
    (r"equality\.gradients\.layouts", _equality("gradients_over_layouts", "tensors")),
    (r"equality\.gradients\.ways", _equality("gradients_over_ways", "tensors", among="ways")),
    (r"equality\.gradients\.second", _second),
    (
        r"equality\.gradients\.dtypes\.(?P<setting>same|mixed)",
        _equality("gradients_over_dtypes", "pairs", where="which"),
    ),
    (r"equality\.gradients\.error\.(?P<dtype>\w+)", _gradient_error),
    (r"equality\.gradients\.mixed_ways", _equality("gradients_over_mixed_ways", "tensors")),
    (r"equality\.curve\.(?P<run>\w+)", _run),
    (
        r"codegen\.setting\.(?P<level>\w+)\.(?P<mode>\w+)\.\w+\.(?P<shapes>\w+)\.\w+",
        _pair,
    ),
    (
        r"codegen\.(?:gpu\.)?(?:same_)?(?P<layer>kernels|source|binary|fused)\."
        r"(?P<target>\w+)",
        _agreement,
    ),
    (rf"equality\.compiled\.{COMPILED}", _equality("compiled", "programs")),
    (rf"equality\.emulated\.{COMPILED}", _equality("compiled_with_eager_roundings", "programs")),
    (r"codegen\.guards\.(?P<shapes>\w+)", _copy("guards", same="value", guards="guards")),
    (r"codegen\.recompilations", _copy("recompilations", equal="value", tried="tried")),
    (r"codegen\.mixed_buffers|codegen\.gpu\.full_size_tensors", _buffers),
    (r"codegen\.(?P<gpu>gpu\.)?materialized_(?:is_)?fused_away", _fused_away),
    (r"codegen\.built", _built),
    (r"graph\.cudagraph", _obstacles),
    (r"graph\.more\.\w+", _survival),
    (r"runtimes\.ran", _copy("runtimes_tried", exported="value", states="states", logs="logs")),
    (r"runtimes\.(?:written|remedied)\.(?P<runtime>\w+)", _runtime_program),
    (
        r"runtimes\.onnx_grid",
        _copy("exporter_grid", writing="value", tried="tried", combinations="combinations"),
    ),
    (r"prediction\.device\.(?P<card>\w+)\.\w+", _predicted),
    (r"prediction\.hidden\.(?P<card>\w+)", _copy("hidden_from", elements="value")),
    (r"codegen\.gpu\.traffic\.(?P<form>\w+)", _copy("traffic", bytes="value")),
    (r"equality\.fix\.no_dimensions", _no_dimensions),
    (r"equality\.fix\.exponent", _equality("exponent", "elements", furthest="largest_relative")),
    (r"equality\.fix\.(?P<module>\w+)", _rewrite),
    (
        r"acceptance\.check\.(?P<check>\w+)",
        _copy("shape_check", refused="value", growing="tried", stricter="stricter"),
    ),
)
PATTERNS = tuple((re.compile(pattern), convert) for pattern, convert in IDS)
