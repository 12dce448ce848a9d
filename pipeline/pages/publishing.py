"""The address of the published book, if there is one, and what the pages then show of it.

Read from the environment that GitHub Actions sets, and `BOOK_URL`. A book built at home has
neither a repository nor an address, and its pages name none.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.faults import BuildError

COLAB = "https://colab.research.google.com"
BINDER = "https://mybinder.org"
# variable → its form, as a pattern and in words
SHAPES = {
    "GITHUB_REPOSITORY": (r"[\w.-]+/[\w.-]+", "owner/name"),
    "GITHUB_SERVER_URL": (r"https://[\w.-]+", "an https address without a path"),
    "GITHUB_SHA": (r"[0-9a-f]{40}", "a commit, forty hexadecimal digits"),
    "BOOK_URL": (r"https?://[\w.:-]+(/[\w./~-]*)?", "the http address that the book is served at"),
}


@dataclass(frozen=True)
class Publication:
    """The repository and the commit that the book is built from, and the address it gets."""

    repository: str | None = None
    revision: str | None = None
    address: str | None = None

    @property
    def name(self) -> str:
        """The repository's own name, without its owner: the folder that a clone makes."""
        return (self.repository or "").rsplit("/")[-1]


def publication(environment: Mapping[str, str] = os.environ) -> Publication:
    """Return where this book is published. Raises `BuildError` for a variable that is not one."""
    given = {name: environment.get(name, "") for name in SHAPES}
    for name, value in given.items():
        shape, words = SHAPES[name]
        if value and not re.fullmatch(shape, value):
            raise BuildError(f"{name}={value}: allowed is {words}")
    server = given["GITHUB_SERVER_URL"] or "https://github.com"
    path = given["GITHUB_REPOSITORY"]
    address = given["BOOK_URL"].rstrip("/")
    return Publication(
        repository=f"{server}/{path}" if path else None,
        revision=given["GITHUB_SHA"] or "HEAD" if path else None,
        address=f"{address}/" if address else None,
    )


def configured(config: dict[str, Any], published: Publication) -> dict[str, Any]:
    """Return the book's settings with what the publication adds to them."""
    completed: dict[str, Any] = {**config, "html": dict(config["html"])}
    if published.repository:
        completed["repository"] = {"url": published.repository, "branch": published.revision}
        completed["launch_buttons"] = {
            "colab_url": COLAB,
            "binderhub_url": BINDER,
            "notebook_interface": "jupyterlab",
        }
        completed["html"] |= {"use_repository_button": True, "use_issues_button": True}
    if published.address:
        completed["html"]["baseurl"] = published.address
        completed["sphinx"] = {**config["sphinx"], "config": _addressed(config, published.address)}
    return completed


def _addressed(config: dict[str, Any], address: str) -> dict[str, Any]:
    """Return the Sphinx settings with a sitemap and, on each page, a card that names it."""
    settings: dict[str, Any] = config["sphinx"]["config"]
    return settings | {
        "extensions": [*settings["extensions"], "sphinx_sitemap"],
        "sitemap_url_scheme": "{link}",
        "ogp_site_url": address,
        "ogp_social_cards": settings["ogp_social_cards"] | {"enable": True},
    }
