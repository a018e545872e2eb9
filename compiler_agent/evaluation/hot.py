"""Which functions of a program take its time, estimated from a profile: where plans and decisions are worth trying.

No tool but clang and opt is needed, and no hardware counter. Clang compiles each unit with the profile, `opt` says how
often each block was entered, and a function's share is that of the IR instructions which were executed in it. They are
counted after light cleaning and before inlining: under the names, and with the loops and calls, of decisions. It is an
estimate: a miss in the cache counts like an addition, and what libraries do is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.process import check
from compiler_agent.evaluation.profile import Profile
from compiler_agent.llvm.library import Library
from compiler_agent.llvm.replay import compile_plainly
from compiler_agent.llvm.toolchain import Toolchain

LEAST_SHARE = 0.01
"""Units that take less of the time are cold."""
_CLEAN_AND_COUNT = "function(sroa,early-cse,simplifycfg),print<block-freq>"
_TIMEOUT_S = 120.0
_DEFINITION = re.compile(r'define .*?@("(?:[^"\\]|\\.)*"|[\w.$-]+)\(')
_INSTRUCTION = re.compile(r"  [^\s\];#]")
_COUNTED_FUNCTION = re.compile(r"block-frequency-info: (.*)")
_COUNTED_BLOCK = re.compile(r" - .*: float = [^,]+, int = \d+(?:, count = (\d+))?")


@dataclass(frozen=True, slots=True)
class HotFunction:
    """One function of a program."""

    unit: str
    """The key of the unit that defines it."""
    name: str
    """In the IR."""
    share: float
    """Of the program's time, 0 to 1."""
    n_loops: int
    """Loops that decisions can name, by position from 0."""
    calls: tuple[int, ...] = ()
    """Positions of the calls that can be inlined."""


def hot_functions(
    units: Mapping[str, tuple[Sequence[str], Path]], profile: Profile, toolchain: Toolchain
) -> tuple[HotFunction, ...]:
    """All functions that were executed, the hottest first.

    Args:
        units: By key, each unit's command, which writes its object to standard output, and its directory.
        profile: What was counted in a run of the program of these units.
        toolchain: Whose opt to use.

    Raises:
        ToolError: A unit does not compile with the profile.
    """
    library = Library()
    found: list[tuple[float, HotFunction]] = []
    for key, (argv, cwd) in units.items():
        bitcode = compile_plainly(argv, cwd, *profile.flags, "-Xclang", "-disable-llvm-passes", "-emit-llvm")
        executed = _executed(bitcode, toolchain)
        with library.parse(bitcode) as module:
            for function in module.decidable():
                calls = tuple(call.position for call in function.calls if call.is_defined)
                hot = HotFunction(key, function.name, 0.0, len(function.loops), calls)
                found.append((executed.get(function.name, 0.0), hot))
    total = sum(instructions for instructions, _ in found)
    shared = [
        HotFunction(hot.unit, hot.name, instructions / total, hot.n_loops, hot.calls)
        for instructions, hot in found
        if instructions > 0
    ]
    return tuple(sorted(shared, key=lambda hot: (-hot.share, hot.unit, hot.name)))


def hot_units(functions: Sequence[HotFunction]) -> dict[str, tuple[str, ...]]:
    """The units that are worth a plan, by key, hottest first, with the functions of each that were executed."""
    shares: dict[str, float] = {}
    names: dict[str, list[str]] = {}
    for function in functions:
        shares[function.unit] = shares.get(function.unit, 0.0) + function.share
        names.setdefault(function.unit, []).append(function.name)
    hot = sorted((key for key, share in shares.items() if share >= LEAST_SHARE), key=lambda key: -shares[key])
    return {key: tuple(names[key]) for key in hot}


def _executed(bitcode: bytes, toolchain: Toolchain) -> dict[str, float]:
    """Instructions that were executed, by function."""
    done = check([toolchain.opt, f"-passes={_CLEAN_AND_COUNT}", "-S", "-"], input=bitcode, timeout_s=_TIMEOUT_S)
    blocks = dict(_blocks(done.stdout.decode(errors="replace")))
    executed: dict[str, float] = {}
    function, position = "", 0
    for line in done.stderr.decode(errors="replace").splitlines():
        if named := _COUNTED_FUNCTION.match(line):
            function, position = named[1], 0
        elif counted := _COUNTED_BLOCK.match(line):
            if function in blocks and position < len(blocks[function]):
                times = int(counted[1] or 0) * blocks[function][position]
                executed[function] = executed.get(function, 0.0) + times
            position += 1
    return executed


def _blocks(text: str) -> Iterator[tuple[str, list[int]]]:
    """Each function of a printed module with the number of instructions in each of its blocks, in their order."""
    name, counts = "", [0]
    for line in text.splitlines():
        if defined := _DEFINITION.match(line):
            name, counts = defined[1].strip('"'), [0]
        elif line == "}":
            yield name, counts
        elif line and not line[0].isspace() and line.partition(";")[0].rstrip().endswith(":"):
            counts.append(0)
        elif _INSTRUCTION.match(line):
            counts[-1] += 1
