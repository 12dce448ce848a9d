"""Records of what is computed: bits, gradients, training runs, and which shapes are accepted."""

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict

from investigation.evidence.observation import Count, Form, Number, Observation

Aspect = Literal[
    "reference",  # the product against a loop
    "same_dtype",
    "special_values",
    "mixed_dtypes",
    "mixed_floating_dtypes",
    "autocast",
    "search",
    "gate_ranks",
    "gradients_over_layouts",
    "gradients_over_ways",
    "second_gradients",
    "second_gradients_of_whole_numbers",
    "gradients_over_dtypes",
    "gradients_over_mixed_ways",
    "compiled",
    "compiled_with_eager_roundings",
    "exponent",
]

# Training runs that are followed in both forms.
RunName = Literal[
    "contiguous",
    "channels_last",
    "autocast",
    "penalty",  # on the gradient, which is differentiated again
    "gate_bfloat16",
    "gate_float16",
]
RUNS: tuple[RunName, ...] = get_args(RunName)


class Equality(Observation):
    """How many of the things tried differ between the two forms, in one aspect.

    `setting` distinguishes several trials of one aspect. `among` names what was
    tried, `where` what differs, `differing_by` counts it by kind. `furthest` is the largest
    relative difference, `example` the smallest counterexample that was found.
    """

    type: Literal["equality"] = "equality"
    aspect: Aspect
    setting: str = ""
    tried: Count
    differing: Count
    of: str
    among: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    differing_by: Mapping[str, int] = {}
    furthest: Number | None = None
    example: str | None = None

    about: ClassVar[tuple[str, ...]] = ("aspect", "setting")

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.differing == 0

    shows: ClassVar[str] = "differing"


class GradientError(Observation):
    """The error of a narrow gate's gradient in each form, as a share, against `float64`."""

    type: Literal["gradient_error"] = "gradient_error"
    dtype: str
    size: Number  # of the gradient from above
    expand_as: Number
    broadcast: Number

    about: ClassVar[tuple[str, ...]] = ("dtype",)
    unit: ClassVar[str | None] = "ratio"

    @property
    def value(self) -> float:
        """How many times as large the error is with `expand_as`."""
        return self.expand_as / self.broadcast


class TrainingRun(Observation):
    """One training run in both forms: whether and where their losses part.

    `parted` is the first step whose losses differ, None if none does; `apart` is the largest
    distance between two losses, `another_seed_apart` the same between two seeds.
    """

    type: Literal["training_run"] = "training_run"
    run: RunName
    setting: str
    same: bool  # losses and learnt weights
    parted: int | None
    steps: Count
    apart: Number
    another_seed_apart: Number | None = None
    accuracy: Mapping[Form, float] = {}

    about: ClassVar[tuple[str, ...]] = ("run",)
    shows: ClassVar[str] = "same"


class Shapes(BaseModel):
    """The shapes of an input and its gate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: tuple[int, ...]
    gate: tuple[int, ...]


class Acceptance(Observation):
    """The gate shapes that `expand_as` refuses and `x * y` accepts with a larger output."""

    type: Literal["acceptance"] = "acceptance"
    tried: Count
    grown: tuple[Shapes, ...]

    unit: ClassVar[str | None] = "shapes"

    @property
    def value(self) -> int:
        """How many shapes grow."""
        return len(self.grown)


class ShapeCheck(Observation):
    """What a way of keeping the shape check refuses.

    Of `growing` gate shapes that would make the output grow it refuses `refused`; of those that
    `expand_as` accepts it refuses `stricter`.
    """

    type: Literal["shape_check"] = "shape_check"
    check: str
    growing: Count
    refused: Count
    stricter: Count

    about: ClassVar[tuple[str, ...]] = ("check",)
    unit: ClassVar[str | None] = "shapes"
    shows: ClassVar[str] = "refused"


class Rewrite(Observation):
    """A module before and after the fix: how many of its tensors differ."""

    type: Literal["rewrite"] = "rewrite"
    module: str
    expansions: Count
    tried: Count
    differing: Mapping[str, int] = {}

    about: ClassVar[tuple[str, ...]] = ("module",)
    unit: ClassVar[str | None] = "tensors"

    @property
    def value(self) -> int:
        """How many tensors differ."""
        return sum(self.differing.values())


class Support(Observation):
    """A kind of tensor other than a dense one, scaled in both forms.

    `refusals` has a form's error, None if it ran. `same` is whether the results are alike in
    bits and strides, None if a form refused.
    """

    type: Literal["support"] = "support"
    tensor: str
    refusals: Mapping[Form, str | None]
    same: bool | None

    about: ClassVar[tuple[str, ...]] = ("tensor",)

    @property
    def value(self) -> str:
        """Which forms take it."""
        taken = [form for form, refusal in self.refusals.items() if refusal is None]
        return " and ".join(taken) or "neither form"


class ScalarGate(Observation):
    """The output's dtype in each form if the gate has no dimensions."""

    type: Literal["scalar_gate"] = "scalar_gate"
    operands: str
    expand_as: str
    broadcast: str

    about: ClassVar[tuple[str, ...]] = ("operands",)

    @property
    def value(self) -> str:
        """Both dtypes."""
        return f"{self.expand_as} and {self.broadcast}"
