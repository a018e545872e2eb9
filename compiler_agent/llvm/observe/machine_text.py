"""Estimates of machine code in words, joined with the loops of the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from compiler_agent.llvm.observe.facts import Function, Loop
from compiler_agent.llvm.observe.machine_code import MachineLoop
from compiler_agent.llvm.observe.mca import Estimate
from compiler_agent.llvm.observe.redaction import Redaction

_MOST_PORTS = 4
_MOST_STEPS = 6
_TELLING_PERCENT = 5.0


def source_loop(function: Function, machine: MachineLoop) -> Loop | None:
    """The loop of the source that a loop of the code was made from: the deepest that most of its lines are in."""
    lines = Counter(machine.lines)
    total = sum(lines.values())
    inside = [
        (sum(count for line, count in lines.items() if loop.first_line <= line <= loop.last_line), loop)
        for loop in function.loops
    ]
    likely = [loop for count, loop in inside if count * 2 > total]
    return max(likely, key=lambda loop: loop.depth, default=None)


def estimates_text(
    function: Function,
    estimates: Sequence[tuple[MachineLoop, Estimate | None]],
    redaction: Redaction,
    *,
    instructions: bool = False,
) -> list[str]:
    """One paragraph for each loop body.

    Args:
        function: Whose code it is.
        estimates: Bodies, with what llvm-mca says.
        redaction: For the names of symbols.
        instructions: Whether the bodies are wanted, too.
    """
    copies: dict[int, list[tuple[MachineLoop, Estimate | None]]] = {}
    for machine, one in estimates:
        loop = source_loop(function, machine)
        copies.setdefault(-1 if loop is None else loop.position, []).append((machine, one))
    rows = []
    for position, bodies in sorted(copies.items()):
        for number, (machine, one) in enumerate(bodies, 1):
            name = f"loop {position}" if position >= 0 else f"a loop that was inlined{_inner(machine)}"
            copy = f", copy {number} of {len(bodies)}" if len(bodies) > 1 and position >= 0 else ""
            rows.append("\n".join(_estimate(f"{name}{copy}", machine, one, redaction, instructions)))
    return rows


def _estimate(
    name: str, machine: MachineLoop, estimate: Estimate | None, redaction: Redaction, instructions: bool
) -> Iterator[str]:
    lines = machine.lines
    where = f"lines {min(lines)}-{max(lines)}" if lines else "no line"
    size = f"{len(machine.instructions)} instructions" + (
        f" in {machine.n_blocks} blocks" if machine.n_blocks > 1 else ""
    )
    if estimate is None:
        yield f"{name} ({where}), body of {size}: not estimated (long, branchy, or not known to llvm-mca)"
        return
    yield (
        f"{name} ({where}), body of {size}: {estimate.cycles:.1f} cycles, IPC {estimate.ipc:.2f}; "
        f"resources alone {estimate.block_rthroughput:.1f} cycles, {estimate.uops:.0f} uops at "
        f"{estimate.dispatch_width} per cycle; limited by {estimate.bottleneck}"
    )
    notes = []
    if machine.n_blocks > 1:
        notes.append("its branches are taken as a straight line, so this is too much")
    if any(one.text.startswith(("call", "bl ", "blr")) for one in machine.instructions):
        notes.append("calls count as one cycle, so this is too little")
    if notes:
        yield f"  {'; '.join(notes)}"
    ports = ", ".join(f"{port} {cycles:.1f}" for port, cycles in estimate.ports[:_MOST_PORTS])
    waits = ", ".join(f"{what.lower()} {share:.0f}%" for what, share in estimate.pressure if share >= _TELLING_PERCENT)
    yield f"  busiest: {ports}" + (f"; waits for: {waits}" if waits else "")
    if estimate.critical:
        steps = [_step(machine, step.index, step.why, redaction) for step in estimate.critical]
        more = f" -> {len(steps) - _MOST_STEPS} more" if len(steps) > _MOST_STEPS else ""
        yield f"  critical chain: {' -> '.join(steps[:_MOST_STEPS])}{more}"
    if instructions:
        for one in machine.instructions:
            yield f"    {redaction.assembly(one.text)}  ; line {one.line or '?'}"


def _inner(machine: MachineLoop) -> str:
    lines = machine.inner_lines
    return f" from lines {min(lines)}-{max(lines)}" if lines else ""


def _step(machine: MachineLoop, index: int, why: str, redaction: Redaction) -> str:
    one = machine.instructions[index]
    needs = f" [{redaction.assembly('needs ' + why)}]" if why else ""
    return f"{redaction.assembly(one.text)} line {one.line or '?'}{needs}"
