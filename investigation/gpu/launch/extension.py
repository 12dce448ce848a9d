"""The C++ extension that records iterators: built once for a torch, then loaded from a cache.

Loading it adds a device to this process, which torch then takes for the accelerator. So a
process of its own loads it; `investigation.gpu.launch.proof` starts one.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch
from torch.utils.backend_registration import rename_privateuse1_backend

from investigation.compiled.omission import MissingToolError
from investigation.evidence.environment import PROJECT
from investigation.gpu.launch import source

SOURCE = Path(__file__).with_name("recorder.cpp")
# A chapter is executed again if a module has changed, so this module changes with its source.
SOURCE_SHA256 = "0a9e43d053aa424f500eaec9646f21333fa020970e3312650a03900e2db28bc7"
CACHE = PROJECT / "build" / "cache" / "launch"
DEVICE = "recorder"
COMPILERS = ("g++", "clang++", "c++")
LIMIT_S = 300
REASON_LENGTH = 160


class NoRecorderError(MissingToolError):
    """The extension cannot be built here; the message is the reason, in one line."""


def require_recorder(cache: Path = CACHE) -> str:
    """Build the extension if the cache lacks it, and return what was found.

    Raises `NoRecorderError` without a compiler, if it fails, or if torch's source is
    another than the one that `source` was read from.
    """
    source.passages()
    library(cache)
    return f"a recorder of iterators for torch {torch.__version__}"


def library(cache: Path = CACHE) -> Path:
    """Return the built extension. Raises `NoRecorderError` if it cannot be built."""
    built = cache / f"recorder-{_digest()}.so"
    if not built.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            fresh = Path(folder, built.name)
            _compile(compiler(), fresh)
            fresh.replace(built)  # at once: another process may build it too
    return built


def compiler() -> str:
    """Return the C++ compiler of this machine. Raises `NoRecorderError` if there is none."""
    named = os.environ.get("CXX")
    program = (
        shutil.which(named) if named else next(filter(None, map(shutil.which, COMPILERS)), None)
    )
    if program is None:
        raise NoRecorderError(
            f"recording what eager CUDA launches needs a C++ compiler, and {named or 'none'} is "
            "here; install g++, or name one in the variable CXX"
        )
    return program


def _digest() -> str:
    """Return what the built file depends on: its source, torch and the machine."""
    digest = hashlib.sha256(SOURCE.read_bytes())
    for part in (torch.__version__, str(torch.version.git_version), platform.platform()):
        digest.update(part.encode())
    return digest.hexdigest()[:16]


def _compile(compiler: str, built: Path) -> None:
    installed = Path(torch.__file__).parent
    command = [
        compiler, "-std=c++20", "-O0", "-fPIC", "-shared", str(SOURCE), "-o", str(built),
        f"-I{installed / 'include'}", f"-L{installed / 'lib'}", "-ltorch_cpu", "-lc10",
        f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoRecorderError(_failed(compiler, str(error))) from None
    if done.returncode:
        raise NoRecorderError(_failed(compiler, done.stderr)) from RuntimeError(done.stderr)


def _failed(compiler: str, output: str) -> str:
    """Return one line: the compiler, and the first error that it named."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no message"]
    first = next((line for line in lines if "error" in line), lines[-1])
    return (
        f"{Path(compiler).name} cannot build the recorder of iterators for torch "
        f"{torch.__version__}: {first.rpartition('error: ')[2][:REASON_LENGTH]}"
    )


def load(cache: Path = CACHE) -> None:
    """Make the recording device of this process. Raises `NoRecorderError` as `library` does."""
    torch.ops.load_library(str(library(cache)))
    rename_privateuse1_backend(DEVICE)
