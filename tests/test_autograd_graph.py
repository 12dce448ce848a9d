import torch

from investigation.observe import autograd_graph
from investigation.observe.autograd_graph import Gradient
from investigation.subject.host import HostNetwork
from investigation.subject.variants import SCALES, broadcast, expand_as


def graph(scale, gate_dtype=torch.float32):
    x = torch.randn(2, 3, 4, 5, requires_grad=True)
    gate = torch.rand(2, 3, 1, 1).to(gate_dtype).requires_grad_()
    return autograd_graph.backward_graph(scale(x, gate), torch.ones_like(x), {"x": x, "gate": gate})


def arrivals(scale, gate_dtype=torch.float32):
    return {node.name: str(node.arrives) for node in graph(scale, gate_dtype)}


def test_the_view_is_one_node_between_the_multiply_and_the_gate():
    multiply, *_, gate = graph(expand_as)
    assert [node.name for node in graph(expand_as)] == [
        "MulBackward", "gradient of x", "ExpandBackward", "gradient of gate",
    ]  # fmt: skip
    assert multiply.feeds == (1, 2)
    assert gate.feeds == ()
    assert [node.name for node in graph(broadcast)] == [
        "MulBackward", "gradient of x", "gradient of gate",
    ]  # fmt: skip


def test_the_view_is_handed_a_gradient_of_the_full_size():
    assert arrivals(expand_as)["ExpandBackward"] == "(2, 3, 4, 5) float32"
    assert arrivals(expand_as)["gradient of gate"] == "(2, 3, 1, 1) float32"


def test_with_two_dtypes_the_full_size_is_rounded_only_where_there_is_a_view():
    full = Gradient((2, 3, 4, 5), "bfloat16")
    assert full in [node.arrives for node in graph(expand_as, torch.bfloat16)]
    assert full not in [node.arrives for node in graph(broadcast, torch.bfloat16)]


def test_the_gradients_stay_where_backward_left_them():
    x = torch.tensor(3.0, requires_grad=True)
    autograd_graph.backward_graph(x * x, torch.tensor(1.0), {"x": x})
    assert x.grad == 6


def test_a_node_that_is_reached_twice_is_listed_once():
    x = torch.tensor(3.0, requires_grad=True)
    assert [node.feeds for node in autograd_graph.backward_graph(x * x, x.detach(), {})] == [
        (1, 1), (),
    ]  # fmt: skip


def test_a_host_network_has_a_view_at_each_of_its_six_slots():
    counts = {}
    for scale in SCALES:
        output = HostNetwork(scale, base_channels=4)(torch.randn(2, 3, 32, 32))
        counts[scale] = autograd_graph.count(output, "Expand"), autograd_graph.count(output)
    # The mean over the picture has an expansion of its own in none of them.
    assert counts["expand_as"][0] - counts["broadcast"][0] == 6
    assert counts["expand_as"][1] - counts["broadcast"][1] == 6
