"""Records of controls: observations whose outcome is known beforehand."""

from typing import ClassVar, Literal

from investigation.evidence.harmless import on_one_line
from investigation.evidence.observation import Observation


class Control(Observation):
    """A test of a chapter's own instrument, and not of the line.

    `statement` is what was expected, `seen` what came out. `of` distinguishes several runs of
    one control, for instance by runtime. `tried` is false if an interval was too wide to find
    what had been planted; the control has then passed without having shown anything.
    """

    type: Literal["control"] = "control"
    chapter: str
    control: str
    of: str = ""
    seen: str
    passed: bool
    tried: bool = True

    about: ClassVar[tuple[str, ...]] = ("chapter", "control", "of")
    shows: ClassVar[str] = "seen"

    def _repr_markdown_(self) -> str:
        """Show the control in a notebook as a sentence."""
        held = "**held**" if self.passed else "**failed**"
        held = held if self.tried else "**could not be tried**"
        return on_one_line(f"Control {held}: {self.statement}; seen: {self.seen}")
