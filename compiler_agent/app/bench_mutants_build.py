"""Mutants of optimized modules: a unit's optimized bitcode, the sites in it, one mistake made, and its object."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compiler_agent.base.config import native_file
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.files import write_atomically
from compiler_agent.base.process import check
from compiler_agent.evaluation.libraries import TranslationUnit
from compiler_agent.llvm.toolchain import Toolchain, discover

_TIMEOUT_S = 300.0
_MEMORY_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class Site:
    """Where a mistake can be made."""

    kind: str
    """Which mistake."""
    number: int
    """The number among the sites of its kind in the module."""
    function: str
    """The symbol of the function."""
    instruction: str
    """The instruction as LLVM prints it."""
    line: int
    """The line of the source; 0: not known."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A translation unit as stock clang compiles it."""

    unit: TranslationUnit
    """The unit."""
    level: str
    """The optimization level, as in -Oz."""
    argv: tuple[str, ...]
    """The command that compiles it to standard output."""
    bitcode: Path
    """The module after clang's optimizer, before code generation."""
    digest: str
    """SHA-256 of clang's own object."""

    @property
    def name(self) -> str:
        """Unit and level, as in "zlib/deflate.c -Oz"."""
        return f"{self.unit.name} {self.level}"


def mutator() -> Path:
    """The program that makes mutants.

    Raises:
        ToolchainError: It is not built.
    """
    return native_file("bin/cc-agent-mutate", target="build/native/bin/cc-agent-mutate")


def argv_of(unit: TranslationUnit, level: str) -> tuple[str, ...]:
    """The command that compiles a unit to standard output."""
    return (*_front(unit, level), "-c", "-o", "-", unit.argv[-1])


def compile_unit(unit: TranslationUnit, level: str, directory: Path) -> Compiled:
    """Compiles a unit to optimized bitcode in a directory, and makes sure that its code is the code of clang's object.

    Raises:
        ToolError: Clang failed.
        CompilerAgentError: The bitcode gives another object than clang's own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    bitcode = directory / f"{unit.name.replace('/', '.')}{level}.bc"
    argv = argv_of(unit, level)
    known = bitcode.with_suffix(".digest")  # of an earlier run that was interrupted later
    if known.exists():
        return Compiled(unit, level, argv, bitcode, known.read_text())
    own = check(argv, cwd=unit.directory, timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES).stdout
    _emit_bitcode(unit, level, bitcode)
    compiled = Compiled(unit, level, argv, bitcode, hashlib.sha256(own).hexdigest())
    if emit(compiled, bitcode) != own:
        raise CompilerAgentError(
            f"{compiled.name}: the object of the optimized bitcode is not the object that clang makes",
            hint="its mutants would differ for other reasons than their mistake; leave the unit out",
        )
    write_atomically(known, compiled.digest.encode())
    return compiled


def emit(compiled: Compiled, bitcode: Path) -> bytes:
    """The object of a module, by clang's code generation with the unit's flags and no further optimization."""
    front = _front(compiled.unit, compiled.level)
    command = (*front, "-Xclang", "-disable-llvm-passes", "-c", "-x", "ir", "-o", "-", str(bitcode))
    return check(command, cwd=compiled.unit.directory, timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES).stdout


def list_sites(compiled: Compiled) -> list[Site]:
    """The sites in the unit's externally visible functions, with source lines where a second compilation gives them."""
    known = compiled.bitcode.with_suffix(".sites.json")
    if known.exists():
        return [Site(**row) for row in json.loads(known.read_bytes())]
    rows = _list(compiled.bitcode)
    lines = _lines(compiled, rows)
    sites = [
        Site(str(row["kind"]), int(str(row["site"])), str(row["function"]), str(row["instruction"]), line)
        for row, line in zip(rows, lines, strict=True)
        if row["external"]
    ]
    write_atomically(known, json.dumps([asdict(site) for site in sites]).encode())
    return sites


def make_mutant(compiled: Compiled, site: Site, target: Path, *, reach: bool = False) -> bytes:
    """Makes the mistake at a site: the mutant's bitcode goes to a file, its object is returned.

    Args:
        compiled: The unit.
        site: Where.
        target: The file for the bitcode.
        reach: Put a trap there instead.
    """
    what = ["--kind", site.kind, "--site", str(site.number), *(["--reach"] if reach else [])]
    check([mutator(), *what, "-o", target, compiled.bitcode], timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)
    return emit(compiled, target)


@functools.cache
def _toolchain() -> Toolchain:
    return discover()


def _front(unit: TranslationUnit, level: str) -> tuple[str, ...]:
    toolchain = _toolchain()
    clang = toolchain.clangxx if unit.language == "c++" else toolchain.clang
    return (str(clang), "-w", "-Qunused-arguments", level, *unit.argv[:-1])


def _emit_bitcode(unit: TranslationUnit, level: str, target: Path, *flags: str) -> None:
    # The order of uses is part of what code generation sees.
    command = (*_front(unit, level), *flags, "-emit-llvm", "-Xclang", "-emit-llvm-uselists", "-c", unit.argv[-1])
    check([*command, "-o", target], cwd=unit.directory, timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)


def _list(bitcode: Path) -> list[dict[str, object]]:
    done = check([mutator(), "--list", bitcode], timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _lines(compiled: Compiled, rows: Sequence[dict[str, object]]) -> list[int]:
    """Line numbers from a compilation with them, if that has the same sites: -g is not to change code."""
    with_lines = compiled.bitcode.with_suffix(".lines.bc")
    _emit_bitcode(compiled.unit, compiled.level, with_lines, "-gline-tables-only")
    others = _list(with_lines)
    with_lines.unlink()
    if [(row["kind"], row["site"], row["function"]) for row in others] != [
        (row["kind"], row["site"], row["function"]) for row in rows
    ]:
        return [0] * len(rows)
    return [int(str(row.get("line", 0))) for row in others]
