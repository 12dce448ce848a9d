"""The rows of the tables of the training chapter."""

from collections.abc import Iterator, Sequence

from investigation.evidence.kinds.correctness import TrainingRun
from investigation.evidence.words import listed, rounded_up
from investigation.observe.gradients import TensorAgreement

Row = dict[str, object]


def of_ways(agreements: Sequence[TensorAgreement]) -> Iterator[Row]:
    """Return a row for each way of training: how many tensors, and which of them differ."""
    for way in dict.fromkeys(agreement.setting for agreement in agreements):
        tensors = [agreement for agreement in agreements if agreement.setting == way]
        parted = [tensor.tensor for tensor in tensors if not tensor.alike]
        yield {"way": way, "tensors": len(tensors), "differ": listed(parted) or "none"}


def of_run(run: TrainingRun) -> Row:
    """Return whether a training run had the same losses and weights in both forms."""
    return {
        "run": run.setting,
        "losses": "the same bits" if run.parted is None else f"first differ at step {run.parted}",
        "weights": "the same bits" if run.same else "differ",
        "largest difference of a loss": rounded_up(run.apart),
        **{f"accuracy, {form}": f"{100 * share:.1f} %" for form, share in run.accuracy.items()},
    }
