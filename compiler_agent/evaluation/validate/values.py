"""What a register holds: a number, a pointer or an aggregate, each with its poison bit.

`choices` are the free constants that stand for undef inside a value. Each use of an undef value may see another one,
so whoever reads a register gets fresh constants for them (`Side.use`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.ir import Type
from compiler_agent.evaluation.validate.terms import FALSE, Bits, Bool, disj, equal, ite

BLOCK_BITS = 16
ADDRESS_BITS = 64
Choices = Mapping[str, Bits]
NONE: Choices = {}
_FLOATS = {"half": 16, "bfloat": 16, "float": 32, "double": 64}
_WIDEST = 128


class Unsupported(Exception):
    """Something that is not modelled; the text names it."""


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """An integer, or the bits of a floating-point number."""

    bits: Bits
    """The value where it is not poison."""
    poison: Bool = FALSE
    """Whether it is poison."""
    choices: Choices = field(default_factory=dict)
    """The undef in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Pointer:
    """An address with its provenance: a block, and a position that may lie outside of it."""

    block: Bits
    """Which block it belongs to; 0 is null's, where nothing can be accessed."""
    root: Bits | None
    """The variable part of the position; None: there is none."""
    offset: int
    """The constant part of the position, modulo 2^64."""
    poison: Bool = FALSE
    """Whether it is poison."""
    choices: Choices = field(default_factory=dict)
    """The undef in it."""

    @property
    def position(self) -> Bits:
        """Bytes from the block's start, modulo 2^64."""
        here = terms.bits(self.offset, ADDRESS_BITS)
        return here if self.root is None else terms.add(self.root, here)

    def moved(self, n_bytes: int) -> Pointer:
        """So many bytes further on."""
        return replace(self, offset=(self.offset + n_bytes) % (1 << ADDRESS_BITS))


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """A structure, an array or a vector."""

    parts: tuple[Value, ...]
    """Its elements."""


Value = Number | Pointer | Aggregate


def place(block: Bits, position: Bits, poison: Bool = FALSE, choices: Choices = NONE) -> Pointer:
    """A pointer to a position that is one term."""
    number = terms.constant(position)
    if number is not None:
        return Pointer(block, None, number, poison, choices)
    return Pointer(block, position, 0, poison, choices)


def width_of(type_: Type) -> int:
    """The bits of an integer or floating-point type.

    Raises:
        Unsupported: It is another type, or too wide.
    """
    if isinstance(type_, str):
        if type_ in _FLOATS:
            return _FLOATS[type_]
        if type_[0] == "i" and type_[1:].isdigit() and int(type_[1:]) <= _WIDEST:
            return int(type_[1:])
    raise Unsupported(f"type {describe(type_)}")


def is_float(type_: Type) -> bool:
    """Whether it is a floating-point type that is modelled."""
    return isinstance(type_, str) and type_ in _FLOATS


def describe(type_: Type) -> str:
    """A type as a reason names it."""
    return type_ if isinstance(type_, str) else str(type_.get("text") or type_["k"])


def store_bytes(type_: Type) -> int:
    """Bytes that a scalar takes in memory.

    Raises:
        Unsupported: Its bits are no whole bytes.
    """
    if type_ == "ptr":
        return ADDRESS_BITS // 8
    width = width_of(type_)
    if width % 8:
        raise Unsupported(f"{type_} in memory")
    return width // 8


