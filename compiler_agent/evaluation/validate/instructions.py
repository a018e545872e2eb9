"""Executes one instruction."""

from __future__ import annotations

from collections.abc import Callable

import z3

from compiler_agent.evaluation.validate import accesses, calls, floats, integers, terms
from compiler_agent.evaluation.validate.allocas import Kept
from compiler_agent.evaluation.validate.constants import undef
from compiler_agent.evaluation.validate.events import State
from compiler_agent.evaluation.validate.execute import Execution, Frame
from compiler_agent.evaluation.validate.integers import Result, as_bit, as_condition
from compiler_agent.evaluation.validate.ir import Instruction, Type
from compiler_agent.evaluation.validate.memory import Allocated, Undefined
from compiler_agent.evaluation.validate.terms import Bits, bits, conj, disj, equal, neg
from compiler_agent.evaluation.validate.values import (
    ADDRESS_BITS,
    BLOCK_BITS,
    Aggregate,
    Number,
    Pointer,
    Unsupported,
    Value,
    choose,
    is_float,
    merge_choices,
    place,
    poisoned,
    width_of,
)

_INTEGER = frozenset(["add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr", "and", "or", "xor"])
_FLOAT = frozenset(["fadd", "fsub", "fmul", "fdiv"])
_CASTS = frozenset(["zext", "sext", "trunc"])
_FLOAT_CASTS = frozenset(["fpext", "fptrunc", "sitofp", "uitofp", "fptosi", "fptoui"])


def step(run: Execution, frame: Frame, state: State, one: Instruction) -> None:
    """Executes an instruction that is no terminator and no phi.

    Raises:
        Unsupported: It is not modelled.
    """
    if "fast-math" in one.flags:
        raise Unsupported(f"fast-math flags on {one.op}")
    if one.op == "alloca":
        _alloca(run, frame, state, one)
        return
    if one.op == "store":
        accesses.store(run, frame, state, one)
        return
    if one.op == "call":
        result = calls.call(run, frame, state, one)
    elif one.op == "load":
        result = accesses.load(run, frame, state, one)
    else:
        operands = [run.operand(frame, state, operand) for operand in one.operands]
        result = _compute(run, frame, state, one, operands)
    if result is not None:
        state.values[frame.number, one.number] = result


def _compute(run: Execution, frame: Frame, state: State, one: Instruction, operands: list[Value]) -> Value:
    op = one.op
    if op in _INTEGER or op in _FLOAT or op in _CASTS or op in _FLOAT_CASTS or op in ("icmp", "fcmp", "fneg"):
        return _each(run, state, one, one.type, operands)
    if op == "freeze":
        return _freeze(run, operands[0])
    if op == "select":
        return _select(operands)
    if op == "getelementptr":
        return _address(run, frame, state, one, operands[0])
    if op == "ptrtoint":
        pointer = operands[0]
        if not isinstance(pointer, Pointer):
            raise Unsupported("ptrtoint of a vector")
        address = terms.resize(run.world.address(pointer), width_of(one.type))
        return Number(address, pointer.poison, pointer.choices)
    if op == "inttoptr":
        number = operands[0]
        if not isinstance(number, Number) or one.type != "ptr":
            raise Unsupported("inttoptr of a vector")
        made = run.world.from_address(terms.resize(number.bits, ADDRESS_BITS), number.choices)
        return poisoned(made, number.poison)
    if op == "bitcast":
        if isinstance(operands[0], Pointer) and one.type == "ptr":
            return operands[0]
        if isinstance(operands[0], Number) and isinstance(one.type, str):
            return operands[0]
        raise Unsupported("bitcast of a vector")
    if op == "extractvalue":
        value = operands[0]
        for index in one.details["indices"]:
            assert isinstance(value, Aggregate)
            value = value.parts[index]
        return value
    if op == "insertvalue":
        return _insert(operands[0], operands[1], one.details["indices"])
    if op in ("extractelement", "insertelement", "shufflevector"):
        return _vector(run, one, operands)
    raise Unsupported(op)


