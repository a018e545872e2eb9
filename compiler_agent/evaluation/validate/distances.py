"""How far apart two addresses are, as far as it is known without a solver."""

from __future__ import annotations

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.terms import FALSE, Bits, Bool, bits, conj, equal
from compiler_agent.evaluation.validate.values import ADDRESS_BITS, Pointer
from compiler_agent.evaluation.validate.world import LOCAL, nonlocal_block


def known_distance(start: Pointer, at: Pointer) -> int | None:
    """Bytes from `start` to `at` (signed) if that is certain; far away where the blocks surely differ."""
    if not terms.same(start.block, at.block):
        if terms.constant(start.block) is not None and terms.constant(at.block) is not None:
            return 1 << 62
        if any(
            (terms.constant(one.block) or 0) >= LOCAL and nonlocal_block(other.block)
            for one, other in ((start, at), (at, start))
        ):
            return 1 << 62
        return None
    same = start.root is at.root or (start.root is not None and at.root is not None and terms.same(start.root, at.root))
    if not same:
        return None
    delta = (at.offset - start.offset) % (1 << ADDRESS_BITS)
    return delta - (1 << ADDRESS_BITS) if delta >> (ADDRESS_BITS - 1) else delta


def in_range(start: Pointer, length: Bits, at: Pointer) -> Bool:
    """Whether `at` lies in the range."""
    distance, n_bytes = known_distance(start, at), terms.constant(length)
    if distance is not None:
        if distance < 0 or distance >= 1 << 62:
            # A range longer than half the address space has no meaning: the access was checked.
            return FALSE
        if n_bytes is not None:
            return z3.BoolVal(distance < n_bytes)
        return z3.ULT(bits(distance, ADDRESS_BITS), length)
    return conj(equal(at.block, start.block), z3.ULT(at.position - start.position, length))


def misses(start: Pointer, length: Bits, at: Pointer, n_bytes: int) -> bool:
    """Whether an access surely does not touch the range."""
    distance, known = known_distance(start, at), terms.constant(length)
    if distance is None:
        return False
    return distance >= 1 << 62 or distance + n_bytes <= 0 or (known is not None and distance >= known)
