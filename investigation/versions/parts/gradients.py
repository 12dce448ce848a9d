"""What the backward pass hands back, saves and calls: chapter 05 under another torch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import torch

from investigation.evidence.kinds.correctness import Aspect, Equality
from investigation.evidence.kinds.resources import BackwardCalls, GraphNodes, Memory
from investigation.evidence.observation import Dtypes, Form, Observation
from investigation.evidence.parameters import Parameters
from investigation.observe import autograd_graph, gradients, memory, saved, ways
from investigation.observe.gradients import TensorAgreement
from investigation.observe.layout import AMBIGUOUS, ORDINARY
from investigation.subject import training, training_workloads
from investigation.subject.cases import Case
from investigation.subject.training import SETTINGS
from investigation.subject.variants import SCALES, broadcast, expand_as
from investigation.versions.reader import reader

FORMS: tuple[Form, ...] = ("expand_as", "broadcast")


def over_layouts(settings: Parameters) -> Iterator[Observation]:
    """Compare the scale step's gradients over every pairing of layouts."""
    sizes = (ORDINARY, *AMBIGUOUS)
    agreements = list(gradients.compare_layouts(broadcast, expand_as, sizes, settings.seed))
    statement = "tensors of the scale step's forward and backward that differ, over layouts"
    yield _counted("gradients_over_layouts", statement, agreements)


def over_ways(settings: Parameters) -> Iterator[Observation]:
    """Compare the block in the ways in which training runs it."""
    tried: Mapping[Aspect, tuple[Mapping[str, ways.Way], str]] = {
        "gradients_over_ways": (
            ways.WAYS,
            "tensors of the SE block that differ with one dtype, over the ways of training",
        ),
        "second_gradients": (
            ways.SECOND_WAYS,
            "tensors of the SE block that differ where a gradient is differentiated again",
        ),
        "gradients_over_mixed_ways": (
            ways.MIXED_WAYS,
            "tensors of the SE block that differ where autocast hands it two dtypes",
        ),
    }
    for aspect, (of, statement) in tried.items():
        yield _counted(
            aspect, statement, list(ways.compare_ways(broadcast, expand_as, of, settings.seed))
        )


def _counted(aspect: Aspect, statement: str, agreements: Sequence[TensorAgreement]) -> Equality:
    alike = [agreement.alike for agreement in agreements]
    return Equality(
        aspect=aspect,
        statement=statement,
        of="tensors",
        tried=len(alike),
        differing=alike.count(False),
    )


def over_dtypes(settings: Parameters) -> Iterator[Observation]:
    """Compare gradients for each pair of dtypes that torch multiplies and sums."""
    kinds = gradients.DIFFERENTIABLE
    pairs = product(kinds, kinds)
    results = gradients.compare_dtypes(broadcast, expand_as, pairs, settings.seed)
    for name in ("same", "mixed"):
        among = [
            result
            for result in results
            if (result.input_dtype == result.gate_dtype) == (name == "same")
        ]
        yield Equality(
            aspect="gradients_over_dtypes",
            statement=f"pairs of dtypes in which a gradient differs, {name}",
            of="pairs",
            setting=name,
            tried=len(among),
            differing=sum(bool(result.differing) for result in among),
            where=tuple(sorted({tensor for result in among for tensor in result.differing})),
        )


def nodes(settings: Parameters) -> Iterator[Observation]:
    """Count the nodes of the scale step's backward graph, and of the host network's."""
    images = training_workloads.random_images(2, "contiguous", settings.seed)
    for form in FORMS:
        x, gate = (tensor.requires_grad_() for tensor in reader(settings).tensors())
        host = training.host(SCALES[form], SETTINGS["contiguous"], settings.seed)
        yield GraphNodes(
            statement=f"nodes of the scale step's backward graph, {form}",
            form=form,
            nodes=autograd_graph.count(SCALES[form](x, gate)),
            in_network=autograd_graph.count(host(images.images)),
        )


def bytes_of_training(settings: Parameters) -> Iterator[Observation]:
    """Count what is saved for the backward pass, and what each pass allocates."""
    case = reader(settings)
    cases: Mapping[Dtypes, Case] = {"same": case, "mixed": case.with_gate("bfloat16")}
    for (dtypes, of_dtypes), form in product(cases.items(), FORMS):
        yield _saved(dtypes, of_dtypes, form)
        yield from _bytes_by_phase(dtypes, of_dtypes, form)


def _saved(dtypes: Dtypes, case: Case, form: Form) -> Memory:
    x, gate = (tensor.requires_grad_() for tensor in case.tensors())
    tensors = saved.saved_tensors(lambda: SCALES[form](x, gate))
    return Memory(
        statement=f"bytes of storage saved for the backward pass, {dtypes} dtype, {form}",
        phase="saved",
        form=form,
        dtypes=dtypes,
        bytes=saved.storage_bytes(tensors),
        case=case,
    )


def _bytes_by_phase(dtypes: Dtypes, case: Case, form: Form) -> Iterator[Memory]:
    x, gate = (tensor.requires_grad_() for tensor in case.tensors())
    upstream, output = torch.randn(case.shape), []
    phases = memory.by_phase(
        {
            "forward": lambda: output.append(SCALES[form](x, gate)),
            "backward": lambda: output[0].backward(upstream),
        }
    )
    for name, phase in phases.items():
        yield Memory(
            statement=f"bytes that the {name} pass asks for, {dtypes} dtype, {form}",
            phase="forward" if name == "forward" else "backward",
            form=form,
            dtypes=dtypes,
            bytes=phase.bytes_asked,
            peak_bytes=phase.peak_bytes,
            case=case,
        )


def roundings(settings: Parameters) -> Iterator[Observation]:
    """Observe whether a narrower gate's gradient is rounded before it is summed."""
    for form in FORMS:
        x = torch.empty(settings.shape, device="meta", requires_grad=True)
        gate = torch.empty(*settings.shape[:2], 1, 1, device="meta", dtype=torch.bfloat16)
        output = SCALES[form](x, gate.requires_grad_())
        upstream = torch.empty_like(output)
        calls = memory.profiled_calls(
            lambda: torch.autograd.grad(output, (x, gate), upstream)  # noqa: B023  # called at once
        )
        order = tuple(call.name.removeprefix("aten::") for call in calls if call.depth == 0)
        yield BackwardCalls(
            statement="the gate's gradient is rounded to the gate's dtype before it is summed, "
            f"{form}",
            form=form,
            calls=order,
            rounds_before_sum=order.index("to") < order.index("sum"),
        )


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "over layouts": over_layouts,
    "over ways of training": over_ways,
    "over dtypes": over_dtypes,
    "nodes of the graph": nodes,
    "bytes": bytes_of_training,
    "order of rounding": roundings,
}
