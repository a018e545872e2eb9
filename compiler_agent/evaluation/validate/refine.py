"""Asks z3 whether the target can do what the source cannot.

Both run from equal states. The target's events (calls, returns, undefined behaviour) are each compared with the
source's event at the same place of the order; undefined behaviour of the source excuses everything from there on.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.events import CUT_OFF, Call, Exit
from compiler_agent.evaluation.validate.execute import Execution
from compiler_agent.evaluation.validate.loops import Arrival, Pair, Plan, Variable, converted, pairs_of
from compiler_agent.evaluation.validate.memory import Memory
from compiler_agent.evaluation.validate.question import Answer
from compiler_agent.evaluation.validate.terms import FALSE, TRUE, Bits, Bool, bits, conj, disj, equal, neg
from compiler_agent.evaluation.validate.values import (
    ADDRESS_BITS,
    BLOCK_BITS,
    Number,
    Pointer,
    Value,
    all_choices,
    any_poison,
    place,
    refines,
    transform,
)
from compiler_agent.evaluation.validate.world import World


class Strictness(enum.Enum):
    """Which differences count."""

    ALL = "all"
    """Every one that LLVM's definition knows."""
    BITS = "bits"
    """All but those in the provenance of pointers and of bytes in memory."""
    MACHINE = "machine"
    """Only those that a machine shows: poison is what its bits are, and of the target's undefined behaviour only
    divisions."""


_TRAPPING = frozenset(("udiv", "sdiv", "urem", "srem"))
"""Instructions that end the program where they have no meaning."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what it rests on."""

    answer: Answer
    """The answer."""
    reason: str
    """Why it is not known, or what differs."""
    counterexample: tuple[tuple[str, str], ...] = ()
    """The inputs, where there are any."""
    observable: bool | None = None
    """Whether a machine shows the difference; None: not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """One way in which the target may be wrong."""

    when: Bool
    """Its condition."""
    what: str
    """It, in words."""


def not_after(left: Bits, right: Bits) -> Bool:
    """Whether one number of calls is not above another."""
    one, two = terms.constant(left), terms.constant(right)
    if one is not None and two is not None:
        return z3.BoolVal(one <= two)
    return z3.ULE(left, right)


def excuse(source: Execution, ends: list[Exit], index: Bits) -> Bool:
    """Whether the source has undefined behaviour by then, or its loops were cut off."""
    found = [conj(one.when, not_after(one.index, index)) for one in source.undefined]
    found += [one.state.reach for one in ends if one.block == CUT_OFF]
    return terms.any_of(found)


def memories_refine(source: Memory, target: Memory, where: Pointer, *, level: Strictness = Strictness.ALL) -> Bool:
    """Whether one byte of memory, at any place, may stand for the source's."""
    if source is target:
        return TRUE
    one, two = source.read_byte(where), target.read_byte(where)
    same = equal(one.value, two.value)
    if level is Strictness.ALL:
        same = conj(same, equal(one.shadow, two.shadow))
    if level is Strictness.MACHINE:
        return disj(one.poison, two.poison, same)
    return disj(one.poison, conj(same, neg(two.poison)))


