"""Loops without unrolling: both sides are cut at the heads of their loops, where they are compared like calls.

The arrival at a head is an event. What the loop changes is forgotten there; what is assumed instead is that certain
variables of both sides agree (`Plan.pairs`) and that memory does. The same is then an obligation wherever a head is
reached, so that the proof is one by induction over the rounds. Which variables agree is found by assuming all of them
to, and giving up those for which a counterexample is found, until none is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.allocas import Kept
from compiler_agent.evaluation.validate.events import State
from compiler_agent.evaluation.validate.ir import Function, Instruction, Operand
from compiler_agent.evaluation.validate.memory import Initial, Memory, Own
from compiler_agent.evaluation.validate.terms import Bits, Bool, bits
from compiler_agent.evaluation.validate.values import (
    ADDRESS_BITS,
    BLOCK_BITS,
    Aggregate,
    Number,
    Pointer,
    Value,
    place,
)
from compiler_agent.evaluation.validate.world import Side

Variable = tuple[str, int]
"""("phi", its number) or ("slot", the alloca's number)."""
Pair = tuple[int, Variable, Variable, str]
"""The head, a variable of the source, one of the target, and how they agree: "same", "zext" or "sext"."""


@dataclass
class Plan:
    """What is assumed at the heads, numbered in the order in which a run meets them."""

    refused: set[Pair] = field(default_factory=set)
    """Pairs that do not always agree."""
    moved: set[tuple[int, str, Variable]] = field(default_factory=set)
    """Pointers (head, side, variable) that do not stay in the block that they point into at first."""
    parted: set[tuple[int, int]] = field(default_factory=set)
    """Heads and numbers of allocas of their own whose contents do not always agree."""
    written: set[int] = field(default_factory=set)
    """Heads of loops that change memory, on either side."""
    outdated: bool = False
    """Whether the target's run extended the plan after the source's had used it."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Control reaches the head of a loop."""

    head: int
    """Its number."""
    back: bool
    """Whether from inside the loop: then the run ends here."""
    when: Bool
    """The condition."""
    index: Bits
    """Events before it."""
    values: Mapping[Variable, Value]
    """What the loop changes, as it is on arrival."""
    memory: Memory
    """Memory on arrival."""
    private: tuple[tuple[int, Memory], ...]
    """Allocas of its own that the loop changes: block and contents, in order."""
    after: Mapping[Variable, Value]
    """What the variables are from here on, on the first arrival."""
    used: tuple[Pair, ...] = ()
    """For the target: which variables are taken to agree."""
    progress: bool = False
    """Whether the loop is claimed to end or to do something that others see."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a loop changes."""

    variables: tuple[Variable, ...]
    """Phis of its head, and allocas that are registers."""
    private: tuple[int, ...]
    """Numbers of allocas with memory of their own."""
    memory: bool
    """Whether anything that others see."""
    lifetimes: frozenset[int]
    """Allocas whose lifetime begins or ends in it."""


def written(function: Function, kept: Mapping[int, Kept], head: int, loop: frozenset[int]) -> Written:
    """Reads it off the instructions."""
    slots: set[int] = set()
    private: set[int] = set()
    lifetimes: set[int] = set()
    memory = False
    for one in (one for block in sorted(loop) for one in function.blocks[block]):
        for target in _targets(one):
            if target[0] == "any":
                memory = True
                continue
            root = _root(function, target)
            how = None if root is None else kept.get(root)
            if root is None or how is None or how is Kept.SHARED:
                memory = True
            elif how is Kept.SLOT:
                slots.add(root)
            else:
                private.add(root)
        if one.details.get("intrinsic", "").startswith("llvm.lifetime") and one.operands[-1][0] == "v":
            lifetimes.add(one.operands[-1][1])
    phis = [("phi", one.number) for one in function.blocks[head] if one.op == "phi"]
    return Written(
        (*phis, *(("slot", number) for number in sorted(slots))),
        tuple(sorted(private)),
        memory,
        frozenset(lifetimes),
    )


def _targets(one: Instruction) -> Iterator[Operand]:
    """Addresses that an instruction may write to; ["any"] for everything that others see."""
    if one.op == "store":
        yield one.operands[1]
    elif one.op == "call":
        name = one.details.get("intrinsic", "")
        if name.startswith(("llvm.memcpy", "llvm.memmove", "llvm.memset")):
            yield one.operands[0]
        elif not name:
            yield ["any"]


def _root(function: Function, operand: Operand) -> int | None:
    """The alloca that an address is made from, by address computations only."""
    while operand[0] == "v":
        one = function.instructions.get(operand[1])
        if one is None:
            return None
        if one.op == "alloca":
            return one.number
        if one.op != "getelementptr":
            return None
        operand = one.operands[0]
    return None


def unknown_like(name: str, value: Value) -> Value:
    """Any value of the same shape, poison or not."""
    if isinstance(value, Aggregate):
        return Aggregate(tuple(unknown_like(f"{name}.{index}", part) for index, part in enumerate(value.parts)))
    poison = z3.Bool(f"{name} poison")
    if isinstance(value, Number):
        return Number(z3.BitVec(name, value.bits.size()), poison)
    return place(z3.BitVec(f"{name}!block", BLOCK_BITS), z3.BitVec(f"{name}!position", ADDRESS_BITS), poison)


def converted(value: Value, like: Value, how: str) -> Value | None:
    """The source's variable as the target keeps it; None if it cannot be that."""
    if how == "same":
        if isinstance(value, Number) and isinstance(like, Number) and value.bits.size() == like.bits.size():
            return value
        return value if isinstance(value, Pointer) and isinstance(like, Pointer) else None
    if isinstance(value, Number) and isinstance(like, Number) and 1 < value.bits.size() < like.bits.size():
        return Number(terms.resize(value.bits, like.bits.size(), signed=how == "sext"), value.poison, value.choices)
    return None


def pairs_of(head: int, source: Mapping[Variable, Value], target: Mapping[Variable, Value]) -> Iterator[Pair]:
    """All pairs of variables that could agree."""
    for theirs, like in target.items():
        for ours, value in source.items():
            for how in ("same", "sext", "zext"):
                if converted(value, like, how) is not None:
                    yield head, ours, theirs, how


def forget(
    side: Side,
    plan: Plan,
    head: int,
    frame: int,
    state: State,
    changes: Written,
    values: Mapping[Variable, Value],
    partner: Arrival | None,
) -> tuple[dict[Variable, Value], tuple[Pair, ...]]:
    """New values for what a loop changes: any, or in the target what the source's partner has.

    Args:
        side: Whose loop it is.
        plan: What is assumed.
        head: The loop's number.
        frame: The number of the activation.
        state: On the first arrival; its memory is replaced.
        changes: What the loop changes.
        values: The variables on arrival.
        partner: For the target: the source's first arrival at its loop of this number.
    """
    if changes.memory and head not in plan.written:
        plan.written.add(head)
        plan.outdated = plan.outdated or partner is not None
    after: dict[Variable, Value] = {}
    used: list[Pair] = []
    for variable, value in values.items():
        name = f"head {head} {side.name} {variable[0]} {variable[1]}"
        new: Value | None = None
        if partner is not None:
            assumed = [one for one in pairs_of(head, partner.after, {variable: value}) if one not in plan.refused]
            assumed.sort(key=lambda pair: not _alike(partner.values[pair[1]], value))
            if assumed:
                new = converted(partner.after[assumed[0][1]], value, assumed[0][3])
                used.append(assumed[0])
            for other in assumed[1:]:
                side.world.axioms.append(_agree(new, converted(partner.after[other[1]], value, other[3])))
        if new is None:
            new = unknown_like(name, value)
            if (
                isinstance(new, Pointer)
                and isinstance(value, Pointer)
                and (head, side.name, variable) not in plan.moved
            ):
                new = Pointer(value.block, new.root, 0, new.poison)
        after[variable] = new
    if head in plan.written:
        state.memory = Initial(side, f"head {head}")
    for order, (block, _) in enumerate(private_of(state, changes, frame)):
        shared = (head, order) not in plan.parted and (partner is None or order < len(partner.private))
        state.private[block] = Own(side, f"head {head} own {order}" + ("" if shared else f" {side.name}"))
    state.index = terms.add(state.index, bits(1, state.index.size()))
    return after, tuple(used)


def _alike(source: Value, target: Value) -> bool:
    """Whether two variables are the same term when the loop is entered."""
    if isinstance(source, Number) and isinstance(target, Number):
        return terms.same(source.bits, target.bits)
    if isinstance(source, Pointer) and isinstance(target, Pointer):
        return terms.same(source.block, target.block) and terms.same(source.position, target.position)
    return False


def _agree(one: Value | None, other: Value | None) -> Bool:
    """What follows for two variables of the source if one of the target agrees with both."""
    if isinstance(one, Number) and isinstance(other, Number):
        return terms.disj(one.poison, other.poison, terms.equal(one.bits, other.bits))
    assert isinstance(one, Pointer)
    assert isinstance(other, Pointer)
    same = terms.conj(terms.equal(one.block, other.block), terms.equal(one.position, other.position))
    return terms.disj(one.poison, other.poison, same)


def private_of(state: State, changes: Written, frame: int) -> tuple[tuple[int, Memory], ...]:
    """Blocks and contents of the allocas of its own that a loop changes."""
    numbers = set(changes.private)
    blocks = [
        block
        for key, block in sorted(state.blocks.items())
        if key[0] == frame and key[1] in numbers and block in state.private
    ]
    return tuple((block, state.private[block]) for block in blocks)
