"""The oracle of the validator's tests: runs small functions on every input, with poison, undef and undefined behaviour.

It shares nothing with the validator but the reader of the IR's JSON.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from compiler_agent.evaluation.validate.ir import Function, Instruction, Module

POISON = "poison"
UNDEFINED = "undefined behaviour"
ENDLESS = "it does not end"
_MOST_STEPS = 600
_MOST_RUNS = 3000


class Undefined(Exception):
    """Undefined behaviour."""


class Endless(Exception):
    """More steps than are waited for."""


class TooMany(Exception):
    """More choices than are tried."""


@dataclass(frozen=True)
class Undef:
    """A value that is another at each use."""

    width: int


@dataclass(frozen=True)
class Address:
    """A place in a block."""

    block: str
    offset: int


@dataclass
class Choices:
    """Makes the choices of one run, and finds the next ones to try."""

    fixed: list[int] = field(default_factory=list)
    made: list[tuple[int, int]] = field(default_factory=list)

    def pick(self, count: int) -> int:
        place = len(self.made)
        value = self.fixed[place] if place < len(self.fixed) else 0
        self.made.append((value, count))
        return value

    def next(self) -> list[int] | None:
        values = list(self.made)
        while values:
            value, count = values.pop()
            if value + 1 < count:
                return [*(one for one, _ in values), value + 1]
        return None


def behaviours(module: Module, name: str, arguments: tuple[Any, ...], memory: Mapping[str, list[Any]]) -> set[Any]:
    """All outcomes for one input: results with the final memory, POISON in its place, UNDEFINED, ENDLESS."""
    outcomes: set[Any] = set()
    fixed: list[int] | None = []
    for _ in range(_MOST_RUNS):
        choices = Choices(list(fixed or ()))
        try:
            outcomes.add(
                _Run(module, choices, {key: list(value) for key, value in memory.items()}).function(name, arguments)
            )
        except Undefined:
            return {UNDEFINED}
        except Endless:
            outcomes.add(ENDLESS)
        fixed = choices.next()
        if fixed is None:
            return outcomes
    raise TooMany


def refines(source: set[Any], target: set[Any]) -> bool:
    """Whether each outcome of the target may stand for one of the source's."""
    return UNDEFINED in source or all(any(_covers(one, two) for one in source) for two in target)


def _covers(source: Any, target: Any) -> bool:
    if isinstance(source, str) or isinstance(target, str):
        return bool(source == target)
    return all(one in (POISON, two) for one, two in zip(source, target, strict=True))


def inputs(function: Function) -> Iterator[tuple[Any, ...]]:
    """All values of the arguments, poison included where it may be passed."""
    spaces = []
    for index, type_ in enumerate(function.arguments):
        values: list[Any] = list(range(1 << int(type_[1:])))
        if "noundef" not in function.attributes.argument(index):
            values.append(POISON)
        spaces.append(values)
    return itertools.product(*spaces)


def signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


