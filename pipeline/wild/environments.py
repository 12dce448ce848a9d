"""An environment with one released package and what measures it, made once.

A torch that is built for processors alone does not load beside a torchvision that is built for
CUDA. If the folders that pip looks in have such a torch and no torchvision for it,
both are taken from the index.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from investigation.fix.catalogue import Package
from pipeline import places
from pipeline.sweep import environments
from pipeline.upkeep import uv

# What the measurement imports. Whatever else a package needs is not newer than in the lock.
IMPORTED = (
    "executorch", "filelock", "grimp", "hypothesis", "ipython", "numpy", "onnx", "onnxruntime",
    "onnxscript", "openvino", "psutil", "pydantic", "scipy", "statsmodels", "torch",
)  # fmt: skip
TOGETHER = ("torch", "torchvision", "torchaudio")  # of one build, or they do not load
# pip's setting of the folders to look in, empty.
WITHOUT_FOLDERS = {"PIP_FIND_LINKS": ""}


def python_of(package: Package) -> Path:
    """Return the Python of the environment that has this release, made if it is not here.

    Raises `environments.EnvironmentFailedError` with the package and uv's message.
    """
    folder = places.BUILD / "wild" / "environments" / package.title
    wanted = requirements(package)
    if not _holds(folder, wanted):
        together = of_one_build(_resolved(folder, wanted, package))
        variables = {} if together else WITHOUT_FOLDERS
        environments.install(folder, wanted, package.title, variables=variables)
    return folder / "bin" / "python"


def _holds(folder: Path, wanted: str) -> bool:
    """Return whether an environment is here, whole, and with what is wanted today."""
    made_of = folder / "requirements.txt"
    return (folder / environments.READY).exists() and made_of.read_text(encoding="utf-8") == wanted


def requirements(package: Package) -> str:
    """Return what the environment holds: the locked versions, and the package with torchvision."""
    lines = places.LOCK.read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0]: line for line in lines}
    release = f"{package.name}=={package.version}"
    return "\n".join([*(locked[name] for name in IMPORTED), "torchvision", release, ""])


def of_one_build(resolved: str) -> bool:
    """Return whether torch and torchvision are of one build: all `+cpu`, or all without."""
    return len(set(_builds(resolved))) < 2


def _builds(resolved: str) -> Iterator[str]:
    for line in resolved.splitlines():
        name, _, version = line.partition("==")
        if name.strip() in TOGETHER:
            yield version.partition("+")[2].strip()


def _resolved(folder: Path, wanted: str, package: Package) -> str:
    """Return the versions that pip's settings lead to here, one a line."""
    listed = folder.with_name(f"{package.title}.txt")
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text(wanted, encoding="utf-8")
    words = (uv.RESOLVE, "--python", sys.executable, "--no-header", "--no-annotate", str(listed))
    return environments.run([sys.executable, "-P", uv.__file__, *words], package.title)
