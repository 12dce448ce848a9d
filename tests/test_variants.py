import pytest
import torch

from investigation.subject.host import HostNetwork
from investigation.subject.variants import SCALES, SEBlock, dropped


@pytest.mark.parametrize("scale", [*SCALES.values(), dropped])
def test_every_scale_multiplies_each_plane_by_its_gate(scale):
    x, gate = torch.randn(2, 3, 4, 5), torch.rand(2, 3, 1, 1)
    expected = torch.stack([torch.stack([p * g for p, g in zip(i, h, strict=True)])
                            for i, h in zip(x, gate, strict=True)])  # fmt: skip
    assert torch.equal(scale(x, gate), expected)


def test_the_block_starts_with_its_gate_nearly_open():
    gate = SEBlock(8).gate(torch.randn(2, 8, 4, 4))
    assert torch.allclose(gate, torch.sigmoid(torch.tensor(3.0)).expand(2, 8, 1, 1))


def test_the_bottleneck_never_vanishes():
    assert SEBlock(2, reduction=16)(torch.randn(1, 2, 3, 3)).shape == (1, 2, 3, 3)


def test_an_unknown_scale_is_refused():
    with pytest.raises(KeyError):
        SEBlock(8, scale="none of these")


def test_the_host_network_has_an_se_block_before_and_after_each_pool():
    blocks = [
        module for module in HostNetwork("broadcast").modules() if isinstance(module, SEBlock)
    ]
    assert len(blocks) == 6
    assert not any(isinstance(module, SEBlock) for module in HostNetwork(None).modules())


def test_the_host_network_scores_ten_classes():
    assert HostNetwork("expand_as", base_channels=4)(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_the_block_inputs_of_the_host_are_those_of_the_named_workloads():
    from investigation.subject.cases import host_workloads

    shapes = []
    network = HostNetwork("broadcast")
    for block in network.modules():
        if isinstance(block, SEBlock):
            block.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    network(torch.randn(2, 3, 32, 32))
    assert shapes == [case.shape for case in host_workloads(2)]
