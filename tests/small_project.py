"""A whole project of its own, small enough to be built for real in a test."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil

from investigation.evidence.environment import describe

MAKE = shutil.which("make") or "make"
ROOT = Path(__file__).resolve().parent.parent
COPIED = ("pipeline", "investigation")
# Settings of this test run that a person's shell does not have.
OURS = ("MAKE", "MFLAGS", "INVESTIGATION", "KINETO", "PYTEST", "JUPYTER")

RECORDS = """
import json, os, time
from datetime import UTC, datetime
from pathlib import Path
from investigation.evidence.provenance import package_sha256, source_sha256

now = datetime.now(UTC).isoformat()
record = dict(type="equality", aspect="search", setting=name, statement="the seed", of="seeds",
              tried=9, differing=seed)
kept = dict(schema_version=4, notebook=name, package_sha256=package_sha256(Path(f"{name}.ipynb")),
            source_sha256=source_sha256(Path(f"{name}.ipynb")), parameters=dict(seed=seed),
            environment=json.loads(Path("../environment.json").read_text()),
            started=now, finished=now, records=[record])
target = Path(os.environ["INVESTIGATION_RESULTS"], f"{name}.json")
target.write_text(json.dumps(kept))  # in the place of chapter.close()
"""
INDEX = """# A small book

{% for run in runs %}
- {{ run.notebook }} had seed {{ run.records[0].value }}.
{% endfor %}

The end.
"""


class SmallProject:
    """A copy of the pipeline with tiny chapters, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name)
            self._copy_bytecode(name)
        for source in (path for path in ROOT.iterdir() if path.is_file()):
            shutil.copy(source, folder)
        os.utime(folder / "requirements.lock", (0, 0))  # what is installed is newer
        self._share_environment()
        # Known beforehand, so that a chapter need not load torch, which takes longer than it.
        (folder / "environment.json").write_text(describe(1).model_dump_json())
        (folder / "results").mkdir()
        (folder / "notebooks").mkdir()
        self._write_pages()

    def _share_environment(self) -> None:
        """Run make with this run's environment, under its own path.

        By another path, as through a link, Python compiles every package anew.
        """
        environment, caches = self.folder / ".venv", Path(sys.prefix, "cache")
        caches.mkdir(exist_ok=True)
        python = environment / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        python.chmod(0o755)
        (environment / "installed").touch()
        (environment / "cache").symlink_to(caches, target_is_directory=True)

    def _copy_bytecode(self, name: str) -> None:
        """Copy what Python has compiled of a folder, where it keeps that apart from the sources.

        To compile it all again takes longer than to build tiny chapters. The copied sources have
        the times by which Python knows that it still holds.
        """
        if sys.pycache_prefix is None:
            return
        compiled, copied = (
            Path(sys.pycache_prefix, *(place / name).parts[1:]) for place in (ROOT, self.folder)
        )
        if compiled.exists():
            shutil.copytree(compiled, copied, dirs_exist_ok=True)

    def _write_pages(self) -> None:
        book = self.folder / "book"
        shutil.copytree(ROOT / "book", book)
        for page in book.glob("*.md"):
            page.unlink()
        (book / "index.md").write_text(INDEX)
        (book / "references.bib").write_text("")
        (book / "_toc.yml").write_text("format: jb-book\nroot: index\n")

    def chapter(self, name: str, *cells: str) -> Path:
        """Write a chapter whose evidence is its seed, with `cells` before that."""
        code_cells = [nbformat.v4.new_code_cell(source) for source in ("seed = 1", *cells, RECORDS)]
        code_cells[0].metadata["tags"] = ["parameters"]
        code_cells[-1].source = f'name = "{name}"\n{RECORDS}'
        code_cells.insert(0, nbformat.v4.new_markdown_cell(f"# {name}"))
        # The same ids every time, so that a source has a digest.
        for number, cell in enumerate(code_cells):
            cell["id"] = f"{name}-{number}"
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        document = nbformat.v4.new_notebook(cells=code_cells, metadata={"kernelspec": kernel})
        path = self.folder / "notebooks" / f"{name}.ipynb"
        nbformat.write(document, path)
        return path

    def environment(self, **changes: str) -> dict[str, str]:
        """Return what a person's shell would hand on, with `changes`."""
        plain = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
        return plain | {"PYTHONPATH": str(self.folder)} | changes

    def make(self, *words: str, without: str = "", **options) -> "subprocess.CompletedProcess[str]":
        """Run make in this project to its end; `without` is a variable to unset."""
        environment = self.environment(**options.pop("environment", {}))
        environment.pop(without, None)
        return subprocess.run(
            [MAKE, "--no-print-directory", *words], cwd=self.folder, env=environment,
            capture_output=True, text=True, check=False, **options,
        )  # fmt: skip

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start make in a session of its own."""
        return subprocess.Popen(
            [MAKE, "--no-print-directory", *words], cwd=self.folder, env=self.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        """Return the running processes that belong to this project, by mark or by folder."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            marked = process.environ().get("INVESTIGATION_BUILD", "").startswith(str(self.folder))
            return marked or Path(process.cwd()).is_relative_to(self.folder)
        except psutil.Error:
            return False

    @property
    def build(self) -> Path:
        """The folder that everything is built in."""
        return self.folder / "build"


def complaints(done) -> list[str]:
    """Return what was said on stderr, progress bars and make's own line apart."""
    lines = [line for part in done.stderr.splitlines() for line in part.split("\r")]
    return [line for line in lines if line.strip() and not line.startswith(("make: ", "["))]
