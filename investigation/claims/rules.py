"""The rules that decide the claims, in code: evidence in, verdict out, nothing else."""

from collections.abc import Callable, Iterable, Sequence

from investigation.claims import rules_runtimes
from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.evidence.records import Findings, Record
from investigation.subject.cases import MEMORY_FORMATS

# Where a cost stops being minor, as a share of the step that it is part of.
MINOR = 0.10
# A rule that asks whether *any* of many comparisons is slower would be answered by chance: of
# thirty at 95 %, every second book has one. At 99.9 %, a hundred have one in twenty books.
FAMILY_CONFIDENCE = 0.999

NETWORK = tuple(f"timing.network.{name}" for name in MEMORY_FORMATS)
TRAINING = tuple(f"timing.training.{name}" for name in MEMORY_FORMATS)
RECALIBRATION = tuple(f"timing.recalibration.{name}" for name in MEMORY_FORMATS)
EXTRA = tuple(
    f"allocation.extra.{dtypes}.{variant}"
    for dtypes in ("same_dtype", "mixed_dtype")
    for variant in ("expand_as", "broadcast")
)


def percent(record: Record) -> str:
    """Return a ratio and its interval as a change in percent, or as a factor where it is large."""
    assert record.interval is not None
    low, high = record.interval
    value = float(record.value)
    if value >= 2:
        return f"{value:.3g} times ({low:.3g} to {high:.3g})"
    shown = (100 * (one - 1) for one in (value, low, high))
    return "{:+.2f} % ({:+.2f} to {:+.2f})".format(*shown)


def listed(words: Sequence[str]) -> str:
    """Return words as an enumeration: `a, b and c`."""
    marked = list(words)
    return ", ".join(marked[:-1]) + (" and " if marked[1:] else "") + "".join(marked[-1:])


def kib(count: float) -> str:
    """Return a number of bytes in a unit that suits its size."""
    return f"{count:.0f} B" if count < 2**14 else f"{count / 2**10:,.0f} KiB"


def _bytes(findings: Findings, dtypes: str, variant: str) -> float:
    return float(findings[f"allocation.extra.{dtypes}.{variant}"].value)


def _copies(findings: Findings, dtypes: str) -> bool:
    """Tell whether the line asks for more memory with `expand_as` than without."""
    return _bytes(findings, dtypes, "expand_as") > _bytes(findings, dtypes, "broadcast")


def _mixed_copy(findings: Findings) -> str:
    asked = _bytes(findings, "mixed_dtype", "expand_as")
    without = _bytes(findings, "mixed_dtype", "broadcast")
    return (
        "where input and gate differ in dtype, the multiply on a CPU converts the expanded gate "
        f"element by element and writes it out: {kib(asked)} beside the output, "
        f"against {kib(without)} without `expand_as`"
    )


def intermediate(findings: Findings) -> Verdict:
    """T1: is there an intermediate tensor, and does it own memory?"""
    same, mixed = _copies(findings, "same_dtype"), _copies(findings, "mixed_dtype")
    exported, writing = rules_runtimes.exported(findings), rules_runtimes.writers(findings)
    view = "a tensor object that reads the gate's own memory and allocates nothing"
    if same and mixed and len(writing) == len(exported):
        return supported("`expand_as` asks for memory of its own in every setting tried.")
    real = [_mixed_copy(findings)] if mixed else []
    real += ["where the dtypes are the same it asks for memory of its own"] if same else []
    real += [rules_runtimes.where_written(findings)] if writing else []
    if real:
        start = "In eager mode, " if same else f"In eager mode with one dtype it is {view}; but "
        return qualified(f"{start}{'; '.join(real)}.")
    if findings["layout.view.is_view"].value:
        return qualified(f"It creates {view}, in every setting tried.")
    return refuted("`expand_as` creates neither a view nor a copy.")


def unnecessary_view(findings: Findings) -> Verdict:
    """T2: is a view created that the product does not need?"""
    if not findings["layout.view.is_view"].value:
        return refuted("`expand_as` does not return a view.")
    if not findings["equality.same_dtype"].value:
        return refuted("The product without the view has other bits.")
    return supported("It returns a view, and the product has the same bits without it.")


def handled_natively(findings: Findings) -> Verdict:
    """T3: does broadcasting compute the product that was meant?"""
    if findings["equality.reference"].value:
        return supported("`x * y` equals the product written out as a loop, element by element.")
    return refuted("`x * y` differs from the product written out as a loop.")


