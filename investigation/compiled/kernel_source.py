"""The text that Inductor generates, made comparable: which of it is the program, which is names.

What is kept of a generated file: the definition of every kernel, and the host program that
allocates, launches and frees. What is left out: the imports before them and the benchmark of
itself after them, the same in every file but for shapes that the kept text states as well.
What is normalised in the kept text, and nothing else:

1. the name of a kernel, which lists the ATen operations it came from, becomes `kernel_0`,
   `kernel_1` and so on, in the order of definition, also in a size that is named after it;
2. comments in the host program, which name lines of the Python source, are removed.
"""

import difflib
import re
from dataclasses import dataclass
from hashlib import sha256

# A kernel's definition runs from its name to the parenthesis that ends the call after its text.
KERNEL = re.compile(r"^(\w+) = (async_compile\.\w+\(.*?^'''.*?\))$", re.MULTILINE | re.DOTALL)
# Before torch 2.8 no runner follows the host program, but its benchmark.
HOST = re.compile(
    r"^del async_compile\n(.*?)^(?:runner = |def benchmark_compiled_module)",
    re.MULTILINE | re.DOTALL,
)
LAUNCH = re.compile(r"\bkernel_\d+(?:\.run)?\(")
LIBRARY_CALL = re.compile(r"\b(extern_kernels\.\w+|torch\.ops\.[\w.]+\w)\(")
FUSED = re.compile(r"\b(?:cpp|triton)_\w*fused_\w+\b")
# A GPU's host program names a size that it has to compute after the kernel that it is for.
SIZE_OF = r"_\w*numel\b"
BUFFER = re.compile(r"= empty_strided_\w+\(")
# What the scale step itself consists of, in kernels' names.
SCALING = {"expand", "mul", "clone"}
# The sigmoid before the scale step, in a kernel's text. Under torch 2.4 the name of a kernel
# leaves out what is read through a view, so a kernel that computes the sigmoid is called `mul`.
SIGMOID = re.compile(r"sigmoid|\bexp(?:_u20)?\(")


class SourceError(ValueError):
    """A generated file that does not look as this module expects."""


@dataclass(frozen=True)
class GeneratedProgram:
    """One generated file, normalised: its kernels, its host program and the names taken out."""

    kernels: tuple[str, ...]
    host: str
    names: tuple[str, ...]

    @property
    def launches(self) -> int:
        """Number of times that the host program launches a generated kernel."""
        return len(LAUNCH.findall(self.host))

    @property
    def library_calls(self) -> tuple[str, ...]:
        """The calls to kernels that were not generated, such as a matrix product."""
        return tuple(LIBRARY_CALL.findall(self.host))

    @property
    def buffers(self) -> int:
        """Number of tensors that the host program allocates, its outputs among them."""
        return len(BUFFER.findall(self.host))

    @property
    def passes(self) -> int:
        """Number of outermost loops; a kernel that loops nowhere, as on a GPU, is one pass."""
        return sum(max(1, outermost_loops(kernel)) for kernel in self.kernels)

    @property
    def scales_alone(self) -> bool:
        """Whether a kernel computes the scale step and not the sigmoid before it."""
        return any(
            operations(name) <= SCALING and not SIGMOID.search(kernel)
            for name, kernel in zip(self.names, self.kernels, strict=True)
        )


def normalise(file: str) -> GeneratedProgram:
    """Return a generated file as a `GeneratedProgram`.

    Raises `SourceError` if the file has no host program.
    """
    host = HOST.search(file)
    if host is None:
        raise SourceError("no host program in the generated file; is this Inductor's output?")
    definitions = KERNEL.findall(file)
    names = tuple(name for name, _ in definitions)
    kernels = tuple(_renamed(text, names) for _, text in definitions)
    return GeneratedProgram(kernels, _renamed(_without_comments(host[1]), names), names)


def _renamed(text: str, names: tuple[str, ...]) -> str:
    for index, name in enumerate(names):
        text = re.sub(rf"\b{name}(?=\b|{SIZE_OF})", f"kernel_{index}", text)
    return text


def renumbered(text: str) -> str:
    """Return a text whose kernels are called `kernel_0`, `kernel_1` in the order of appearance."""
    return _renamed(text, tuple(dict.fromkeys(FUSED.findall(text))))


def _without_comments(host: str) -> str:
    lines = (re.sub(r"\s*#.*", "", line) for line in host.splitlines())
    return "\n".join(line for line in lines if line.strip())


def body(kernel: str) -> str:
    """Return the source inside a kernel's definition, without the call that builds it."""
    return kernel.split("'''")[1].strip("\n")


def outermost_loops(kernel: str) -> int:
    """Count the `for` loops of a C++ kernel that stand inside no other loop."""
    count, inside = 0, None
    for line in kernel.splitlines():
        text = line.lstrip()
        indent = len(line) - len(text)
        if inside is None and text.startswith("for("):
            count, inside = count + 1, indent
        elif inside == indent and text == "}":
            inside = None
    return count


def operations(name: str) -> frozenset[str]:
    """Return the words of the ATen operations in a kernel's own name.

    `cpp_fused_expand_mul_sigmoid_2` gives expand, mul and sigmoid.
    """
    fused = re.sub(r"^\w*?fused_|_\d+$", "", name)
    return frozenset(word for word in fused.split("_") if word)


def digest(text: str) -> str:
    """Return the sha256 of a text, in hex."""
    return sha256(text.encode()).hexdigest()


def residual(text: str, other: str, names: tuple[str, str], context: int = 0) -> str:
    """Return what still differs between two texts, as a unified diff; empty if nothing does."""
    lines = difflib.unified_diff(
        text.splitlines(), other.splitlines(), *names, lineterm="", n=context
    )
    return "\n".join(lines)
