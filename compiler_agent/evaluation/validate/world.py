"""What both functions see: the address space at entry, and the free choices that each of them makes.

A block is an object in memory: number 0 is null's, symbols have small numbers, an argument may point into any block
below `LOCAL`; from `LOCAL` on are the allocas. Sizes, addresses and initial contents are uninterpreted functions of the
block, so a proof holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.ir import Module, reachable_symbols
from compiler_agent.evaluation.validate.terms import Bits, Bool, bits, conj, disj, equal, neg
from compiler_agent.evaluation.validate.values import (
    ADDRESS_BITS,
    BLOCK_BITS,
    Choices,
    Number,
    Pointer,
    Unsupported,
    Value,
    all_choices,
    place,
    transform,
)

LOCAL = 1 << (BLOCK_BITS - 1)
_BLOCK = z3.BitVecSort(BLOCK_BITS)
_OUTSIDE = z3.BitVecSort(BLOCK_BITS - 1)
_ADDRESS = z3.BitVecSort(ADDRESS_BITS)
_BYTE = z3.BitVecSort(8)
INDEX_BITS = 16
"""Of the number of a call."""
ENTRY = "entry"
"""The name of the contents that memory has at entry."""
_INDEX = z3.BitVecSort(INDEX_BITS)
_LARGEST = (1 << (ADDRESS_BITS - 1)) - 1


def nonlocal_block(term: Bits) -> bool:
    """Whether a block's term shows that it is no alloca."""
    number = terms.constant(term)
    if number is not None:
        return number < LOCAL
    if z3.is_app_of(term, z3.Z3_OP_ZERO_EXT):
        return True
    if z3.is_app_of(term, z3.Z3_OP_CONCAT):
        return terms.constant(term.arg(0)) == 0
    if z3.is_app_of(term, z3.Z3_OP_ITE):
        return nonlocal_block(term.arg(1)) and nonlocal_block(term.arg(2))
    return False


