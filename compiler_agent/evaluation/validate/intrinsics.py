"""Intrinsics on integers that compute a value and nothing else.

Source: LLVM Language Reference, "Standard C/C++ Library Intrinsics", "Bit Manipulation Intrinsics", "Arithmetic with
Overflow Intrinsics", "Saturation Arithmetic Intrinsics" (LLVM 22).
"""

from __future__ import annotations

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.integers import Result, arithmetic, compare, overflows, simplified
from compiler_agent.evaluation.validate.terms import FALSE, Bits, Bool, bits, equal, fold, ite
from compiler_agent.evaluation.validate.values import Unsupported
from compiler_agent.evaluation.validate.world import World

_MIN_MAX = {"llvm.umax": "ugt", "llvm.umin": "ult", "llvm.smax": "sgt", "llvm.smin": "slt"}
ELEMENTWISE = frozenset(
    (
        *_MIN_MAX,
        *("llvm.abs", "llvm.ctpop", "llvm.ctlz", "llvm.cttz", "llvm.bswap", "llvm.bitreverse", "llvm.fshl"),
        *("llvm.fshr", "llvm.uadd.sat", "llvm.usub.sat", "llvm.sadd.sat", "llvm.ssub.sat", "llvm.ushl.sat"),
        *("llvm.sshl.sat", "llvm.ucmp", "llvm.scmp"),
    )
)
"""What `elementwise` knows."""
OVERFLOW = {f"llvm.{sign}{op}.with.overflow": sign + op for sign in "us" for op in ("add", "sub", "mul")}
"""Intrinsics that return a value and whether it overflowed."""


def elementwise(world: World, name: str, values: list[Bits], width: int) -> Result:
    """The result of an intrinsic on one element.

    Args:
        world: What both sides see.
        name: The intrinsic, without its types.
        values: Its operands' bits.
        width: Of the result.

    Raises:
        Unsupported: It is not known.
    """
    first = values[0]
    have = first.size()
    if name in _MIN_MAX:
        return Result(ite(compare(_MIN_MAX[name], first, values[1]), first, values[1]))
    if name == "llvm.abs":
        lowest = equal(first, bits(1 << (have - 1), have))
        flag = terms.constant(values[1])
        return Result(ite(compare("slt", first, bits(0, have)), fold(-first, first), first), lowest if flag else FALSE)
    if name == "llvm.ctpop":
        return Result(_count(first))
    if name in ("llvm.ctlz", "llvm.cttz"):
        zero = equal(first, bits(0, have)) if terms.constant(values[1]) else FALSE
        return Result(_leading(first) if name == "llvm.ctlz" else _trailing(first), zero)
    if name == "llvm.bswap":
        return Result(terms.join([z3.Extract(at + 7, at, first) for at in reversed(range(0, have, 8))]))
    if name == "llvm.bitreverse":
        return Result(terms.join([z3.Extract(at, at, first) for at in reversed(range(have))]))
    if name in ("llvm.fshl", "llvm.fshr"):
        return Result(_funnel(name == "llvm.fshl", first, values[1], values[2]))
    if name.endswith(".sat"):
        return _saturating(world, name.split(".")[1], first, values[1])
    if name in ("llvm.ucmp", "llvm.scmp"):
        less = compare(f"{name[5]}lt", first, values[1])
        minus_one = bits((1 << width) - 1, width)
        same = equal(first, values[1])
        return Result(ite(less, minus_one, ite(same, bits(0, width), bits(1, width))))
    raise Unsupported(name)


def with_overflow(world: World, name: str, left: Bits, right: Bits) -> tuple[Bits, Bool]:
    """The value, and whether it overflowed."""
    op = OVERFLOW[name]
    return arithmetic(world, op[1:], left, right), overflows(world, op, left, right)


def _count(term: Bits) -> Bits:
    width = term.size()
    total = bits(0, width)
    for at in range(width):
        total = total + terms.resize(z3.Extract(at, at, term), width)
    return fold(total, term)


def _leading(term: Bits) -> Bits:
    width = term.size()
    result = bits(width, width) if width < 1 << width else bits(width % (1 << width), width)
    for at in range(width):
        result = z3.If(z3.Extract(at, at, term) == 1, bits(width - 1 - at, width), result)
    return fold(result, term)


def _trailing(term: Bits) -> Bits:
    width = term.size()
    result = bits(width % (1 << width), width)
    for at in reversed(range(width)):
        result = z3.If(z3.Extract(at, at, term) == 1, bits(at, width), result)
    return fold(result, term)


def _funnel(left: bool, high: Bits, low: Bits, amount: Bits) -> Bits:
    width = high.size()
    amount = fold(z3.URem(amount, bits(width, width)), amount) if width < 1 << width else amount & 0
    wide = z3.Concat(high, low)
    shift = z3.ZeroExt(width, amount)
    if left:
        return fold(z3.Extract(2 * width - 1, width, wide << shift), high, low, amount)
    return fold(z3.Extract(width - 1, 0, z3.LShR(wide, shift)), high, low, amount)


def _saturating(world: World, op: str, left: Bits, right: Bits) -> Result:
    width = left.size()
    top, lowest = bits((1 << (width - 1)) - 1, width), bits(1 << (width - 1), width)
    ones, zero = bits((1 << width) - 1, width), bits(0, width)
    if op in ("ushl", "sshl"):
        value = left << right
        poison = simplified(z3.UGE(right, width), right) if (1 << width) > width else FALSE
        if op == "ushl":
            return Result(fold(z3.If(z3.LShR(value, right) != left, ones, value), left, right), poison)
        limit = z3.If(left < 0, lowest, top)
        return Result(fold(z3.If((value >> right) != left, limit, value), left, right), poison)
    value, beyond = arithmetic(world, op[1:], left, right), overflows(world, op, left, right)
    if op == "uadd":
        return Result(ite(beyond, ones, value))
    if op == "usub":
        return Result(ite(beyond, zero, value))
    return Result(ite(beyond, ite(compare("slt", left, zero), lowest, top), value))
