"""Memory as the history of what was done to it, read back lazily.

A read walks the history: a write that surely hit gives its value, one that surely missed is passed, and only what may
have hit becomes a case in the formula. So memory needs no array theory, and allocas cost nothing.

The provenance of a pointer in memory is kept beside its bytes: `shadow` is the block that the pointer a byte belongs
to points into; 0 for bytes of numbers and of null.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.distances import in_range, known_distance, misses
from compiler_agent.evaluation.validate.terms import FALSE, Bits, Bool, bits, conj, disj, equal, ite
from compiler_agent.evaluation.validate.values import (
    ADDRESS_BITS,
    BLOCK_BITS,
    Choices,
    Number,
    Pointer,
    Value,
    choose,
    merge_choices,
    place,
)
from compiler_agent.evaluation.validate.world import ENTRY, Side, World, nonlocal_block

_POINTER_BYTES = ADDRESS_BITS // 8
_NO_SHADOW = bits(0, BLOCK_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class Byte:
    """What one byte of memory holds."""

    value: Bits
    """Eight bits."""
    shadow: Bits
    """The block of the pointer that it is a part of."""
    poison: Bool = FALSE
    """Whether it is poison."""
    choices: Choices = field(default_factory=dict)
    """The undef in it."""


def choose_byte(condition: Bool, yes: Byte, no: Byte) -> Byte:
    """`yes` where the condition holds, else `no`."""
    if yes is no or terms.is_true(condition):
        return yes
    return Byte(
        ite(condition, yes.value, no.value),
        ite(condition, yes.shadow, no.shadow),
        ite(condition, yes.poison, no.poison),
        merge_choices(yes.choices, no.choices),
    )


@dataclass(eq=False)
class Memory:
    """A state of memory; the subclasses say what was done last."""

    side: Side
    """Whose memory it is."""
    memo: dict[Any, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False)
    """What was read here before; the terms of the key are kept with it, so that their identities stay theirs."""

    def read_byte(self, at: Pointer) -> Byte:
        """One byte."""
        key = ("byte", at.block.ast.value, None if at.root is None else at.root.ast.value, at.offset)
        if key not in self.memo:
            self.memo[key] = (at, self._read_byte(at))
        result: Byte = self.memo[key][1]
        return result

    def _read_byte(self, at: Pointer) -> Byte:
        raise NotImplementedError

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """A whole value; or the memory that holds it; or None: read the bytes."""
        return None


@dataclass(eq=False)
class Initial(Memory):
    """Contents that nothing is known of: at entry, or after a call."""

    name: str
    """Equal on both sides for what is equal on both sides."""

    def __post_init__(self) -> None:
        self._value, self._shadow = self.side.world.contents(self.name)
        self.side.world.unknown.setdefault(self.name)

    def _read_byte(self, at: Pointer) -> Byte:
        if self.name == ENTRY and self.side.world.recording:
            self.side.world.reads.append((at.block, at.position))
        where = at.block, at.position
        return Byte(self._value(*where), self._shadow(*where))

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        if not pointer:
            return None
        world = self.side.world
        whole = terms.join([self.read_byte(at.moved(index)).value for index in range(n_bytes)])
        world.whole_pointer(self.name, at, whole)
        block = self._shadow(at.block, at.position)
        return place(block, whole - world.base_of(block))


@dataclass(eq=False)
class Own(Initial):
    """Contents of one alloca that nothing is known of; whose block it is does not matter."""

    def _read_byte(self, at: Pointer) -> Byte:
        return super()._read_byte(place(_NO_SHADOW, at.position, choices=at.choices))

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        return super().shortcut(place(_NO_SHADOW, at.position), n_bytes, align, pointer) if pointer else None


@dataclass(eq=False)
class Undefined(Memory):
    """The contents of an alloca before anything was written."""

    def _read_byte(self, at: Pointer) -> Byte:
        number = self.side.undef(8)
        return Byte(number.bits, _NO_SHADOW, choices=number.choices)


@dataclass(eq=False)
class Allocated(Memory):
    """A block of its own came into being."""

    before: Memory
    """The memory without it."""
    block: Bits
    """Which block; a constant."""

    def _read_byte(self, at: Pointer) -> Byte:
        same = equal(at.block, self.block)
        if nonlocal_block(at.block) or terms.is_false(same):
            return self.before.read_byte(at)
        number = self.side.undef(8)
        return choose_byte(same, Byte(number.bits, _NO_SHADOW, choices=number.choices), self.before.read_byte(at))

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        missed = nonlocal_block(at.block) or terms.is_false(equal(at.block, self.block))
        return self.before if missed else None


@dataclass(eq=False)
class Stored(Memory):
    """A number or a pointer was written."""

    before: Memory
    """The memory until then."""
    at: Pointer
    """Where."""
    n_bytes: int
    """How many bytes."""
    align: int
    """What the address is a multiple of, else the store had no meaning."""
    value: Number | Pointer
    """What."""

    def _read_byte(self, at: Pointer) -> Byte:
        distance = known_distance(self.at, at)
        if distance is not None:
            if not 0 <= distance < self.n_bytes:
                return self.before.read_byte(at)
            return self._byte(distance)
        delta = at.position - self.at.position
        hit = conj(equal(at.block, self.at.block), z3.ULT(delta, self.n_bytes))
        found = self._byte(0)
        for index in range(1, self.n_bytes):
            found = choose_byte(equal(delta, bits(index, ADDRESS_BITS)), self._byte(index), found)
        return choose_byte(hit, found, self.before.read_byte(at))

    def _byte(self, index: int) -> Byte:
        value = self.value
        if isinstance(value, Pointer):
            address = self.side.world.address(value)
            return Byte(terms.part(address, 8 * index, 8), value.block, value.poison, value.choices)
        return Byte(terms.part(value.bits, 8 * index, 8), _NO_SHADOW, value.poison, value.choices)

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        distance = known_distance(self.at, at)
        if distance is not None:
            if distance >= self.n_bytes or distance + n_bytes <= 0:
                return self.before
            if distance >= 0 and distance + n_bytes <= self.n_bytes:
                return self._part(distance, n_bytes, pointer)
            return None
        # Of one size, and both multiples of it: they hit exactly or not at all.
        if n_bytes == self.n_bytes and align >= n_bytes and self.align >= n_bytes and n_bytes & (n_bytes - 1) == 0:
            whole = self._part(0, n_bytes, pointer)
            if whole is not None:
                hit = conj(equal(at.block, self.at.block), equal(at.position, self.at.position))
                return choose(hit, whole, read(self.before, at, n_bytes, align, pointer))
        return None

    def _part(self, low: int, n_bytes: int, pointer: bool) -> Value | None:
        value = self.value
        if isinstance(value, Pointer):
            if pointer:
                return value if low == 0 and n_bytes == self.n_bytes else None
            address = self.side.world.address(value)
            return Number(terms.part(address, 8 * low, 8 * n_bytes), value.poison, value.choices)
        if pointer:
            return None
        return Number(terms.part(value.bits, 8 * low, 8 * n_bytes), value.poison, value.choices)


@dataclass(eq=False)
class Filled(Memory):
    """All bytes of a range were set."""

    before: Memory
    """The memory until then."""
    at: Pointer
    """Where the range begins."""
    length: Bits
    """Its bytes."""
    value: Number
    """Of each byte."""

    def _read_byte(self, at: Pointer) -> Byte:
        hit = in_range(self.at, self.length, at)
        byte = Byte(self.value.bits, _NO_SHADOW, self.value.poison, self.value.choices)
        if terms.is_true(hit):
            return byte
        return self.before.read_byte(at) if terms.is_false(hit) else choose_byte(hit, byte, self.before.read_byte(at))

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        return self.before if misses(self.at, self.length, at, n_bytes) else None


@dataclass(eq=False)
class Copied(Memory):
    """A range was copied from elsewhere, as the source of the copy was before."""

    before: Memory
    """The memory until then."""
    at: Pointer
    """Where the copy begins."""
    length: Bits
    """Its bytes."""
    origin: Memory
    """The memory that it was copied from."""
    origin_at: Pointer
    """Where it was copied from."""

    def _there(self, at: Pointer) -> Pointer:
        distance = known_distance(self.at, at)
        if distance is not None:
            return self.origin_at.moved(distance)
        position = self.origin_at.position + (at.position - self.at.position)
        return place(self.origin_at.block, position, choices=self.origin_at.choices)

    def _read_byte(self, at: Pointer) -> Byte:
        hit = in_range(self.at, self.length, at)
        if terms.is_true(hit):
            return self.origin.read_byte(self._there(at))
        if terms.is_false(hit):
            return self.before.read_byte(at)
        return choose_byte(hit, self.origin.read_byte(self._there(at)), self.before.read_byte(at))

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        if misses(self.at, self.length, at, n_bytes):
            return self.before
        distance, length = known_distance(self.at, at), terms.constant(self.length)
        if distance is not None and length is not None and distance >= 0 and distance + n_bytes <= length:
            return read(self.origin, self._there(at), n_bytes, 1, pointer)
        return None


@dataclass(eq=False)
class Merged(Memory):
    """One of several, by the way that control took; the last where none of the conditions holds."""

    cases: list[tuple[Bool, Memory]]
    """Conditions and memories."""

    def _read_byte(self, at: Pointer) -> Byte:
        result = self.cases[-1][1].read_byte(at)
        for condition, memory in reversed(self.cases[:-1]):
            result = choose_byte(condition, memory.read_byte(at), result)
        return result

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        result = read(self.cases[-1][1], at, n_bytes, align, pointer)
        for condition, memory in reversed(self.cases[:-1]):
            result = choose(condition, read(memory, at, n_bytes, align, pointer), result)
        return result


@dataclass(eq=False)
class Called(Memory):
    """A call may have changed everything but allocas that nobody else knows of, which are not in this memory."""

    before: Memory
    """The memory until then; what nobody may write is read there."""
    after: Memory
    """What the call left."""

    def _read_byte(self, at: Pointer) -> Byte:
        return self.after.read_byte(at)

    def shortcut(self, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value | Memory | None:
        """See `Memory.shortcut`."""
        return self.after


def read(memory: Memory, at: Pointer, n_bytes: int, align: int, pointer: bool) -> Value:
    """A number or a pointer that memory holds at an address that may be accessed.

    Args:
        memory: Where to read.
        at: The address.
        n_bytes: The size.
        align: What the address is a multiple of.
        pointer: Whether it is read as a pointer.
    """
    key = (pointer, n_bytes, align, at.block.ast.value, None if at.root is None else at.root.ast.value, at.offset)
    if key in memory.memo:
        known: Value = memory.memo[key][1]
        return known
    here = memory
    result: Value | None = None
    while result is None:
        found = here.shortcut(at, n_bytes, align, pointer)
        if isinstance(found, Memory):
            here = found
        elif found is None:
            result = assemble(here, at, n_bytes, pointer)
        else:
            result = found
    memory.memo[key] = (at, result)
    return result


def assemble(memory: Memory, at: Pointer, n_bytes: int, pointer: bool) -> Value:
    """The value of consecutive bytes."""
    read_bytes = [memory.read_byte(at.moved(index)) for index in range(n_bytes)]
    whole = terms.join([byte.value for byte in read_bytes])
    poison = terms.any_of(byte.poison for byte in read_bytes)
    choices = merge_choices(*(byte.choices for byte in read_bytes))
    if not pointer:
        return Number(whole, poison, choices)
    world: World = memory.side.world
    shadow = read_bytes[0].shadow
    mixed = terms.any_of(terms.neg(equal(byte.shadow, shadow)) for byte in pieces(read_bytes))
    poison = disj(poison, conj(mixed, world.mixed))
    if terms.constant(shadow) == 0:
        made = world.from_address(whole, choices)
        return place(made.block, made.position, poison, choices)
    for name in world.unknown:
        world.whole_pointer(name, at, None)
    is_number = equal(shadow, _NO_SHADOW)
    block = ite(is_number, world.from_address(whole, choices).block, shadow)
    return place(block, whole - world.base_of(block), poison, choices)


def pieces(read_bytes: list[Byte]) -> list[Byte]:
    """The bytes after the first whose shadow could differ from its."""
    return [byte for byte in read_bytes[1:] if not terms.same(byte.shadow, read_bytes[0].shadow)]