def _each(run: Execution, state: State, one: Instruction, type_: Type, operands: list[Value]) -> Value:
    """The same for each element of vectors, or once for scalars."""
    if isinstance(operands[0], Aggregate):
        rows = zip(*(operand.parts for operand in operands if isinstance(operand, Aggregate)), strict=True)
        return Aggregate(tuple(_each(run, state, one, type_["of"], list(row)) for row in rows))
    poison = terms.any_of(operand.poison for operand in operands if not isinstance(operand, Aggregate))
    choices = merge_choices(*(operand.choices for operand in operands if not isinstance(operand, Aggregate)))
    if isinstance(operands[0], Pointer):
        assert isinstance(operands[1], Pointer)
        bits_, more = _compare_pointers(run, one, operands[0], operands[1])
        return Number(bits_, disj(poison, more), choices)
    numbers = [operand.bits for operand in operands if isinstance(operand, Number)]
    result = _scalar(run, one, type_, numbers)
    if one.op in ("udiv", "sdiv", "urem", "srem"):
        # A poison divisor may be zero, and a poison dividend the lowest number.
        dividend, divisor = operands
        assert isinstance(dividend, Number)
        assert isinstance(divisor, Number)
        undefined = disj(
            divisor.poison, equal(divisor.bits, bits(0, divisor.bits.size())), conj(neg(poison), result.undefined)
        )
        if one.op[0] == "s":
            minus_one = equal(divisor.bits, bits((1 << divisor.bits.size()) - 1, divisor.bits.size()))
            undefined = disj(undefined, conj(dividend.poison, minus_one))
        run.undefine(state, undefined, one.op)
    return Number(result.bits, disj(poison, result.poison), choices)


def _scalar(run: Execution, one: Instruction, type_: Type, numbers: list[Bits]) -> Result:
    op = one.op
    if op in _INTEGER:
        return integers.binary(run.world, op, numbers[0], numbers[1], one.flags)
    if op in _CASTS:
        return integers.cast(op, numbers[0], width_of(type_), one.flags)
    if op == "icmp":
        condition = integers.compare(one.details["predicate"], numbers[0], numbers[1])
        poison = terms.FALSE
        if "samesign" in one.flags:
            poison = integers.simplified((numbers[0] < 0) != (numbers[1] < 0), *numbers)
        return Result(as_bit(condition), poison)
    if op == "fcmp":
        compared = _element(one.details["compared"])
        return Result(as_bit(floats.compare(one.details["predicate"], compared, numbers[0], numbers[1])))
    if not is_float(type_) and op not in ("fptosi", "fptoui"):
        raise Unsupported(f"{op} {type_}")
    if op == "fneg":
        return Result(floats.negate(numbers[0]))
    if op in _FLOAT:
        return floats.binary(run.side, op, type_, numbers[0], numbers[1])
    from_type = _element(one.details["from_type"])
    if op in ("fptosi", "fptoui", "fpext", "fptrunc") and not is_float(from_type):
        raise Unsupported(f"{op} {from_type}")
    return floats.convert(run.side, op, from_type, type_, numbers[0], width_of(type_), one.flags)


def _element(type_: Type) -> str:
    element = type_ if isinstance(type_, str) else type_["of"]
    assert isinstance(element, str)
    return element


def _compare_pointers(run: Execution, one: Instruction, left: Pointer, right: Pointer) -> tuple[Bits, terms.Bool]:
    world = run.world
    predicate = one.details["predicate"]
    if predicate in ("eq", "ne") and terms.same(left.block, right.block):
        condition = integers.compare(predicate, left.position, right.position)
        return as_bit(condition), terms.FALSE
    if not terms.same(left.block, right.block) and not any(terms.constant(side.block) == 0 for side in (left, right)):
        world.imprecise["a comparison of the addresses of different objects"] = None
    a, b = world.address(left), world.address(right)
    poison = (a < 0) != (b < 0) if "samesign" in one.flags else terms.FALSE
    return as_bit(integers.compare(predicate, a, b)), poison


