"""`make wild NETWORK=ecaresnet26t`: a released network as it is and with the project's patch.

Each network in each runtime is a cell of a sweep: a process of its own, the machine's timing
lock, a key of all that its result depends on, and a result that outlives an interruption. The
package lies in an environment of its own and stays as released; the patch goes onto a copy.

Run as a script, this module measures the cell that it is given.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from investigation.evidence import files
from investigation.evidence.provenance import module_sha256
from investigation.fix import networks, patches
from investigation.fix.catalogue import Catalogue, Package
from investigation.fix.networks import ReleasedNetwork
from investigation.fix.patches import PatchError
from pipeline import places
from pipeline.faults import BuildError
from pipeline.sweep import cells
from pipeline.sweep import environments as torches
from pipeline.sweep.cells import Cell
from pipeline.wild import environments

CHAPTER = "10_wild"
FOLDER = places.BUILD / "wild"
MEASURES = "investigation.runtimes.released_record"
SETTINGS = {"budget_s": 10.0, "threads": 1, "seed": 20241227, "margin": 0.01}
LIMIT_S = 2400


def chosen(name: str, listed: Mapping[str, ReleasedNetwork]) -> list[ReleasedNetwork]:
    """Return the networks of this name, or all. Raises `BuildError` with one line."""
    if name == "all":
        return list(listed.values())
    if name not in listed:
        raise BuildError(f"NETWORK={name}: no such network; there are {', '.join(listed)} and all")
    return [listed[name]]


def cells_of(network: ReleasedNetwork, listed: Catalogue, folder: Path) -> list[Cell]:
    """Return a network's cells, one a runtime; `folder` has the patches.

    Raises `BuildError` if the survey lacks its package, or found nothing to take out of it.
    """
    package = next(
        (
            listed_package
            for listed_package in listed.packages
            if listed_package.name == network.package
        ),
        None,
    )
    patch = folder / f"{package.title}.patch" if package else None
    if package is None or patch is None or not patch.exists():
        raise BuildError(f"{network.name}: the survey has no patch of {network.package}")
    about: dict[str, object] = {
        "network": network.model_dump(mode="json"),
        "package": package.model_dump(),
        "patch": patch.read_text(encoding="utf-8"),
        "settings": SETTINGS,
    }
    code = module_sha256(MEASURES)
    return [_cell({**about, "runtime": runtime, "code": code}) for runtime in networks.RUNTIMES]


def _cell(about: Mapping[str, object]) -> Cell:
    depends = {**about, "lock": places.LOCK.read_text(encoding="utf-8")}
    key = _sha256(json.dumps(depends, sort_keys=True))[:32]
    return Cell(notebook=CHAPTER, torch=torches.installed(), parameters=dict(about), key=key)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def measure(cell: str) -> str:
    """Measure a cell, given as JSON, unless its result is here; return its evidence as JSON.

    Raises `cells.CellError` with the reason if it cannot be measured.
    """
    parsed = Cell.model_validate_json(cell)
    return cells.measured(parsed, lambda: [sys.executable, "-m", "pipeline.wild.networks"])


def _execute(cell: Cell, mark: str) -> None:
    """Measure in the package's environment and keep the result, whole or not at all."""
    del mark  # every process inherits it
    about = cell.parameters
    network = ReleasedNetwork.model_validate(about["network"])
    python = environments.python_of(Package.model_validate(about["package"]))
    staging = FOLDER / "staging" / cell.key
    for leftover in (staging, cell.folder):  # what was killed half-way, and what cannot be read
        shutil.rmtree(leftover, ignore_errors=True)
    patched = patched_copy(network, python, about["patch"].encode(), staging / "patched")
    question = {name: about[name] for name in ("network", "runtime", "settings", "code")}
    question |= {"patched": str(patched), "patch": _sha256(about["patch"])}
    (staging / "question.json").write_text(json.dumps(question), encoding="utf-8")
    ask(python, staging)
    files.read(staging / "answer" / cell.result.name)
    cell.folder.parent.mkdir(parents=True, exist_ok=True)
    (staging / "answer").rename(cell.folder)
    shutil.rmtree(staging)


def patched_copy(network: ReleasedNetwork, python: Path, patch: bytes, folder: Path) -> Path:
    """Return `folder` with a copy of the installed package, patched."""
    (installed,) = python.parent.parent.glob("lib/python*/site-packages")
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(installed / network.top, folder / network.top, ignore=leave_out)
    try:
        patches.apply(folder, patch)
    except PatchError as error:
        raise BuildError(f"the patch of {network.package} {error}") from None
    return folder


def ask(python: Path, staging: Path) -> None:
    """Run the measurement in `staging` in a Python. Raises `BuildError` with its last line."""
    command = [str(python), "-m", MEASURES, str(staging / "question.json")]
    answer = staging / "answer" / f"{CHAPTER}.json"
    own = {
        "PYTHONPATH": str(places.HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(places.BUILD / "cache" / "inductor"),
    }
    with (staging / "log").open("wb") as log:
        try:
            done = subprocess.run(
                [*command, str(answer)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=staging, env=os.environ | own, timeout=LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BuildError(f"no answer within {LIMIT_S} s") from None
    if done.returncode:
        output = (staging / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        reason = [line.removeprefix("error: ") for line in output if line.strip()][-1:]
        raise BuildError(reason[0] if reason else f"status {done.returncode}")


if __name__ == "__main__":
    sys.exit(cells.as_script(sys.argv[1:], _execute))