LAYOUTS = ("layout.ordinary", "layout.ambiguous", "layout.volumes")
BLOCKS = tuple(
    f"layout.block.{name}{detached}" for name in MEMORY_FORMATS for detached in ("", "_detached")
)


def layout_trouble(findings: Findings) -> Verdict:
    """T4: does any tensor that has elements come out otherwise?"""
    differing = [key for key in (*LAYOUTS, *BLOCKS) if findings[key].value]
    if differing:
        return supported(f"Values, strides or gradients differ: {', '.join(differing)}.")
    return refuted(f"{_layouts_alike(findings)}.")


def layouts_equal(findings: Findings) -> Verdict:
    """V2: are the layouts of the outputs the same?"""
    trouble = layout_trouble(findings)
    turned = {"supported": refuted, "refuted": supported}
    return turned[trouble.status](trouble.sentence)


def _layouts_alike(findings: Findings) -> str:
    tried = sum(int(findings[key].details["tried"]) for key in LAYOUTS)
    empty = findings["layout.empty"]
    return (
        f"{tried} pairings of input and gate layouts give the same values and strides, and so "
        "does every tensor of the block's forward and backward. Only empty tensors differ, in "
        f"strides that address nothing ({int(empty.value)} of {empty.details['tried']} pairings)"
    )


def more_calls(findings: Findings) -> Verdict:
    """T5: is there an operation more in the forward path?

    Each record under `graph.more` tells of one compiled or exported form, named in its
    details, whether what runs has an operation more.
    """
    count = {name: int(findings[f"dispatch.{name}"].value) for name in ("expand_as", "broadcast")}
    forms = list(findings.under("graph.more"))
    held = [count["expand_as"] > count["broadcast"], *(bool(form.value) for form in forms)]
    words = (
        f"In eager mode the line makes {count['expand_as']} ATen calls with `expand_as` and "
        f"{count['broadcast']} without. {_form_words(forms)}"
    )
    if not any(held):
        return refuted(f"No operation more anywhere. {words}")
    return supported(words) if forms and all(held) else qualified(words)


def _form_words(forms: Iterable[Record]) -> str:
    """Tell which compiled and exported forms run an operation more, and which do not."""
    named = [(bool(form.value), str(form.details["form"])) for form in forms]
    # Two chapters may have tried the same form.
    more, no_more = (
        list(dict.fromkeys(name for held, name in named if held is wanted))
        for wanted in (True, False)
    )
    if not named:
        return "Compiled and exported programs are the matter of their own chapters."
    parts = [f"an operation more runs in {', '.join(more)}"] if more else []
    parts += [f"none more in {', '.join(no_more)}"] if no_more else []
    return f"Of the compiled and exported forms tried, {'; '.join(parts)}."


def _verdicts(records: Iterable[Record]) -> set[str]:
    return {str(record.verdict) for record in records}


def _network(findings: Findings) -> list[Record]:
    return [findings[key] for key in NETWORK]


def _network_words(findings: Findings) -> str:
    return f"a forward step of the host network: {_by_format(_network(findings))}"


def training_words(findings: Findings) -> str:
    """Tell what a training step of the host network costs, in each memory format."""
    records = [findings[key] for key in TRAINING]
    return f"a training step of the host network: {_by_format(records)}"


def _by_format(records: Iterable[Record]) -> str:
    pairs = zip(MEMORY_FORMATS, records, strict=True)
    return ", ".join(f"{percent(record)} in {name}" for name, record in pairs)


def _mixed(findings: Findings) -> list[Record]:
    return [one for one in findings.under("timing.mixed") if one.interval is not None]


def _slowest(findings: Findings, level: str) -> Record | None:
    """Return the dearest of the comparisons that are slower at the confidence of their family."""
    records = findings.under(f"timing.{level}")
    slower = [one for one in records if one.details["verdict_in_family"] == "slower"]
    return max(slower, key=lambda one: float(one.value), default=None)


def _op_words(findings: Findings) -> str:
    """Name the worst case of the multiply, with one dtype and with two."""
    parts = []
    for level, words in (("multiply", "one dtype"), ("mixed", "two dtypes on a CPU")):
        worst = _slowest(findings, level)
        if worst is not None and worst.case is not None:
            parts.append(f"with {words} up to {percent(worst)} at {worst.case.name}")
    return "the multiply alone, slower " + "; ".join(parts) if parts else "the multiply alone"


