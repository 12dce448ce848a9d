"""An executed chapter as a page: with the claims that the ledger decided, and links to its data.

Claims are judged once, when all evidence is there, so no chapter can show another verdict than
the ledger's. A cell's tag marks their place.
"""

import shutil
from collections.abc import Callable, Mapping
from typing import Any

import nbformat

from investigation.evidence.harmless import harmless
from investigation.evidence.words import listed
from pipeline import places
from pipeline.pages import opening

DOWNLOADS = """## Data of this page

{{download}}`Evidence as JSON <../data/{name}.json>` ·
{{download}}`evidence as CSV <../data/{name}.csv>` ·
{{download}}`the executed notebook <../data/{name}.ipynb>` ·
{{download}}`the schema of the evidence <../data/evidence.schema.json>`
"""

MORE = (
    "\nThe page [claim by claim](../claims) has the numbers of each verdict, where it was tried, "
    "what it does not cover and how its rule changed."
)
NOTHING_DECIDED = "No sentence of the ticket or its reviews is decided here."


def write(chapter: str, claims: list[dict[str, Any]]) -> None:
    """Copy an executed chapter to the book's source, with its claims and links to its data."""
    folder, executed = places.SOURCE / "notebooks", places.EXECUTED / f"{chapter}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells:
        for tag in FILLED.keys() & set(cell.metadata.get("tags", [])):
            cell.source += f"\n\n{FILLED[tag](chapter, claims)}"
    notebook.cells = opening.told_first(notebook.cells, opening.found_in(chapter, claims))
    footer = nbformat.v4.new_markdown_cell(DOWNLOADS.format(name=chapter), id="downloads")
    notebook.cells.append(footer)
    nbformat.write(notebook, folder / executed.name)
    shutil.copy(executed, places.SOURCE / "data")


def claims_of(chapter: str, claims: list[dict[str, Any]]) -> str:
    """Return the claims that a chapter has a part in, each with its verdict and its rule."""
    own = [claim for claim in claims if chapter in claim["chapters"]]
    lines = [
        _claim_lines(claim, claim["who"], claim["rule"], claim["verdict"], claim["because"])
        for claim in own
    ]
    notes = [
        harmless(f"\n*Eager CUDA, for {listed([claim['id'] for claim in noted])}.* {note}")
        for note, noted in _by_note(own).items()
    ]
    return "\n".join([*lines, *notes, MORE]) if lines else NOTHING_DECIDED


def gpu_claims_of(chapter: str, claims: list[dict[str, Any]]) -> str:
    """Return the verdicts of the claims on each GPU that was measured."""
    del chapter  # only one shows them
    lines = [
        _claim_lines(claim, f"on {machine}", claim["gpu"]["rule"], verdict, because)
        for claim in claims
        if claim["gpu"]
        for machine, verdict, because in (
            [
                (verdict["machine"], verdict["verdict"], verdict["because"])
                for verdict in claim["gpu"]["found"]
            ]
            or [("no machine yet", "untested on a GPU", "No GPU measurement exists yet.")]
        )
    ]
    return "\n".join(lines)


def launch_claims_of(chapter: str, claims: list[dict[str, Any]]) -> str:
    """Return what the launches of eager CUDA show about each claim that they concern."""
    del chapter  # only one shows them
    return "\n".join(
        harmless("- " + "\\\n  ".join([*(_quoted(claim, claim["who"]) for claim in noted), note]))
        for note, noted in _by_note(claims).items()
    )


def patches_of(chapter: str, claims: list[dict[str, Any]]) -> str:
    """Copy the patches of `make wild` to the book's source, and return a link to each."""
    del chapter, claims  # only one shows them
    shown = places.SOURCE / "data" / "patches"
    lines = []
    for patch in sorted(places.PATCHES.glob("*.patch")):
        shown.mkdir(parents=True, exist_ok=True)
        shutil.copy(patch, shown)
        # As text: a page of its own would need a place among the others.
        shutil.copy(patch.with_suffix(".md"), shown / f"{patch.stem}.txt")
        lines.append(
            f"- {patch.stem}: {{download}}`the patch <../data/patches/{patch.name}>`, "
            f"{{download}}`the text of the pull request <../data/patches/{patch.stem}.txt>`"
        )
    return "\n".join(lines) or "This book was built without the patches; `make wild` writes them."


def _claim_lines(claim: dict[str, Any], who: str, rule: str, verdict: str, because: str) -> str:
    quoted = _quoted(claim, who)
    shown = verdict.replace("_", " ")
    return harmless(f"- {quoted}\\\n  **{shown}**: {because}\\\n  *Rule.* {rule}")


def _quoted(claim: dict[str, Any], who: str) -> str:
    return f"**{claim['id']}**, {who}: “{claim['quote']}”"


def _by_note(claims: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return each note on eager CUDA with the claims that have it; several can have the same."""
    noted: dict[str, list[dict[str, Any]]] = {}
    for claim in claims:
        if claim["eager_cuda"]:
            noted.setdefault(claim["eager_cuda"], []).append(claim)
    return noted


# What assembly adds to a chapter's cell that has one of these tags.
FILLED: Mapping[str, Callable[[str, list[dict[str, Any]]], str]] = {
    "claims": claims_of,
    "gpu-claims": gpu_claims_of,
    "launch-claims": launch_claims_of,
    "patches": patches_of,
}