@dataclass
class World:
    """The shared part of a pair of executions."""

    source: Module
    """The module before."""
    target: Module
    """The module after."""
    exact: bool = False
    """False: multiplications, divisions and floating-point operations are uninterpreted functions, which is enough
    for a proof and quick."""
    axioms: list[Bool] = field(default_factory=list)
    """What holds of every address space and every input."""
    imprecise: dict[str, None] = field(default_factory=dict)
    """Why a counterexample may be none: what was modelled more widely than it is."""
    tags: dict[tuple[str, int], dict[str, None]] = field(default_factory=dict)
    """What the source's accesses claim of who may alias whom, by kind of metadata and bytes."""
    floating: bool = False
    """Whether terms of z3's floating-point theory occur."""
    abstracted: bool = False
    """Whether an operation was replaced by an uninterpreted function."""
    inputs: list[tuple[str, Value]] = field(default_factory=list)
    """What a counterexample shows: names and values."""
    reads: list[tuple[Bits, Bits]] = field(default_factory=list)
    """Where bytes of the initial memory were read: block and position."""
    recording: bool = True
    """Whether `reads` is written."""
    unknown: dict[str, None] = field(default_factory=dict)
    """The names of contents that nothing is known of."""

    def __post_init__(self) -> None:
        self.base = z3.Function("base", _BLOCK, _ADDRESS)
        self.size = z3.Function("size", _BLOCK, _ADDRESS)
        self.writable = z3.Function("writable", _BLOCK, z3.BoolSort())
        self.freed = z3.Function("freed", _BLOCK, _INDEX)
        self.exposed = z3.Function("exposed", _ADDRESS, _BLOCK)
        # What is read from the pieces of several pointers is poison, or a pointer like the first: a proof is for both.
        self.mixed = z3.Bool("pieces of pointers are poison")
        self._symbols: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._sizes: dict[int, int] = {}
        self._known: set[int] = set()
        self._outside_axioms: set[int] = set()
        self._kept: list[Any] = []
        self._next_local = LOCAL
        self._unmatched: dict[tuple[int, bool], list[tuple[int, int]]] = {}
        for name in (*self.source.globals, *self.source.functions, *self.target.globals, *self.target.functions):
            if name not in self._symbols:
                self._symbols[name] = len(self._symbols) + 1
                self._names[self._symbols[name]] = name
        if len(self._symbols) >= LOCAL:
            raise Unsupported("more symbols than blocks")
        self.axioms.append(self.base(bits(0, BLOCK_BITS)) == 0)

    def contents(self, name: str) -> tuple[Any, Callable[[Bits, Bits], Bits]]:
        """Uninterpreted contents: the byte at a position of a block, and the block of the pointer it is a part of.

        At entry no pointer in memory can point into an alloca; after a call it can.
        """
        value = z3.Function(f"{name}!byte", _BLOCK, _ADDRESS, _BYTE)
        if name != ENTRY:
            return value, z3.Function(f"{name}!pointer", _BLOCK, _ADDRESS, _BLOCK)
        outside = z3.Function(f"{name}!pointer", _BLOCK, _ADDRESS, _OUTSIDE)
        return value, lambda block, position: z3.ZeroExt(1, outside(block, position))

    def new_block(self, n_bytes: int, align: int) -> int:
        """The number of a fresh alloca."""
        number = self._next_local
        self._next_local += 1
        if self._next_local >= 1 << BLOCK_BITS:
            raise Unsupported("more allocas than blocks")
        block = bits(number, BLOCK_BITS)
        self._sizes[number] = n_bytes
        self._axioms_of(block, align)
        self.axioms.append(self.writable(block))
        return number

    def alloca_block(self, n_bytes: int, align: int, *, private: bool, target: bool) -> int:
        """The number of an alloca's block.

        The target's is taken to be the source's next of the same size: where an alloca lies is the program's choice, so
        the source may put its own where the target's is, if that is aligned well enough.
        """
        waiting = self._unmatched.setdefault((n_bytes, private), [])
        if target:
            for entry in waiting:
                if entry[1] <= align:
                    waiting.remove(entry)
                    self._axioms_of(bits(entry[0], BLOCK_BITS), align)
                    return entry[0]
        number = self.new_block(n_bytes, align)
        if not target:
            waiting.append((number, align))
        return number

    def symbol(self, name: str) -> Pointer:
        """The address of a global variable or function.

        Raises:
            Unsupported: It is an alias, or the modules disagree about it.
        """
        if name not in self._symbols:
            raise Unsupported(f"alias {name}")
        number = self._symbols[name]
        block = bits(number, BLOCK_BITS)
        if number not in self._known:
            self._known.add(number)
            before, after = self.source.globals.get(name), self.target.globals.get(name)
            variable = after or before
            for other in reachable_symbols(self.source, (name,)):
                if other in self.source.globals and other in self.target.globals:
                    self._same_global(other)
            if variable is None:
                self._sizes[number] = 0
                self.axioms.append(self.base(block) != 0)
            elif variable.details["extern_weak"] or variable.details["thread_local"]:
                raise Unsupported(f"{'weak' if variable.details['extern_weak'] else 'thread-local'} symbol {name}")
            else:
                align = variable.align if "initializer" in variable.details else (before or variable).align
                if variable.details["definitive"]:
                    self._sizes[number] = variable.n_bytes
                self._axioms_of(block, align)
                if not variable.details["definitive"]:  # what is declared is there, and at least so much of it
                    self.axioms.append(z3.UGE(self.size(block), (before or variable).n_bytes))
                # Only what the source says is constant is so for both.
                if (before or variable).constant:
                    self.axioms.append(neg(self.writable(block)))
        return Pointer(block, None, 0)

    def _same_global(self, name: str) -> None:
        before, after = self.source.globals[name], self.target.globals[name]
        if (before.n_bytes, before.content) != (after.n_bytes, after.content):
            raise Unsupported(f"global {name} was changed")
        if after.constant and not before.constant:
            raise Unsupported(f"global {name} was made constant")
        if after.align < before.align:
            raise Unsupported(f"global {name} has a smaller alignment")

    def name_of(self, block: int) -> str | None:
        """The symbol whose block it is."""
        return self._names.get(block)

    def size_of(self, block: Bits) -> Bits:
        """The bytes of a block."""
        number = terms.constant(block)
        known = None if number is None else (0 if number == 0 else self._sizes.get(number))
        if known is not None:
            return bits(known, ADDRESS_BITS)
        self._axioms_of(block, 1)
        return self.size(block)

    def address(self, pointer: Pointer) -> Bits:
        """The number that a pointer is at run time."""
        if terms.constant(pointer.block) == 0:
            return pointer.position
        self._axioms_of(pointer.block, 1)
        base = self.base(pointer.block)
        return base if terms.constant(pointer.position) == 0 else terms.add(base, pointer.position)

    def base_of(self, block: Bits) -> Bits:
        """The address of a block's first byte."""
        self._axioms_of(block, 1)
        return self.base(block)

    def _axioms_of(self, block: Bits, align: int) -> None:
        """Blocks are neither at address 0 nor larger than half the address space, and do not wrap around."""
        base = self.base(block)
        if align > 1:
            self.axioms.append(base & (align - 1) == 0)
        if block.ast.value in self._outside_axioms:
            return
        self._outside_axioms.add(block.ast.value)
        self._keep(block)
        number = terms.constant(block)
        size = self.size(block) if number not in self._sizes else bits(self._sizes[number], ADDRESS_BITS)
        is_null = equal(block, bits(0, BLOCK_BITS))
        self.axioms.append(disj(is_null, conj(base != 0, z3.ULE(size, _LARGEST), z3.ULE(base, base + size))))
        if number is None:
            self.axioms.append(z3.Implies(is_null, size == 0))

    def _keep(self, term: Any) -> None:
        """Identities of terms are reused when the terms are gone: those that we remember stay."""
        self._kept.append(term)

    def outside_pointer(self, name: str, *, may_be_local: bool) -> Pointer:
        """Any pointer that somebody else can have: an argument, or, possibly into an alloca, the result of a call."""
        if may_be_local:
            block = z3.BitVec(f"{name}!block", BLOCK_BITS)
        else:
            block = z3.ZeroExt(1, z3.BitVec(f"{name}!block", BLOCK_BITS - 1))
        position = z3.BitVec(f"{name}!position", ADDRESS_BITS)
        return self.outside(block, position)

    def outside(self, block: Bits, position: Bits) -> Pointer:
        """A pointer that comes from outside: where its address is 0 it is null."""
        pointer = place(block, position)
        self.axioms.append(z3.Implies(self.address(pointer) == 0, block == 0))
        return pointer

    def from_address(self, address: Bits, choices: Choices) -> Pointer:
        """A pointer made of a number: which block it may access is not known, but the same for the same number."""
        if terms.constant(address) == 0:
            return Pointer(bits(0, BLOCK_BITS), None, 0)
        block = terms.ite(equal(address, bits(0, ADDRESS_BITS)), bits(0, BLOCK_BITS), self.exposed(address))
        self._axioms_of(block, 1)
        self.imprecise["a pointer made of an integer"] = None
        return place(block, address - self.base(block), choices=choices)

    def whole_pointer(self, memory: str, at: Pointer, whole: Bits | None) -> None:
        """Assumes of contents that nothing is known of: what is read as a pointer was written as one."""
        value, shadow = self.contents(memory)
        first = shadow(at.block, at.position)
        if whole is not None:
            self.axioms.append((first == 0) == (whole == 0))
            return
        here = [at.moved(index) for index in range(ADDRESS_BITS // 8)]
        self.axioms += [shadow(one.block, one.position) == first for one in here[1:]]
        whole = terms.join([value(one.block, one.position) for one in here])
        self.axioms.append((first == 0) == (whole == 0))

    def alive(self, block: Bits, index: Bits) -> Bool:
        """Whether a block is still there after so many calls."""
        number = terms.constant(block)
        if number is not None and (number >= LOCAL or number in self._sizes):
            return terms.TRUE  # symbols are; whoever reads an alloca looks at its lifetime
        return z3.ULT(index, self.freed(block))

    def in_bounds(self, pointer: Pointer, n_bytes: int | Bits) -> Bool:
        """Whether so many bytes from the pointer on are within its block."""
        size = self.size_of(pointer.block)
        length = bits(n_bytes, ADDRESS_BITS) if isinstance(n_bytes, int) else n_bytes
        here = pointer.position
        if isinstance(size, z3.BitVecNumRef) and isinstance(length, z3.BitVecNumRef):
            limit = size.as_long() - length.as_long()
            if limit < 0:
                return terms.FALSE
            known = terms.constant(here)
            if known is not None:
                return z3.BoolVal(known <= limit)
            return z3.ULE(here, limit)
        return conj(z3.ULE(length, size), z3.ULE(here, size - length))

    def aligned(self, pointer: Pointer, align: int) -> Bool:
        """Whether the address is a multiple."""
        if align == 1:
            return terms.TRUE
        low = align.bit_length() - 1
        return equal(z3.Extract(low - 1, 0, self.address(pointer)), bits(0, low))


@dataclass
class Side:
    """One of the two functions, and the choices that it makes."""

    world: World
    """What both see."""
    name: str
    """ "source" or "target"."""
    choices: dict[tuple[str, int, int], Bits] = field(default_factory=dict)
    """Every choice that was made: by kind, width and number."""
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    """How many of each kind and width."""

    @property
    def is_target(self) -> bool:
        """Whether it is the optimized function, whose choices are all to be considered."""
        return self.name == "target"

    def choice(self, kind: str, width: int) -> Bits:
        """A value that the program may pick: an undef, what freeze makes of poison, the payload of a NaN."""
        number = self.counts.get((kind, width), 0)
        self.counts[kind, width] = number + 1
        term = z3.BitVec(f"{self.name}!{kind}!{width}!{number}", width)
        self.choices[kind, width, number] = term
        return term

    def undef(self, width: int) -> Number:
        """An undef number."""
        term = self.choice("undef", width)
        return Number(term, choices={str(term): term})

    def undef_pointer(self) -> Pointer:
        """An undef pointer."""
        block, position = self.choice("undef", BLOCK_BITS), self.choice("undef", ADDRESS_BITS)
        return place(block, position, choices={str(block): block, str(position): position})

    def use(self, value: Value) -> Value:
        """The value as one use sees it: its undef is any value, independently of other uses."""
        choices = all_choices(value)
        if not choices:
            return value
        fresh = {name: self.choice("undef", term.size()) for name, term in choices.items()}
        pairs = [(term, fresh[name]) for name, term in choices.items()]
        renamed = {str(term): term for term in fresh.values()}

        def refresh(one: Number | Pointer) -> Value:
            if not one.choices:
                return one
            mine = {str(fresh[name]): renamed[str(fresh[name])] for name in one.choices}
            if isinstance(one, Number):
                return Number(z3.substitute(one.bits, *pairs), z3.substitute(one.poison, *pairs), mine)
            return place(
                z3.substitute(one.block, *pairs),
                z3.substitute(one.position, *pairs),
                z3.substitute(one.poison, *pairs),
                mine,
            )

        return transform(value, refresh)
