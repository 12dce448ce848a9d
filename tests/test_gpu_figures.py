"""The GPU chapter's figures: each mark stands at the place of its evidence."""

import csv
import io
import itertools

import pytest

from investigation.compiled import compile_settings
from investigation.compiled.triton import coverage
from investigation.compiled.triton.agreement import ChipAgreement
from investigation.display import figure_data, gpu_figures
from investigation.evidence.kinds.programs import MachineCode
from investigation.subject import gpu_catalog
from investigation.subject.cases import Case

CASE = Case(slug="small", name="small", shape=(4, 16, 8, 8))
CHIPS = [gpu_catalog.chip(slug) for slug in ("sm_90", "gfx942")]
LINES = {
    "tmp0 = tl.load(in_ptr0 + (x2), None)": "reads the input",
    "tmp1 = tl.load(in_ptr1 + (x1), None, eviction_policy='evict_last').to(tl.float32)": (
        "reads an element of the gate (128×256×1×1), one a channel, and converts it"
    ),
    "tmp2 = tmp0 * tmp1": "multiplies",
    "tl.store(out_ptr0 + (x2), tmp2, None)": "writes the output",
}


def code(form, digest):
    return MachineCode(
        statement="", form=form, target="sm_90", target_name="sm_90 (H100)", lines=tuple(LINES),
        words=tuple(LINES.values()), binary_sha256=digest, binary_bytes=4321, case=CASE,
    )  # fmt: skip


def texts(figure):
    return [text for text in figure.axes[0].texts if text.get_text()]


@pytest.mark.parametrize(("other", "sign"), [("a", "="), ("b", "≠")])
def test_one_kernel_stands_beside_the_digests_of_both_forms(other, sign):
    figure = gpu_figures.one_kernel([code("expand_as", "a" * 64), code("broadcast", other * 64)])
    shown = [text.get_text() for text in texts(figure)]
    assert shown[: 2 * len(LINES)] == [text for pair in LINES.items() for text in pair]
    assert [text for text in shown if text.startswith("sha256")] == [
        f"sha256 {digit * 12}…" for digit in ("a", other)
    ]
    assert [text for text in shown if text in ("=", "≠")] == [sign]
    assert shown.count("sm_90 (H100), 4,321 bytes") == 2


def test_no_text_of_the_kernel_overlaps_another_or_a_digest_s_box():
    figure = gpu_figures.one_kernel([code("expand_as", "a" * 64), code("broadcast", "a" * 64)])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts(figure)]
    pairs = [(box, other) for i, box in enumerate(boxes) for other in boxes[:i]]
    assert not any(text.overlaps(other) for text, other in pairs)
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    left = min(patch.get_window_extent().x0 for patch in figure.axes[0].patches)
    assert all(box.x1 < left for box in boxes[: 2 * len(LINES)])


def test_on_a_phone_the_kernel_stands_above_the_digests_in_lines_that_fit():
    forms = [code("expand_as", "a" * 64), code("broadcast", "b" * 64)]
    figure = gpu_figures.one_kernel(forms, narrow=True)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts(figure)]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    top = max(patch.get_window_extent().y1 for patch in figure.axes[0].patches)
    assert all(box.y0 > top for box in boxes[: 2 * len(LINES)])


def agreements(differ):
    settings = list(compile_settings.every(CASE, ["float32", "float32:bfloat16"]))
    for chip in CHIPS:
        tried = tuple(
            setting for setting in settings if chip in coverage.compiled_for(setting, CHIPS)
        )
        differing = tuple(setting for setting in tried if differ(setting))
        yield ChipAgreement(
            chip=chip.slug, variant="expand_as", tried=tried, same={},
            differing={"binary": differing},
        )  # fmt: skip


def test_every_cell_of_the_grid_is_the_setting_of_its_row_and_column():
    chips = list(agreements(lambda setting: setting.mode == "training" and setting.case.gate_dtype))
    text = figure_data.as_csv(gpu_figures.agreement_grid(chips, "binary"))
    cells = {
        (row["panel"], row["y"], row["x"]): row["series"]
        for row in csv.DictReader(io.StringIO(text))
    }
    expected = {
        (gpu_catalog.chip(row.chip).name, setting.kind,
         f"{setting.shapes}, {setting.case.memory_format}"):
        str(float(setting not in row.differing["binary"]))
        for row in chips for setting in row.tried
    }  # fmt: skip
    assert cells == expected
    assert set(cells.values()) == {"0.0", "1.0"}
    assert len(chips[1].tried) < len(chips[0].tried)