def _freeze(run: Execution, value: Value) -> Value:
    """Some value of the type where it is poison; the same at each use from here on."""
    if isinstance(value, Aggregate):
        return Aggregate(tuple(_freeze(run, part) for part in value.parts))
    if terms.is_false(value.poison):
        return Number(value.bits) if isinstance(value, Number) else place(value.block, value.position)
    if isinstance(value, Number):
        width = value.bits.size()
        return Number(terms.ite(value.poison, run.side.choice("freeze", width), value.bits))
    block, position = run.side.choice("freeze", BLOCK_BITS), run.side.choice("freeze", ADDRESS_BITS)
    return place(terms.ite(value.poison, block, value.block), terms.ite(value.poison, position, value.position))


def _select(operands: list[Value]) -> Value:
    condition, yes, no = operands
    if isinstance(condition, Aggregate):
        assert isinstance(yes, Aggregate)
        assert isinstance(no, Aggregate)
        rows = zip(condition.parts, yes.parts, no.parts, strict=True)
        return Aggregate(tuple(_select(list(row)) for row in rows))
    assert isinstance(condition, Number)
    result = choose(as_condition(condition.bits), yes, no)
    return with_choices(poisoned(result, condition.poison), condition)


def with_choices(value: Value, also: Number | Pointer) -> Value:
    """The value, whose undef is also that of another."""
    if not also.choices:
        return value
    if isinstance(value, Aggregate):
        return Aggregate(tuple(with_choices(part, also) for part in value.parts))
    choices = merge_choices(value.choices, also.choices)
    if isinstance(value, Number):
        return Number(value.bits, value.poison, choices)
    return Pointer(value.block, value.root, value.offset, value.poison, choices)


def _insert(value: Value, part: Value, indices: list[int]) -> Value:
    if not indices:
        return part
    assert isinstance(value, Aggregate)
    parts = list(value.parts)
    parts[indices[0]] = _insert(parts[indices[0]], part, indices[1:])
    return Aggregate(tuple(parts))


def _vector(run: Execution, one: Instruction, operands: list[Value]) -> Value:
    first = operands[0]
    assert isinstance(first, Aggregate)
    if one.op == "shufflevector":
        second = operands[1]
        assert isinstance(second, Aggregate)
        both = first.parts + second.parts
        element = one.type["of"]
        return Aggregate(tuple(poison_of(run, element) if index < 0 else both[index] for index in one.details["mask"]))
    position = operands[-1]
    assert isinstance(position, Number)
    index = terms.constant(position.bits)
    if index is None or not terms.is_false(position.poison) or index >= len(first.parts):
        raise Unsupported(f"{one.op} at a variable position")
    if one.op == "extractelement":
        return first.parts[index]
    return Aggregate((*first.parts[:index], operands[1], *first.parts[index + 1 :]))


def poison_of(run: Execution, type_: Type) -> Value:
    """Poison of a type."""
    from compiler_agent.evaluation.validate.constants import zero

    del run
    return poisoned(zero(type_), terms.TRUE)