def _needs_network(decide: Callable[[Findings, set[str]], Verdict]) -> Callable[..., Verdict]:
    """Leave a claim untested where the network's comparison came out inconclusive."""

    def decided(findings: Findings) -> Verdict:
        verdicts = _verdicts(_network(findings))
        if "inconclusive" in verdicts and "slower" not in verdicts:
            return untested(f"This machine cannot tell: {_network_words(findings)}.")
        return decide(findings, verdicts)

    return decided


def _slower_at_the_multiply(findings: Findings) -> bool:
    return any(_slowest(findings, level) for level in ("multiply", "mixed"))


@_needs_network
def overhead(findings: Findings, verdicts: set[str]) -> Verdict:
    """T6: is there an overhead, and is it minor?"""
    exported = rules_runtimes.dearest(findings)
    where = f"{_op_words(findings)}; {_network_words(findings)}{_runtime_words(exported)}"
    if not _slower_at_the_multiply(findings) and "slower" not in verdicts and exported is None:
        return refuted(f"No overhead at any level: {where}.")
    ratios = [float(one.value) for one in (*_mixed(findings), exported) if one is not None]
    if "slower" in verdicts and max(ratios) < 1 + MINOR:
        return supported(f"An overhead at every level: {where}.")
    return qualified(f"An overhead that depends on the setting: {where}.")


def _runtime_words(exported: Record | None) -> str:
    """Name the exported runtime in which the block pays most, if one does."""
    if exported is None or exported.case is None:
        return ""
    runtime = exported.details["runtime"]
    return f"; the SE block, exported: up to {percent(exported)} in {runtime}"


def equivalent_fix(findings: Findings) -> Verdict:
    """T7: is `x * y` equivalent?"""
    if not findings["equality.same_dtype"].value:
        return refuted("The outputs differ for input and gate of one dtype.")
    mixed, grown = int(findings["equality.mixed"].value), int(findings["acceptance.grown"].value)
    if not mixed and not grown:
        return supported("The same bits, and the same shapes are accepted.")
    return qualified(
        "The same bits wherever input and gate share a dtype. Not the same check: of the gate "
        f"shapes tried, {grown} that `expand_as` refuses are accepted by `x * y`, with an output "
        f"larger than the input. And {mixed} of {findings['equality.mixed'].details['tried']} "
        "pairs of different dtypes differ in some bits."
    )


@_needs_network
def low_impact(findings: Findings, verdicts: set[str]) -> Verdict:
    """C1: correct, and of low impact?"""
    if not findings["equality.same_dtype"].value or "slower" in verdicts:
        return refuted(f"Not of low impact: {_network_words(findings)}.")
    worst = max(_mixed(findings), key=lambda one: float(one.value))
    if float(worst.value) >= 1 + MINOR:
        return qualified(
            f"Low where input and gate share a dtype ({_network_words(findings)}); "
            f"not at a multiply of two dtypes on a CPU, which takes {percent(worst)}."
        )
    return supported(f"Equal outputs, and {_network_words(findings)}.")


def zero_copy_view(findings: Findings) -> Verdict:
    """C2: is what `expand_as` returns a strided view that copies nothing?"""
    if not _is_zero_copy(findings):
        return refuted("`expand_as` does not return a view with strides of 0 and no memory.")
    stride = findings["layout.view.stride"].value
    return supported(f"Strides {stride} over the gate's own memory, 0 bytes allocated.")


def _is_zero_copy(findings: Findings) -> bool:
    shared = bool(findings["layout.view.shares_storage"].value)
    repeats = bool(findings["layout.view.is_view"].value)
    return shared and repeats and findings["allocation.view"].value == 0


def no_allocation(findings: Findings) -> Verdict:
    """P2: a strided view, and no memory allocated for it in the line?"""
    if not _is_zero_copy(findings):
        return refuted("`expand_as` does not return a view without memory of its own.")
    if _copies(findings, "mixed_dtype"):
        return qualified(f"True of the view itself; but {_mixed_copy(findings)}.")
    return supported("A view, and the line asks for no more memory than without it.")


