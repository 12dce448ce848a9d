"""What a generated Triton kernel reads and writes, taken from its text and its host program."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from investigation.compiled.kernel_source import GeneratedProgram, operations

BODY = re.compile(r"^@triton\.jit\n(def (kernel_\d+)\((.*?)\):\n(?:    .*\n|\n)*)", re.MULTILINE)
ACCESS = re.compile(r"tl\.(load|store)\((\w+) \+ \((.*?)\), ")
ASSIGNED = re.compile(r"^    (\w+) = (.+)$", re.MULTILINE)
# A host program checks the shape of each input, and of what an operation returns that Inductor did
# not write; torch 2.15 checks several inputs in one call, and the latter with their dtype.
TENSOR = re.compile(
    r"assert_(?:size_stride|tensor_metadata)\((?P<input>\w+), \((?P<size>[\d, ]*)\)"
    r"|(?P<buffer>\w+) = empty_strided_\w+\(\((?P<made>[\d, ]*)\)"
    r"|(?P<renamed>\w+) = (?P<from>buf\d+)(?:; del|$)",
    re.MULTILINE,
)
TOGETHER = re.compile(
    r"assert_size_stride_grouped\(\((?P<inputs>[\w, ]+)\), \((?P<sizes>\(.*?\))\), \(\("
)
SHAPE = re.compile(r"\(([^()]*)\)")
# The lines that compute an index or a value, or store one; masks and sizes are left out.
TELLING = re.compile(r"(?:x\d+|tmp\d+) = |tl\.store")
BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "i32": 4, "i64": 8, "i1": 1}


@dataclass(frozen=True)
class Access:
    """One load or store of a kernel: which tensor, and its index for element `xindex`."""

    kind: Literal["load", "store"]
    pointer: str
    tensor: str
    shape: tuple[int, ...]
    item_bytes: int
    index: str
    line: str

    @property
    def bytes(self) -> int:
        """The bytes of the tensor: what has to come from memory, or go there, at least once."""
        return prod(self.shape) * self.item_bytes


@dataclass(frozen=True)
class Kernel:
    """A kernel's own text, with what it touches."""

    name: str
    body: str
    accesses: tuple[Access, ...]

    @property
    def bytes_moved(self) -> int:
        """All that it reads and writes, each tensor once."""
        return sum({access.tensor: access.bytes for access in self.accesses}.values())

    def annotated(self) -> list[tuple[str, str]]:
        """Return each line of the body that computes, with what it does in words."""
        by_line = {access.line: access for access in self.accesses}
        lines = (line.strip() for line in self.body.splitlines()[1:])
        telling = (line for line in lines if TELLING.match(line))
        return [(line, _words(line, by_line.get(line))) for line in telling]

    def told(self) -> list[tuple[str, str]]:
        """Return the lines that read, compute and write, each with its meaning for the scale step.

        The largest tensor that is read is the input, a smaller one the gate.
        """
        largest = max((prod(access.shape) for access in self.accesses), default=0)
        by_line = {access.line: access for access in self.accesses}
        return [
            (line, _meaning(by_line[line], largest) if line in by_line else words)
            for line, words in self.annotated()
            if line.startswith(("tmp", "tl.store"))
        ]


def scale_kernel(program: GeneratedProgram) -> Kernel:
    """Return the kernel of a forward program that multiplies input and gate.

    Raises `LookupError` if no kernel's own name says that it multiplies.
    """
    for text, name in zip(program.kernels, program.names, strict=True):
        if "mul" in operations(name):
            return read(text, program.host)
    raise LookupError(f"no kernel multiplies; there are {', '.join(program.names)}")


def bodies(program: GeneratedProgram) -> str:
    """Return the text of a program's kernels alone: what a thread computes, without settings."""
    matches = (BODY.search(text) for text in program.kernels)
    return "\n".join(match[1].rstrip() for match in matches if match is not None)


def tally(bodies: str) -> dict[str, int]:
    """Count what kernels do in their text: loads, stores, multiplications and sums."""
    patterns = {
        "loads": r"tl\.load\(",
        "stores": r"tl\.store\(",
        "multiplications": r"= tmp\d+ \* tmp\d+$",
        "sums": r"tl\.sum\(",
    }
    return {
        name: len(re.findall(pattern, bodies, re.MULTILINE)) for name, pattern in patterns.items()
    }


