"""The released networks that are measured, as listed in `wild/networks.toml`."""

from collections.abc import Mapping
from pathlib import Path

from investigation.fix.catalogue import LIST, entries
from investigation.subject.released import RUNTIMES, ReleasedNetwork

NETWORKS = LIST.with_name("networks.toml")

__all__ = ["NETWORKS", "RUNTIMES", "ReleasedNetwork", "read"]


def read(path: Path = NETWORKS) -> Mapping[str, ReleasedNetwork]:
    """Return the networks by name, in the order of the file.

    Raises `CatalogueError` with a one-line reason.
    """
    return {entry.name: entry for entry in entries(path, "network", ReleasedNetwork)}
