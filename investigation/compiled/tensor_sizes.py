"""How large the tensors are that a generated host program makes, read in its text.

A tensor is as large as the input if it has as many elements or more, and its dtype takes as many
bytes as the narrower of input and gate, or more: a gate that is written out may have either dtype.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from operator import add, floordiv, mul, sub

import torch

from investigation.compiled.kernel_source import SourceError
from investigation.subject.cases import Case

CHECKS = ("assert_size_stride", "assert_tensor_metadata")
TOGETHER = "assert_size_stride_grouped"  # from torch 2.15 on several inputs are checked in one call
OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.FloorDiv: floordiv,
}
FUNCTIONS: Mapping[str, Callable[[Iterable[int]], int]] = {"max": max, "min": min}
Sizes = Mapping[str, tuple[ast.expr, ...]]


@dataclass(frozen=True)
class Tensor:
    """A tensor of a host program; its dtype is None if the program does not name it.

    A size is a number or an expression of the program's symbols.
    """

    size: tuple[ast.expr, ...]
    dtype: str | None = None


def full_size(host: str, case: Case) -> int:
    """Count the tensors that a host program makes as large as the case's input.

    A tensor that takes over the memory of another counts too: both are written. Raises
    `SourceError` for a size that is neither a number nor follows from the input's.
    """
    tree = ast.parse(host)
    checked, inputs = dict(_checked(tree)), _inputs(tree)
    symbols = _symbols((checked[name] for name in checked.keys() & inputs), case.shape)
    least = min(map(_item_bytes, {case.dtype, case.gate_dtype or case.dtype}))
    return sum(
        prod(_number(part, symbols) for part in tensor.size) >= case.elements
        and (tensor.dtype is None or _item_bytes(tensor.dtype) >= least)
        for tensor in _made(tree, checked, inputs)
    )


def _made(tree: ast.AST, checked: Sizes, inputs: set[str]) -> list[Tensor]:
    """Return what a program allocates, what operations return, and what takes over memory."""
    named = {name: Tensor(size) for name, size in checked.items()}
    made = named.keys() - inputs  # what an operation returns that was not generated
    named |= dict(_allocated(tree))
    made |= named.keys() - checked.keys()
    for new, old, size in _taken_over(tree):
        if old in named:
            named[new] = Tensor(size or named[old].size, named[old].dtype)
            made.add(new)
    return [named[name] for name in made]


def _allocated(tree: ast.AST) -> Iterator[tuple[str, Tensor]]:
    for assignment in _assignments(tree):
        call = assignment.value
        if isinstance(call, ast.Call) and _name(call.func).startswith("empty_strided_"):
            tensor = Tensor(_parts(call.args[0]), _name(call.args[2]))
            yield _name(assignment.targets[0]), tensor


def _taken_over(tree: ast.AST) -> Iterator[tuple[str, str, tuple[ast.expr, ...]]]:
    """Yield the new and the old name of memory, and the new size unless it is the old one.

    The old name ends in the same line; else both go on naming one tensor.
    """
    ended = {
        (node.lineno, _name(target))
        for node in ast.walk(tree)
        if isinstance(node, ast.Delete)
        for target in node.targets
    }
    for assignment in _assignments(tree):
        value = assignment.value
        size: tuple[ast.expr, ...] = ()
        if isinstance(value, ast.Call) and _name(value.func) == "reinterpret_tensor":
            size, value = _parts(value.args[1]), value.args[0]
        if (assignment.lineno, _name(value)) in ended:
            yield _name(assignment.targets[0]), _name(value), size


def _assignments(tree: ast.AST) -> Iterator[ast.Assign]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Assign))


def _checked(tree: ast.AST) -> Iterator[tuple[str, tuple[ast.expr, ...]]]:
    """Yield the name and the size of each tensor whose size a host program checks."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _name(call.func) in CHECKS:
            yield _name(call.args[0]), _parts(call.args[1])
        if _name(call.func) == TOGETHER:
            names, sizes = map(_parts, call.args[:2])
            yield from zip(map(_name, names), map(_parts, sizes), strict=True)


def _inputs(tree: ast.AST) -> set[str]:
    """Return the names that a host program gives to its arguments."""
    return {
        _name(name)
        for assignment in _assignments(tree)
        if _name(assignment.value) == "args"
        for name in _parts(assignment.targets[0])
    }


def _symbols(sizes: Iterable[tuple[ast.expr, ...]], shape: tuple[int, ...]) -> Mapping[str, int]:
    """Return what the symbols stand for, from an argument that can have the input's shape."""
    for size in map(tuple, (map(_text, size) for size in sizes)):
        if len(size) == len(shape):
            found = dict(zip(size, shape, strict=True))
            if tuple(int(text) if text.isdecimal() else found[text] for text in size) == shape:
                return found
    return {}


def _number(part: ast.expr, symbols: Mapping[str, int]) -> int:
    match part:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name) if name in symbols:
            return symbols[name]
        case ast.UnaryOp(ast.USub(), operand):
            return -_number(operand, symbols)
        case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
            return OPERATORS[type(operator)](_number(left, symbols), _number(right, symbols))
        case ast.Call(func=ast.Name(id=name), args=args) if name in FUNCTIONS:
            return FUNCTIONS[name](_number(argument, symbols) for argument in args)
    raise SourceError(f"a tensor's size does not follow from the input: {_text(part)}")


def _item_bytes(dtype: str) -> int:
    return torch.empty(0, dtype=getattr(torch, dtype)).element_size()


def _parts(node: ast.expr) -> tuple[ast.expr, ...]:
    return tuple(node.elts) if isinstance(node, ast.Tuple) else (node,)


def _name(node: ast.expr) -> str:
    """Return the last part of a name: `float32` of `torch.float32`; empty if it is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> str:
    return ast.unparse(node)
