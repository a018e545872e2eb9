"""Integer instructions: their result, when it is poison, and when they have no meaning.

Source: LLVM Language Reference, "Binary Operations", "Bitwise Binary Operations", "Conversion Operations" (LLVM 22).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.terms import FALSE, Bits, Bool, bits, conj, disj, equal, fold, ite, neg
from compiler_agent.evaluation.validate.values import Unsupported
from compiler_agent.evaluation.validate.world import World


@dataclass(frozen=True, slots=True)
class Result:
    """What an instruction does with operands that are not poison."""

    bits: Bits
    """The value."""
    poison: Bool = FALSE
    """When it is poison."""
    undefined: Bool = FALSE
    """When the behaviour is undefined."""


def binary(world: World, op: str, left: Bits, right: Bits, flags: frozenset[str]) -> Result:
    """A binary operation on integers.

    Raises:
        Unsupported: It is not known.
    """
    width = left.size()
    zero = bits(0, width)
    if op in ("add", "sub", "mul"):
        return Result(arithmetic(world, op, left, right), _overflow(world, op, left, right, flags))
    if op in ("udiv", "sdiv", "urem", "srem"):
        undefined = equal(right, zero)
        if op[0] == "s":
            lowest, minus_one = bits(1 << (width - 1), width), bits((1 << width) - 1, width)
            undefined = disj(undefined, conj(equal(left, lowest), equal(right, minus_one)))
        exact = "exact" in flags
        poison = neg(equal(arithmetic(world, op[0] + "rem", left, right), zero)) if exact else FALSE
        return Result(arithmetic(world, op, left, right), poison, undefined)
    if op in ("shl", "lshr", "ashr"):
        return _shift(op, left, right, flags)
    if op == "and":
        return Result(fold(left & right, left, right))
    if op == "or":
        poison = neg(equal(fold(left & right, left, right), zero)) if "disjoint" in flags else FALSE
        return Result(fold(left | right, left, right), poison)
    if op == "xor":
        return Result(fold(left ^ right, left, right))
    raise Unsupported(op)


_EXACT: dict[str, Callable[[Bits, Bits], Bits]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "udiv": z3.UDiv,
    "sdiv": lambda a, b: a / b,
    "urem": z3.URem,
    "srem": z3.SRem,
}
_CHEAP_BITS = 8


def arithmetic(world: World, op: str, left: Bits, right: Bits) -> Bits:
    """The value of an operation; an uninterpreted function of its operands where the exact one is dear."""
    constants = sum(isinstance(term, z3.BitVecNumRef) for term in (left, right))
    dear = op not in ("add", "sub") and left.size() > _CHEAP_BITS
    cheap = constants == 2 or (op == "mul" and constants == 1) or _power_of_two(op, right)
    if not dear or cheap or world.exact:
        return fold(_EXACT[op](left, right), left, right)
    world.abstracted = True
    if op == "mul" and left.ast.value > right.ast.value:
        left, right = right, left
    sort = left.sort()
    return z3.Function(f"{op}!{left.size()}", sort, sort, sort)(left, right)


def _power_of_two(op: str, right: Bits) -> bool:
    number = terms.constant(right)
    return op in ("udiv", "urem") and number is not None and number > 0 and number & (number - 1) == 0


def _overflow(world: World, op: str, left: Bits, right: Bits, flags: frozenset[str]) -> Bool:
    found = FALSE
    if "nuw" in flags:
        found = disj(found, overflows(world, "u" + op, left, right))
    if "nsw" in flags:
        found = disj(found, overflows(world, "s" + op, left, right))
    return found


def overflows(world: World, op: str, left: Bits, right: Bits) -> Bool:
    """Whether the exact result does not fit: op is uadd, sadd, usub, ssub, umul or smul."""
    width = left.size()
    signed = op[0] == "s"
    if op[1:] == "mul":
        constants = sum(isinstance(term, z3.BitVecNumRef) for term in (left, right))
        if not world.exact and width > _CHEAP_BITS and constants == 0:
            world.abstracted = True
            if left.ast.value > right.ast.value:
                left, right = right, left
            return z3.Function(f"{op}!overflow!{width}", left.sort(), left.sort(), z3.BoolSort())(left, right)
        wide = 2 * width
        product = terms.resize(left, wide, signed=signed) * terms.resize(right, wide, signed=signed)
        back = terms.resize(z3.Extract(width - 1, 0, product), wide, signed=signed)
        return simplified(product != back, left, right)
    if op == "uadd":
        return simplified(z3.ULT(left + right, left), left, right)
    if op == "usub":
        return simplified(z3.ULT(left, right), left, right)
    wide_left, wide_right = z3.SignExt(1, left), z3.SignExt(1, right)
    result = wide_left + wide_right if op == "sadd" else wide_left - wide_right
    return simplified(z3.Extract(width, width, result) != z3.Extract(width - 1, width - 1, result), left, right)


def simplified(condition: Bool, *operands: Bits) -> Bool:
    """The condition, computed if all operands are constants."""
    return fold(condition, *operands)


def _shift(op: str, left: Bits, right: Bits, flags: frozenset[str]) -> Result:
    width = left.size()
    poison = simplified(z3.UGE(right, width), right) if (1 << width) > width else FALSE
    if op == "shl":
        value = fold(left << right, left, right)
        if "nuw" in flags:
            poison = disj(poison, simplified(z3.LShR(value, right) != left, left, right))
        if "nsw" in flags:
            poison = disj(poison, simplified((value >> right) != left, left, right))
        return Result(value, poison)
    value = fold(z3.LShR(left, right) if op == "lshr" else left >> right, left, right)
    if "exact" in flags:
        poison = disj(poison, simplified((value << right) != left, left, right))
    return Result(value, poison)


def cast(op: str, term: Bits, width: int, flags: frozenset[str]) -> Result:
    """A conversion between integers.

    Raises:
        Unsupported: It is not known.
    """
    if op == "zext":
        poison = simplified(term < 0, term) if "nneg" in flags else FALSE
        return Result(terms.resize(term, width), poison)
    if op == "sext":
        return Result(terms.resize(term, width, signed=True))
    if op == "trunc":
        value, poison = terms.resize(term, width), FALSE
        if "nuw" in flags:
            poison = disj(poison, neg(equal(terms.resize(value, term.size()), term)))
        if "nsw" in flags:
            poison = disj(poison, neg(equal(terms.resize(value, term.size(), signed=True), term)))
        return Result(value, poison)
    raise Unsupported(op)


_COMPARISONS: dict[str, Callable[[Bits, Bits], Bool]] = {
    "ugt": z3.UGT,
    "uge": z3.UGE,
    "ult": z3.ULT,
    "ule": z3.ULE,
    "sgt": lambda a, b: a > b,
    "sge": lambda a, b: a >= b,
    "slt": lambda a, b: a < b,
    "sle": lambda a, b: a <= b,
}


def compare(predicate: str, left: Bits, right: Bits) -> Bool:
    """A comparison of integers.

    Raises:
        Unsupported: It is not known.
    """
    if predicate == "eq":
        return equal(left, right)
    if predicate == "ne":
        return neg(equal(left, right))
    if predicate not in _COMPARISONS:
        raise Unsupported(f"icmp {predicate}")
    if terms.same(left, right):
        return z3.BoolVal("e" in predicate[1:])
    return simplified(_COMPARISONS[predicate](left, right), left, right)


def as_bit(condition: Bool) -> Bits:
    """A condition as an i1."""
    return ite(condition, bits(1, 1), bits(0, 1))


def as_condition(bit: Bits) -> Bool:
    """An i1 as a condition."""
    if z3.is_app_of(bit, z3.Z3_OP_ITE):
        yes, no = terms.constant(bit.arg(1)), terms.constant(bit.arg(2))
        if yes == 1 and no == 0:
            return bit.arg(0)
        if yes == 0 and no == 1:
            return neg(bit.arg(0))
    return equal(bit, bits(1, 1))
