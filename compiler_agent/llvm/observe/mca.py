"""What llvm-mca estimates for loop bodies, and what limits them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from compiler_agent.base.process import check
from compiler_agent.llvm.observe.machine_code import MachineLoop
from compiler_agent.llvm.toolchain import Toolchain

ITERATIONS = 100
MAXIMUM_INSTRUCTIONS = 400
"""A longer body is not estimated: no loop buffer holds it, and the simulation takes long."""
MAXIMUM_BLOCKS = 6
"""A body with more is not estimated: llvm-mca takes it as a straight line, which says nothing of so many branches."""
_TIMEOUT_S = 30.0
_MEMORY_BYTES = 2 << 30
_PRESSURE = re.compile(
    r"^\s*-?\s*(Resource Pressure|Register Dependencies|Memory Dependencies)\s*\[\s*([\d.]+)% \]", re.M
)
_CRITICAL = re.compile(r"^ \+----(?:<\s+(\d+)\.|>\s+(\d+)\..*##\s*(\w+) \w+:\s*(\S+))", re.M)


@dataclass(frozen=True, slots=True)
class CriticalStep:
    """One instruction on the longest chain of the simulation."""

    index: int
    """In the body."""
    why: str
    """What it waits for, as in "REGISTER %xmm0"; empty for the first."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """llvm-mca's report on one loop body."""

    loop: MachineLoop
    """The body."""
    cycles: float
    """Per pass through the body, over many of them."""
    ipc: float
    """Instructions per cycle."""
    uops: float
    """Micro-operations per pass."""
    block_rthroughput: float
    """Cycles per pass if only the processor's resources counted."""
    dispatch_width: int
    """Micro-operations that the processor can begin per cycle."""
    ports: tuple[tuple[str, float], ...]
    """Use of each resource per pass, in cycles, the busiest first."""
    pressure: tuple[tuple[str, float], ...]
    """Share of cycles, in percent, in which something was the reason to wait, the largest first."""
    critical: tuple[CriticalStep, ...]
    """The longest chain."""

    @property
    def bottleneck(self) -> str:
        """What limits the loop, in one phrase."""
        width_bound = self.uops / self.dispatch_width
        if self.cycles > 1.2 * max(self.block_rthroughput, width_bound):
            return "latency of a dependency chain"
        return "dispatch width" if width_bound >= self.block_rthroughput else "resources"


def estimate(
    loops: Sequence[MachineLoop], toolchain: Toolchain, triple: str, cpu: str, comment: str = "#"
) -> list[Estimate | None]:
    """Estimates loop bodies.

    Args:
        loops: The bodies.
        toolchain: LLVM.
        triple: The target.
        cpu: Whose scheduling model to use, as in `-mcpu=`.
        comment: What begins a comment in this target's assembly.

    Returns:
        For each body its estimate, in which a call takes one cycle; None where the body is too long, has too many
        branches, or holds an instruction that llvm-mca does not know.

    Raises:
        ToolError: llvm-mca failed.
    """
    wanted = [
        (index, one)
        for index, one in enumerate(loops)
        if 0 < len(one.instructions) <= MAXIMUM_INSTRUCTIONS and one.n_blocks <= MAXIMUM_BLOCKS
    ]
    result: list[Estimate | None] = [None] * len(loops)
    if not wanted:
        return result
    text = "".join(
        f"{comment} LLVM-MCA-BEGIN {index}\n"
        + "".join(f"\t{one.text}\n" for one in loop.instructions)
        + f"{comment} LLVM-MCA-END\n"
        for index, loop in wanted
    )
    command = [toolchain.llvm_mca, f"-mtriple={triple}", f"-mcpu={cpu}"]
    command += [f"-iterations={ITERATIONS}", "-skip-unsupported-instructions=any", "-call-latency=1"]
    figures = json.loads(_run([*command, "-json"], text))
    words = _run([*command, "-all-views=false", "-bottleneck-analysis"], text).split("\n[")
    resources = [re.sub(r"[\x00-\x1f]", _digit, name) for name in figures["TargetInfo"]["Resources"]]
    reports = {int(part.partition("- ")[2].split()[0]): part for part in words if "Code Region - " in part}
    for region in figures["CodeRegions"]:
        index = int(region["Name"])
        result[index] = _read(region, reports.get(index, ""), resources, loops[index])
    return result


def _run(command: Sequence[Any], text: str) -> str:
    return check(command, input=text.encode(), timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES).stdout.decode()


def _digit(character: re.Match[str]) -> str:
    """llvm-mca numbers the units of one resource with a byte of that value."""
    return str(ord(character[0]))


def _read(region: dict[str, Any], report: str, resources: Sequence[str], loop: MachineLoop) -> Estimate | None:
    n_instructions = len(region["Instructions"])
    if n_instructions != len(loop.instructions):
        return None
    summary = region["SummaryView"]
    usage: dict[str, float] = {}
    for row in region["ResourcePressureView"]["ResourcePressureInfo"]:
        if row["InstructionIndex"] == n_instructions:  # the sum over all
            usage[resources[row["ResourceIndex"]]] = row["ResourceUsage"]
    pressure = [(name, float(percent)) for name, percent in _PRESSURE.findall(report) if float(percent) > 0]
    return Estimate(
        loop=loop,
        cycles=summary["TotalCycles"] / ITERATIONS,
        ipc=summary["IPC"],
        uops=summary["TotaluOps"] / ITERATIONS,
        block_rthroughput=summary["BlockRThroughput"],
        dispatch_width=summary["DispatchWidth"],
        ports=tuple(sorted(usage.items(), key=lambda item: -item[1])),
        pressure=tuple(sorted(pressure, key=lambda item: -item[1])),
        critical=tuple(_critical(report)),
    )


def _critical(report: str) -> Iterator[CriticalStep]:
    for first, index, kind, what in _CRITICAL.findall(report):
        yield CriticalStep(int(first or index), f"{kind} {what}".strip())
