"""Writes the expected packets beside the sources: python tests/golden/observe/update.py [NAME…]

Whoever runs it reads what changed, and asks of each packet: would an expert choose well from this?
"""

import shlex
import sys
from pathlib import Path

from compiler_agent.llvm.observe.observer import Observer
from compiler_agent.llvm.toolchain import discover

DIRECTORY = Path(__file__).resolve().parent
TOKEN_BUDGET = 8000
LLVM_VERSION = "22.1.8"
"""Another one estimates and words things otherwise."""


def sources() -> list[Path]:
    """The units that are observed; the first line of each has its options."""
    return sorted([*DIRECTORY.glob("*.c"), *DIRECTORY.glob("*.cpp")])


def observed(source: Path) -> Observer:
    """The observer of one unit."""
    options = shlex.split(source.read_text().splitlines()[0].removeprefix("//"))
    command = [str(discover().clang), *options, "-c", "-o", "-", source.name]
    return Observer(command, DIRECTORY)


def main(names: list[str]) -> None:
    """Writes the packets of the units that are named, or of all."""
    for source in sources():
        if not names or source.stem in names:
            source.with_suffix(".txt").write_text(observed(source).packet(TOKEN_BUDGET))


if __name__ == "__main__":
    main(sys.argv[1:])
