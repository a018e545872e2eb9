"""Calls: of intrinsics, of functions whose body is put in their place, and of what is not known here."""

from __future__ import annotations

from typing import Any

import z3

from compiler_agent.evaluation.validate import accesses, floats, intrinsics, terms, transfers
from compiler_agent.evaluation.validate.allocas import Kept
from compiler_agent.evaluation.validate.call_claims import (
    allowed_for,
    annotated,
    claims_of,
    effect_of,
    said_of,
    source_claims,
)
from compiler_agent.evaluation.validate.constants import undef
from compiler_agent.evaluation.validate.events import Call, State
from compiler_agent.evaluation.validate.execute import Execution, Frame, merge_exits
from compiler_agent.evaluation.validate.integers import as_bit, as_condition
from compiler_agent.evaluation.validate.ir import Function, Instruction, Type
from compiler_agent.evaluation.validate.memory import Allocated, Called, Initial, Memory, Merged, Undefined
from compiler_agent.evaluation.validate.terms import Bits, bits, conj, equal, neg
from compiler_agent.evaluation.validate.values import (
    ADDRESS_BITS,
    BLOCK_BITS,
    Aggregate,
    Number,
    Pointer,
    Unsupported,
    Value,
    any_poison,
    choose,
    element_types,
    merge_choices,
    place,
    width_of,
)

_NOTHING = frozenset(
    ("llvm.donothing", "llvm.sideeffect", "llvm.experimental.noalias.scope.decl", "llvm.dbg.value", "llvm.dbg.declare")
)
_FLOAT_BITS = {"llvm.fabs", "llvm.copysign"}
_IDENTITY = frozenset(("llvm.expect", "llvm.expect.with.probability", "llvm.threadlocal.address"))


def call(run: Execution, frame: Frame, state: State, one: Instruction) -> Value | None:
    """A call; its result, if it has one.

    Raises:
        Unsupported: It is not modelled.
    """
    name = one.details.get("intrinsic")
    bundles = one.details["bundles"]
    if name == "llvm.assume":
        _assume(run, frame, state, one)
        return None
    if bundles:
        raise Unsupported(f"operand bundle {bundles[0]}")
    if name is None:
        callee = one.details.get("callee")
        function = run.module.functions.get(callee[1]) if callee is not None and callee[0] == "g" else None
        if function is not None and function.name in run.expand and function.defined:
            return _expand(run, frame, state, one, function)
        return _unknown(run, frame, state, one, function)
    if name in _NOTHING:
        return None
    if name in ("llvm.lifetime.start", "llvm.lifetime.end"):
        _lifetime(run, frame, state, one, name.endswith("start"))
        return None
    if name in transfers.KNOWN:
        transfers.transfer(run, frame, state, one, name)
        return None
    operands = [
        annotated(run, state, run.operand(frame, state, operand), one.attributes.argument(index), one.text)
        for index, operand in enumerate(one.operands)
    ]
    result = _computed(run, one, name, operands)
    return annotated(run, state, result, one.attributes.result, one.text)


def _computed(run: Execution, one: Instruction, name: str, operands: list[Value]) -> Value:
    first = operands[0] if operands else None
    if name in _IDENTITY and first is not None:
        return first
    if name == "llvm.is.constant":
        raise Unsupported(name)
    if name in intrinsics.OVERFLOW and isinstance(first, Number) and isinstance(operands[1], Number):
        value, beyond = intrinsics.with_overflow(run.world, name, first.bits, operands[1].bits)
        poison = terms.disj(first.poison, operands[1].poison)
        choices = merge_choices(first.choices, operands[1].choices)
        return Aggregate((Number(value, poison, choices), Number(as_bit(beyond), poison, choices)))
    if name in intrinsics.ELEMENTWISE or name in _FLOAT_BITS:
        return _elementwise(run, one.type, name, operands)
    raise Unsupported(name)


def _elementwise(run: Execution, type_: Type, name: str, operands: list[Value]) -> Value:
    if any(isinstance(operand, Aggregate) for operand in operands):
        count = next(len(operand.parts) for operand in operands if isinstance(operand, Aggregate))
        rows = [
            [operand.parts[index] if isinstance(operand, Aggregate) else operand for operand in operands]
            for index in range(count)
        ]
        return Aggregate(tuple(_elementwise(run, type_["of"], name, row) for row in rows))
    numbers = [operand for operand in operands if isinstance(operand, Number)]
    if len(numbers) != len(operands):
        raise Unsupported(f"{name} of pointers")
    poison = terms.any_of(number.poison for number in numbers)
    choices = merge_choices(*(number.choices for number in numbers))
    values = [number.bits for number in numbers]
    if name == "llvm.fabs":
        return Number(floats.absolute(values[0]), poison, choices)
    if name == "llvm.copysign":
        return Number(floats.copysign(values[0], values[1]), poison, choices)
    result = intrinsics.elementwise(run.world, name, values, width_of(type_))
    return Number(result.bits, terms.disj(poison, result.poison), choices)