def differences(
    source: Execution,
    source_ends: list[Exit],
    target: Execution,
    target_ends: list[Exit],
    *,
    level: Strictness = Strictness.ALL,
) -> list[Difference]:
    """All ways in which the target may be wrong, over free inputs, choices and one free place in memory.

    Args:
        source: The source's run.
        source_ends: Where it ends.
        target: The target's run.
        target_ends: Where it ends.
        level: Which differences count.
    """
    anywhere = place(z3.BitVec("any!block", BLOCK_BITS), z3.BitVec("any!position", ADDRESS_BITS))
    # What is left of allocas when the function returns is nobody's.
    outside = place(z3.ZeroExt(1, z3.BitVec("any!outside", BLOCK_BITS - 1)), anywhere.position)
    excuses: dict[int, Bool] = {}

    def excused(index: Bits) -> Bool:
        key = index.ast.value
        if key not in excuses:
            excuses[key] = excuse(source, source_ends, index)
        return excuses[key]

    ours = {(one.when.ast.value, one.index.ast.value) for one in source.undefined}
    found = [
        Difference(conj(one.when, neg(excused(one.index))), f"undefined behaviour in the target: {one.what}")
        for one in target.undefined
        # The very same is its own excuse.
        if not (level is Strictness.MACHINE and one.what not in _TRAPPING)
        and (one.when.ast.value, one.index.ast.value) not in ours
    ]
    found += arrivals_differ(source, target, excused)
    for call in target.calls:
        good = [_same_call(one, call, anywhere, level, source.world) for one in source.calls]
        found.append(
            Difference(conj(call.when, neg(excused(call.index)), neg(terms.any_of(good))), f"call of {call.key[1]}")
        )
    for end in target_ends:
        good = [_same_end(one, end, outside, level, source.world) for one in source_ends]
        what = "loops were cut off" if end.block == CUT_OFF else "result or memory"
        bad = conj(end.state.reach, neg(excused(end.state.index)), neg(terms.any_of(good)))
        found.append(Difference(bad, what))
    return [one for one in found if not terms.is_false(one.when)]


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Something that the plan of the loops assumes, and when it does not hold."""

    when: Bool
    """The condition."""
    refuse: Callable[[Plan], None]
    """Gives the assumption up."""


def arrivals_differ(source: Execution, target: Execution, excused: Callable[[Bits], Bool]) -> list[Difference]:
    """When the target reaches a loop that the source does not reach, or with another memory."""
    anywhere = place(z3.BitVec("any!block", BLOCK_BITS), z3.BitVec("any!position", ADDRESS_BITS))
    found = []
    for one in target.arrivals:
        good = []
        for other in source.arrivals:
            if (other.head, other.back) == (one.head, one.back) and (other.progress or not one.progress):
                matched = together(other.when, other.index, one.when, one.index)
                if target.plan is not None and one.head in target.plan.written:
                    matched = conj(matched, memories_refine(other.memory, one.memory, anywhere))
                good.append(matched)
        found.append(Difference(conj(one.when, neg(excused(one.index)), neg(terms.any_of(good))), "a loop"))
    return found


def doubts(source: Execution, source_ends: list[Exit], target: Execution) -> list[Doubt]:
    """Each assumption that the plan makes where both sides reach the head of a loop, with its negation."""
    plan = target.plan
    assert plan is not None
    found: list[Doubt] = []
    for one in target.arrivals:
        for other in source.arrivals:
            if (other.head, other.back) != (one.head, one.back):
                continue
            here = conj(
                one.when, other.when, equal(other.index, one.index), neg(excuse(source, source_ends, one.index))
            )
            if not terms.is_false(here):
                found += _doubts_at(source, target, plan, other, one, here)
    for run in (source, target):
        found += _moves(run, plan)
    return [doubt for doubt in found if not terms.is_false(doubt.when)]


def _doubts_at(
    source: Execution, target: Execution, plan: Plan, ours: Arrival, theirs: Arrival, here: Bool
) -> Iterator[Doubt]:
    for pair in pairs_of(theirs.head, ours.values, theirs.values):
        if pair in plan.refused:
            continue
        value = converted(ours.values[pair[1]], theirs.values[pair[2]], pair[3])
        assert value is not None
        like = theirs.values[pair[2]]
        held = refines(value, like)
        first = next((one for one in target.arrivals if one.head == theirs.head and not one.back), theirs)
        held = conj(held, _stands_for(pair, first.used, value, like))
        if all_choices(like):  # the same for all uses to come
            held = conj(held, disj(any_poison(value), refines(like, target.side.use(like))))
        yield Doubt(conj(here, neg(held)), partial(_refuse, pair))
    for order, ((our_block, our), (their_block, their)) in enumerate(zip(ours.private, theirs.private, strict=False)):
        if (theirs.head, order) in plan.parted:
            continue
        position = z3.BitVec("any!position", ADDRESS_BITS)
        one = our.read_byte(place(bits(our_block, BLOCK_BITS), position))
        two = their.read_byte(place(bits(their_block, BLOCK_BITS), position))
        inside = z3.ULT(position, source.world.size_of(bits(their_block, BLOCK_BITS)))
        same = conj(equal(one.value, two.value), equal(one.shadow, two.shadow), neg(two.poison))
        held = disj(one.poison, same)
        yield Doubt(conj(here, inside, neg(held)), partial(_part, (theirs.head, order)))


def _stands_for(pair: Pair, used: tuple[Pair, ...], value: Value, like: Value) -> Bool:
    """Where the source's variable is poison it is taken to be what the target has: possible, and the same for all."""
    poison = any_poison(value)
    if terms.is_false(poison):
        return TRUE
    if pair in used and next(one for one in used if one[1] == pair[1]) != pair:
        return neg(poison)
    if pair[3] == "same" or not isinstance(like, Number) or not isinstance(value, Number):
        return TRUE
    return neg(poison)


