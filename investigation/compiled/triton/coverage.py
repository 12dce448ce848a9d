"""Which forms are compiled in which settings for which chips, and what a page shows of it."""

from collections.abc import Mapping, Sequence

from investigation.compiled.compile_settings import CompileSetting
from investigation.evidence.observation import Form
from investigation.subject.gpu_catalog import Chip

# Each form, with the control that is made in its process. `materialized` is what an eager mode
# would write out in full; `opaque` cannot be fused away.
CONTROL_OF: Mapping[Form, Form] = {"expand_as": "materialized", "broadcast": "opaque"}
FORMS = tuple(CONTROL_OF)


def in_full(setting: CompileSetting) -> bool:
    """Return whether a setting is compiled for every chip; all others are for the first one alone.

    It is the block's training step with sizes as constants, and the multiply of two dtypes;
    one of autocast's two dtypes is enough. Symbolic sizes and each further chip take the time.
    """
    if setting.case.gate_dtype == "float16":
        return False
    training = (setting.level, setting.mode) == ("block", "training")
    return (training and not setting.dynamic) or is_multiply(setting)


def compiled_for(setting: CompileSetting, chips: Sequence[Chip]) -> Sequence[Chip]:
    """Return those of the chips that a setting is compiled for."""
    return chips if in_full(setting) else chips[:1]


def left_out(
    settings: Sequence[CompileSetting], chips: Sequence[Chip]
) -> list[tuple[list[Chip], list[CompileSetting]]]:
    """Return the chips in groups that leave out the same settings, each with those settings."""
    groups: list[tuple[list[Chip], list[CompileSetting]]] = []
    for chip in chips:
        without = [setting for setting in settings if chip not in compiled_for(setting, chips)]
        alike = next((group for group, settings_left in groups if settings_left == without), None)
        if alike is None:
            groups.append(([chip], without))
        else:
            alike.append(chip)
    return groups


def is_multiply(setting: CompileSetting) -> bool:
    """Return whether a setting is the multiply alone, forward, of two dtypes."""
    of_two_dtypes = setting.case.gate_dtype is not None
    return (
        of_two_dtypes
        and setting.plain
        and (setting.level, setting.mode) == ("multiply", "inference")
    )


def is_shown(setting: CompileSetting) -> bool:
    """Return whether a page shows this setting's kernels."""
    return setting.case.dtype == "float32" and not setting.dynamic


def has_controls(setting: CompileSetting) -> bool:
    """Return whether the controls are made in this setting, which a page shows.

    They are made at each level and in each mode, if at least two of these hold: sizes are
    constants and tensors contiguous; there is one dtype; every chip is compiled for.
    """
    reasons = (setting.plain, setting.case.gate_dtype is None, in_full(setting))
    return is_shown(setting) and sum(reasons) >= 2
