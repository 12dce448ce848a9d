"""Records of released packages: what the fix finds in code that people install."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from investigation.evidence.observation import Count, Observation

Written = Literal["expand_as", "expand to a shape", "expand to sizes"]


class Taken(BaseModel):
    """One expansion that the fix takes out: where it is, and which operation makes it needless.

    `exact` is whether the statement is `return x * y.expand_as(x)`, whatever its names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: Count
    written: Written
    operation: str
    exact: bool
    text: str


class Left(BaseModel):
    """One line that the fix leaves to a person; `rule` names the rule with the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: Count
    rule: str
    text: str


class Survey(Observation):
    """The list of packages that was surveyed, and which of them could not be had, and why."""

    type: Literal["survey"] = "survey"
    list_sha256: str
    rules_sha256: str
    listed: Count
    missing: Mapping[str, str] = {}

    unit: ClassVar[str | None] = "packages"
    shows: ClassVar[str] = "listed"


class SurveyedPackage(Observation):
    """One release of a package: its Python files, and what the fix finds in them.

    `expanding` are the files that mention an expansion, and `mentions` how often they do.
    `unparsed` names the files that are no Python, with the reason.
    """

    type: Literal["surveyed_package"] = "surveyed_package"
    package: str
    version: str
    archive: str
    sha256: str
    files: Count
    expanding: Count
    mentions: Count
    taken: tuple[Taken, ...] = ()
    left: tuple[Left, ...] = ()
    unparsed: Mapping[str, str] = {}

    about: ClassVar[tuple[str, ...]] = ("package",)
    unit: ClassVar[str | None] = "expansions that can go"

    @property
    def value(self) -> int:
        """How many expansions can go."""
        return len(self.taken)

    @property
    def has_the_line(self) -> bool:
        """Whether the package holds `return x * y.expand_as(x)`, whatever its names."""
        return any(expansion.exact for expansion in self.taken)
