"""Executables that differ in nothing but where the linker puts things.

Moving a loop by 16 bytes, or linking objects in another order, changes times by as much as a good optimization does,
for better or worse. So each program is timed as many executables of the same objects: functions, constants and
variables in an order drawn by lld, with gaps of drawn size among them. What wins on average over them wins because of
its code.

Source: Mytkowicz et al. 2009, Producing wrong data without doing anything obviously wrong, ASPLOS; Curtsinger and
Berger 2013, Stabilizer, ASPLOS.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from compiler_agent.base.files import file_error
from compiler_agent.base.process import check
from compiler_agent.llvm.toolchain import Toolchain

N_LAYOUTS = 60
"""As many as a comparison has pairs, so that pairs are independent also as to layout; made only when asked for."""
_GAPS_BYTES = tuple(16 << power for power in range(8))
"""Any sum of some of them is a multiple of 16 below 4096, each equally probable: all places in a page."""
_SHUFFLED = (".text*", ".rodata*", ".data*", ".bss*")
_TIMEOUT_S = 120.0


class Layouts(Protocol):
    """One program as executables of different layout."""

    @property
    def n_layouts(self) -> int:
        """How many a comparison draws from, at most one for each pair; 1: the layout is fixed."""

    def executable(self, n: int) -> Path:
        """The one of number n, from 0; made when it is first asked for. There are as many again for a fresh look."""


class FixedLayout:
    """An executable as it is; what it wins may be due to its layout, and a comparison says so."""

    n_layouts = 1

    def __init__(self, path: Path) -> None:
        self._path = path

    def executable(self, n: int) -> Path:
        """The executable itself."""
        return self._path


class LinkedLayouts:
    """The same objects, linked again and again.

    Args:
        link: The command that links the program, without `-o`: as [clang++, a.o, b.o, -lm].
        directory: Where executables are put, under names of our own; made if it is not there.
        toolchain: Assembles the gaps; its lld links.
        n_layouts: How many a comparison draws from.
        seed: Of what is drawn. A layout depends on seed and number only.
        gaps: Where the objects are that only take room, which many programs can share; None: in `directory`.
    """

    def __init__(
        self,
        link: Sequence[str | Path],
        directory: Path,
        toolchain: Toolchain,
        n_layouts: int = N_LAYOUTS,
        seed: int | str = 0,
        gaps: Path | None = None,
    ) -> None:
        self.n_layouts = n_layouts
        self._gaps = gaps or directory
        self._link = tuple(link)
        self._directory = directory
        self._toolchain = toolchain
        self._seed = seed

    def executable(self, n: int) -> Path:
        """Links it, unless that was done.

        Raises:
            ToolError: It does not link.
        """
        path = self._directory / f"layout-{n}"
        if not path.exists():
            gaps = gap_objects(self._gaps, self._toolchain)
            self._directory.mkdir(parents=True, exist_ok=True)
            draw = random.Random(f"{self._seed}/{n}")
            command = [*self._link, *(gap for gap in gaps if draw.random() < 0.5)]
            command += [f"-Wl,--shuffle-sections={name}={draw.randrange(1, 1 << 31)}" for name in _SHUFFLED]
            lld = f"--ld-path={self._toolchain.tool('ld.lld')}"
            check(
                [*command, lld, "-o", path], timeout_s=_TIMEOUT_S, hint="to be measured, a program must link with lld"
            )
        return path


def gap_objects(directory: Path, toolchain: Toolchain) -> list[Path]:
    """Objects that only take room, made once in a directory."""
    objects = [directory / f"gap-{size}.o" for size in _GAPS_BYTES]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, size in zip(objects, _GAPS_BYTES, strict=True):
            if not path.exists():
                source = path.with_suffix(".s")
                source.write_text(_gap(size))
                check([toolchain.clang, "-c", source, "-o", path], timeout_s=_TIMEOUT_S)
    except OSError as error:
        raise file_error("write", directory, error) from error
    return objects


def _gap(size: int) -> str:
    # R: kept also by --gc-sections. The code's order is drawn, so a gap is before, after or between what is timed.
    sections = ((".text", "axR"), (".data", "awR"), (".rodata", "aR"))
    return "".join(
        f'.section {name}.cc_agent_gap,"{flags}",@progbits\n.p2align 4\n.skip {size}\n' for name, flags in sections
    )
