"""z3 terms with the obvious foldings done at once, so that what is constant stays constant."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import z3

Bool = Any
"""A z3 term of sort Bool."""
Bits = Any
"""A z3 term of a bit-vector sort."""

_VALUES: dict[int, tuple[Any, int]] = {}
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


def _nary(make: Any, kept: Iterable[Bool]) -> Bool:
    """A conjunction or disjunction, made without z3's checks of sorts and contexts: that is half of the time."""
    several = list(kept)
    context = several[0].ctx
    array = (z3.Ast * len(several))(*(term.ast for term in several))
    return z3.BoolRef(make(context.ref(), len(several), array), context)


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
    return next(iter(kept.values())) if len(kept) == 1 else _nary(z3.Z3_mk_and, kept.values())


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
    return next(iter(kept.values())) if len(kept) == 1 else _nary(z3.Z3_mk_or, kept.values())


def neg(term: Bool) -> Bool:
    """Not it."""
    if is_true(term):
        return FALSE
    if is_false(term):
        return TRUE
    return term.arg(0) if is_not(term) else z3.BoolRef(z3.Z3_mk_not(term.ctx.ref(), term.ast), term.ctx)


def ite(condition: Bool, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`; both of one sort."""
    if is_true(condition) or same(yes, no):
        return yes
    if is_false(condition):
        return no
    if isinstance(yes, z3.BoolRef):
        if is_true(yes):
            return disj(condition, no)
        if is_false(yes):
            return conj(neg(condition), no)
        if is_true(no):
            return disj(neg(condition), yes)
        if is_false(no):
            return conj(condition, yes)
    made = z3.Z3_mk_ite(condition.ctx.ref(), condition.ast, yes.ast, no.ast)
    return z3.BoolRef(made, yes.ctx) if isinstance(yes, z3.BoolRef) else z3.BitVecRef(made, yes.ctx)


@functools.lru_cache(maxsize=1 << 14)
def bits(value: int, width: int) -> Bits:
    """A constant."""
    return z3.BitVecVal(value, width)


def constant(term: Bits) -> int | None:
    """The unsigned value of a constant; None for any other term."""
    if not isinstance(term, z3.BitVecNumRef):
        return None
    at = term.ast.value
    if at not in _VALUES:
        _VALUES[at] = (term, term.as_long())  # kept, so that the address stays its own
    return _VALUES[at][1]


def fold(term: Any, *operands: Bits) -> Any:
    """The term, computed if all its operands are constants."""
    return z3.simplify(term) if all(isinstance(operand, z3.BitVecNumRef) for operand in operands) else term


def equal(left: Any, right: Any) -> Bool:
    """Whether two terms of one sort are equal."""
    if same(left, right):
        return TRUE
    if isinstance(left, z3.BitVecNumRef) and isinstance(right, z3.BitVecNumRef):
        return FALSE
    assert left.sort().ast.value == right.sort().ast.value, "terms of different sorts"
    return z3.BoolRef(z3.Z3_mk_eq(left.ctx.ref(), left.ast, right.ast), left.ctx)


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
    made = z3.BitVecRef(z3.Z3_mk_extract(term.ctx.ref(), low + width - 1, low, term.ast), term.ctx)
    return fold(made, term)
