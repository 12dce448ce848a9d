"""Every figure of a book with the evidence of its numbers, label by label.

A reader of a figure returns what the evidence says: a number for each panel, series and label, as
`Drawn` has them. If the evidence has a part of the numbers only, a reader compares that.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from published import Drawn, Row, marks, place, values

from investigation.display import recorded
from investigation.display.training_figures import APART, LOSSES
from investigation.evidence import files
from investigation.evidence.kinds.correctness import Equality, TrainingRun
from investigation.evidence.kinds.gpus import PredictedTime
from investigation.evidence.kinds.layouts import Layouts
from investigation.evidence.kinds.programs import Agreement, CompiledPair
from investigation.evidence.kinds.resources import Instructions, Memory, Traffic
from investigation.evidence.kinds.timings import Bandwidth, Timing
from investigation.evidence.observation import Observation
from investigation.evidence.words import OUTCOMES
from investigation.observe import gradients, layout
from investigation.subject import gpu_catalog

R = TypeVar("R", bound=Observation)
Records = tuple[Observation, ...]
Key = tuple[str, ...]
Name = tuple[str, str]  # a page, and how the words of the figure begin
ALIKE = {True: 1.0, False: 0.0}

# Numbers that no record has. A figure is compared, or it stands here with the reason.
NOWHERE: Mapping[Name, str] = {
    ("00_instrument", "Verdicts by planted difference in this run"): "of the contest of this run "
    "only the planted differences that the instrument found are kept",
    ("00_instrument", "Time of each block of one callable"): "raw times of blocks are not kept",
    ("05_training", "Relative error of the gate's gradient"): "only the errors at the network's "
    "own size of gradient are kept",
}
# Compared by the table of the first page, in test_book.
BY_THE_PICKER: Name = ("index", "Time with expand_as over time without")


def of(records: Records, kind: type[R]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def keyed(rows: list[Row], *names: str, value: str) -> dict[Key, float]:
    """The numbers of a figure by their labels, each label once."""
    require_each_once([tuple(row[name] for name in names) for row in rows])
    return {tuple(row[name] for name in names): _number(row[value]) for row in rows}


def require_each_once(labels: list[Key]) -> None:
    twice = [label for label, count in Counter(labels).items() if count > 1]
    assert not twice, f"drawn twice: {twice}"


def _number(text: str) -> float:
    return ALIKE[text == "True"] if text in ("True", "False") else float(text)


def same(drawn: Mapping[Key, float], evidence: Mapping[Key, float]) -> None:
    assert drawn.keys() == evidence.keys()
    assert drawn == pytest.approx(dict(evidence))


def contest(figure: Drawn, _: Records) -> None:
    """The share of each verdict, counted in the trials of the recorded contest."""
    told = "Verdicts by planted difference in the contest, "
    results = {
        f"{told}{name}, {plant}": (result, plant)
        for name, result in recorded.contests().items()
        for plant in result.plants()
    }
    result, plant = results[figure.alt.split(". ")[0]]
    trials = [trial for trial in result.trials if trial.plant == plant]
    tried = Counter((trial.method, trial.dose) for trial in trials)
    seen = Counter((trial.method, trial.dose, trial.verdict) for trial in trials)
    evidence = {
        (method, words, f"{dose:+g} %" if dose else "0 %"): seen[method, dose, verdict] / count
        for (method, dose), count in tried.items()
        for verdict, words in OUTCOMES.items()
    }
    found = Counter((trial.method, trial.dose) for trial in trials if trial.found)
    for (method, dose), count in tried.items():
        at_dose = f"{dose:+g} %" if dose else "0 %"
        evidence[method, "a difference found", at_dose] = found[method, dose] / count
    same(keyed(figure.rows, "panel", "series", "y", value="x"), evidence)


def instructions(figure: Drawn, records: Records) -> None:
    (counted,) = of(records, Instructions)
    evidence = {(group,): count for group, count in counted.by_group.items()}
    same(keyed(figure.rows, "y", value="x"), evidence)


def allocated(figure: Drawn, records: Records) -> None:
    evidence = {
        (f"{memory.form}, {memory.dtypes} dtype",): memory.bytes / 2**10
        for memory in of(records, Memory)
        if memory.phase == "line" and memory.dtypes in ("same", "mixed")
    }
    same(keyed(figure.rows, "y", value="x"), evidence)


def speeds(figure: Drawn, records: Records) -> None:
    prefix = "bytes moved a second: "
    evidence = {
        (one.statement.removeprefix(prefix),): one.gb_per_s for one in of(records, Bandwidth)
    }
    same(keyed(figure.rows, "y", value="x"), evidence)


def traffic(figure: Drawn, records: Records) -> None:
    evidence = {(one.form,): one.bytes / 2**10 for one in of(records, Traffic)}
    same(keyed(figure.rows, "y", value="x"), evidence)


def layouts(figure: Drawn, records: Records) -> None:
    """Each pairing of layouts once; how many differ is kept, and not which."""
    (ordinary,) = (one for one in of(records, Layouts) if one.group == "ordinary")
    drawn = keyed(figure.rows, "y", "x", value="series")
    assert drawn.keys() == {(x, gate) for x in layout.INPUTS for gate in layout.GATES}
    assert (len(drawn), _unlike(drawn)) == (ordinary.tried, ordinary.differing)


def dtypes(figure: Drawn, records: Records) -> None:
    """Each pair of dtypes once; how many differ is kept for equal and for unlike dtypes."""
    drawn = keyed(figure.rows, "y", "x", value="series")
    names = gradients.DIFFERENTIABLE
    assert drawn.keys() == {(x, gate) for x in names for gate in names}
    counted = {
        one.setting: one for one in of(records, Equality) if one.aspect == "gradients_over_dtypes"
    }
    for setting, equality in counted.items():
        among = {
            key: mark for key, mark in drawn.items() if (len(set(key)) == 1) is (setting == "same")
        }
        assert (len(among), _unlike(among)) == (equality.tried, equality.differing)
    assert counted.keys() == {"same", "mixed"}


def _unlike(marks: Mapping[Key, float]) -> int:
    return sum(mark == 0 for mark in marks.values())


def programs(figure: Drawn, records: Records) -> None:
    """`=` is 0, `≈` is 1, `≠` is 2, by what is compiled, and by shapes and format."""
    evidence = {
        (_compiled(pair), f"{pair.shapes}, {pair.case.memory_format}"): float(
            0 if pair.same_source else 1 if pair.same_kernels else 2
        )
        for pair in of(records, CompiledPair)
        if pair.case
    }
    same(keyed(figure.rows, "y", "x", value="series"), evidence)


def _compiled(pair: CompiledPair) -> str:
    assert pair.case
    gate, dtypes = pair.case.gate_dtype, pair.case.dtype
    if gate not in (None, dtypes):
        dtypes += f" {'under autocast to' if pair.level == 'block' else '×'} {gate}"
    return f"{pair.level}, {pair.mode}, {dtypes}"


def chips(figure: Drawn, records: Records) -> None:
    """How many settings agree for each chip, and which do not."""
    counted = {one.target_name: one for one in of(records, Agreement) if one.layer == "binary"}
    drawn = keyed(figure.rows, "panel", "y", "x", value="series")
    assert {panel for panel, _, _ in drawn} == counted.keys()
    for panel, agreement in counted.items():
        cells = {(row, column): mark for (of, row, column), mark in drawn.items() if of == panel}
        assert (len(cells), _unlike(cells)) == (
            agreement.tried,
            agreement.tried - agreement.agreeing,
        )
        named = set(_differing(agreement.differ))
        assert {row for (row, _), mark in cells.items() if mark == 0} == named


def _differing(lines: tuple[str, ...]) -> Iterator[str]:
    """What is compiled, of lines such as `block, training, only static contiguous: float32`."""
    for line in lines:
        where, _, among = line.partition(": ")
        level, mode, *_ = where.split(", ")
        yield from (f"{level}, {mode}, {dtypes}" for dtypes in among.split(", "))


def predictions(figure: Drawn, records: Records) -> None:
    names = {card.slug: card.name for card in gpu_catalog.CARDS}
    evidence = {
        (names[one.card], one.case.name): 1e6 * one.device_s
        for one in of(records, PredictedTime)
        if one.case
    }
    same(keyed(figure.rows, "series", "y", value="x"), evidence)


def losses(figure: Drawn, records: Records) -> None:
    """The losses are not kept; how far runs are apart, from which step on, and their steps are."""
    runs = {run.setting: run for run in of(records, TrainingRun)}
    drawn = keyed(figure.rows, "panel", "series", "x", value="y")
    steps = sorted({float(step) for panel, _, step in drawn if panel == LOSSES})
    curve = {
        (panel, series): {
            float(x): y for (of, name, x), y in drawn.items() if (of, name) == (panel, series)
        }
        for panel, series, _ in drawn
    }
    (plain,) = (run for run in runs.values() if run.run == "contiguous")
    assert steps == [float(step) for step in range(1, plain.steps + 1)]
    forms = [curve[LOSSES, name] for name in ("broadcast", "expand_as", "another seed")]
    assert _apart(forms[0], forms[1]) == pytest.approx(plain.apart)
    assert _apart(forms[0], forms[2]) == pytest.approx(plain.another_seed_apart)
    assert max(curve[APART, "another seed"].values()) == pytest.approx(plain.another_seed_apart)
    parted = {name for panel, name in curve if panel == APART} - {"another seed", "one unit more"}
    assert parted == {setting for setting, run in runs.items() if run.parted}
    for setting in parted:
        assert min(curve[APART, setting]) == runs[setting].parted
        assert max(curve[APART, setting].values()) == pytest.approx(runs[setting].apart)


def _apart(one: Mapping[float, float], other: Mapping[float, float]) -> float:
    assert one.keys() == other.keys()
    return max(abs(one[step] - other[step]) for step in one)


def timings(figure: Drawn, records: Records) -> None:
    """Every interval is that of a timing which may stand in its panel and row."""
    require_each_once([(row["panel"], *place(row)) for row in figure.rows])
    known = [mark for record in records for mark in marks(record)]
    for row in figure.rows:
        named = [numbers for where, numbers in known if where == place(row)]
        assert any(values(row) == pytest.approx(numbers) for numbers in named), row


def measured(figure: Drawn, records: Records) -> None:
    """The measured times of a GPU; the predicted ones follow from the card's datasheet."""
    drawn = {
        (row["panel"], row["series"]): float(row["y"])
        for row in figure.rows
        if row["series"] != "as predicted"
    }
    about = {"level": "multiply", "quantity": "device", "dtypes": "same", "role": "measurement"}
    evidence = {
        (str(one.machine), f"{one.case.name}, {one.memory_format}"): 1e6 * one.single.baseline_s
        for one in of(records, Timing)
        if one.case and all(getattr(one, name) == value for name, value in about.items())
    }
    same(drawn, evidence)