def _assume(run: Execution, frame: Frame, state: State, one: Instruction) -> None:
    if one.details["bundles"] and run.side.is_target:
        raise Unsupported("llvm.assume with operand bundles")
    value = run.condition(frame, state, one.operands[0], "llvm.assume")
    run.undefine(state, neg(as_condition(value.bits)), "llvm.assume")


def _lifetime(run: Execution, frame: Frame, state: State, one: Instruction, starts: bool) -> None:
    operand = one.operands[-1]
    if operand[0] in ("poison", "undef"):
        return
    key = (frame.number, operand[1])
    if operand[0] != "v" or operand[1] not in frame.kept:
        raise Unsupported("a lifetime marker of something that is no alloca")
    if not run.side.is_target:
        return  # to forget it asks for more: what is out of its lifetime has no meaning there
    state.dead[key] = z3.BoolVal(not starts)
    if not starts:
        return
    if frame.kept[operand[1]] is Kept.SLOT:
        state.slots[key] = undef(run.side, frame.function.instructions[operand[1]].details["allocated"])
        return
    block = state.blocks[key]
    if block in state.private:
        state.private[block] = Undefined(run.side)
    else:
        state.memory = Allocated(run.side, state.memory, bits(block, BLOCK_BITS))


def _expand(run: Execution, frame: Frame, state: State, one: Instruction, function: Function) -> Value | None:
    """Runs the callee's body in the place of the call."""
    if len(one.operands) != len(function.arguments) or function.details["variadic"]:
        raise Unsupported(f"variadic call of {function.name}")
    inner = run.frame(function, frame.depth + 1)
    entered = state.copy()
    for index, operand in enumerate(one.operands):
        claims = function.attributes.argument(index).union(one.attributes.argument(index))
        if any(text.startswith(("byval", "inalloca", "preallocated")) for text in claims.texts):
            raise Unsupported(f"byval argument of {function.name}")
        value = annotated(run, entered, run.operand(frame, state, operand), claims, one.text)
        entered.values[inner.number, index] = value
    exits = run.run(inner, entered)
    after, result = merge_exits(run, exits)
    state.reach = after.reach
    if terms.is_false(after.reach):
        return None
    state.memory, state.index = after.memory, after.index
    state.private = {number: memory for number, memory in after.private.items() if number in state.private}
    state.slots = {key: kept for key, kept in after.slots.items() if key in state.slots}
    if result is None:
        return None
    claims = function.attributes.result.union(one.attributes.result)
    return annotated(run, state, result, claims, one.text)


def _unknown(run: Execution, frame: Frame, state: State, one: Instruction, function: Function | None) -> Value | None:
    """A call of what is not known here: the same on both sides if it gets the same and finds the same memory."""
    attributes = one.attributes
    claims = claims_of(run, one, function)
    arguments = []
    for index, operand in enumerate(one.operands):
        own = attributes.argument(index).union(claims.argument(index))
        arguments.append(annotated(run, state, run.operand(frame, state, operand), own, one.text))
    if "asm" in one.details:
        key: tuple[Any, ...] = ("asm", one.details["asm"])
    else:
        callee = one.details["callee"]
        if callee[0] == "g":
            run.world.symbol(callee[1])
            key = ("function", callee[1])
            if function is not None and function.defined:
                run.assumes[function.name] = None
        else:
            key = ("pointer",)
            arguments.append(accesses.address(run, frame, state, callee, "call"))
    if "returns_twice" in attributes.function or (function and "returns_twice" in function.attributes.function):
        raise Unsupported("a call that returns twice")
    if any(text.startswith("inalloca") for index in range(len(arguments)) for text in attributes.argument(index).texts):
        raise Unsupported("inalloca argument")
    key = (*key, repr(one.type), one.details["convention"], len(arguments))
    effect = effect_of(claims.function.union(source_claims(run, one)))
    result_claims = attributes.result.union(claims.result)
    if effect == "none" and {"nounwind", "willreturn"} <= claims.function.texts | attributes.function.texts:
        return annotated(run, state, _function_of(run, key, one.type, arguments), result_claims, one.text)
    precise = function is None or not (function.details["library"] or function.defined)
    if run.matching is None:
        made = _source_call(run, frame, state, one, key, tuple(arguments), effect, precise)
    else:
        made = _target_call(run, frame, state, one, key, tuple(arguments), effect, run.matching)
    run.calls.append(made)
    if made.after is not None:
        state.memory = Called(run.side, state.memory, made.after)
    state.index = terms.add(state.index, bits(1, state.index.size()))
    if made.result is None:
        return None
    return annotated(run, state, made.result, result_claims, one.text)


