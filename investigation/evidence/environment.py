"""Where a result came from: versions, processor, accelerator, threads, source revision."""

import os
import platform
import subprocess
from functools import cache
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from investigation.subject import torch_features

PROJECT = Path(__file__).resolve().parents[2]


class Environment(BaseModel):
    """What must be known about a machine before its numbers can be compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    python: str
    torch: str
    system: str
    processor: str
    cores: int
    memory_gib: float
    threads: int
    capability: str
    accelerator: str | None
    revision: str


def describe(threads: int | None = None) -> Environment:
    """Return the environment of this process; `threads` is what the timings were set to use."""
    import torch  # it takes a second to load, and reading an environment needs none of it

    return Environment(
        python=platform.python_version(),
        torch=torch.__version__,
        system=f"{platform.system()} {platform.machine()}",
        processor=processor_name(),
        cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        threads=threads or torch.get_num_threads(),
        capability=torch.backends.cpu.get_cpu_capability(),
        accelerator=accelerator_name(),
        revision=revision(),
    )


def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's own name if the system has it."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def accelerator_name() -> str | None:
    """Return the accelerator that torch sees, or None."""
    import torch

    kind = torch_features.accelerator()
    if kind is None:
        return None
    named = getattr(getattr(torch, kind, None), "get_device_name", lambda: kind)
    return str(named())


@cache
def revision() -> str:
    """Return the source's git revision, marked if the tree was changed, or `unknown`."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
