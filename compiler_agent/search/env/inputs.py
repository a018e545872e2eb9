"""What a benchmark is made of besides its source: the headers, which a digest of the source does not know."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.process import run

_TIMEOUT_S = 60.0
_FILE = re.compile(r"(?:\\.|[^\s\\])+")
_ESCAPED = re.compile(r"\\(.)|\$(?=\$)")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files as they were at one time."""

    stamps: tuple[tuple[Path, tuple[int, int, int] | None], ...]
    """Each file with its time of modification in ns, its size and its number; None: it is not there."""
    are_known: bool = True
    """False where the compiler did not name them, as for what does not compile: they may change at any time."""

    @classmethod
    def of(cls, command: Sequence[str], directory: Path) -> Inputs:
        """All files that a compilation reads, as the compiler names them with -M.

        Args:
            command: The compiler's, with the source.
            directory: Where it runs.
        """
        done = run([*command, "-M"], cwd=directory, timeout_s=_TIMEOUT_S)
        if done.status != 0:
            return cls((), are_known=False)
        names = files_of(done.stdout.decode(errors="surrogateescape"))
        return cls(tuple((directory / name, _stamp(directory / name)) for name in names), are_known=bool(names))

    def changed(self) -> bool:
        """Whether one of them is another now, or may be."""
        return not self.are_known or any(_stamp(path) != before for path, before in self.stamps)


def files_of(rule: str) -> list[str]:
    """The files of a rule of make, as compilers write it: `unit.o: unit.c a\\ header.h`."""
    words = _FILE.findall(rule.partition(": ")[2].replace("\\\n", " "))
    return [_ESCAPED.sub(r"\1", word) for word in words]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