def read(text: str, host: str) -> Kernel:
    """Return a kernel's definition with what it touches, sizes from its host program.

    Raises `ValueError` for a text that is no kernel, or one that the program does not launch.
    """
    definition = BODY.search(text)
    if definition is None:
        raise ValueError(f"no kernel in this text: {text[:60]!r}")
    body, name, parameters = definition.groups()
    pointers = (part.strip() for part in parameters.split(","))
    tensors = dict(zip(pointers, _arguments(host, name), strict=False))  # block sizes are chosen
    accesses = _accesses(body, tensors, tensor_sizes(host), text)
    return Kernel(name, body, tuple(accesses))


def _accesses(
    body: str, tensors: Mapping[str, str], sizes: Mapping[str, tuple[int, ...]], text: str
) -> Iterator[Access]:
    """Yield each load and store of a body, in order."""
    indices = dict(ASSIGNED.findall(body))
    for line in body.splitlines():
        access = ACCESS.search(line)
        if access is not None:
            kind, pointer, index = access.groups()
            yield Access(
                kind="load" if kind == "load" else "store",
                pointer=pointer,
                tensor=tensors[pointer],
                shape=sizes[tensors[pointer]],
                item_bytes=_item_bytes(text, pointer),
                index=str(indices.get(index, index)),
                line=line.strip(),
            )


def _arguments(host: str, name: str) -> list[str]:
    call = re.search(rf"\b{name}\.run\((.*?), stream=", host)
    if call is None:
        raise ValueError(f"the host program does not launch {name}")
    return [part.strip() for part in call[1].split(",")]


def tensor_sizes(host: str) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of a host program whose shape is static, by its name."""
    sizes = dict(_checked_together(host))
    for match in TENSOR.finditer(host):
        if match["renamed"]:
            sizes[match["renamed"]] = sizes.get(match["from"], ())
        else:
            name, size = match["input"] or match["buffer"], match["size"] or match["made"]
            sizes[name] = _numbers(size)
    return sizes


def _checked_together(host: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Iterate over the inputs whose shapes a host program checks in one call."""
    for match in TOGETHER.finditer(host):
        names = (part.strip() for part in match["inputs"].split(","))
        for name, size in zip(names, SHAPE.findall(match["sizes"]), strict=True):
            if re.fullmatch(r"[\d, ]*", size):  # else it is an argument of the program
                yield name, _numbers(size)


def _numbers(size: str) -> tuple[int, ...]:
    return tuple(int(part) for part in size.split(",") if part.strip())


def _item_bytes(text: str, pointer: str) -> int:
    pointer_type = re.search(rf"'{pointer}': '\*(\w+)'", text)
    return BYTES[pointer_type[1]] if pointer_type else 4


def _words(line: str, access: Access | None) -> str:
    if access is not None:
        shape = "×".join(map(str, access.shape))
        verb = {"load": "reads", "store": "writes"}[access.kind]
        return f"{verb} {access.tensor} ({shape}) at element {access.index}{_converts(line)}"
    if "xindex //" in line:
        return "the number of the gate: the same for all elements of one channel of one image"
    if "xindex" in line or "xoffset" in line:
        return "the number of the element that this thread works on"
    if "sigmoid" in line:
        return "the excitation's last step, done here on the way"
    if " * " in line:
        return "multiplies, in a register"
    return "converts, in a register" if ".to(" in line else ""


def _converts(line: str) -> str:
    return ", and converts it" if ".to(" in line else ""


def _meaning(access: Access, largest: int) -> str:
    shape = "×".join(map(str, access.shape))
    if access.kind == "store":
        return f"writes an element of the output ({shape})"
    if prod(access.shape) == largest:
        return f"reads an element of the input ({shape})"
    converts = _converts(access.line)
    return f"reads an element of the gate ({shape}), one a channel{converts}"


def instructions(assembly: str, chip_backend: str) -> dict[str, int]:
    """Count a kernel's global loads, global stores and float multiplies in its assembly."""
    patterns = {
        "cuda": {"loads": r"\bld\.global", "stores": r"\bst\.global", "multiplies": r"\bmul\.\w*f"},
        "hip": {
            "loads": r"\b(?:global|buffer)_load",
            "stores": r"\b(?:global|buffer)_store",
            "multiplies": r"\bv_(?:pk_)?mul_f",
        },
    }[chip_backend]
    return {name: len(re.findall(pattern, assembly)) for name, pattern in patterns.items()}
