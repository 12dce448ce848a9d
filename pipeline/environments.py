"""A Python with another torch, in an environment of its own, made once.

One caller at a time makes one: `pipeline.cells` does so under the machine's timing lock.
"""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from pipeline import places

READY = "ready"
QUIET = ("--quiet", "--disable-pip-version-check")


class EnvironmentFailedError(ValueError):
    """An environment that could not be made; the message has pip's last line."""


def installed() -> str:
    """Return the version of torch that is installed here, without its build."""
    return metadata.version("torch").partition("+")[0]


def is_ready(version: str) -> bool:
    """Tell whether a Python with this version of torch is here."""
    return version == installed() or (folder_of(version) / READY).exists()


def python_with(version: str) -> str:
    """Return the Python that has this version of torch, which must be ready."""
    return sys.executable if version == installed() else str(folder_of(version) / "bin" / "python")


def folder_of(version: str) -> Path:
    """Return the folder of the environment with this version of torch."""
    return places.BUILD / "environments" / f"torch-{version}"


def make(version: str) -> None:
    """Make the environment with this version of torch, and everything else as locked.

    Raises `EnvironmentFailedError` where it cannot be installed. Does nothing where it is ready.
    """
    if is_ready(version):
        return
    folder = folder_of(version)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = folder / "requirements.txt"
    wanted.write_text(requirements(places.LOCK.read_text(encoding="utf-8"), version))
    _run([sys.executable, "-m", "venv", str(folder)], version)
    python = str(folder / "bin" / "python")
    _run([python, "-m", "pip", "install", *QUIET, "-r", str(wanted)], version)
    (folder / READY).touch()


def requirements(lock: str, version: str) -> str:
    """Return the locked requirements with this version of torch."""
    lines = (line for line in lock.splitlines() if not line.startswith("torch=="))
    return "\n".join([*lines, f"torch=={version}", ""])


def _run(command: list[str], version: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        last = lines[-1] if lines else f"status {done.returncode}"
        raise EnvironmentFailedError(f"torch {version} cannot be installed here: {last}")
