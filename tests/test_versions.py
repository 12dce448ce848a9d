"""Torch after torch: what is listed, made, left out by name, kept, and shown."""

import json
from importlib import import_module
from types import SimpleNamespace

import pytest
from worlds import calls, equality, evidence, pairings, plain_world, survival

from investigation.evidence.kinds.versions import LeftOut, OnnxExport
from investigation.evidence.parameters import Parameters
from investigation.evidence.sealed import manifest
from investigation.subject import torch_features
from investigation.subject.torch_features import LackingError
from investigation.versions import observing
from pipeline import places
from pipeline.faults import BuildError
from pipeline.pages import assembly
from pipeline.pages import versions as pages
from pipeline.pages.version_reasons import REASONS
from pipeline.sweep import cells, environments, versions
from pipeline.sweep.cells import Cell
from pipeline.sweep.cluster import Outcome

SETTINGS = Parameters.check()
LOCK = "numpy==2.4.6\ntorch==2.13.0\ntriton==3.7.1\npydantic==2.14.3\n"


# What a torch has.


def test_what_torch_has_is_found_by_its_name_and_what_it_lacks_is_named():
    assert torch_features.has("torch.library.custom_op")
    assert torch_features.has("torch._inductor.utils"), "a module that nothing has loaded"
    with pytest.raises(LackingError, match=r"^torch [\d.]+ has no torch\.library\.no_such$"):
        torch_features.named("torch.library.no_such")
    assert torch_features.first("torch.no_such", "torch.mul") is torch_features.named("torch.mul")
    with pytest.raises(LackingError, match=r"has no torch\.no_such$"):
        torch_features.first("torch.no_such", "torch.nor_this")


def test_of_the_settings_of_a_configuration_only_known_ones_are_kept():
    existing = torch_features.existing_settings(
        "torch._inductor.config", fx_graph_cache=False, no_such=True
    )
    assert existing == {"fx_graph_cache": False}


@pytest.mark.parametrize(
    ("kinds", "expected"), [({}, None), ({"cuda"}, "cuda"), ({"mps", "xpu"}, "xpu")]
)
def test_before_there_is_one_name_for_accelerators_each_backend_is_asked(
    monkeypatch, kinds, expected
):
    torch = torch_features.named("torch")
    monkeypatch.delattr(torch, "accelerator", raising=False)
    for kind, name in {"cuda": "cuda", "xpu": "xpu", "mps": "backends.mps"}.items():
        owner = torch_features.named(f"torch.{name}")
        monkeypatch.setattr(owner, "is_available", lambda kind=kind: kind in kinds)
    monkeypatch.setattr(torch_features, "has", lambda name: name != "torch.accelerator")
    assert torch_features.accelerator() == expected


# What is observed.


def planted_part(monkeypatch, **observations):
    module = SimpleNamespace(OBSERVATIONS=observations)
    monkeypatch.setattr(observing, "import_module", lambda _: module)


def fails(error):
    def observation(settings):
        del settings
        yield calls("broadcast", 1)
        raise error

    return observation


def test_an_observation_that_fails_costs_itself_alone_and_what_it_saw_stays(monkeypatch):
    def good(settings):
        del settings
        return [calls("expand_as", 4)]

    planted_part(monkeypatch, broken=fails(KeyError("buf6")), good=good)
    first, left, second = observing.observed("bits", SETTINGS)
    assert (first, second) == (calls("broadcast", 1), calls("expand_as", 4))
    assert (left.observation, left.reason, left.lacks) == ("broken", "KeyError: 'buf6'", False)


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (LackingError("torch 2.4.1 has no torch.accelerator"), True),
        (ImportError("cannot import name 'x' from 'torch'"), True),
        (AttributeError("module 'torch' has no attribute 'x'"), True),
        (AttributeError("'NoneType' object has no attribute 'x'"), False),
        (RuntimeError("it crashed"), False),
    ],
)
def test_what_torch_lacks_is_told_from_what_failed(monkeypatch, error, lacks):
    planted_part(monkeypatch, one=fails(error))
    *_, left = observing.observed("bits", SETTINGS)
    assert left.lacks is lacks
    assert str(error).replace("'", "") in left.reason.replace("'", "")