def measurable_gain(findings: Findings) -> Verdict:
    """C4: does the change give no measurable gain?"""
    steps = f"{_network_words(findings)}; {training_words(findings)}"
    where = f"{_op_words(findings)}; {steps}"
    verdicts = _verdicts(findings[key] for key in (*NETWORK, *TRAINING))
    if "inconclusive" in verdicts and "slower" not in verdicts:
        return untested(f"This machine cannot tell: {steps}.")
    if "slower" in verdicts:
        return refuted(f"The gain is measurable in the network: {where}.")
    if _slower_at_the_multiply(findings):
        return qualified(f"No gain in the network, a measurable one below it: {where}.")
    return supported(f"No gain at any level: {where}.")


def cheap_recalibration(findings: Findings) -> Verdict:
    """D2: is SE recalibration cheap, and does the view allocate nothing?"""
    records = [findings[key] for key in RECALIBRATION]
    parts = zip(MEMORY_FORMATS, records, strict=True)
    share = ", ".join(f"{percent(record)} in {name}" for name, record in parts)
    words = f"six SE blocks change the host network's forward step by {share}"
    if not _is_zero_copy(findings):
        return refuted(f"The view has memory of its own; {words}.")
    if all(record.interval and record.interval[1] <= 1 + MINOR for record in records):
        return supported(f"The view allocates nothing, and {words}.")
    if all(record.interval and record.interval[0] > 1 + MINOR for record in records):
        return qualified(f"The view allocates nothing; but not cheap by the rule: {words}.")
    return qualified(f"The view allocates nothing; cheap in some formats or undecided: {words}.")


def channels_last_verified(findings: Findings) -> Verdict:
    """D4: do broadcasting semantics stay identical under channels_last?"""
    keys = ("layout.channels_last", *BLOCKS[2:])
    differing = [key for key in keys if findings[key].value]
    if differing:
        return refuted(f"They do not stay identical: {', '.join(differing)}.")
    tried = findings["layout.channels_last"].details["tried"]
    return supported(
        f"Verified: {tried} pairings with a channels_last input, and the block's forward and "
        "backward, have the same values, strides and memory format in both forms."
    )


@_needs_network
def negligible(findings: Findings, verdicts: set[str]) -> Verdict:
    """P1: is the impact negligible?"""
    if "slower" in verdicts:
        return refuted(f"Not negligible: {_network_words(findings)}.")
    worst = max(_mixed(findings), key=lambda one: float(one.value))
    if float(worst.value) >= 1 + MINOR:
        return qualified(
            f"Negligible in {_network_words(findings)}; not where the multiply itself is the "
            f"step and the dtypes differ, on a CPU: {percent(worst)}."
        )
    return supported(f"Negligible in {_network_words(findings)}.")


def documents_intent(findings: Findings) -> Verdict:
    """P4: does the explicit expand say something that the program then holds to?"""
    grown = int(findings["acceptance.grown"].value)
    if grown:
        return supported(
            f"It does more than document: it refuses {grown} of the gate shapes tried that "
            "`x * y` accepts by growing the output."
        )
    return refuted("It refuses nothing that `x * y` accepts, so it only documents.")


@_needs_network
def stylistic(findings: Findings, verdicts: set[str]) -> Verdict:
    """P5: is the change only a stylistic one?"""
    if "slower" in verdicts:
        return refuted(f"Not only style: {_network_words(findings)}.")
    if _copies(findings, "mixed_dtype") or int(findings["acceptance.grown"].value):
        return qualified(
            "Of low priority where input and gate share a dtype, and never only style: the "
            f"change drops a shape check, and {_mixed_copy(findings)}."
        )
    return supported("The outputs, the checks, the memory and the network's time are the same.")


def outputs_equal(findings: Findings) -> Verdict:
    """V1: are the outputs equivalent?"""
    if not findings["equality.same_dtype"].value:
        return refuted("They differ for input and gate of one dtype.")
    if int(findings["equality.mixed"].value):
        return qualified(
            "The same bits for every dtype that multiplies. Of the pairs of two dtypes, "
            f"{int(findings['equality.mixed'].value)} of "
            f"{findings['equality.mixed'].details['tried']} differ in some bits."
        )
    return supported("The same bits for every dtype and every pair of dtypes that multiplies.")


@_needs_network
def same_time(findings: Findings, verdicts: set[str]) -> Verdict:
    """V3: does the forward pass take the same time?"""
    where = f"{_op_words(findings)}; {_network_words(findings)}"
    if "slower" in verdicts:
        return refuted(f"It takes longer with `expand_as`: {where}.")
    if _slower_at_the_multiply(findings):
        return qualified(f"The same in the network, longer in the multiply alone: {where}.")
    return supported(f"The same: {where}.")
