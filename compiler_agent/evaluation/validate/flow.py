"""The shape of a function: the order of its blocks, which edges go back, and what is live where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler_agent.evaluation.validate.ir import Function, Instruction, Operand


@dataclass(frozen=True, slots=True)
class Flow:
    """Of one function."""

    order: Mapping[int, int]
    """Reachable blocks, by a number that grows along every edge that does not go back."""
    heads: frozenset[int]
    """Where edges that go back lead: every cycle goes through one of them."""
    loops: Mapping[int, frozenset[int]]
    """By head: the blocks that can run between two arrivals at it, itself included."""
    live: Mapping[int, frozenset[int]]
    """Numbers of the arguments and instructions that are used at or after each block's start (its phis left out)."""


def flow_of(function: Function) -> Flow:
    """Computes it."""
    successors = [block[-1].successors for block in function.blocks]
    order: list[int] = []
    seen = {0}
    stack = [(0, iter(successors[0]))]
    while stack:
        block, rest = stack[-1]
        for successor in rest:
            if successor not in seen:
                seen.add(successor)
                stack.append((successor, iter(successors[successor])))
                break
        else:
            order.append(block)
            stack.pop()
    order.reverse()
    position = {block: index for index, block in enumerate(order)}
    heads = frozenset(to for block in order for to in successors[block] if position[to] <= position[block])
    loops = {head: _loop(head, order, successors, position) for head in heads}
    return Flow(position, heads, loops, _liveness(function, order))


def _loop(
    head: int, order: list[int], successors: Sequence[Sequence[int]], position: Mapping[int, int]
) -> frozenset[int]:
    """Blocks from which the head can be reached again without passing it, backwards from the edges that go back."""
    origins: dict[int, list[int]] = {}
    for block in order:
        for to in successors[block]:
            origins.setdefault(to, []).append(block)
    waiting = [block for block in origins.get(head, ()) if position[head] <= position[block]]
    found = {head}
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            waiting += origins.get(block, ())
    return frozenset(found)


def _liveness(function: Function, order: list[int]) -> Mapping[int, frozenset[int]]:
    defined: dict[int, set[int]] = {}
    used: dict[int, set[int]] = {}
    at_end: dict[int, set[int]] = {block: set() for block in order}  # what the phis of successors read
    for block in order:
        defined[block] = {one.number for one in function.blocks[block]}
        used[block] = set()
        for one in function.blocks[block]:
            for index, operand in enumerate(_operands(one)):
                if operand[0] != "v":
                    continue
                if one.op == "phi":
                    origin = one.details["from"][index]
                    if origin in at_end:
                        at_end[origin].add(operand[1])
                else:
                    used[block].add(operand[1])
    live: dict[int, set[int]] = {block: set() for block in order}
    changed = True
    while changed:
        changed = False
        for block in reversed(order):
            after = set(at_end[block])
            for successor in function.blocks[block][-1].successors:
                after |= live[successor]
            before = (used[block] | after) - defined[block]
            if before - live[block]:
                live[block] |= before
                changed = True
    return {block: frozenset(numbers) for block, numbers in live.items()}


def _operands(one: Instruction) -> list[Operand]:
    found = list(one.operands)
    if "callee" in one.details:
        found.append(one.details["callee"])
    found += [step[0] for step in one.details.get("steps", ())]
    return found