def test_a_part_that_cannot_be_imported_is_left_out_whole(monkeypatch, tmp_path):
    def missing(name):
        raise ImportError(f"no {name} ({tmp_path}/torch/__init__.py)")

    monkeypatch.setattr(observing, "import_module", missing)
    (left,) = observing.observed("kernels", SETTINGS)
    assert (left.part, left.observation) == ("kernels compiled for GPUs", "all of it")
    assert left.lacks
    assert left.reason.endswith(".kernels (__init__.py)")


@pytest.mark.parametrize("part", observing.PARTS)
def test_every_part_can_be_imported_here_and_names_its_observations(part):
    listed = import_module(f"investigation.versions.parts.{part}").OBSERVATIONS
    assert listed
    assert all(map(callable, listed.values()))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["memory", "layouts"])
def test_a_part_observes_here_and_leaves_nothing_out(part):
    small = Parameters.check(shape=(2, 8, 4, 4))
    records = list(observing.observed(part, small))
    assert records
    assert [record for record in records if isinstance(record, LeftOut)] == []
    assert len({record.identity for record in records}) == len(records)


def test_every_part_has_a_name():
    folder = places.PACKAGE / "versions" / "parts"
    assert {path.stem for path in folder.glob("[!_]*.py")} == set(observing.PARTS)


# The list, and an environment for one use.


def listed(tmp_path, text):
    path = tmp_path / "versions.toml"
    path.write_text(text)
    return versions.read(path)


PLAIN = """packages = ["numpy", "scipy"]
[[torch]]
version = "2.1.2"
packages = ["numpy==1.26.4"]
"""