def elements(type_: Type) -> list[tuple[int, Type]]:
    """Offset in bytes and type of each element of an aggregate.

    Raises:
        Unsupported: A vector whose elements are no whole bytes, or an unknown type.
    """
    if isinstance(type_, str) or type_["k"] == "other":
        raise Unsupported(f"type {describe(type_)}")
    if type_["k"] == "struct":
        return list(zip(type_["offsets"], type_["of"], strict=True))
    count = type_["n"]
    if count > 256:
        raise Unsupported("an aggregate of more than 256 elements")
    if type_["k"] == "array":
        return [(index * type_["stride"], type_["of"]) for index in range(count)]
    if type_["bits"] % 8:
        raise Unsupported("a vector of elements that are no whole bytes in memory")
    return [(index * (type_["bits"] // 8), type_["of"]) for index in range(count)]


def element_types(type_: Type) -> list[Type]:
    """The types of an aggregate's elements.

    Raises:
        Unsupported: An unknown type.
    """
    if isinstance(type_, str) or type_["k"] == "other":
        raise Unsupported(f"type {describe(type_)}")
    if type_["k"] == "struct":
        return list(type_["of"])
    if type_["n"] > 256:
        raise Unsupported("an aggregate of more than 256 elements")
    return [type_["of"]] * type_["n"]


def merge_choices(*several: Choices) -> Choices:
    """All of them."""
    filled = [choices for choices in several if choices]
    if not filled:
        return NONE
    return filled[0] if len(filled) == 1 else {name: term for choices in filled for name, term in choices.items()}


def choose(condition: Bool, yes: Value, no: Value) -> Value:
    """`yes` where the condition holds, else `no`."""
    if yes is no or terms.is_true(condition):
        return yes
    if terms.is_false(condition):
        return no
    if isinstance(yes, Aggregate) and isinstance(no, Aggregate):
        return Aggregate(tuple(choose(condition, a, b) for a, b in zip(yes.parts, no.parts, strict=True)))
    if isinstance(yes, Number) and isinstance(no, Number):
        return Number(
            ite(condition, yes.bits, no.bits),
            ite(condition, yes.poison, no.poison),
            merge_choices(yes.choices, no.choices),
        )
    assert isinstance(yes, Pointer)
    assert isinstance(no, Pointer)
    block = ite(condition, yes.block, no.block)
    poison = ite(condition, yes.poison, no.poison)
    choices = merge_choices(yes.choices, no.choices)
    same_root = yes.root is no.root or (yes.root is not None and no.root is not None and terms.same(yes.root, no.root))
    if same_root and yes.offset == no.offset:
        return Pointer(block, yes.root, yes.offset, poison, choices)
    return place(block, ite(condition, yes.position, no.position), poison, choices)


def refines(source: Value, target: Value, *, lenient: bool = False) -> Bool:
    """Whether the target's value may stand where the source's does: poison by anything, else by the same.

    Args:
        source: The source's value.
        target: The target's value.
        lenient: Whether poison of the target is accepted, too.

    Returns:
        The condition, in which the provenance of pointers counts; see `refine.Strictness` for where it does not.
    """
    if isinstance(source, Aggregate) and isinstance(target, Aggregate):
        return terms.all_of(refines(a, b, lenient=lenient) for a, b in zip(source.parts, target.parts, strict=True))
    if isinstance(source, Number) and isinstance(target, Number):
        same = equal(source.bits, target.bits)
    elif isinstance(source, Pointer) and isinstance(target, Pointer):
        same = terms.conj(equal(source.block, target.block), equal(source.position, target.position))
    else:
        return FALSE
    if lenient:
        return disj(source.poison, target.poison, same)
    return disj(source.poison, terms.conj(terms.neg(target.poison), same))


def any_poison(value: Value) -> Bool:
    """Whether the value or a part of it is poison."""
    if isinstance(value, Aggregate):
        return terms.any_of(any_poison(part) for part in value.parts)
    return value.poison


def all_choices(value: Value) -> Choices:
    """The undef in a value and in its parts."""
    return merge_choices(*map(all_choices, value.parts)) if isinstance(value, Aggregate) else value.choices


def poisoned(value: Value, condition: Bool) -> Value:
    """The value, poison where the condition holds, too."""
    if terms.is_false(condition):
        return value
    return transform(value, lambda one: replace(one, poison=disj(one.poison, condition)))


def transform(value: Value, change: Callable[[Number | Pointer], Value]) -> Value:
    """The value with each number and pointer in it changed."""
    if isinstance(value, Aggregate):
        return Aggregate(tuple(transform(part, change) for part in value.parts))
    return change(value)