class _Run:
    def __init__(self, module: Module, choices: Choices, memory: dict[str, list[Any]]) -> None:
        self.module, self.choices, self.memory = module, choices, memory
        self.steps = 0
        self.frames = 0

    def function(self, name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        outside = sorted(self.memory)
        result = self.call(self.module.functions[name], arguments)
        if isinstance(result, Undef):
            result = self.choices.pick(1 << result.width)
        final = []
        for block in outside:
            final += [
                self.choices.pick(1 << one.width) if isinstance(one, Undef) else one for one in self.memory[block]
            ]
        return (result, *final)

    def call(self, function: Function, arguments: tuple[Any, ...]) -> Any:
        self.frames += 1
        frame = self.frames
        values: dict[int, Any] = dict(enumerate(arguments))
        block, before = 0, -1
        while True:
            news = {}
            for one in function.blocks[block]:
                if one.op == "phi":
                    news[one.number] = self.use(values, one.operands[one.details["from"].index(before)])
            values.update(news)
            for one in function.blocks[block]:
                if one.op == "phi":
                    continue
                self.steps += 1
                if self.steps > _MOST_STEPS:
                    raise Endless
                if one.op == "ret":
                    return self.use(values, one.operands[0]) if one.operands else 0
                if one.op == "unreachable":
                    raise Undefined
                if one.op in ("br", "switch"):
                    before, block = block, self.branch(values, one)
                    break
                values[one.number] = self.execute(frame, values, one)

    def branch(self, values: dict[int, Any], one: Instruction) -> int:
        if not one.operands:
            return one.successors[0]
        value = self.use(values, one.operands[0])
        if value == POISON or isinstance(value, Undef):
            raise Undefined
        if one.op == "br":
            return one.successors[0 if value else 1]
        for to, case in zip(one.successors[1:], one.details["cases"], strict=True):
            if int(case[2]) == value:
                return to
        return one.successors[0]

    def use(self, values: dict[int, Any], operand: list[Any]) -> Any:
        kind = operand[0]
        if kind == "v":
            return values[operand[1]]
        if kind == "i":
            return int(operand[2])
        if kind == "undef":
            return Undef(int(operand[1][1:]))
        if kind == "poison":
            return POISON
        if kind == "g":
            return Address(operand[1], 0)
        if kind == "null":
            return Address("null", 0)
        if kind == "expression" and operand[1]["op"] == "getelementptr":
            base = self.use(values, operand[1]["x"][0])
            steps = ((signed(int(index[2]), index[1]), stride) for index, stride in operand[1]["steps"])
            return Address(base.block, base.offset + sum(index * stride for index, stride in steps))
        raise NotImplementedError(operand)

    def known(self, value: Any) -> Any:
        """A number or POISON: undef is picked here."""
        return self.choices.pick(1 << value.width) if isinstance(value, Undef) else value

    def execute(self, frame: int, values: dict[int, Any], one: Instruction) -> Any:
        if one.op == "alloca":
            name = f"alloca {frame} {one.number}"
            self.memory[name] = [Undef(8)] * one.details["bytes"]
            return Address(name, 0)
        if one.op == "load":
            return self.load(self.use(values, one.operands[0]), int(one.type[1:]) // 8, one.details["align"])
        if one.op == "store":
            n_bytes = int(one.details["stored"][1:]) // 8
            self.store(
                self.use(values, one.operands[1]), self.use(values, one.operands[0]), n_bytes, one.details["align"]
            )
            return None
        if one.op == "freeze":
            value = self.use(values, one.operands[0])
            return self.choices.pick(1 << int(one.type[1:])) if value == POISON else self.known(value)
        if one.op == "select":
            condition = self.known(self.use(values, one.operands[0]))
            if condition == POISON:
                return POISON
            return self.use(values, one.operands[1 if condition else 2])
        if one.op == "getelementptr":
            return self.address(values, one)
        if one.op == "call":
            return self.invoke(values, one)
        operands = [self.known(self.use(values, operand)) for operand in one.operands]
        return compute(one, operands)

    def invoke(self, values: dict[int, Any], one: Instruction) -> Any:
        name = one.details.get("intrinsic")
        if name is None:
            callee = self.module.functions[one.details["callee"][1]]
            return self.call(callee, tuple(self.use(values, operand) for operand in one.operands))
        if name.startswith("llvm.lifetime"):
            return None
        operands = [self.use(values, operand) for operand in one.operands]
        if name == "llvm.memset":
            self.fill(operands)
            return None
        if name in ("llvm.memcpy", "llvm.memmove"):
            self.copy(operands, name)
            return None
        known = [self.known(operand) for operand in operands]
        if name == "llvm.assume":
            if known[0] != 1:
                raise Undefined
            return None
        return intrinsic(name, known, int(one.type[1:]) if isinstance(one.type, str) else 0, one)

    def place(self, at: Any, n_bytes: int, align: int) -> list[Any]:
        if not isinstance(at, Address):
            raise Undefined
        block = self.memory.get(at.block)
        if block is None or at.offset < 0 or at.offset + n_bytes > len(block) or at.offset % align:
            raise Undefined
        return block

    def load(self, at: Any, n_bytes: int, align: int) -> Any:
        block = self.place(at, n_bytes, align)
        result = block[at.offset : at.offset + n_bytes]
        if POISON in result:
            return POISON
        if n_bytes == 1:
            return result[0]
        return sum(self.known(byte) << (8 * index) for index, byte in enumerate(result))

    def store(self, at: Any, value: Any, n_bytes: int, align: int) -> None:
        block = self.place(at, n_bytes, align)
        for index in range(n_bytes):
            byte = value if value == POISON else Undef(8) if isinstance(value, Undef) else value >> (8 * index) & 255
            block[at.offset + index] = byte

    def fill(self, operands: list[Any]) -> None:
        length = self.known(operands[2])
        if length == POISON:
            raise Undefined
        if length:
            block = self.place(operands[0], length, 1)
            block[operands[0].offset : operands[0].offset + length] = [operands[1]] * length

    def copy(self, operands: list[Any], name: str) -> None:
        length = self.known(operands[2])
        if length == POISON:
            raise Undefined
        if not length:
            return
        there, here = self.place(operands[0], length, 1), self.place(operands[1], length, 1)
        apart = abs(operands[0].offset - operands[1].offset)
        if name == "llvm.memcpy" and operands[0].block == operands[1].block and 0 < apart < length:
            raise Undefined
        there[operands[0].offset : operands[0].offset + length] = here[operands[1].offset : operands[1].offset + length]

    def address(self, values: dict[int, Any], one: Instruction) -> Any:
        base = self.use(values, one.operands[0])
        if base == POISON:
            return POISON
        here, moved = base.offset, False
        size = len(self.memory.get(base.block, ()))
        for operand, stride in one.details["steps"]:
            index = self.known(self.use(values, operand))
            if index == POISON:
                return POISON
            width = operand[1] if operand[0] == "i" else 64
            delta = signed(index, width) * stride
            if "nuw" in one.flags and delta < 0:
                return POISON
            moved = moved or delta != 0
            here += delta
            if "inbounds" in one.flags and moved and not (0 <= here <= size and 0 <= base.offset <= size):
                return POISON
        return Address(base.block, here)


def compute(one: Instruction, operands: list[Any]) -> Any:
    """A binary operation, a comparison or a conversion."""
    op, flags = one.op, one.flags
    if op in ("udiv", "sdiv", "urem", "srem"):
        return _division(one, operands)
    if POISON in operands:
        return POISON
    if op == "icmp":
        width = int(one.details["compared"][1:])
        left, right = operands
        if "samesign" in flags and (left >> (width - 1)) != (right >> (width - 1)):
            return POISON
        return int(_compare(one.details["predicate"], left, right, width))
    if op in ("zext", "sext", "trunc"):
        have, want = int(one.details["from_type"][1:]), int(one.type[1:])
        value = operands[0]
        if op == "zext":
            return POISON if "nneg" in flags and value >> (have - 1) else value
        if op == "sext":
            return signed(value, have) % (1 << want)
        cut = value % (1 << want)
        if ("nuw" in flags and cut != value) or ("nsw" in flags and signed(cut, want) != signed(value, have)):
            return POISON
        return cut
    width = int(one.type[1:])
    left, right = operands
    size = 1 << width
    if op in ("add", "sub", "mul"):
        apply = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b}[op]
        result = apply(left, right)
        wide = apply(signed(left, width), signed(right, width))
        if "nuw" in flags and not 0 <= result < size:
            return POISON
        if "nsw" in flags and not -size // 2 <= wide < size // 2:
            return POISON
        return result % size
    if op in ("shl", "lshr", "ashr"):
        if right >= width:
            return POISON
        if op == "shl":
            result = (left << right) % size
            if "nuw" in flags and result >> right != left:
                return POISON
            if "nsw" in flags and signed(result, width) >> right != signed(left, width):
                return POISON
            return result
        if "exact" in flags and left & ((1 << right) - 1):
            return POISON
        return left >> right if op == "lshr" else (signed(left, width) >> right) % size
    if op == "or" and "disjoint" in flags and left & right:
        return POISON
    return {"and": left & right, "or": left | right, "xor": left ^ right}[op]


def _division(one: Instruction, operands: list[Any]) -> Any:
    width = int(one.type[1:])
    left, right = operands
    if right in (POISON, 0):
        raise Undefined
    if one.op[0] == "s":
        if right == (1 << width) - 1 and left in (POISON, 1 << (width - 1)):
            raise Undefined
        if left == POISON:
            return POISON
        a, b = signed(left, width), signed(right, width)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        remainder = a - quotient * b
    else:
        if left == POISON:
            return POISON
        quotient, remainder = divmod(left, right)
    if "exact" in one.flags and remainder:
        return POISON
    return (quotient if one.op.endswith("div") else remainder) % (1 << width)


def _compare(predicate: str, left: int, right: int, width: int) -> bool:
    if predicate[0] == "s":
        left, right = signed(left, width), signed(right, width)
    if predicate in ("eq", "ne"):
        return (left == right) == (predicate == "eq")
    return {"gt": left > right, "ge": left >= right, "lt": left < right, "le": left <= right}[predicate[1:]]


def intrinsic(name: str, operands: list[Any], width: int, one: Instruction) -> Any:
    """An intrinsic that only computes."""
    if POISON in operands:
        return POISON
    size = 1 << width if width else 0
    first = operands[0]
    if name in ("llvm.umax", "llvm.umin"):
        return max(operands) if name.endswith("max") else min(operands)
    if name in ("llvm.smax", "llvm.smin"):
        pick = max if name.endswith("max") else min
        return pick(operands, key=lambda value: signed(value, width))
    if name == "llvm.abs":
        if operands[1] and first == size // 2:
            return POISON
        return abs(signed(first, width)) % size
    if name == "llvm.ctpop":
        return first.bit_count()
    if name in ("llvm.ctlz", "llvm.cttz"):
        if first == 0:
            return POISON if operands[1] else width % size
        return width - first.bit_length() if name == "llvm.ctlz" else (first & -first).bit_length() - 1
    if name == "llvm.bitreverse":
        return int(f"{first:0{width}b}"[::-1], 2)
    if name in ("llvm.fshl", "llvm.fshr"):
        both, amount = operands[0] << width | operands[1], operands[2] % width
        return (both << amount >> width) % size if name == "llvm.fshl" else (both >> amount) % size
    if name.endswith(".sat"):
        sign, op = name[5], name[6:9]
        a, b = (signed(value, width) if sign == "s" else value for value in operands)
        result = a + b if op == "add" else a - b
        low, high = (-size // 2, size // 2 - 1) if sign == "s" else (0, size - 1)
        return min(max(result, low), high) % size
    raise NotImplementedError(name, one)
