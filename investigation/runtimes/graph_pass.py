"""The change, made to an exported program instead of to the source."""

import torch
from torch.export import ExportedProgram
from torch.fx import Node

EXPANSIONS = (torch.ops.aten.expand_as.default, torch.ops.aten.expand.default)
# Operators that broadcast their two operands themselves.
BROADCASTING = (
    torch.ops.aten.mul.Tensor,
    torch.ops.aten.add.Tensor,
    torch.ops.aten.sub.Tensor,
    torch.ops.aten.div.Tensor,
)


def without_expansions(program: ExportedProgram) -> ExportedProgram:
    """Take out each expansion that its reader would do itself; changes and returns `program`.

    Taken out is one that is read by broadcasting operators only, each with another operand that
    has the expanded shape: then every shape stays, and there is no check to lose, because an
    exported program has checked its shapes.
    """
    graph = program.graph_module.graph
    for node in [expansion for expansion in graph.nodes if expansion.target in EXPANSIONS]:
        if all(_does_it_itself(user, node) for user in node.users):
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    program.graph_module.recompile()
    return program


def _does_it_itself(user: Node, expansion: Node) -> bool:
    if user.target not in BROADCASTING:
        return False
    others = [
        argument
        for argument in user.args
        if isinstance(argument, Node) and argument is not expansion
    ]
    return any(other.meta["val"].shape == expansion.meta["val"].shape for other in others)
