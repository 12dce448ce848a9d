"""Records of released networks, as their package has them and with the project's patch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from investigation.evidence.observation import Count, Observation

Pair = tuple[Count, Count]


class ReleasedEquality(Observation):
    """A released network in eager mode: which tensors the patch changes.

    Each pair is the number of tensors compared and the number of those whose bits differ.
    `weights` are the parameters and buffers after one training step. `versions` are those of the
    packages in the environment that measured, `patch_sha256` is the patch's digest.
    """

    type: Literal["released_equality"] = "released_equality"
    network: str
    title: str
    package: str
    version: str
    input: tuple[Count, ...]
    outputs: Pair
    gradients: Pair
    weights: Pair
    patch_sha256: str
    versions: Mapping[str, str]

    about: ClassVar[tuple[str, ...]] = ("network",)
    unit: ClassVar[str | None] = "tensors that differ"

    @property
    def compared(self) -> int:
        """How many tensors were compared."""
        return sum(counts[0] for counts in (self.outputs, self.gradients, self.weights))

    @property
    def value(self) -> int:
        """How many tensors differ."""
        return sum(counts[1] for counts in (self.outputs, self.gradients, self.weights))


class ReleasedProgram(Observation):
    """What one runtime runs of a released network, as released and with the patch.

    `refused` is the reason, in one line, why there is no program; the counts are 0 then. `equal`
    is whether both results are those of eager mode within the tolerance.
    """

    type: Literal["released_program"] = "released_program"
    network: str
    runtime: str
    title: str
    version: str
    steps: Count = 0
    steps_patched: Count = 0
    expansions: Count = 0
    expansions_patched: Count = 0
    bytes_written: Count = 0
    bytes_patched: Count = 0
    equal: bool = False
    refused: str | None = None

    about: ClassVar[tuple[str, ...]] = ("network", "runtime")
    unit: ClassVar[str | None] = "steps that only expand"
    shows: ClassVar[str] = "expansions"

    @property
    def bytes_more(self) -> int:
        """How many bytes one inference writes beyond the patched network's."""
        return self.bytes_written - self.bytes_patched
