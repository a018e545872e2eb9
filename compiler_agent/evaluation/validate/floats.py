"""Floating-point instructions in the default environment: IEEE 754, round to nearest, no fast-math.

Values are kept as bits, because loads, stores, selects and phis move bits. Where LLVM leaves the payload of a NaN open
the program has a choice.
Source: LLVM Language Reference, "Floating-Point Environment", "Behavior of Floating-Point NaN values" (LLVM 22).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import z3

from compiler_agent.evaluation.validate.integers import Result
from compiler_agent.evaluation.validate.terms import FALSE, Bits, Bool, conj, disj, equal, fold, neg
from compiler_agent.evaluation.validate.values import Unsupported
from compiler_agent.evaluation.validate.world import Side

_SORTS = {"half": (5, 11), "bfloat": (8, 8), "float": (8, 24), "double": (11, 53)}
_ROUND = z3.RNE()
_TO_ZERO = z3.RTZ()


def _sort(type_: str) -> Any:
    return z3.FPSort(*_SORTS[type_])


def _fraction_bits(type_: str) -> int:
    return _SORTS[type_][1] - 1


def is_nan(type_: str, term: Bits) -> Bool:
    """Whether the bits are those of a NaN."""
    fraction = _fraction_bits(type_)
    exponent = _SORTS[type_][0]
    all_ones = (1 << exponent) - 1
    return conj(z3.Extract(fraction + exponent - 1, fraction, term) == all_ones, z3.Extract(fraction - 1, 0, term) != 0)


def _some_nan(side: Side, type_: str, value: Bits, nan: Bool | None = None) -> Bits:
    """The value; where it is a NaN, one that the program chooses."""
    fraction = _fraction_bits(type_)
    width = value.size()
    pattern = ((1 << _SORTS[type_][0]) - 1) << fraction | 1 << (fraction - 1)
    return z3.If(is_nan(type_, value) if nan is None else nan, side.choice("nan", width) | pattern, value)


def _exact(side: Side, type_: str, value: Any) -> Bits:
    """The bits of a z3 floating-point term."""
    return _some_nan(side, type_, z3.fpToIEEEBV(value), z3.fpIsNaN(value))


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "fadd": lambda a, b: z3.fpAdd(_ROUND, a, b),
    "fsub": lambda a, b: z3.fpSub(_ROUND, a, b),
    "fmul": lambda a, b: z3.fpMul(_ROUND, a, b),
    "fdiv": lambda a, b: z3.fpDiv(_ROUND, a, b),
}


def binary(side: Side, op: str, type_: str, left: Bits, right: Bits) -> Result:
    """fadd, fsub, fmul or fdiv.

    Raises:
        Unsupported: It is another operation.
    """
    if op not in _BINARY:
        raise Unsupported(op)
    if side.world.exact:
        sort = _sort(type_)
        return Result(_exact(side, type_, _BINARY[op](z3.fpBVToFP(left, sort), z3.fpBVToFP(right, sort))))
    side.world.abstracted = True
    if op in ("fadd", "fmul") and left.get_id() > right.get_id():
        left, right = right, left
    value = z3.Function(f"{op}!{type_}", left.sort(), left.sort(), left.sort())(left, right)
    return Result(_some_nan(side, type_, value))


def negate(term: Bits) -> Bits:
    """fneg: only the sign bit changes."""
    return fold(term ^ (1 << (term.size() - 1)), term)


def absolute(term: Bits) -> Bits:
    """fabs: the sign bit is cleared."""
    return fold(term & ((1 << (term.size() - 1)) - 1), term)


def copysign(term: Bits, sign: Bits) -> Bits:
    """copysign: the sign bit of another."""
    top = term.size() - 1
    return fold(z3.Concat(z3.Extract(top, top, sign), z3.Extract(top - 1, 0, term)), term, sign)


def _less(type_: str, left: Bits, right: Bits) -> Bool:
    sort = _sort(type_)
    return z3.fpLT(z3.fpBVToFP(left, sort), z3.fpBVToFP(right, sort))


def compare(predicate: str, type_: str, left: Bits, right: Bits) -> Bool:
    """fcmp.

    Raises:
        Unsupported: The predicate is not known.
    """
    if predicate in ("true", "false"):
        return z3.BoolVal(predicate == "true")
    nan = disj(is_nan(type_, left), is_nan(type_, right))
    if predicate in ("ord", "uno"):
        return nan if predicate == "uno" else neg(nan)
    zeros = conj(equal(absolute(left), absolute(left) & 0), equal(absolute(right), absolute(right) & 0))
    same = disj(equal(left, right), zeros)
    relation = predicate[1:]
    if relation in ("gt", "le"):
        less = _less(type_, right, left)
    elif relation in ("lt", "ge"):
        less = _less(type_, left, right)
    elif relation in ("eq", "ne"):
        less = FALSE
    else:
        raise Unsupported(f"fcmp {predicate}")
    ordered = {
        "eq": same,
        "ne": neg(same),
        "lt": less,
        "gt": less,
        "ge": neg(less),
        "le": neg(less),
    }[relation]
    return conj(neg(nan), ordered) if predicate[0] == "o" else disj(nan, ordered)


def convert(side: Side, op: str, from_: str, to: str, term: Bits, width: int, flags: frozenset[str]) -> Result:
    """fpext, fptrunc, sitofp, uitofp, fptosi or fptoui.

    Args:
        side: Who converts.
        op: The instruction.
        from_: The operand's type.
        to: The result's type.
        term: The operand's bits.
        width: Of the result.
        flags: The instruction's.

    Raises:
        Unsupported: It is another instruction.
    """
    poison = FALSE
    if op == "uitofp" and "nneg" in flags:
        poison = term < 0
    if not side.world.exact:
        side.world.abstracted = True
        value = z3.Function(f"{op}!{from_}!{to}", term.sort(), z3.BitVecSort(width))(term)
        if op in ("fptosi", "fptoui"):
            poison = z3.Function(f"{op}!{from_}!{to}!poison", term.sort(), z3.BoolSort())(term)
        return Result(_some_nan(side, to, value) if op in ("fpext", "fptrunc") else value, poison)
    if op in ("sitofp", "uitofp"):
        convert_to = z3.fpSignedToFP if op == "sitofp" else z3.fpUnsignedToFP
        return Result(z3.fpToIEEEBV(convert_to(_ROUND, term, _sort(to))), poison)
    number = z3.fpBVToFP(term, _sort(from_))
    if op in ("fpext", "fptrunc"):
        return Result(_exact(side, to, z3.fpFPToFP(_ROUND, number, _sort(to))))
    if op not in ("fptosi", "fptoui"):
        raise Unsupported(op)
    signed = op == "fptosi"
    # The truncated number must fit: compared as floating-point numbers, wide enough for the bounds to be exact.
    wide = z3.FPSort(15, 150)
    whole = z3.fpRoundToIntegral(_TO_ZERO, z3.fpFPToFP(_ROUND, number, wide))
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    bound_low, bound_high = (z3.fpRealToFP(_ROUND, z3.RealVal(bound), wide) for bound in (low, high))
    fits = conj(neg(z3.fpIsNaN(number)), z3.fpLEQ(bound_low, whole), z3.fpLEQ(whole, bound_high))
    to_bits = z3.fpToSBV if signed else z3.fpToUBV
    return Result(to_bits(_TO_ZERO, number, z3.BitVecSort(width)), neg(fits))
