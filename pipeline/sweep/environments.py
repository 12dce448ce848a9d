"""A Python with another torch, in an environment of its own, made once.

It holds all that is locked, or just the packages that are named, each as locked unless it names
its own version; such an environment is for one use. One caller at a time makes one: `cells` does
so under the machine's timing lock.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from pipeline import places
from pipeline.upkeep import uv

READY = "ready"
Packages = tuple[str, ...] | None


class EnvironmentFailedError(ValueError):
    """An environment that could not be made; the message has uv's reason."""


def installed() -> str:
    """Return the version of torch that is installed here, without its build."""
    return metadata.version("torch").partition("+")[0]


def is_ready(version: str, packages: Packages = None) -> bool:
    """Return whether a Python with this version of torch is here."""
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

    Raises `EnvironmentFailedError` if it cannot be installed. Does nothing if it is ready.
    """
    if is_ready(version, packages):
        return
    lock, what = places.LOCK.read_text(encoding="utf-8"), f"torch {version}"
    if packages is None:
        install(folder_of(version), requirements(lock, version), what)
    else:
        wanted = "\n".join([*packages, f"torch=={version}", ""])
        # Of what is installed for one use, as large as it is, nothing is kept.
        install(
            folder_of(version, packages), wanted, what,
            constraints=constraining(lock, packages), options=("--no-cache",),
        )  # fmt: skip


def install(
    folder: Path,
    requirements: str,
    what: str,
    *,
    constraints: str = "",
    options: tuple[str, ...] = (),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Make an environment with these requirements; `variables` are further environment variables.

    Raises `EnvironmentFailedError` with `what` cannot be installed, and why.
    """
    shutil.rmtree(folder, ignore_errors=True)
    make = [str(uv.PROGRAM), "venv", "--quiet", "--python", sys.executable, str(folder)]
    run(make, what, variables)
    wanted, limits = folder / "requirements.txt", folder / "constraints.txt"
    wanted.write_text(requirements, encoding="utf-8")
    limits.write_text(constraints, encoding="utf-8")
    from_lists = ["-r", str(wanted), "--constraint", str(limits)]
    command = [sys.executable, "-P", uv.__file__, *options, "--compile-bytecode"]
    run([*command, "--python", str(folder), *from_lists], what, variables)
    (folder / READY).touch()


def requirements(lock: str, version: str) -> str:
    """Return the locked requirements with this version of torch.

    Torch installs what it needs, and packages that need a certain torch, as some runtimes do, are
    left out: the locked versions belong to the locked torch.
    """
    bound = bound_to_torch()
    lines = (line for line in lock.splitlines() if _name(line) not in bound)
    return "\n".join([*lines, f"torch=={version}", ""])


def constraining(lock: str, packages: Iterable[str]) -> str:
    """Return the locked requirements as constraints, less those that have their own version.

    Torch installs what it needs, as in `requirements`.
    """
    own = {_name(package) for package in packages if "==" in package} | {"torch", "triton"}
    own |= _needs(metadata.requires("torch"))
    return "\n".join([*(line for line in lock.splitlines() if _name(line) not in own), ""])


def bound_to_torch() -> frozenset[str]:
    """Return the names of torch, of what it needs, and of what is installed and needs it."""
    needing = (
        _name(distribution.name)
        for distribution in metadata.distributions()
        if "torch" in _needs(distribution.requires)
    )
    # A build of torch for processors only does not name triton, which others need exactly.
    return frozenset({"torch", "triton", *_needs(metadata.requires("torch")), *needing})


def _needs(requires: list[str] | None) -> frozenset[str]:
    """Return the names of what a package needs, its extras apart."""
    return frozenset(
        _name(requirement) for requirement in requires or () if "extra ==" not in requirement
    )


def _name(requirement: str) -> str:
    """Return the normalised name that a requirement starts with."""
    match = re.match(r"[\w.-]+", requirement, re.ASCII)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


def run(command: list[str], what: str, variables: Mapping[str, str] = MappingProxyType({})) -> str:
    """Run a step of an installation and return what it prints.

    Raises `EnvironmentFailedError` with `what` cannot be installed, and why.
    """
    around = os.environ | dict(variables)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=around)
    if done.returncode:
        reason = _reason(done.stderr) or f"status {done.returncode}"
        raise EnvironmentFailedError(f"{what} cannot be installed here: {reason}")
    return done.stdout


def _reason(output: str) -> str:
    """Return uv's complaint in one line: its error and the first cause."""
    lines = [line.strip() for line in output.splitlines()]
    complaints = (
        next((line for line in lines if line.startswith(word)), "") for word in ("error", "cause")
    )
    return ": ".join(line.partition(": ")[2] for line in complaints if line)
