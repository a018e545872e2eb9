"""What is claimed of a call, by its attributes and its callee's, and what that makes of its values."""

from __future__ import annotations

import re

from compiler_agent.evaluation.validate import accesses, terms
from compiler_agent.evaluation.validate.allocas import Kept
from compiler_agent.evaluation.validate.claims import value_claim
from compiler_agent.evaluation.validate.events import State
from compiler_agent.evaluation.validate.execute import Execution, Frame
from compiler_agent.evaluation.validate.ir import AttributeList, Attributes, Function, Instruction
from compiler_agent.evaluation.validate.terms import bits, conj, equal, neg
from compiler_agent.evaluation.validate.values import ADDRESS_BITS, Number, Pointer, Unsupported, Value, poisoned

_HINTS = frozenset(
    ("minsize", "optsize", "cold", "hot", "noinline", "inlinehint", "alwaysinline", "nobuiltin", "builtin")
)
_NO_CLAIMS = AttributeList(Attributes(frozenset()), Attributes(frozenset()), ())


def said_of(frame: Frame, one: Instruction) -> frozenset[str]:
    """Claims of a call that are not modelled on its values.

    `tail` says that the callee does not touch the caller's allocas, which matters only where it can know of one.
    """
    every = (one.attributes.function, one.attributes.result, *one.attributes.arguments)
    said = {text for part in every for text in part.texts if not value_claim(text) and text not in _HINTS}
    if one.details.get("tail") and Kept.SHARED in frame.kept.values():
        said.add("tail")
    return frozenset(said)


def allowed_for(run: Execution, one: Instruction) -> frozenset[str]:
    """Claims that the callee's declaration makes, too; what a definition here claims is checked with it."""
    callee = one.details.get("callee", [""])
    found: set[str] = set()
    for module in (run.world.source, run.world.target):
        function = module.functions.get(callee[1]) if callee[0] == "g" else None
        if function is None or not (module is run.world.source or function.details["library"] or function.defined):
            continue
        parts = (function.attributes.function, function.attributes.result, *function.attributes.arguments)
        found |= {text for part in parts for text in part.texts}
        if function.details["library"]:
            found |= {"nounwind", "nofree", "willreturn", "noreturn", "cold"}
    return frozenset(found)


def claims_of(run: Execution, one: Instruction, function: Function | None) -> AttributeList:
    """What is claimed of a callee: by the source; of C's library functions and of functions here by the target, too.

    What LLVM knows of the library it may write down. What it finds out about a function that is defined here is checked
    with that function, whose proof this one then depends on.
    """
    if function is None:
        return _NO_CLAIMS
    before = run.world.source.functions.get(function.name)
    after = run.world.target.functions.get(function.name)
    if before is None:
        return function.attributes if function.details["library"] else _NO_CLAIMS
    if after is None:
        return before.attributes
    one_, two = before.attributes, after.attributes
    if not (before.details["library"] or before.defined):
        return one_
    count = max(len(one_.arguments), len(two.arguments))
    return AttributeList(
        one_.function if before.defined else one_.function.union(two.function),
        one_.result.union(two.result),
        one_.arguments
        if before.defined
        else tuple(one_.argument(index).union(two.argument(index)) for index in range(count)),
    )


def source_claims(run: Execution, one: Instruction) -> Attributes:
    """Claims of a single call: only the source's are taken for what the call does to memory."""
    return one.attributes.function if not run.side.is_target else Attributes(frozenset())


def effect_of(attributes: Attributes) -> str:
    """ "none", "read" or "any": what a call does to memory."""
    if "memory(none)" in attributes:
        return "none"
    reads = re.compile(r"memory\((\w+: )?(read|none)(, (\w+: )?(read|none))*\)")
    return "read" if any(reads.fullmatch(text) for text in attributes.texts) else "any"


def annotated(run: Execution, state: State, value: Value, claims: Attributes, what: str) -> Value:
    """A value with what attributes claim of it: poison where it does not hold, undefined where that is forbidden."""
    world = run.world
    if isinstance(value, Pointer):
        address = world.address(value)
        is_null = equal(address, bits(0, ADDRESS_BITS))
        if "nonnull" in claims:
            value = _pointer(poisoned(value, is_null))
        if "align" in claims.numbers:
            value = _pointer(poisoned(value, neg(world.aligned(value, claims.numbers["align"]))))
        for name in ("dereferenceable", "dereferenceable_or_null"):
            if name in claims.numbers:
                there = conj(world.in_bounds(value, claims.numbers[name]), world.alive(value.block, state.index))
                if name.endswith("null"):
                    there = terms.disj(there, is_null)
                run.undefine(state, neg(there), f"{what} {name}")
    elif isinstance(value, Number) and claims.range is not None:
        low, high = claims.range
        value = poisoned(value, neg(accesses.within_ranges(value.bits, [low, high])))
    if any(text.startswith("nofpclass") for text in claims.texts) and run.side.is_target:
        raise Unsupported("nofpclass")
    # "dereferenceable(<n>) implies noundef": LLVM Language Reference, "Parameter Attributes" (LLVM 22).
    if "noundef" in claims or "dereferenceable" in claims.numbers or "dereferenceable_or_null" in claims.numbers:
        accesses.demand(run, state, value, f"{what} noundef")
    return value


def _pointer(value: Value) -> Pointer:
    assert isinstance(value, Pointer)
    return value