# Figures of what a book has only if a GPU was measured.
ON_A_GPU: dict[Name, Callable[[Drawn, Records], None]] = {
    ("07_gpu", "Measured device time over predicted device time"): measured,
}
COMPARED: dict[Name, Callable[[Drawn, Records], None]] = {
    ("00_instrument", "Verdicts by planted difference in the contest"): contest,
    ("00_instrument", "Bars of the instructions"): instructions,
    ("02_strides", "Bars of what is allocated beyond the output"): allocated,
    ("03_channels_last", "A grid of input layouts by gate layouts"): layouts,
    ("04_eager_cost", "Bars of the bytes moved per second"): speeds,
    ("05_training", "A grid of input dtypes by gate dtypes"): dtypes,
    ("05_training", "The loss curves of both forms"): losses,
    ("06_compiled", "A grid of settings, a mark each"): programs,
    ("07_gpu", "A panel for each chip"): chips,
    ("07_gpu", "Bars of the bytes that the scale kernel"): traffic,
    ("07_gpu", "Predicted device time of the scale step"): predictions,
}


def reader_of(figure: Drawn) -> Callable[[Drawn, Records], None] | None:
    """What compares a figure: by its name, or as intervals of timings; None if nothing does."""
    if figure.has_intervals:
        return timings
    readers = (COMPARED | ON_A_GPU).items()
    return next((reader for name, reader in readers if is_named(figure, name)), None)


def is_named(figure: Drawn, name: Name) -> bool:
    page, words = name
    return figure.page == page and figure.alt.startswith(words)


def without_reader(figures: list[Drawn]) -> list[Name]:
    """The figures that nothing compares and that are not named as recorded nowhere."""
    named = [*NOWHERE, BY_THE_PICKER]
    return [
        (figure.page, figure.alt)
        for figure in figures
        if reader_of(figure) is None and not any(is_named(figure, name) for name in named)
    ]


def names_without_figure(figures: list[Drawn]) -> list[Name]:
    """The names, compared or recorded nowhere, that no figure has."""
    names = [*COMPARED, *NOWHERE, BY_THE_PICKER]
    return [name for name in names if not any(is_named(figure, name) for figure in figures)]


def compare(figure: Drawn, folder: Path) -> None:
    """Compare a figure with the evidence of its page, unless the first page's table does."""
    reader = reader_of(figure)
    if reader is not None and not is_named(figure, BY_THE_PICKER):
        reader(figure, files.read(folder / "results" / f"{figure.page}.json").records)
