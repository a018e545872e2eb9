"""z3 terms with the obvious foldings done at once, so that what is constant stays constant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import z3

Bool = Any
"""A z3 term of sort Bool."""
Bits = Any
"""A z3 term of a bit-vector sort."""

TRUE: Bool = z3.BoolVal(True)
FALSE: Bool = z3.BoolVal(False)


# Equal terms are one term in z3: identity is a comparison of addresses, and much cheaper than asking z3.
_TRUE_AT: int = TRUE.ast.value
_FALSE_AT: int = FALSE.ast.value


def is_true(term: Bool) -> bool:
    """Whether it is the constant true."""
    return bool(term.ast.value == _TRUE_AT)


def is_false(term: Bool) -> bool:
    """Whether it is the constant false."""
    return bool(term.ast.value == _FALSE_AT)


def is_not(term: Bool) -> bool:
    """Whether it is a negation."""
    context = term.ctx.ref()
    return bool(
        z3.Z3_is_app(context, term.ast)
        and z3.Z3_get_decl_kind(context, z3.Z3_get_app_decl(context, term.ast)) == z3.Z3_OP_NOT
    )


def same(left: Any, right: Any) -> bool:
    """Whether two terms are one."""
    return bool(left.ast.value == right.ast.value)


def conj(*terms: Bool) -> Bool:
    """All of them."""
    return all_of(terms)


def all_of(terms: Iterable[Bool]) -> Bool:
    """All of them; true for none."""
    kept: dict[int, Bool] = {}
    for term in terms:
        if is_false(term):
            return FALSE
        if not is_true(term):
            kept[term.ast.value] = term
    for term in kept.values():
        if is_not(term) and term.arg(0).ast.value in kept:
            return FALSE
    if not kept:
        return TRUE
    return next(iter(kept.values())) if len(kept) == 1 else z3.And(*kept.values())


def disj(*terms: Bool) -> Bool:
    """At least one of them."""
    return any_of(terms)


def any_of(terms: Iterable[Bool]) -> Bool:
    """At least one of them; false for none."""
    kept: dict[int, Bool] = {}
    for term in terms:
        if is_true(term):
            return TRUE
        if not is_false(term):
            kept[term.ast.value] = term
    for term in kept.values():
        if is_not(term) and term.arg(0).ast.value in kept:
            return TRUE
    if not kept:
        return FALSE
    return next(iter(kept.values())) if len(kept) == 1 else z3.Or(*kept.values())


def neg(term: Bool) -> Bool:
    """Not it."""
    if is_true(term):
        return FALSE
    if is_false(term):
        return TRUE
    return term.arg(0) if is_not(term) else z3.Not(term)


def ite(condition: Bool, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`; both of one sort."""
    if is_true(condition) or same(yes, no):
        return yes
    if is_false(condition):
        return no
    if z3.is_bool(yes):
        if is_true(yes):
            return disj(condition, no)
        if is_false(yes):
            return conj(neg(condition), no)
        if is_true(no):
            return disj(neg(condition), yes)
        if is_false(no):
            return conj(condition, yes)
    return z3.If(condition, yes, no)


def bits(value: int, width: int) -> Bits:
    """A constant."""
    return z3.BitVecVal(value, width)


def constant(term: Bits) -> int | None:
    """The unsigned value of a constant; None for any other term."""
    return term.as_long() if isinstance(term, z3.BitVecNumRef) else None


def fold(term: Any, *operands: Bits) -> Any:
    """The term, computed if all its operands are constants."""
    return z3.simplify(term) if all(isinstance(operand, z3.BitVecNumRef) for operand in operands) else term


def equal(left: Any, right: Any) -> Bool:
    """Whether two terms of one sort are equal."""
    if same(left, right):
        return TRUE
    if isinstance(left, z3.BitVecNumRef) and isinstance(right, z3.BitVecNumRef):
        return FALSE
    return left == right


def add(left: Bits, right: Bits) -> Bits:
    """The sum, modulo the width."""
    if constant(right) == 0:
        return left
    if constant(left) == 0:
        return right
    return fold(left + right, left, right)


def resize(term: Bits, width: int, *, signed: bool = False) -> Bits:
    """Truncated or extended to a width."""
    have = term.size()
    if have == width:
        return term
    if have > width:
        return fold(z3.Extract(width - 1, 0, term), term)
    return fold(z3.SignExt(width - have, term) if signed else z3.ZeroExt(width - have, term), term)


def join(parts: list[Bits]) -> Bits:
    """Bytes, the least significant first, as one number."""
    return parts[0] if len(parts) == 1 else fold(z3.Concat(*reversed(parts)), *parts)


def part(term: Bits, low: int, width: int) -> Bits:
    """`width` bits from bit `low` on."""
    if low == 0 and term.size() == width:
        return term
    return fold(z3.Extract(low + width - 1, low, term), term)
