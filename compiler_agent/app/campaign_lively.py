"""Makes what a module of llvm-stress computes depend on its input, and seen from outside.

Nearly all operands there are constants and nearly all results are not used: of 300 instructions `default<O2>` leaves
ten. So constant operands become loads of inputs, and results are stored, each to a place of its own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

INPUT_BYTES = 8192
SINK_BYTES = 1 << 17
_SLOT_BYTES = 128
"""The largest value, <16 x i64>, has so many."""
_OPERANDS = 0.7
_RESULTS = 0.4
_SCALAR = r"i1|i8|i16|i32|i64|float|double"
_VECTOR = rf"<\d+ x (?:{_SCALAR})>"
_TYPE = rf"{_VECTOR}|{_SCALAR}"
_CONSTANT = re.compile(rf"(?P<type>{_VECTOR}) (?P<value>zeroinitializer|splat \([^()]*\)|<[^<>]*>)")
_BOOLEAN = re.compile(r"(?<=select )i1 (?P<value>true|false)\b")
_SECOND_ZERO = re.compile(rf"(?P<head> = (?:[if]cmp )?\w+ (?P<type>{_VECTOR}) [^,]+, )zeroinitializer$")
_NAME = re.compile(r"  (?P<name>%[\w.]+) = (?P<what>\w+) ")
_SIMPLE = re.compile(rf", (?P<type>{_TYPE}) (?:%[\w.]+|zeroinitializer|true|false|[-+\w.]+)$")
_BINARY = re.compile(rf" = \w+ (?P<type>{_TYPE})[ ,]")
_TO = re.compile(rf" to (?P<type>{_TYPE})$")
_VECTOR_OPERAND = re.compile(rf" = \w+ <(?P<n>\d+) x (?P<element>{_SCALAR})> ")
_MASK = re.compile(r"<(?P<n>\d+) x i32> (?:<[^<>]*>|zeroinitializer|splat \(.*\))$")


class Lively:
    """Rewrites lines; what they need at the module's beginning is collected.

    Args:
        seed: Decides which operands and results.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._inputs: dict[str, int] = {}
        self._n_results = 0

    def with_inputs(self, line: str) -> str:
        """A line whose constant operands are, mostly, inputs."""
        if not line.startswith("  ") or " alloca " in line or line.startswith("  br"):
            return line
        mask = _MASK.search(line) if " shufflevector " in line else None
        head, tail = (line[: mask.start()], line[mask.start() :]) if mask else (line, "")
        head = _SECOND_ZERO.sub(lambda match: match["head"] + self._input(match["type"], "zeroinitializer"), head)
        head = _CONSTANT.sub(lambda match: f"{match['type']} {self._input(match['type'], match['value'])}", head)
        head = _BOOLEAN.sub(lambda match: f"i1 {self._input('i1', match['value'])}", head)
        return head + tail

    def entry(self) -> list[str]:
        """The loads of inputs, for the entry block."""
        lines = []
        for kind, slot in self._inputs.items():
            name = _input_name(kind)
            stored = _whole(kind)
            place = f"getelementptr (i8, ptr @inputs, i64 {slot * _SLOT_BYTES})"
            if stored == kind:
                lines.append(f"  {name} = load {kind}, ptr {place}, align {_SLOT_BYTES}")
                continue
            lines.append(f"  {name}.bytes = load {stored}, ptr {place}, align {_SLOT_BYTES}")
            bits = _bits(kind)
            narrow = f"{name}.bytes"
            if bits < int(stored[1:]):
                narrow = name if kind == "i1" else f"{name}.bits"
                lines.append(f"  {narrow} = trunc {stored} {name}.bytes to i{bits}")
            if kind != "i1":
                lines.append(f"  {name} = bitcast i{bits} {narrow} to {kind}")
        return lines

    def sink(self, line: str) -> Iterator[str]:
        """Stores the result of an instruction where it is seen, or not, as the seed decides."""
        kind = result_type(line)
        match = _NAME.match(line)
        if match is None or kind is None or self._rng.random() >= _RESULTS:
            return
        name, slot = match["name"], self._n_results
        if (slot + 1) * _SLOT_BYTES > SINK_BYTES:
            return
        self._n_results += 1
        place = f"getelementptr (i8, ptr @sink, i64 {slot * _SLOT_BYTES})"
        if kind == "i1":
            yield f"  {name}.seen = zext i1 {name} to i8"
            name, kind = f"{name}.seen", "i8"
        if " x i1>" not in kind:
            yield f"  store {kind} {name}, ptr {place}, align {_SLOT_BYTES}"

    def _input(self, kind: str, constant: str) -> str:
        if self._rng.random() >= _OPERANDS:
            return constant
        self._inputs.setdefault(kind, len(self._inputs))
        return _input_name(kind)


def result_type(line: str) -> str | None:
    """The type of what an instruction of llvm-stress computes; None for pointers, and where it is not known."""
    match = _NAME.match(line)
    if match is None:
        return None
    what = match["what"]
    vector = _VECTOR_OPERAND.search(line)
    if what == "extractelement" and vector:
        return vector["element"]
    if what == "insertelement" and vector:
        return f"<{vector['n']} x {vector['element']}>"
    if what == "shufflevector":
        mask = _MASK.search(line)
        return f"<{mask['n']} x {vector['element']}>" if mask and vector else None
    if what in ("icmp", "fcmp"):
        return None if re.search(r"cmp \w+ (<|ptr)", line) else "i1"
    if what == "select":
        found = _SIMPLE.search(line)
        return found["type"] if found else None
    if what in ("alloca", "bitcast") and " ptr " in line:
        return None
    found = _TO.search(line) or (_BINARY.search(line) if what not in ("alloca", "br") else None)
    return found["type"] if found else None


def _input_name(kind: str) -> str:
    return "%input." + kind.strip("<>").replace(" x ", ".")


def _bits(kind: str) -> int:
    return int(kind[1:].split(" x ")[0]) if kind.startswith("<") else 1


def _whole(kind: str) -> str:
    """What is loaded for a type: i1 in memory is whole bytes."""
    return f"i{max(8, _bits(kind))}" if kind == "i1" or kind.endswith(" x i1>") else kind
