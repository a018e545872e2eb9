"""Constants as values, and what constant globals hold."""

from __future__ import annotations

from typing import Any

from compiler_agent.evaluation.validate import integers, terms
from compiler_agent.evaluation.validate.ir import Global, Operand, Type
from compiler_agent.evaluation.validate.memory import Initial, read
from compiler_agent.evaluation.validate.terms import TRUE, bits
from compiler_agent.evaluation.validate.values import (
    BLOCK_BITS,
    Aggregate,
    Number,
    Pointer,
    Unsupported,
    Value,
    choose,
    element_types,
    poisoned,
    store_bytes,
    width_of,
)
from compiler_agent.evaluation.validate.world import Side, World

_LONGEST_TABLE = 64


def constant_value(side: Side, operand: Operand) -> Value:
    """The value of a constant operand.

    Raises:
        Unsupported: It is not modelled.
    """
    kind = operand[0]
    if kind == "i":
        return Number(bits(int(operand[2]), operand[1]))
    if kind == "f":
        return Number(bits(int(operand[2], 16), width_of(operand[1])))
    if kind == "g":
        return side.world.symbol(operand[1])
    if kind in ("null", "zero"):
        return zero(operand[1])
    if kind == "undef":
        return undef(side, operand[1])
    if kind == "poison":
        return poisoned(zero(operand[1]), TRUE)
    if kind == "seq":
        return Aggregate(tuple(constant_value(side, part) for part in operand[2]))
    if kind == "bytes":
        raise Unsupported("a constant table as a value")
    if kind == "expression":
        return _expression(side, operand[1])
    raise Unsupported(f"constant {operand[-1]}")


def zero(type_: Type) -> Value:
    """All bits zero."""
    if type_ == "ptr":
        return Pointer(bits(0, BLOCK_BITS), None, 0)
    if isinstance(type_, str):
        return Number(bits(0, width_of(type_)))
    return Aggregate(tuple(zero(element) for element in element_types(type_)))


def undef(side: Side, type_: Type) -> Value:
    """Any value, another at each use."""
    if type_ == "ptr":
        return side.undef_pointer()
    if isinstance(type_, str):
        return side.undef(width_of(type_))
    return Aggregate(tuple(undef(side, element) for element in element_types(type_)))


def _expression(side: Side, data: dict[str, Any]) -> Value:
    values = [constant_value(side, operand) for operand in data["x"]]
    first = values[0]
    if data["op"] == "getelementptr" and isinstance(first, Pointer):
        total = 0
        for index, stride in data["steps"]:
            if index[0] != "i":
                raise Unsupported("constant expression getelementptr")
            number = int(index[2])
            total += (number - (1 << index[1]) if number >> (index[1] - 1) else number) * stride
        moved = first.moved(total)
        if {"inbounds", "nusw"} & set(data.get("f", ())) and side.is_target:
            moved = poisoned_pointer(moved, terms.neg(side.world.in_bounds(moved, 0)))
        return moved
    if data["op"] == "ptrtoint" and isinstance(first, Pointer):
        return Number(terms.resize(side.world.address(first), width_of(data["t"])), first.poison)
    if data["op"] == "inttoptr" and isinstance(first, Number) and data["t"] == "ptr":
        return side.world.from_address(terms.resize(first.bits, 64), {})
    if data["op"] in ("add", "sub", "xor") and isinstance(first, Number) and isinstance(values[1], Number):
        result = integers.binary(side.world, data["op"], first.bits, values[1].bits, frozenset(data.get("f", ())))
        return Number(result.bits, terms.disj(first.poison, values[1].poison, result.poison))
    if data["op"] == "trunc" and isinstance(first, Number):
        return Number(terms.resize(first.bits, width_of(data["t"])), first.poison)
    raise Unsupported(f"constant expression {data['op']}")


def poisoned_pointer(pointer: Pointer, condition: terms.Bool) -> Pointer:
    """The pointer, poison where the condition holds, too."""
    result = poisoned(pointer, condition)
    assert isinstance(result, Pointer)
    return result


def constant_global(world: World, pointer: Pointer) -> Global | None:
    """The constant global that a pointer surely points into, if its contents are known and not changed by anybody."""
    number = terms.constant(pointer.block)
    name = None if number is None else world.name_of(number)
    if name is None:
        return None
    before, after = world.source.globals.get(name), world.target.globals.get(name)
    # The source decides whether it is constant; symbols that only the target has are its own tables.
    one = before or after
    if one is None or not one.constant or not one.details["definitive"] or (before is None and not one.local):
        return None
    return one


def read_constant(side: Side, one: Global, at: Pointer, n_bytes: int, pointer: bool) -> Value:
    """What a constant global holds at a position within it.

    Raises:
        Unsupported: Its initializer has something that is not modelled.
    """
    if at.root is None:
        return _content(side, one, at.offset, n_bytes, pointer)
    result = read(Initial(side, f"constant {one.name}"), at, n_bytes, 1, pointer)
    count = one.n_bytes // n_bytes
    if count <= _LONGEST_TABLE:
        here = at.position
        for index in range(count):
            entry = _content(side, one, index * n_bytes, n_bytes, pointer)
            result = choose(terms.equal(here, bits(index * n_bytes, 64)), entry, result)
    else:
        side.world.imprecise[f"the contents of the table {one.name}"] = None
    return result


def _content(side: Side, one: Global, offset: int, n_bytes: int, pointer: bool) -> Value:
    if pointer:
        for start, operand in one.details["initializer"]:
            if start == offset and _is_pointer(operand):
                return constant_value(side, operand)
    number = 0
    for index in range(n_bytes):
        number |= _byte(one, offset + index) << (8 * index)
    if pointer:
        return side.world.from_address(bits(number, 64), {})
    return Number(bits(number, 8 * n_bytes))


def _is_pointer(operand: Operand) -> bool:
    return operand[0] == "g" or (operand[0] == "expression" and operand[1]["t"] == "ptr")


def _byte(one: Global, offset: int) -> int:
    for start, operand in one.details["initializer"]:
        if operand[0] == "bytes":
            if start <= offset < start + len(operand[1]) // 2:
                return int(operand[1][2 * (offset - start) : 2 * (offset - start) + 2], 16)
        elif operand[0] in ("i", "f"):
            size = -(-operand[1] // 8) if operand[0] == "i" else store_bytes(operand[1])
            if start <= offset < start + size:
                value = int(operand[2]) if operand[0] == "i" else int(operand[2], 16)
                return value >> (8 * (offset - start)) & 255
        elif operand[0] in ("undef", "poison") and isinstance(operand[1], str):
            if start <= offset < start + store_bytes(operand[1]):
                raise Unsupported(f"undef in the constant {one.name}")
        elif _is_pointer(operand):
            if start <= offset < start + 8:
                raise Unsupported(f"a part of a pointer in the constant {one.name}")
        else:
            raise Unsupported(f"{operand[0]} in the constant {one.name}")
    return 0
