"""A Python with another torch, in an environment of its own, made once.

It holds all that is locked, or just the packages that are named, each as locked unless it names
its own version; such an environment is for one use. One caller at a time makes one: `cells` does
so under the machine's timing lock.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from pipeline import places
from pipeline.upkeep import uv

READY = "ready"
Packages = tuple[str, ...] | None


class EnvironmentFailedError(ValueError):
    """An environment that could not be made; the message says what uv said."""


def installed() -> str:
    """Return the version of torch that is installed here, without its build."""
    return metadata.version("torch").partition("+")[0]


def is_ready(version: str, packages: Packages = None) -> bool:
    """Tell whether a Python with this version of torch is here."""
    return _is_this(version, packages) or (folder_of(version, packages) / READY).exists()


def python_with(version: str, packages: Packages = None) -> str:
    """Return the Python that has this version of torch, which must be ready."""
    if _is_this(version, packages):
        return sys.executable
    return str(folder_of(version, packages) / "bin" / "python")


def _is_this(version: str, packages: Packages) -> bool:
    return packages is None and version == installed()


def folder_of(version: str, packages: Packages = None) -> Path:
    """Return the folder of the environment with this version of torch."""
    if packages is None:
        return places.BUILD / "environments" / f"torch-{version}"
    digest = hashlib.sha256(repr(packages).encode()).hexdigest()[:8]
    return places.BUILD / "environments" / f"torch-{version}-{digest}"


def remove(version: str, packages: tuple[str, ...]) -> None:
    """Remove an environment that was made for one use."""
    shutil.rmtree(folder_of(version, packages), ignore_errors=True)


def make(version: str, packages: Packages = None) -> None:
    """Make the environment with this version of torch, and the packages or everything as locked.

    Raises `EnvironmentFailedError` where it cannot be installed. Does nothing where it is ready.
    """
    if is_ready(version, packages):
        return
    folder = folder_of(version, packages)
    shutil.rmtree(folder, ignore_errors=True)
    _run([str(uv.PROGRAM), "venv", "--quiet", "--python", sys.executable, str(folder)], version)
    wanted = folder / "requirements.txt"
    lock = places.LOCK.read_text(encoding="utf-8")
    install = ["--compile-bytecode", "--python", str(folder), "-r", str(wanted)]
    if packages is None:
        wanted.write_text(requirements(lock, version))
    else:
        wanted.write_text("\n".join([*packages, f"torch=={version}", ""]))
        constraints = folder / "constraints.txt"
        constraints.write_text(constraining(lock, packages))
        # Of what is installed for one use, as large as it is, nothing is kept.
        install = ["--no-cache", *install, "--constraint", str(constraints)]
    _run([sys.executable, "-P", uv.__file__, *install], version)
    (folder / READY).touch()


def requirements(lock: str, version: str) -> str:
    """Return the locked requirements with this version of torch.

    What torch needs is left to it, and what needs a torch of its own, as some runtimes do, is
    left out: the locked versions belong to the locked torch.
    """
    bound = bound_to_torch()
    lines = (line for line in lock.splitlines() if _name(line) not in bound)
    return "\n".join([*lines, f"torch=={version}", ""])


def constraining(lock: str, packages: Iterable[str]) -> str:
    """Return the locked requirements as constraints, less those that have their own version.

    What torch needs is left to it, as in `requirements`.
    """
    own = {_name(one) for one in packages if "==" in one} | {"torch", "triton"}
    own |= _needs(metadata.requires("torch"))
    return "\n".join([*(line for line in lock.splitlines() if _name(line) not in own), ""])


def bound_to_torch() -> frozenset[str]:
    """Return the names of torch, of what it needs, and of what is installed and needs it."""
    needing = (
        _name(one.name) for one in metadata.distributions() if "torch" in _needs(one.requires)
    )
    # A build of torch for processors only does not name triton, which others need exactly.
    return frozenset({"torch", "triton", *_needs(metadata.requires("torch")), *needing})


def _needs(requires: list[str] | None) -> frozenset[str]:
    """Return the names of what a package needs, its extras apart."""
    return frozenset(_name(one) for one in requires or () if "extra ==" not in one)


def _name(requirement: str) -> str:
    """Return the normalised name that a requirement starts with."""
    found = re.match(r"[\w.-]+", requirement, re.ASCII)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _run(command: list[str], version: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = _reason(done.stderr) or f"status {done.returncode}"
        raise EnvironmentFailedError(f"torch {version} cannot be installed here: {reason}")


def _reason(said: str) -> str:
    """Return what uv complained of, in one line: its error and the first cause of it."""
    lines = [line.strip() for line in said.splitlines()]
    told = (next((one for one in lines if one.startswith(word)), "") for word in ("error", "cause"))
    return ": ".join(one.partition(": ")[2] for one in told if one)