def _source_call(
    run: Execution,
    frame: Frame,
    state: State,
    one: Instruction,
    key: tuple[Any, ...],
    arguments: tuple[Value, ...],
    effect: str,
    precise: bool,
) -> Call:
    name = f"call {len(run.calls)}"
    result = None if one.type == "void" else fresh(run, name, one.type)
    after = Initial(run.side, name) if effect == "any" else None
    memory = None if effect == "none" else state.memory
    return Call(key, state.reach, state.index, arguments, memory, result, after, said_of(frame, one), precise)


def _target_call(
    run: Execution,
    frame: Frame,
    state: State,
    one: Instruction,
    key: tuple[Any, ...],
    arguments: tuple[Value, ...],
    effect: str,
    calls: list[Call],
) -> Call:
    """The results are those of the source's call in the same place of the order, if it is a call of the same."""
    alike = [call for call in calls if call.key == key and call.arguments_alike(arguments)]
    alike = [call for call in alike if not terms.is_false(equal(call.index, state.index))]
    certain = [call for call in alike if terms.same(call.when, state.reach) and terms.same(call.index, state.index)]
    alike = certain or alike
    result: Value | None = None
    after: Memory | None = None
    if not alike:  # whatever comes afterwards, this call is a difference
        result = None if one.type == "void" else fresh(run, f"lost {len(run.calls)}", one.type)
        after = Initial(run.side, f"lost {len(run.calls)}")
    else:
        matched = [(conj(call.when, equal(call.index, state.index)), call) for call in alike]
        result = matched[-1][1].result
        for when, call in reversed(matched[:-1]):
            if result is not None and call.result is not None:
                result = choose(when, call.result, result)
        afters = [(when, call.after or state.memory) for when, call in matched]
        if any(call.after is not None for call in alike):
            after = afters[0][1] if len(afters) == 1 else Merged(run.side, afters)
    memory = None if effect == "none" else state.memory
    said = said_of(frame, one) - allowed_for(run, one)
    return Call(key, state.reach, state.index, arguments, memory, result, after, said, precise=True)


def fresh(run: Execution, name: str, type_: Type) -> Value:
    """Any value of a type that is neither poison nor undef."""
    if type_ == "ptr":
        return run.world.outside_pointer(name, may_be_local=True)
    if isinstance(type_, str):
        return Number(z3.BitVec(name, width_of(type_)))
    return Aggregate(tuple(fresh(run, f"{name}.{index}", part) for index, part in enumerate(element_types(type_))))


def _function_of(run: Execution, key: tuple[Any, ...], type_: Type, arguments: list[Value]) -> Value:
    """The result of a call that reads and changes nothing: a function of its arguments."""
    inputs: list[Bits] = []
    for argument in arguments:
        if isinstance(argument, Number):
            inputs.append(argument.bits)
        elif isinstance(argument, Pointer):
            inputs += [argument.block, argument.position]
        else:
            raise Unsupported("an aggregate as an argument of a pure function")
    # What it makes of poison is not known: in the source something, in the target the worst.
    poison = terms.any_of(map(any_poison, arguments)) if run.side.is_target else terms.FALSE
    choices = merge_choices(*(one.choices for one in arguments if not isinstance(one, Aggregate)))
    sorts = [term.sort() for term in inputs]
    # What is known of library functions is not in here.
    run.world.imprecise["a pure function"] = None

    def result(part: str, width: int) -> Bits:
        return z3.Function(f"pure {key} {part}", *sorts, z3.BitVecSort(width))(*inputs)

    if type_ == "ptr":
        return place(result("block", BLOCK_BITS), result("position", ADDRESS_BITS), poison, choices)
    if not isinstance(type_, str):
        raise Unsupported("a pure function that returns an aggregate")
    return Number(result("", width_of(type_)), poison, choices)