def _moves(run: Execution, plan: Plan) -> Iterator[Doubt]:
    """Pointers that are taken to stay in the block that they point into when a loop is entered."""
    first = {one.head: one for one in run.arrivals if not one.back}
    for one in run.arrivals:
        for variable, value in one.values.items():
            key = (one.head, run.side.name, variable)
            start = first[one.head].after.get(variable)
            if one.back and isinstance(value, Pointer) and isinstance(start, Pointer) and key not in plan.moved:
                held = disj(equal(value.block, start.block), value.poison)
                yield Doubt(conj(one.when, neg(held)), partial(_move, key))


def _refuse(pair: Pair, plan: Plan) -> None:
    plan.refused.add(pair)


def _part(key: tuple[int, int], plan: Plan) -> None:
    plan.parted.add(key)


def _move(key: tuple[int, str, Variable], plan: Plan) -> None:
    plan.moved.add(key)


def values_refine(source: Value, target: Value, level: Strictness, world: World) -> Bool:
    """Whether a value may stand for another, as strictly as is asked for."""
    lenient = level is Strictness.MACHINE
    if level is Strictness.ALL:
        return refines(source, target)
    return refines(_addresses(source, world), _addresses(target, world), lenient=lenient)


def _addresses(value: Value, world: World) -> Value:
    """A value whose pointers are the numbers that they are at run time."""

    def number(one: Number | Pointer) -> Value:
        return Number(world.address(one), one.poison, one.choices) if isinstance(one, Pointer) else one

    return transform(value, number)


def _same_call(source: Call, target: Call, anywhere: Pointer, level: Strictness, world: World) -> Bool:
    if source.key != target.key or not source.arguments_alike(target.arguments) or not target.claims <= source.claims:
        return FALSE
    matched = together(source.when, source.index, target.when, target.index)
    if terms.is_false(matched):
        return FALSE
    same = [values_refine(one, two, level, world) for one, two in zip(source.arguments, target.arguments, strict=True)]
    if (source.after is None) != (target.after is None) and target.after is not None:
        return FALSE
    if target.memory is not None:
        if source.memory is None:
            return FALSE
        same.append(memories_refine(source.memory, target.memory, anywhere, level=level))
    return conj(matched, *same)


def together(when: Bool, index: Bits, target_when: Bool, target_index: Bits) -> Bool:
    """Whether the source's event is at the target's place, given that the target's happens."""
    same_when = TRUE if terms.same(when, target_when) else when
    return conj(same_when, equal(index, target_index))


def _same_end(source: Exit, target: Exit, outside: Pointer, level: Strictness, world: World) -> Bool:
    if source.block is not None or target.block is not None:
        return FALSE
    one, two = source.state, target.state
    same = together(one.reach, one.index, two.reach, two.index)
    same = conj(same, memories_refine(one.memory, two.memory, outside, level=level))
    if source.value is not None and target.value is not None:
        same = conj(same, values_refine(source.value, target.value, level, world))
    return same
