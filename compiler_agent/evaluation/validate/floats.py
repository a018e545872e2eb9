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
from compiler_agent.evaluation.validate.terms import FALSE, Bits, Bool, bits, conj, disj, equal, fold, neg
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


def _some_nan(side: Side, type_: str, value: Bits, inputs: list[Bits], nan: Bool | None = None) -> Bits:
    """The value; where it is a NaN, one of those that the program may choose.

    It is the preferred NaN or an input NaN, quieted or as it is, each with any sign.

    Args:
        side: Who chooses.
        type_: The result's type.
        value: The result's bits.
        inputs: The operands' bits, converted to the result's type if they are NaNs.
        nan: When the result is a NaN; None: when its bits say so.
    """
    fraction, width = _fraction_bits(type_), value.size()
    quiet = 1 << (fraction - 1)
    preferred = bits(((1 << _SORTS[type_][0]) - 1) << fraction | quiet, width)
    choice = side.choice("nan", 4)
    which, result = z3.Extract(3, 1, choice), preferred
    for index, operand in enumerate(inputs):
        given = is_nan(type_, operand)
        result = z3.If(z3.And(which == 2 * index + 1, given), operand | quiet, result)
        result = z3.If(z3.And(which == 2 * index + 2, given), operand, result)
    result = z3.Concat(z3.Extract(0, 0, choice), z3.Extract(width - 2, 0, result))
    return z3.If(is_nan(type_, value) if nan is None else nan, result, value)


def _exact(side: Side, type_: str, value: Any, inputs: list[Bits]) -> Bits:
    """The bits of a z3 floating-point term."""
    return _some_nan(side, type_, z3.fpToIEEEBV(value), inputs, z3.fpIsNaN(value))


def _carried(from_: str, to: str, term: Bits) -> Bits:
    """A NaN's bits in another type: the payload is padded or cut at its low end."""
    have, want = _fraction_bits(from_), _fraction_bits(to)
    payload = z3.Extract(have - 1, 0, term)
    if want >= have:
        moved = z3.Concat(payload, bits(0, want - have)) if want > have else payload
    else:
        moved = z3.Extract(have - 1, have - want, payload)
    ones = bits((1 << _SORTS[to][0]) - 1, _SORTS[to][0])
    infinite = z3.Extract(have + _SORTS[from_][0] - 1, have, term) == (1 << _SORTS[from_][0]) - 1
    return z3.Concat(bits(0, 1), z3.If(infinite, ones, ones & 0), moved)


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
    inputs = [left, right]
    if side.world.exact:
        side.world.floating = True
        sort = _sort(type_)
        return Result(_exact(side, type_, _BINARY[op](z3.fpBVToFP(left, sort), z3.fpBVToFP(right, sort)), inputs))
    side.world.abstracted = True
    if op in ("fadd", "fmul") and left.get_id() > right.get_id():
        left, right = right, left
    value = z3.Function(f"{op}!{type_}", left.sort(), left.sort(), left.sort())(left, right)
    return Result(_some_nan(side, type_, value, inputs))


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


def _less(left: Bits, right: Bits) -> Bool:
    """Whether one is below the other, neither being a NaN: the bits in the order of the numbers."""
    top = left.size() - 1

    def key(term: Bits) -> Bits:
        return z3.If(z3.Extract(top, top, term) == 1, ~term, term | (1 << top))

    both_zero = conj(equal(absolute(left), left & 0), equal(absolute(right), right & 0))
    return conj(z3.ULT(key(left), key(right)), neg(both_zero))


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
        less = _less(right, left)
    elif relation in ("lt", "ge"):
        less = _less(left, right)
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
        if op in ("fpext", "fptrunc"):
            value = _some_nan(side, to, value, [_carried(from_, to, term)])
        return Result(value, poison)
    side.world.floating = True
    if op in ("sitofp", "uitofp"):
        convert_to = z3.fpSignedToFP if op == "sitofp" else z3.fpUnsignedToFP
        return Result(z3.fpToIEEEBV(convert_to(_ROUND, term, _sort(to))), poison)
    number = z3.fpBVToFP(term, _sort(from_))
    if op in ("fpext", "fptrunc"):
        return Result(_exact(side, to, z3.fpFPToFP(_ROUND, number, _sort(to)), [_carried(from_, to, term)]))
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
