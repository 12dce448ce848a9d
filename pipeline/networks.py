"""`make wild NETWORK=ecaresnet26t`: a released network as it is and with the project's patch.

Each package has an environment of its own under `build/wild/environments`, because what it needs
would disturb the book's. The patch is applied to a copy; the installed package stays as released.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from investigation.evidence import files
from investigation.evidence.files import EvidenceError
from investigation.evidence.wild import ReleasedProgram
from investigation.fix import patches
from investigation.fix.catalogue import Package
from investigation.fix.patches import PatchError
from investigation.subject.released import BY_SLUG, ReleasedNetwork
from pipeline import cells, guard, places, wild_record
from pipeline.faults import BuildError

FOLDER = places.BUILD / "wild"
READY = "ready"
SETTINGS = {"budget_s": 5.0, "threads": 1, "seed": 0, "margin": 0.01}
# What the measurement imports; the versions are those of the lock.
IMPORTED = (
    "executorch", "filelock", "ipython", "matplotlib", "numpy", "onnx", "onnxruntime", "onnxscript",
    "openvino", "pandas", "psutil", "pydantic", "scipy", "statsmodels", "torch",
)  # fmt: skip
UNDER_WAY_S = 1800
START = "from investigation.runtimes.released import main; main({!r}, {!r})"


def chosen(slug: str) -> ReleasedNetwork:
    """Return a network by its name. Raises `BuildError` with one line that says which there are."""
    if slug not in BY_SLUG:
        raise BuildError(f"NETWORK={slug}: no such network; there are {', '.join(BY_SLUG)}")
    return BY_SLUG[slug]


def measure(network: ReleasedNetwork, packages: Sequence[Package], patch: Path) -> list[str]:
    """Measure one network anew and record it; return in lines what was done.

    Raises `BuildError` when its environment, its patch or its evidence cannot be had.
    """
    package = next((one for one in packages if one.name == network.package), None)
    if package is None or not patch.exists():
        raise BuildError(f"{network.slug}: the survey has no patch of {network.package}")
    python = environment(package)
    patched = _patched(network, python, patch)
    answer = _asked(network, python, patched, patch)
    try:
        evidence = files.read(answer)
    except EvidenceError as error:
        raise BuildError(f"{network.slug}: {error}") from None
    refused = [
        f"{network.slug}: {one.title}: {one.refused}"
        for one in evidence.records
        if isinstance(one, ReleasedProgram) and one.refused
    ]
    return [*refused, wild_record.put(f"network_{network.slug}.json", evidence)]


def environment(package: Package) -> Path:
    """Return the Python of the environment that has this release, made once.

    Its torch and torchvision come from one index: one that is built for other processors than
    the other does not load beside it. So pip's settings, which may name another torch, stay out.
    """
    folder = FOLDER / "environments" / package.title
    python = folder / "bin" / "python"
    if not (folder / READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--python", str(python), *requirements(package))
        (folder / READY).touch()
    return python


def requirements(package: Package) -> list[str]:
    """Return what the environment holds, in the locked versions."""
    lines = places.LOCK.read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0]: line.partition(" ;")[0] for line in lines}
    return [
        *(locked[one] for one in IMPORTED),
        "torchvision",
        f"{package.name}=={package.version}",
    ]


def _uv(*words: str) -> None:
    program = str(Path(sys.executable).with_name("uv"))
    own = {"PIP_FIND_LINKS", "UV_FIND_LINKS", "VIRTUAL_ENV"}
    around = {key: value for key, value in os.environ.items() if key not in own}
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False,
                          env=around)  # fmt: skip
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise BuildError(f"uv {words[0]}: {said[-1] if said else done.returncode}")


def _patched(network: ReleasedNetwork, python: Path, patch: Path) -> Path:
    """Return a folder with a copy of the installed package, patched."""
    folder = FOLDER / "networks" / network.slug / "patched"
    shutil.rmtree(folder, ignore_errors=True)
    (installed,) = python.parent.parent.glob("lib/python*/site-packages")
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(installed / network.top, folder / network.top, ignore=leave_out)
    try:
        patches.apply(folder, patch.read_bytes())
    except PatchError as error:
        raise BuildError(f"{network.slug}: {patch.name} {error}") from None
    return folder


def _asked(network: ReleasedNetwork, python: Path, patched: Path, patch: Path) -> Path:
    """Have the environment's Python measure, alone on this machine; return what it wrote."""
    folder = patched.parent
    question, answer = folder / "question.json", folder / "answer.json"
    digest = hashlib.sha256(patch.read_bytes()).hexdigest()
    asked = {"network": network.slug, "patched": str(patched), "settings": SETTINGS,
             "digest": digest}  # fmt: skip
    question.write_text(json.dumps(asked), encoding="utf-8")
    answer.unlink(missing_ok=True)
    own = {
        "PYTHONPATH": str(places.HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(places.BUILD / "cache" / "inductor"),
    }
    with guard.watched(str(FOLDER)), cells.timing(), (folder / "log").open("wb") as log:
        try:
            status = subprocess.run(
                [str(python), "-c", START.format(str(question), str(answer))],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | own,
                timeout=UNDER_WAY_S, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BuildError(f"{network.slug}: no answer within {UNDER_WAY_S} s") from None
    if status:
        said = (folder / "log").read_text(encoding="utf-8", errors="replace").split("\n")
        reason = [line for line in said if line.strip()][-1:] or [f"status {status}"]
        raise BuildError(f"{network.slug}: {reason[0]}")
    return answer