def _address(run: Execution, frame: Frame, state: State, one: Instruction, base: Value) -> Value:
    """getelementptr: the scaled indices are added up one after the other.

    Source: LLVM Language Reference, "getelementptr", Semantics (LLVM 22).
    """
    if not isinstance(base, Pointer):
        raise Unsupported("getelementptr on a vector")
    if "inrange" in one.flags:
        raise Unsupported("getelementptr inrange")
    inbounds, unsigned = "inbounds" in one.flags, "nuw" in one.flags
    world = run.world
    poison, choices = base.poison, base.choices
    outside, moves = terms.FALSE, terms.FALSE
    total: Bits = bits(0, ADDRESS_BITS)
    here = base
    for operand, stride in one.details["steps"]:
        index = run.operand(frame, state, operand)
        if not isinstance(index, Number) or stride < 0 or index.bits.size() > ADDRESS_BITS:
            raise Unsupported("getelementptr with a vector of indices, or one wider than a pointer")
        poison, choices = disj(poison, index.poison), merge_choices(choices, index.choices)
        number = terms.resize(index.bits, ADDRESS_BITS, signed=True)
        scaled = number if stride == 1 else terms.fold(number * stride, number)
        poison = disj(poison, _scaling(number, index.bits.size(), stride, scaled, one.flags))
        if terms.constant(scaled) == 0:
            continue
        if terms.constant(total) != 0:
            poison = disj(poison, _wraps(run, "uadd", total, scaled, one.flags))
            poison = disj(poison, _wraps(run, "sadd", total, scaled, one.flags))
        total = terms.add(total, scaled)
        here = _moved(base, total)
        if inbounds:
            # Each step stays in the block or just behind it, without going around the address space.
            exact = z3.ZeroExt(2, base.position) + z3.SignExt(2, total)
            around = terms.fold(exact != z3.ZeroExt(2, here.position), base.position, total)
            outside = disj(outside, around, neg(world.in_bounds(here, 0)))
            moves = disj(moves, neg(equal(scaled, bits(0, ADDRESS_BITS))))
    if terms.constant(total) != 0 and (unsigned or "nusw" in one.flags):
        around = world.address(base)
        poison = disj(poison, _wraps(run, "uadd", around, total, one.flags))
        if "nusw" in one.flags:  # the address is unsigned, the offset signed
            exact = z3.ZeroExt(2, around) + z3.SignExt(2, total)
            poison = disj(poison, exact != z3.ZeroExt(2, around + total))
    if inbounds:
        poison = disj(poison, conj(moves, disj(outside, neg(world.in_bounds(base, 0)))))
    return Pointer(here.block, here.root, here.offset, poison, choices)


def _scaling(number: Bits, width: int, stride: int, scaled: Bits, flags: frozenset[str]) -> terms.Bool:
    """Whether an index times its stride overflows."""
    if stride <= 1:
        return terms.FALSE
    wide, found = 2 * ADDRESS_BITS, terms.FALSE
    if flags & {"inbounds", "nusw"} and width + stride.bit_length() + 1 > ADDRESS_BITS:
        exact = z3.SignExt(ADDRESS_BITS, number) * bits(stride, wide)
        found = disj(found, terms.fold(exact != z3.SignExt(ADDRESS_BITS, scaled), number))
    if "nuw" in flags:
        exact = z3.ZeroExt(ADDRESS_BITS, number) * bits(stride, wide)
        found = disj(found, terms.fold(exact != z3.ZeroExt(ADDRESS_BITS, scaled), number))
    return found


def _wraps(run: Execution, op: str, left: Bits, right: Bits, flags: frozenset[str]) -> terms.Bool:
    """Whether a sum of offsets overflows in a way that the flags forbid."""
    forbidden = {"nuw"} if op[0] == "u" else {"inbounds", "nusw"}
    return integers.overflows(run.world, op, left, right) if flags & forbidden else terms.FALSE


def _moved(base: Pointer, total: Bits) -> Pointer:
    number = terms.constant(total)
    if number is not None:
        return base.moved(number)
    root = total if base.root is None else base.root + total
    return Pointer(base.block, root, base.offset)


def _alloca(run: Execution, frame: Frame, state: State, one: Instruction) -> None:
    key = (frame.number, one.number)
    if not one.details["static"] or one.details["bytes"] < 0:
        raise Unsupported("alloca of a variable size, or outside the entry block")
    kept = frame.kept[one.number]
    if run.side.is_target and one.number in frame.marked:
        state.dead[key] = terms.TRUE  # until its lifetime begins
    if kept is Kept.SLOT:
        state.slots[key] = undef(run.side, one.details["allocated"])
        state.values[key] = Pointer(bits(0, BLOCK_BITS), None, 0)  # never read: loads and stores know the slot
        return
    n_bytes, align = one.details["bytes"], one.details["align"]
    private = kept is Kept.PRIVATE
    number = run.world.alloca_block(n_bytes, align, private=private, target=run.side.is_target)
    if private:
        state.private[number] = Undefined(run.side)
    else:
        state.memory = Allocated(run.side, state.memory, bits(number, BLOCK_BITS))
    state.blocks[key] = number
    state.values[key] = Pointer(bits(number, BLOCK_BITS), None, 0)


STEP: Callable[[Execution, Frame, State, Instruction], None] = step
