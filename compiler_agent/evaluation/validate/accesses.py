"""Loads and stores: when they may happen, what they read, and what their metadata claims."""

from __future__ import annotations

import functools
import re

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.allocas import Kept
from compiler_agent.evaluation.validate.constants import constant_global, read_constant
from compiler_agent.evaluation.validate.events import State
from compiler_agent.evaluation.validate.execute import Execution, Frame
from compiler_agent.evaluation.validate.ir import Instruction, Operand, Type
from compiler_agent.evaluation.validate.memory import Memory, Stored, read
from compiler_agent.evaluation.validate.terms import Bits, Bool, bits, conj, disj, equal, neg
from compiler_agent.evaluation.validate.values import (
    ADDRESS_BITS,
    Aggregate,
    Number,
    Pointer,
    Unsupported,
    Value,
    all_choices,
    any_poison,
    elements,
    poisoned,
    store_bytes,
)

_HARMLESS = frozenset(("srcloc", "annotation", "nontemporal", "heapallocsite", "unpredictable", "llvm.loop", "callees"))
_ALIASING = ("tbaa", "alias.scope", "noalias")
_NUMBERS = re.compile(r"i\d+ (-?\d+)")


def load(run: Execution, frame: Frame, state: State, one: Instruction) -> Value:
    """A load.

    Raises:
        Unsupported: It is volatile or atomic, of a type or with metadata that is not modelled.
    """
    _plain(one)
    slot = slot_of(frame, one.operands[0])
    if slot is not None:
        live(run, state, slot, one.op)
        value = run.side.use(state.slots[slot])
    else:
        pointer = address(run, frame, state, one.operands[0], one.op)
        align = one.details["align"]
        check(run, state, pointer, size_in_memory(one.type), align, write=False, what=one.op)
        _claim(run, state, one, pointer, size_in_memory(one.type))
        value = read_typed(run, state, pointer, one.type, align)
    return _promised(run, state, one, value)


def store(run: Execution, frame: Frame, state: State, one: Instruction) -> None:
    """A store.

    Raises:
        Unsupported: It is volatile or atomic, of a type or with metadata that is not modelled.
    """
    _plain(one)
    value = run.operand(frame, state, one.operands[0])
    slot = slot_of(frame, one.operands[1])
    if slot is not None:
        live(run, state, slot, one.op)
        state.slots[slot] = value
        return
    pointer = address(run, frame, state, one.operands[1], one.op)
    align = one.details["align"]
    check(run, state, pointer, size_in_memory(one.details["stored"]), align, write=True, what=one.op)
    _claim(run, state, one, pointer, size_in_memory(one.details["stored"]))
    write_typed(run, state, pointer, one.details["stored"], align, value)


def slot_of(frame: Frame, operand: Operand) -> tuple[int, int] | None:
    """The alloca that is kept as a register, if the operand is its address."""
    if operand[0] == "v" and frame.kept.get(operand[1]) is Kept.SLOT:
        return frame.number, operand[1]
    return None


def live(run: Execution, state: State, key: tuple[int, int], what: str) -> None:
    """In the target an alloca may only be used within its lifetime; to forget that in the source asks for more."""
    if run.side.is_target and key in state.dead:
        run.undefine(state, state.dead[key], what)


def address(run: Execution, frame: Frame, state: State, operand: Operand, what: str) -> Pointer:
    """A pointer that is about to be used for an access."""
    pointer = run.operand(frame, state, operand)
    assert isinstance(pointer, Pointer)
    run.decided(state, pointer, what)
    return pointer


def check(
    run: Execution, state: State, pointer: Pointer, n_bytes: int | Bits, align: int, *, write: bool, what: str
) -> None:
    """Makes an access undefined where it may not happen: out of bounds, freed, misaligned, or read-only."""
    world = run.world
    allowed = [
        world.in_bounds(pointer, n_bytes),
        world.alive(pointer.block, state.index),
        world.aligned(pointer, align),
    ]
    if write:
        allowed.append(world.writable(pointer.block))
    okay = terms.all_of(allowed)
    if not isinstance(n_bytes, int):
        okay = disj(equal(n_bytes, bits(0, ADDRESS_BITS)), okay)
    run.undefine(state, neg(okay), what)
    if run.side.is_target:
        for key, dead in state.dead.items():
            block = state.blocks.get(key)
            if block is not None:
                run.undefine(state, conj(dead, equal(pointer.block, bits(block, pointer.block.size()))), what)


def memory_at(state: State, pointer: Pointer) -> tuple[Memory, int | None]:
    """The memory that a pointer points into, and the block if it is private."""
    number = terms.constant(pointer.block)
    if number is not None and number in state.private:
        return state.private[number], number
    return state.memory, None


def read_typed(run: Execution, state: State, pointer: Pointer, type_: Type, align: int) -> Value:
    """The value of a type that memory holds."""
    if not isinstance(type_, str):
        parts = [
            read_typed(run, state, pointer.moved(offset), element, _align_at(align, offset))
            for offset, element in elements(type_)
        ]
        return Aggregate(tuple(parts))
    size = store_bytes(type_)
    table = constant_global(run.world, pointer)
    if table is not None:
        return read_constant(run.side, table, pointer, size, type_ == "ptr")
    memory, _ = memory_at(state, pointer)
    return read(memory, pointer, size, align, type_ == "ptr")


