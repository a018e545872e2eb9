"""llvm-mca's estimates of the loops of one compilation, made when they are asked for, and once."""

from __future__ import annotations

from collections.abc import Sequence

from compiler_agent.llvm.observe.machine_code import MachineLoop, comment_sign, innermost_loops, read_functions
from compiler_agent.llvm.observe.mca import Estimate, estimate
from compiler_agent.llvm.toolchain import Toolchain

_LOOPS_PER_FUNCTION = 6

Body = tuple[MachineLoop, Estimate | None]
"""A loop's body, and what llvm-mca says of it; None: nothing."""


class CodeEstimates:
    """The innermost loops of each function's code, the longest first, with their estimates."""

    def __init__(self, assembly: str, toolchain: Toolchain, triple: str, cpu: str) -> None:
        """Reads the code.

        Args:
            assembly: As clang prints it.
            toolchain: LLVM.
            triple: The target.
            cpu: Whose scheduling model to use.
        """
        self._functions = read_functions(assembly)
        self._comment = comment_sign(assembly)
        self._toolchain = toolchain
        self._triple = triple
        self._cpu = cpu
        self._known: dict[str, list[Body]] = {}

    def of(self, symbols: Sequence[str]) -> dict[str, list[Body]]:
        """The loops of these functions; those that are not known yet in one run of llvm-mca, which is mostly start.

        Raises:
            ToolError: llvm-mca failed.
        """
        loops = {symbol: self._loops(symbol) for symbol in symbols if symbol not in self._known}
        flat = [loop for found in loops.values() for loop in found]
        estimates = iter(estimate(flat, self._toolchain, self._triple, self._cpu, self._comment))
        for symbol, found in loops.items():
            self._known[symbol] = [(loop, next(estimates)) for loop in found]
        return {symbol: self._known[symbol] for symbol in symbols}

    def _loops(self, symbol: str) -> list[MachineLoop]:
        loops = innermost_loops(self._functions.get(symbol, []))
        return sorted(loops, key=lambda loop: -len(loop.instructions))[:_LOOPS_PER_FUNCTION]
