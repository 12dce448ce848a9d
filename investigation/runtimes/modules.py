"""The modules that are handed to every runtime, and how they are exported."""

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from investigation.subject.cases import Case
from investigation.subject.variants import SEBlock

# A fresh block's gate is sigmoid(3) for every channel, and a converter may fold its zero weights
# away. These spread the gates over (0, 1), differently for each channel and image, as training
# does: then a gate that lands on the wrong channel shows, and nothing can be folded.
WEIGHT_SPREAD = 10.0
BIAS_SPREAD = 2.0


class ReturnsItsGate(nn.Module):
    """A block that also returns its expanded gate: every runtime must write that gate.

    The control of what reads the steps: for this module they must show the expansion.
    """

    def __init__(self, block: SEBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scaled `x` and the expanded gate, `(B, C, H, W)` each."""
        gate = self.block.gate(x).expand_as(x).contiguous()
        return x * gate, gate


def block(case: Case, variant: str) -> nn.Module:
    """Return an SE block of the case with gates of every size, for inference.

    `variant` names a scale of `variants.SCALES`, or is `kept`.
    """
    torch.manual_seed(case.seed)
    se_block = SEBlock(case.shape[1], case.reduction, "expand_as" if variant == "kept" else variant)
    last = se_block.excitation[2]
    assert isinstance(last, nn.Linear)
    nn.init.normal_(last.weight, std=WEIGHT_SPREAD)
    nn.init.normal_(last.bias, std=BIAS_SPREAD)
    module = ReturnsItsGate(se_block) if variant == "kept" else se_block
    return module.eval().requires_grad_(requires_grad=False)


def exported(module: nn.Module, x: Tensor, *, dynamic: bool = False) -> ExportedProgram:
    """Return `torch.export`'s program; `dynamic` leaves batch, height and width open."""
    free = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC) if dynamic else {}
    return torch.export.export(module, (x,), dynamic_shapes=(free,))


def first(outputs: object) -> Tensor:
    """Return the first output of a module that may return several."""
    output = outputs[0] if isinstance(outputs, list | tuple) else outputs
    assert isinstance(output, Tensor)
    return output
