"""The case that every part observes: the shape of this run, as in the chapters."""

from investigation.evidence.parameters import Parameters
from investigation.subject.cases import Case


def reader(settings: Parameters) -> Case:
    """Return the input `(B, C, H, W)` of these parameters and its gate."""
    name = "the shape of this run"
    return Case(slug="reader", name=name, shape=settings.shape, seed=settings.seed)
