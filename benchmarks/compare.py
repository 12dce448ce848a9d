"""Time `make compare` on two full runs: `python benchmarks/compare.py --help`.

Each run has fifteen chapters of a hundred timings, each timing in twenty processes. The time is
that of the processor, the least of several tries.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # where records are planted

import worlds  # noqa: E402 -- found on the path of the line above

TARGET_S = 5.0
CHAPTERS, TIMINGS, PROCESSES = 15, 100, 20


def main() -> int:
    """Compare the two runs several times, and return 1 if every try missed the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for run in ("base", "head"):
            write_run(Path(folder, run))
        tries = [processor_s(Path(folder)) for _ in range(options.tries)]
    print(f"make compare: {min(tries):.1f} s of processor time, target {TARGET_S:g} s")
    return int(min(tries) > TARGET_S)


def write_run(folder: Path) -> None:
    """Write the evidence of a run whose timings are all alike."""
    folder.mkdir()
    timing = worlds.multiply()
    parts = [timing.alone.model_copy(update={"warnings": ("none",) * 20})] * PROCESSES
    replicated = timing.model_copy(update={"alone": None, "processes": tuple(parts)})
    for chapter in range(CHAPTERS):
        cases = (
            worlds.CASE.model_copy(update={"slug": f"case{chapter}_{number}"})
            for number in range(TIMINGS)
        )
        records = [replicated.model_copy(update={"case": case}) for case in cases]
        name = f"{chapter:02}_x"
        text = worlds.evidence(*records, notebook=name).model_dump_json()
        (folder / f"{name}.json").write_text(text)


def processor_s(folder: Path) -> float:
    """Return the processor time of one comparison of two runs in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, "-m", "pipeline", "compare"]
    runs = [f"{name.upper()}={folder / name}" for name in ("base", "head")]
    subprocess.run(
        [*command, *runs], cwd=ROOT, env=os.environ | {"PATH": ""}, check=True, capture_output=True
    )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


if __name__ == "__main__":
    sys.exit(main())
