"""What must come out different; else the comparison could not detect a difference."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from investigation.evidence.kinds.resources import Memory
from investigation.evidence.observation import Dtypes, Form
from investigation.gpu.launch.comparison import differences, how_they_differ, launches
from investigation.gpu.launch.iterators import Recorded, on_cpu
from investigation.gpu.launch.settings import Setting
from investigation.observe.layout import GATES, INPUTS, ORDINARY
from investigation.subject.cases import Case
from investigation.subject.variants import broadcast, materialized

NARROW_GATE = "bfloat16"

GATES_IN_WORDS: Mapping[Dtypes, str] = {
    "same": "a gate of the input's dtype",
    "mixed": "a narrower gate",
    "wider_gate": "a wider gate",
}


class Controls(BaseModel):
    """The controls as they came out.

    `written_out` counts the settings whose launches change with a gate that is written out in full,
    `transposed` the input layouts whose launches change with a transposed gate; each of as many as
    were tried. `converted` is how many bytes a CPU's iterator converts to another dtype before
    the product, by dtypes and form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    written_out: tuple[int, int]
    transposed: tuple[int, int]
    converted: Mapping[Dtypes, Mapping[Form, int]]

    @property
    def noticed(self) -> bool:
        """Whether every difference that was made was seen."""
        return all(noticed == tried > 0 for noticed, tried in (self.written_out, self.transposed))

    @property
    def cpu_differs(self) -> bool:
        """Whether on a CPU the forms convert as much, except with a gate of a narrower dtype."""
        alike = (self.converted["same"], self.converted["wider_gate"])
        mixed = self.converted["mixed"]
        return mixed["expand_as"] > mixed["broadcast"] and all(
            forms["expand_as"] == forms["broadcast"] for forms in alike
        )


def tried(case: Case, seed: int) -> Controls:
    """Run the controls on the recording device, and on the CPU for a case."""
    generator = torch.Generator().manual_seed(seed)
    gate, transposed = (GATES[name](ORDINARY, generator) for name in ("contiguous", "transposed"))
    inputs = [make(ORDINARY, generator) for make in INPUTS.values()]
    plain = [_product(x, gate) for x in inputs]
    written = [how for *_, how in differences(broadcast, materialized, plain)]
    turned = [how_they_differ(_launched(x, gate), _launched(x, transposed)) for x in inputs]
    return Controls(
        written_out=(len(written) - written.count(None), len(written)),
        transposed=(len(turned) - turned.count(None), len(turned)),
        converted={
            "same": _converted(case),
            "mixed": _converted(case.with_gate(NARROW_GATE)),
            "wider_gate": _converted(case.with_wider_gate()),
        },
    )


def _product(x: Tensor, gate: Tensor) -> Setting:
    return Setting("ordinary", "a control", x, gate, {})


def _launched(x: Tensor, gate: Tensor) -> Recorded:
    return launches(broadcast, _product(x, gate))["multiply", ""]


def _converted(case: Case) -> dict[Form, int]:
    x, gate = case.tensors()
    return {
        "expand_as": converted_bytes(x, gate.expand_as(x)),
        "broadcast": converted_bytes(x, gate),
    }


def converted_bytes(x: Tensor, gate: Tensor) -> int:
    """Return the bytes of the copies that a CPU's iterator makes of operands in another dtype."""
    operands = on_cpu(x, gate).operands[1:]
    names = (str(operand.dtype).removeprefix("torch.") for operand in (x, gate))
    return sum(
        operand.storage_bytes
        for operand, name in zip(operands, names, strict=True)
        if operand.dtype != name
    )


def beside_measured(
    measured: Iterable[Memory], controls: Controls
) -> Iterator[tuple[Dtypes, Form, int, int]]:
    """Iterate over dtypes, form, bytes that an iterator converts, and bytes that were measured.

    `measured` are the records of what a form allocates beside its output; those of forms that were
    not tried here are skipped. They are of the case that the controls were tried in.
    """
    for record in measured:
        converted = controls.converted[record.dtypes]
        if record.phase == "line" and record.form in converted:
            yield record.dtypes, record.form, converted[record.form], record.bytes
