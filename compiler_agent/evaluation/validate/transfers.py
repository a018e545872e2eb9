"""memcpy, memmove and memset as intrinsics."""

from __future__ import annotations

import z3

from compiler_agent.evaluation.validate import accesses, terms
from compiler_agent.evaluation.validate.constants import constant_global, read_constant
from compiler_agent.evaluation.validate.events import State
from compiler_agent.evaluation.validate.execute import Execution, Frame
from compiler_agent.evaluation.validate.ir import Instruction
from compiler_agent.evaluation.validate.memory import Copied, Filled, Memory, Stored, Undefined
from compiler_agent.evaluation.validate.terms import bits, conj, disj, equal, neg
from compiler_agent.evaluation.validate.values import ADDRESS_BITS, Number, Pointer, Unsupported

KNOWN = frozenset(("llvm.memcpy", "llvm.memmove", "llvm.memset", "llvm.memcpy.inline", "llvm.memset.inline"))
_LONGEST_CONSTANT = 512


def transfer(run: Execution, frame: Frame, state: State, one: Instruction, name: str) -> None:
    """Copies or fills a range.

    Raises:
        Unsupported: It is volatile, or copies from a constant that is not modelled.
    """
    if terms.constant(_number(run, frame, state, one, 3).bits) != 0:
        raise Unsupported(f"volatile {name}")
    length = _number(run, frame, state, one, 2)
    run.decided(state, length, name)
    n_bytes = terms.resize(length.bits, ADDRESS_BITS)
    if terms.constant(n_bytes) == 0:
        return
    sizes = terms.constant(n_bytes)
    known = sizes if sizes is not None else n_bytes
    some = neg(equal(n_bytes, bits(0, ADDRESS_BITS)))
    to = _address(run, frame, state, one, 0, some)
    align = [one.attributes.argument(index).numbers.get("align", 1) for index in (0, 1)]
    memory, private = accesses.memory_at(state, to)
    if run.side.is_target:
        for kind in ("alias.scope", "noalias", "tbaa"):
            if kind in one.metadata:
                raise Unsupported(f"metadata !{kind} on {name}")
    if name.startswith("llvm.memset"):
        value = _number(run, frame, state, one, 1)
        accesses.check(run, state, to, known, align[0], write=True, what=name)
        accesses.put(state, private, Filled(run.side, memory, to, n_bytes, value))
        return
    origin = _address(run, frame, state, one, 1, some)
    accesses.check(run, state, origin, known, align[1], write=False, what=name)
    accesses.check(run, state, to, known, align[0], write=True, what=name)
    if name.startswith("llvm.memcpy"):
        apart = disj(z3.UGE(to.position - origin.position, n_bytes), equal(to.position, origin.position))
        before = disj(z3.UGE(origin.position - to.position, n_bytes), equal(to.position, origin.position))
        overlap = conj(equal(to.block, origin.block), neg(conj(apart, before)))
        run.undefine(state, overlap, f"{name} of overlapping ranges")
    accesses.put(state, private, _copied(run, state, memory, to, n_bytes, origin))


def _copied(run: Execution, state: State, memory: Memory, to: Pointer, n_bytes: terms.Bits, origin: Pointer) -> Memory:
    table = constant_global(run.world, origin)
    if table is None:
        return Copied(run.side, memory, to, n_bytes, accesses.memory_at(state, origin)[0], origin)
    length = terms.constant(n_bytes)
    if length is None or length > _LONGEST_CONSTANT or origin.root is not None:
        raise Unsupported("a long or variable copy from a constant")
    contents: Memory = Undefined(run.side)
    for entry in range(length):
        value = read_constant(run.side, table, origin.moved(entry), 1, False)
        assert isinstance(value, Number)
        contents = Stored(run.side, contents, origin.moved(entry), 1, 1, value)
    return Copied(run.side, memory, to, n_bytes, contents, origin)


def _address(run: Execution, frame: Frame, state: State, one: Instruction, index: int, some: terms.Bool) -> Pointer:
    """An address, which does not matter where no byte is transferred."""
    value = run.operand(frame, state, one.operands[index])
    assert isinstance(value, Pointer)
    run.undefine(state, conj(some, value.poison), one.text)
    if run.side.is_target and value.choices:
        run.decided(state, value, one.text)
    return value


def _number(run: Execution, frame: Frame, state: State, one: Instruction, index: int) -> Number:
    if index >= len(one.operands):
        return Number(bits(0, 1))
    value = run.operand(frame, state, one.operands[index])
    assert isinstance(value, Number)
    return value