def test_a_release_has_its_own_version_of_a_package_instead_of_the_locked(tmp_path):
    catalogue = listed(tmp_path, PLAIN)
    assert catalogue.beside(catalogue.torch[0]) == ("scipy", "numpy==1.26.4")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("packages = [", "not a TOML file"),
        ("packages = []\ntorch = []", "torch: Value error, allowed are one release or more"),
        (PLAIN + PLAIN.partition("\n")[2], "torch: Value error, allowed are one release or more"),
        (PLAIN.replace("2.1.2", "2.1"), "torch.0.version: String should match"),
        (PLAIN + 'colour = "red"', "torch.0.colour: Extra inputs"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_in_one_line(tmp_path, text, expected):
    with pytest.raises(BuildError, match=expected) as refused:
        listed(tmp_path, text)
    assert "\n" not in str(refused.value).partition("(at line")[0]


def test_the_list_of_the_book_holds_its_own_torch_and_each_release_once():
    releases = [release.version for release in versions.read().torch]
    assert environments.installed() in releases
    assert len(set(releases)) == len(releases)


def test_a_cell_a_version_or_only_those_that_are_named(tmp_path):
    catalogue = listed(tmp_path, PLAIN + '[[torch]]\nversion = "2.4.1"\n')
    every = versions.cells(catalogue)
    assert [cell.torch for cell in every] == ["2.1.2", "2.4.1"]
    assert len({cell.key for cell in every}) == 2
    assert versions.cells(catalogue, ["2.4.1"]) == every[1:]
    with pytest.raises(BuildError, match=r"^TORCH=2.9.9: there are 2.1.2, 2.4.1$"):
        versions.cells(catalogue, ["2.9.9"])


def test_what_has_no_version_of_its_own_is_as_locked_and_what_torch_needs_is_left_to_it():
    constraints = environments.constraining(LOCK, ("numpy==1.26.4", "pydantic"))
    assert constraints == "pydantic==2.14.3\n"


def test_an_environment_for_one_use_is_another_than_the_one_that_is_kept():
    own = environments.folder_of("2.13.0", ("numpy",))
    assert own != environments.folder_of("2.13.0")
    assert own != environments.folder_of("2.13.0", ("scipy",))
    here = environments.installed()
    assert environments.is_ready(here)
    assert not environments.is_ready(here, ("no such list",)), "this one is for something else"


@pytest.mark.parametrize("fails", [False, True])
def test_the_environment_for_one_use_is_removed_whatever_became_of_the_cell(
    workshop, monkeypatch, fails
):
    monkeypatch.setattr(places, "CELLS", workshop / "cells")
    cell = Cell(notebook="one_version", torch="0.0.1", parameters={}, packages=("a",), key="0" * 32)
    folder = environments.folder_of("0.0.1", ("a",))

    def run(cell, script):
        assert script[0] == "python"
        if fails:
            raise cells.CellError("it failed")
        cell.folder.mkdir(parents=True)
        cell.result.write_text("{}")

    monkeypatch.setattr(cells, "_in_a_process", run)
    monkeypatch.setattr(cells, "_python", lambda _: "python")
    folder.mkdir(parents=True)
    if fails:
        with pytest.raises(cells.CellError):
            cells.measure(cell.model_dump_json())
    else:
        assert cells.measure(cell.model_dump_json()) == "{}"
    assert not folder.exists()


# What is kept, and what a page shows.


def of_torch(version, *records):
    return evidence(*records, notebook="one_version", torch=f"{version}+cpu")


def outcome(version, evidence=None, failure=""):
    cell = Cell(notebook="one_version", torch=version, parameters={}, packages=(), key="0" * 32)
    return Outcome(cell, evidence, failure)


def test_each_version_has_a_record_and_the_folder_is_sealed(tmp_path):
    folder = tmp_path / "versions"
    outcomes = [
        outcome(version, of_torch(version, calls("expand_as", 4)))
        for version in ("2.4.1", "2.10.0")
    ]
    paths = versions.keep([*outcomes, outcome("2.1.2", failure="cannot be installed here")], folder)
    assert [path.name for path in paths] == ["torch-2.4.1.json", "torch-2.10.0.json"]
    manifest.verify(folder)
    assert list(pages.read(folder).evidences) == ["2.4.1", "2.10.0"], "the oldest comes first"


def test_nothing_that_could_be_observed_seals_nothing(tmp_path):
    assert versions.keep([outcome("2.1.2", failure="no")], tmp_path / "versions") == []
    assert not (tmp_path / "versions").exists()


def test_neighbours_with_one_outcome_are_one_stretch_and_a_change_names_its_version():
    shown = pages.in_order(
        of_torch(version, equality("same_dtype", tried, differing))
        for version, tried, differing in
        (("2.10.0", 20, 0), ("2.4.1", 12, 0), ("2.6.0", 16, 0), ("2.8.0", 18, 0),
         ("2.13.0", 20, 3), ("2.15.0", 21, 4))
    )  # fmt: skip
    (line,) = shown.changed
    assert [(stretch.versions, stretch.shown) for stretch in line.stretches] == [
        ("2.4.1 to 2.10.0", "0 of 12 … 0 of 20"),
        ("2.13.0 to 2.15.0", "3 of 20 … 4 of 21"),
    ]
    assert line.changes == ("2.13.0",)
    assert shown.same == []


def test_where_as_much_was_tried_the_counts_are_compared():
    shown = pages.in_order(
        of_torch(version, equality("same_dtype", 20, differing))
        for version, differing in (("2.4.1", 3), ("2.6.0", 4), ("2.8.0", 4))
    )
    (line,) = shown.changed
    assert [(stretch.versions, stretch.shown) for stretch in line.stretches] == [
        ("2.4.1", "3 of 20"),
        ("2.6.0 to 2.8.0", "4 of 20"),
    ]
    assert shown.compared("2.4.1", "2.6.0").startswith("Without a clock, 0 of 1 observations")


def test_every_reason_is_of_a_change_that_is_recorded_and_every_recorded_change_has_one():
    changed = {(line.name, release) for line in pages.read().changed for release in line.changes}
    assert changed == set(REASONS)


def test_a_verdict_that_rests_on_less_says_what_it_goes_without():
    world = [record for record in plain_world().values() if record.kind != "timing"]
    less = [record for record in world if record.kind != "survival"]
    shown = pages.in_order([of_torch("2.1.2", *less), of_torch("2.4.1", *world)])
    claims = {claim.name: claim for claim in shown.claims}
    assert [stretch.shown for stretch in claims["T5"].stretches] == ["not observed: programs", ""]
    assert [stretch.shown for stretch in claims["T3"].stretches] == [""]


def test_a_verdict_that_rests_on_fewer_answers_says_so():
    world = [record for record in plain_world().values() if record.kind != "timing"]
    more = [*world, survival("torch.export", runs_more=True)]
    shown = pages.in_order([of_torch("2.1.2", *world), of_torch("2.4.1", *more)])
    (told,) = [claim for claim in shown.claims if claim.name == "T5"]
    assert [stretch.shown for stretch in told.stretches] == ["fewer: programs", ""]


def test_more_of_what_was_tried_is_no_change_and_what_is_missing_is_no_outcome():
    empty = of_torch("2.6.0")
    both = [
        of_torch(version, equality("same_dtype", n))
        for version, n in (("2.4.1", 12), ("2.8.0", 20))
    ]
    shown = pages.in_order([*both, empty])
    (line,) = shown.same
    assert [stretch.versions for stretch in line.seen] == ["2.4.1", "2.8.0"]
    assert line.changes == ()


def test_a_claim_has_the_verdict_of_each_version_and_one_that_needs_a_clock_is_not_listed():
    differing = pairings("ordinary", differing=3)
    world = [record for record in plain_world().values() if record.kind != "timing"]
    parted = [differing if record.identity == differing.identity else record for record in world]
    shown = pages.in_order([of_torch("2.4.1", *world), of_torch("2.6.0", *parted)])
    claims = {claim.name: claim for claim in shown.claims}
    assert [stretch.outcome for stretch in claims["V2"].stretches] == ["supported", "refuted"]
    assert "V3" not in claims


def left_out():
    return LeftOut(statement="x", part="kernels", observation="all of it", lacks=True,
                   reason="torch has no a|b <script>")  # fmt: skip


def test_the_page_shows_what_changed_what_is_the_same_and_what_was_left_out(tmp_path):
    export = OnnxExport(statement="exports that write", form="dynamo", tried=5, writing=5)
    old = of_torch("2.4.1", calls("expand_as", 4), left_out())
    new = of_torch("2.6.0", calls("expand_as", 4), export.model_copy(update={"writing": 0}))
    middle = of_torch("2.5.0", calls("expand_as", 4), export)
    page = (places.BOOK / "versions.md").read_text(encoding="utf-8")
    (tmp_path / "versions.md").write_text(page)
    assembly.write_pages(tmp_path, {"versions": pages.in_order([new, middle, old])})
    text = (tmp_path / "versions.md").read_text()
    assert "under 3 releases of PyTorch, from 2.4.1 to 2.6.0" in text
    assert "**1 of 2 observations are the same under every release" in text
    stretches = "2.4.1: not observed; 2.5.0: 5 of 5; 2.6.0: 0 of 5"
    assert f"| exports that write | {stretches} | 2.6.0 | 2.6.0: not known. |" in text
    assert "torch has no a\\|b" in text.partition("## What a release lacks")[2]
    assert "<script>" not in text


def test_one_reason_is_given_once_for_all_releases_that_have_it():
    def lacking(version, reason):
        record = left_out().model_copy(update={"reason": reason.format(version)})
        return of_torch(version, record)

    advised = "torch {} fails Set TORCH_LOGS=+dynamo for more"
    told = pages.in_order([lacking("2.4.1", advised), lacking("2.5.0", advised)]).left_out_alike
    assert [(releases, record.reason) for releases, record in told] == [
        ("2.4.1, 2.5.0", "torch fails")
    ]
    other = [lacking("2.4.1", "no {}"), lacking("2.5.0", "none")]
    assert [releases for releases, _ in pages.in_order(other).left_out_alike] == ["2.4.1", "2.5.0"]


def test_the_page_without_records_says_so(tmp_path):
    page = (places.BOOK / "versions.md").read_text(encoding="utf-8")
    (tmp_path / "versions.md").write_text(page)
    assembly.write_pages(tmp_path, {"versions": pages.in_order([])})
    assert "No release but the book's own" in (tmp_path / "versions.md").read_text()


def test_the_records_of_the_book_are_read_and_each_is_of_the_version_in_its_name():
    for path in manifest.record_files(places.RECORDED / manifest.VERSIONS):
        torch = json.loads(path.read_bytes())["environment"]["torch"].partition("+")[0]
        assert path.name == f"torch-{torch}.json"
        assert torch in [release.version for release in versions.read().torch]