def write_typed(run: Execution, state: State, pointer: Pointer, type_: Type, align: int, value: Value) -> None:
    """Writes a value of a type."""
    if not isinstance(type_, str):
        assert isinstance(value, Aggregate)
        for (offset, element), part in zip(elements(type_), value.parts, strict=True):
            write_typed(run, state, pointer.moved(offset), element, _align_at(align, offset), part)
        return
    assert not isinstance(value, Aggregate)
    memory, private = memory_at(state, pointer)
    after = Stored(run.side, memory, pointer, store_bytes(type_), align, value)
    put(state, private, after)


def put(state: State, private: int | None, memory: Memory) -> None:
    """Replaces the memory that `memory_at` gave."""
    if private is None:
        state.memory = memory
    else:
        state.private[private] = memory


def size_in_memory(type_: Type) -> int:
    """The bytes that an access of a type touches; for an aggregate all of it, with what lies between its parts."""
    if isinstance(type_, str):
        return store_bytes(type_)
    if type_["k"] == "other":
        raise Unsupported("an access of unknown size")
    if type_["k"] == "vector":
        return int(type_["n"]) * store_bytes(type_["of"])
    return int(type_["bytes"])


def _align_at(align: int, offset: int) -> int:
    return align if offset == 0 else min(align, offset & -offset)


def _plain(one: Instruction) -> None:
    if one.details.get("volatile"):
        raise Unsupported(f"volatile {one.op}")
    if one.details.get("atomic"):
        raise Unsupported(f"atomic {one.op}")


def _claim(run: Execution, state: State, one: Instruction, pointer: Pointer, n_bytes: int) -> None:
    """What metadata says of who may alias whom: the target may only claim of a place what the source claims of it.

    A claim is an uninterpreted predicate of the place. The source's accesses make it true, the target's need it.
    """
    world = run.world
    for kind in _ALIASING:
        if kind not in one.metadata:
            continue
        text = one.metadata[kind]
        known = world.tags.setdefault((kind, n_bytes), {})

        def claim(tag: str, kind: str = kind) -> Bool:
            sorts = pointer.block.sort(), z3.BitVecSort(ADDRESS_BITS), z3.BoolSort()
            return z3.Function(f"{kind} {n_bytes} {tag}", *sorts)(pointer.block, pointer.position)

        held = claim(text)
        if not run.side.is_target:
            known[text] = None
        elif kind == "tbaa" and text not in known:  # an optimization may have widened the source's
            world.axioms += [z3.Implies(claim(tag), held) for tag in known if text in ancestors(tag)]
        run.undefine(state, neg(held), f"{one.op} !{kind}")


@functools.cache
def ancestors(tag: str) -> tuple[str, ...]:
    """The tag and what it implies: accesses as the more general types, to which optimizations widen it.

    Source: LLVM Language Reference, "tbaa Metadata" (LLVM 22): (base type, access type, offset).
    """
    found = [tag]
    parts = split(tag)
    if len(parts) >= 3:
        type_ = parts[1]
        while type_.startswith("("):
            found.append(f"({type_} {type_} i64 0)")
            inner = split(type_)
            if len(inner) < 2:
                break
            type_ = inner[1]
    return tuple(dict.fromkeys(found))


def split(text: str) -> list[str]:
    """The elements of a parenthesized list."""
    result, depth, current, quoted = [], 0, "", False
    for letter in text[1:-1]:
        quoted ^= letter == '"'
        depth += (letter == "(") - (letter == ")") if not quoted else 0
        if letter == " " and depth == 0 and not quoted:
            result.append(current)
            current = ""
        else:
            current += letter
    return [*result, current]


def _promised(run: Execution, state: State, one: Instruction, value: Value) -> Value:
    """What metadata promises of the loaded value: poison where it does not hold."""
    for kind, text in one.metadata.items():
        if kind in _ALIASING or kind in _HARMLESS or kind == "noundef":
            continue
        if kind == "range" and isinstance(value, Number):
            bounds = [int(number) for number in _NUMBERS.findall(text)]
            value = poisoned(value, neg(within_ranges(value.bits, bounds)))
        elif kind == "nonnull" and isinstance(value, Pointer):
            value = poisoned(value, equal(run.world.address(value), bits(0, ADDRESS_BITS)))
        elif kind == "align" and isinstance(value, Pointer):
            value = poisoned(value, neg(run.world.aligned(value, int(_NUMBERS.findall(text)[0]))))
        elif run.side.is_target:
            raise Unsupported(f"metadata !{kind} on {one.op}")
    if "noundef" in one.metadata:
        demand(run, state, value, f"{one.op} !noundef")
    return value


def within_ranges(term: Bits, bounds: list[int]) -> Bool:
    """Whether a number lies in one of the ranges [low, high), which may wrap around."""
    width = term.size()
    return terms.any_of(
        z3.ULT(term - bits(low, width), bits(high - low, width))
        for low, high in zip(bounds[::2], bounds[1::2], strict=True)
    )


def demand(run: Execution, state: State, value: Value, what: str) -> None:
    """Undefined behaviour where the value is poison or, in the target, undef: what noundef means."""
    run.undefine(state, any_poison(value), what)
    if run.side.is_target and all_choices(value):
        parts = value.parts if isinstance(value, Aggregate) else (value,)
        for part in parts:
            if isinstance(part, Aggregate):
                raise Unsupported("undef in a nested aggregate")
            run.decided(state, part, what)
