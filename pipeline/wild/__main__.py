"""`make wild`: what the fix finds in released packages, recorded, and a patch for each of them.

`NETWORK=` measures a released network as it is and with its package's patch (`networks`).

Archives, unpacked files and patches lie under `build/`; the record goes under `results/`. A second
run takes from `build/wild/` what it has. Exit status 1 when a package had to be left out.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock
from pydantic import ValidationError

from investigation.evidence import files
from investigation.evidence.kinds.wild import Survey, SurveyedPackage
from investigation.fix import archives, catalogue, patches, rewriting, survey
from investigation.fix.archives import ArchiveError
from investigation.fix.catalogue import Catalogue, CatalogueError, Package
from investigation.fix.findings import RulesError
from investigation.fix.measured import measured_in
from investigation.fix.networks import read as read_networks
from investigation.fix.patches import PatchError
from pipeline import places
from pipeline.cli.commandline import Directions, directions, variables
from pipeline.faults import BuildError, refused_by_the_system
from pipeline.wild import index, measuring, networks
from pipeline.wild import record as wild_record
from pipeline.wild.index import UnavailableError

FOLDER = places.BUILD / "wild"
DOWNLOADS = 4  # at once
LEFT_OUT = (UnavailableError, ArchiveError, PatchError, RulesError)
ALLOWED = {
    "PIN": "allowed is a release, such as PIN=timm==1.0.31",
    "NETWORK": "allowed is the name of a network of wild/networks.toml, or all",
    "SCHEDULER": Directions.allowed["scheduler"],
}


def main(words: list[str]) -> int:
    """Run the command; return the exit status."""
    try:
        return run(variables(os.environ.get("MAKEFLAGS", ""), words))
    except (BuildError, CatalogueError, UnavailableError) as error:
        _tell(f"error: {error}")
    except OSError as error:
        _tell(f"error: {refused_by_the_system(error)}")
    except KeyboardInterrupt:
        _tell("error: stopped; what was surveyed is kept, and the same command goes on from there")
    return 1


def run(given: Mapping[str, str]) -> int:
    """Survey the list, or print the entry of a release to add to it; return the exit status."""
    unknown = [name for name in given if name not in ALLOWED]
    if unknown:
        raise BuildError(f"{unknown[0]}: no such parameter; there are {', '.join(ALLOWED)}")
    if "PIN" in given:
        return print_entry(given["PIN"])
    listed_networks = read_networks()
    to_measure = networks.chosen(given["NETWORK"], listed_networks) if "NETWORK" in given else []
    scheduler = directions({name: given[name] for name in given if name == "SCHEDULER"}).scheduler
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / "lock"):
        listed = catalogue.read()
        surveys, status = survey_all(listed)
        if to_measure:
            status = max(
                status, measuring.measure(to_measure, listed, places.PATCHES, scheduler, _tell)
            )
            write_patches(surveys)
        return status


def print_entry(release: str) -> int:
    """Print what the list needs to hold for one release; return the exit status."""
    name, sign, version = release.partition("==")
    if not (name and sign and version):
        raise BuildError(f"PIN={release}: {ALLOWED['PIN']}")
    try:
        print(catalogue.entry(index.pin(release)), end="")
    except ValidationError:
        raise BuildError(f"PIN={release}: {ALLOWED['PIN']}") from None
    return 0


def survey_all(listed: Catalogue) -> tuple[list[SurveyedPackage], int]:
    """Survey every package of the list, write patches and record.

    Returns the surveys and the exit status: 1 if a package was left out.
    """
    missing: dict[str, str] = {}
    surveys: list[SurveyedPackage] = []
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        downloads = {
            package.title: pool.submit(index.fetch, package, FOLDER / "archives")
            for package in listed.packages
            if _earlier_survey(package) is None
        }
        for package in listed.packages:
            try:
                surveys.append(_surveyed(package, downloads.get(package.title)))
            except LEFT_OUT as reason:
                missing[package.name] = str(reason)
                _tell(f"{package.title}: left out: {reason}")
    if not surveys:
        raise BuildError("no package of the list could be surveyed; nothing is recorded")
    write_patches(surveys)
    about = Survey(
        statement="released packages in which the fix looked for expansions",
        list_sha256=listed.sha256,
        rules_sha256=survey.rules_sha256(),
        listed=len(listed.packages),
        missing=missing,
    )
    _tell(summary(about, surveys))
    _tell(wild_record.keep("survey.json", (about, *surveys), listed.sha256))
    return surveys, int(bool(missing))


def _surveyed(package: Package, download: Future[Path] | None) -> SurveyedPackage:
    """Return the survey of a package, made now where its archive had to be fetched."""
    if download:
        _survey(package, download.result())
    record = _earlier_survey(package)
    assert record is not None
    return record


def _earlier_survey(package: Package) -> SurveyedPackage | None:
    """Return the survey of a package that an earlier run made with the same rules."""
    path = _result(package, ".json")
    try:
        return SurveyedPackage.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):  # not yet, or half of one
        return None


def _survey(package: Package, archive: Path) -> None:
    """Unpack an archive, look at it, and keep the patch and then the record."""
    folder = FOLDER / "packages" / package.title
    count = archives.unpack(archive, folder, rewriting.EXPANSION.search)
    try:
        report = rewriting.examine(folder)
        record = survey.survey(package, folder, count, report)
        patch = patches.patch_of(folder, report)
        if patch:
            patches.verify(folder, report, patch)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _result(package, ".patch").parent.mkdir(parents=True, exist_ok=True)
    _result(package, ".patch").write_bytes(patch)
    files.write_atomically(_result(package, ".json"), record.model_dump_json(indent=1) + "\n")


def _result(package: Package, suffix: str) -> Path:
    """Return the path of a survey: by the archive, and by all that decides what is found."""
    of = f"{package.model_dump_json()} {survey.rules_sha256()}"
    return FOLDER / "surveyed" / (hashlib.sha256(of.encode()).hexdigest()[:32] + suffix)


def write_patches(surveys: Iterable[SurveyedPackage]) -> None:
    """Write the patch and the text of a pull request of every package that has one."""
    measured = wild_record.measured()
    shutil.rmtree(places.PATCHES, ignore_errors=True)
    places.PATCHES.mkdir(parents=True)
    for surveyed in surveys:
        if surveyed.taken:
            package = Package(**surveyed.model_dump(include={"version", "archive", "sha256"}),
                              name=surveyed.package)  # fmt: skip
            shutil.copyfile(_result(package, ".patch"), places.PATCHES / f"{package.title}.patch")
            text = patches.request(surveyed, measured_in(measured, surveyed.package))
            (places.PATCHES / f"{package.title}.md").write_text(text, encoding="utf-8")


def summary(about: Survey, surveys: Sequence[SurveyedPackage]) -> str:
    """Return what was found, in a line."""
    with_expansions = [package for package in surveys if package.taken]
    removable = sum(len(package.taken) for package in with_expansions)
    left_to_a_person = sum(len(package.left) for package in surveys)
    read = sum(package.files for package in surveys)
    with_the_line = sum(package.has_the_line for package in surveys)
    return (
        f"{len(surveys)} of {about.listed} packages, {read:,} Python files: {removable} expansions "
        f"can go in {len(with_expansions)} packages, {with_the_line} of which hold the line; "
        f"{left_to_a_person} are left to a person; patches are in {os.path.relpath(places.PATCHES)}"
    )


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
