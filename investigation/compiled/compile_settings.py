"""The settings in which the line can be compiled; nothing here loads a compiler."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from investigation.evidence.kinds.correctness import Aspect, Equality
from investigation.evidence.kinds.programs import ShapeMode
from investigation.subject.cases import LEVELS, Case, Level
from investigation.subject.memory_formats import MEMORY_FORMATS

Mode = Literal["inference", "training"]
MODES: tuple[Mode, ...] = ("inference", "training")
# Autocast only narrows: a block's gate can be narrower than a float32 input, and not else.
AUTOCAST_FROM, AUTOCAST_TO = "float32", ("bfloat16", "float16")


@dataclass(frozen=True)
class CompileSetting:
    """One way to compile the line: at which level, for which mode, shapes and tensors."""

    level: Level
    mode: Mode
    dynamic: bool
    case: Case

    @property
    def shapes(self) -> ShapeMode:
        """Whether shapes are constants of the program or its arguments."""
        return "dynamic" if self.dynamic else "static"

    @property
    def dtypes(self) -> str:
        """The dtypes of input and gate, in words."""
        gate = self.case.gate_dtype
        if gate in (None, self.case.dtype):
            return self.case.dtype
        joined = "under autocast to" if self.level == "block" else "×"
        return f"{self.case.dtype} {joined} {gate}"

    @property
    def kind(self) -> str:
        """What is compiled, whatever its shapes and layout."""
        return f"{self.level}, {self.mode}, {self.dtypes}"

    @property
    def plain(self) -> bool:
        """Whether shapes are constants and tensors contiguous."""
        return not self.dynamic and self.case.memory_format == "contiguous"

    @property
    def name(self) -> str:
        """The setting in words."""
        return f"{self.kind}, {self.shapes}, {self.case.memory_format}"

    @property
    def parts(self) -> tuple[str, ...]:
        """What distinguishes it from every other setting of its case."""
        gate = f"_{self.case.gate_dtype}" if self.case.gate_dtype else ""
        dtypes = f"{self.case.dtype}{gate}"
        return self.level, self.mode, dtypes, self.shapes, self.case.memory_format

    @property
    def slug(self) -> str:
        """The same as one short name."""
        return ".".join(self.parts)

    def equality(self, aspect: Aspect, statement: str, *, same: bool) -> Equality:
        """Return the record of whether both forms computed the same bits here."""
        return Equality(
            aspect=aspect,
            setting=", ".join(self.parts),
            statement=f"{statement}: {self.kind}",
            tried=1,
            differing=int(not same),
            of="programs",
            case=self.case,
        )


def every(
    case: Case, dtype_pairs: Sequence[str], levels: Sequence[Level] = LEVELS
) -> Iterator[CompileSetting]:
    """Iterate over all settings of a case for these dtypes, each `input` or `input:gate`.

    A block gets its gate's dtype from autocast, so pairs that autocast cannot make are left out.
    """
    for level, mode, pair in product(levels, MODES, dtype_pairs):
        dtype, _, gate = pair.partition(":")
        typed = case.model_copy(update={"dtype": dtype, "gate_dtype": gate or None})
        if level == "block" and gate and not _by_autocast(dtype, gate):
            continue
        for dynamic, memory_format in product((False, True), MEMORY_FORMATS):
            yield CompileSetting(level, mode, dynamic, typed.with_format(memory_format))


def _by_autocast(dtype: str, gate: str) -> bool:
    return dtype == AUTOCAST_FROM and gate in AUTOCAST_TO


def where(differing: Iterable[CompileSetting], tried: Iterable[CompileSetting]) -> list[str]:
    """Say in which of the settings tried something differs, what goes together in one line."""
    all_of = _by_kind(tried)
    lines: dict[str, list[str]] = {}
    for (place, dtypes), layouts in _by_kind(differing).items():
        only = "" if layouts == all_of[place, dtypes] else f", only {' and '.join(layouts)}"
        lines.setdefault(f"{place}{only}", []).append(dtypes)
    return [f"{line}: {', '.join(dtypes)}" for line, dtypes in lines.items()]


def _by_kind(settings: Iterable[CompileSetting]) -> dict[tuple[str, str], list[str]]:
    """Return the shapes and formats of the settings, by level and mode and by dtypes."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for setting in settings:
        key = (f"{setting.level}, {setting.mode}", setting.dtypes)
        kinds.setdefault(key, []).append(f"{setting.shapes} {setting.case.memory_format}")
    return kinds
