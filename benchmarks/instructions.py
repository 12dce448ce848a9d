"""Count the instructions of the line in both forms and keep the count: `instructions.py FILE`."""

import json
import sys
from pathlib import Path

from investigation.evidence.files import write_atomically
from investigation.observe import instructions


def main(words: list[str]) -> int:
    """Write the count to the file named; return the exit status."""
    if len(words) != 1:
        print("error: name one file to write, such as results/MACHINE/instructions.json",
              file=sys.stderr)  # fmt: skip
        return 1
    reason = instructions.unavailable_reason()
    if reason:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    counted = instructions.count(instructions.LINE, instructions.OPERANDS)
    write_atomically(Path(words[0]), json.dumps(counted.to_dict(), indent=1) + "\n")
    print(counted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
