"""Time the fix on a generated code base: `python benchmarks/fix.py --help`.

Two code bases of as many files are generated: one in which a file in ten mentions an expansion,
which is far more than is usual, and one in which every file does. Each is scanned by
ast-grep with the rules alone, and by all that `make fix` does before it prints.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from investigation.fix import rewriting
from investigation.fix.findings import RULES

TARGET_S = 10.0

ORDINARY = '''
class {name}(nn.Module):
    """A convolution, a norm and an activation: (B, {width}, H, W) to (B, {double}, H, W)."""

    def __init__(self, stride=1, groups={group}, bias=False):
        super().__init__()
        self.conv = nn.Conv2d({width}, {double}, 3, stride=stride, padding=1, groups=groups)
        self.norm = nn.BatchNorm2d({double}, eps=1e-5, momentum=0.1)
        self.options = {{"stride": stride, "groups": groups, "bias": bias}}

    def forward(self, x):
        for step in range({group}):
            x = self.conv(x) if step % 2 == 0 else x + step * 0.5
        if x.dim() != 4 or not self.options["bias"]:
            raise ValueError(f"four dimensions are needed, not {{x.dim()}}")
        return torch.relu(self.norm(x))  # {name}
'''
EXPANDING = """
def {name}(x, y, mask):
    b, c, h, w = x.size()
    gate = torch.sigmoid(y).view(b, c, 1, 1)
    scaled = x * gate.expand_as(x) + mask.expand(b, c, h, w)
    kept = mask.expand_as(x)
    return torch.cat([scaled * kept, x.div(gate.expand(x.shape))], dim=1)
"""
IN_A_FILE = 8  # pieces of code


def main() -> int:
    """Measure, print, and return 1 if the rules took longer than the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    slowest = max(measured(options.files, share, options.seed) for share in (0.1, 1.0))
    print(f"target: the rules scan {options.files} files in under {TARGET_S:g} s")
    return int(slowest >= TARGET_S)


def measured(files: int, share: float, seed: int) -> float:
    """Print how long both take on one code base; return the seconds of the rules alone."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        size, lines = generate(root, files, share, seed)
        print(f"{files} files, {lines} lines, {size / 1e6:.0f} MB, {share:.0%} with an expansion")
        rules = timed("the rules alone", lambda: scan(root))
        timed("all of make fix", lambda: rewriting.examine(root))
    return rules


def generate(root: Path, files: int, share: float, seed: int) -> tuple[int, int]:
    """Write the code base, a hundred files a folder; return its bytes and lines."""
    chance = random.Random(seed)
    size = lines = 0
    for index in range(files):
        path = root / f"package{index // 100}" / f"module{index}.py"
        path.parent.mkdir(exist_ok=True)
        text = module(chance, expanding=chance.random() < share)
        size, lines = size + path.write_text(text), lines + text.count("\n")
    return size, lines


def module(chance: random.Random, *, expanding: bool) -> str:
    """Return the text of one file."""
    pieces = [ORDINARY] * (IN_A_FILE - expanding) + [EXPANDING] * expanding
    chance.shuffle(pieces)
    lines = [
        piece.format(name=f"Piece{chance.randrange(10**6)}", width=chance.choice((8, 64)),
                     double=128, group=chance.randrange(1, 5))
        for piece in pieces
    ]  # fmt: skip
    return "import torch\nfrom torch import nn\n\n" + "\n".join(lines)


def scan(root: Path) -> None:
    """Scan a folder by ast-grep with the rules alone."""
    program = str(Path(sys.executable).with_name("ast-grep"))
    command = [program, "scan", "--config", str(RULES), "--json=stream", str(root)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def timed(what: str, work: Callable[[], object]) -> float:
    """Print and return the seconds that pass, and print those that the processors work.

    Once is enough: a scan is no contest of nanoseconds. On a busy machine the second number
    is what the first would be on an idle machine.
    """
    started, worked = time.perf_counter(), processor_seconds()
    work()
    passed, worked = time.perf_counter() - started, processor_seconds() - worked
    print(f"  {what}: {passed:5.1f} s ({worked:.1f} s of processor on {os.cpu_count()} cores)")
    return passed


def processor_seconds() -> float:
    """Return the processor time of this process and of those that it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    sys.exit(main())
