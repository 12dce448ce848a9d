"""What eager mode calls and launches on a GPU: the first part of chapter 07 under another torch."""

from collections.abc import Callable, Iterator, Mapping

from investigation.evidence.kinds.resources import Launches, LaunchLevel
from investigation.evidence.observation import Form, Observation
from investigation.evidence.parameters import Parameters
from investigation.observe import eager_calls
from investigation.observe.eager_calls import AtenCall
from investigation.subject import gpu_catalog
from investigation.subject.variants import SCALES
from investigation.versions.reader import reader

FORMS: tuple[Form, ...] = ("expand_as", "broadcast", "materialized")


def calls(settings: Parameters) -> Iterator[Observation]:
    """List what launches a kernel in the multiply, in the block, and with gradients."""
    case = reader(settings)
    for form in FORMS:
        levels: Mapping[LaunchLevel, list[AtenCall]] = {
            "multiply": eager_calls.multiply_calls(SCALES[form], case),
            "block": eager_calls.block_calls(form, case),
            "gradients": eager_calls.backward_calls(SCALES[form], case),
        }
        for level, aten_calls in levels.items():
            yield Launches(
                statement=f"kernels that the {level} launches on a GPU, {form}",
                case=case,
                level=level,
                form=form,
                launches=eager_calls.launches(aten_calls),
                calls=eager_calls.launching(aten_calls),
            )


def iterators(settings: Parameters) -> Iterator[Observation]:
    """Compare the iterators of every launch, recorded by a device that launches nothing."""
    from investigation.gpu.launch import extension, proof, recording

    extension.require_recorder()
    recorded = proof.prove(reader(settings), gpu_catalog.chip("sm_90"), settings.seed)
    yield from recording.records(recorded)


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "calls": calls,
    "iterators": iterators,
}
