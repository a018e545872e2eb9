"""Gives the modules of llvm-stress a defined behaviour, so that what they compute can be compared.

llvm-stress draws instructions without regard to what they mean: it divides by zero, shifts by too much, loads what was
never stored. Such a module says nothing when two compilations of it differ. Its text is regular (one instruction a
line, of few kinds, all memory accessed at the start of an object), so each source of undefined behaviour, poison or
nondeterminism can be rewritten by a rule:

    alloca                      a large, aligned object that is filled
    index of a vector           modulo the vector's length
    poison                      zero
    division, remainder         the divisor made odd and, for signed ones, positive; of i1: xor
    shift                       the amount modulo the width
    floating point to integer   the saturating intrinsic
    floating-point results      one NaN for all
    i1 in memory                as whole bytes, since a load of i1 of other bits is undefined
    comparison of pointers      a constant, since addresses are not the same in two programs
    a conditional branch        takes its second way after a number of turns

Source: LLVM Language Reference, for what each instruction leaves undefined.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from compiler_agent.app.campaign_lively import INPUT_BYTES, SINK_BYTES, Lively
from compiler_agent.base.errors import NotEstablished

OBJECT_BYTES = 4096
"""Of each object that an access may go to; the largest access has 128 bytes."""
_ALIGNMENT = 256
_TURNS = 200
_TYPE = r"<\d+ x \w+>|\w+"
_RESULT = r"  (?P<name>%[\w.]+) = "
_ALLOCA = re.compile(rf"{_RESULT}alloca ")
_BINARY = re.compile(rf"{_RESULT}(?P<what>\w+) (?P<type>{_TYPE}) (?P<first>\S+|<.*?>|splat \(.*?\)), (?P<second>.+)$")
_CONVERSION = re.compile(rf"{_RESULT}(?P<what>\w+) (?P<type>{_TYPE}) (?P<value>.+) to (?P<to>{_TYPE})$")
_EXTRACT = re.compile(rf"{_RESULT}extractelement (?P<type><(?P<n>\d+) x \w+>) (?P<value>.+), i32 (?P<index>\S+)$")
_INSERT = re.compile(
    rf"{_RESULT}insertelement (?P<type><(?P<n>\d+) x \w+>) (?P<value>.+), (?P<element>\w+ \S+), i32 (?P<index>\S+)$"
)
_LOAD = re.compile(rf"{_RESULT}load (?P<type>{_TYPE}), ptr (?P<pointer>\S+), align \d+$")
_STORE = re.compile(rf"  store (?P<type>{_TYPE}) (?P<value>.+), ptr (?P<pointer>%[\w.]+), align \d+$")
_COMPARE_POINTERS = re.compile(rf"{_RESULT}icmp \w+ ptr ")
_BRANCH = re.compile(r"  br i1 (?P<condition>\S+), label (?P<yes>\S+), label (?P<no>\S+)$")
_KNOWN = re.compile(
    r"  (?:%[\w.]+ = )?(alloca|load|store|select|icmp|fcmp|shufflevector|extractelement|insertelement|br|ret|"
    r"bitcast|trunc|zext|sext|fptrunc|fpext|sitofp|uitofp|fptosi|fptoui|fneg|add|sub|mul|and|or|xor|"
    r"udiv|sdiv|urem|srem|shl|lshr|ashr|fadd|fsub|fmul|fdiv|frem) "
)
_WIDTHS = {"i1": 1, "i8": 8, "i16": 16, "i32": 32, "i64": 64}
_NANS = {"float": "0x7FF8000000000000", "double": "0x7FF8000000000000"}


def defined(module: str, seed: int = 0) -> str:
    """The module with a defined behaviour, which depends on @inputs and can be seen in @sink (`campaign_lively`).

    Raises:
        NotEstablished: It has something that no rule is known for.
    """
    declared: set[str] = set()
    lines: list[str] = []
    lively = Lively(seed)
    for number, line in enumerate(_without_poison(module).splitlines()):
        line = lively.with_inputs(re.sub(r" +;.*$", "", line))
        lines += [*_rewritten(line, number, declared), *lively.sink(line)]
    lines += ["", *sorted(declared), "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)", ""]
    lines += [f"@inputs = external global [{INPUT_BYTES} x i8], align {_ALIGNMENT}"]
    lines += [f"@sink = external global [{SINK_BYTES} x i8], align {_ALIGNMENT}", ""]
    return _with_entry("\n".join(lines), lively.entry())


def _without_poison(module: str) -> str:
    module = re.sub(r"(<\d+ x \w+>) poison", r"\1 zeroinitializer", module)
    module = re.sub(r"\b(i\d+) poison", r"\1 0", module)
    module = re.sub(r"\b(float|double) poison", r"\1 0.0", module)
    module = re.sub(r"(icmp \w+|fcmp \w+|\w+) (<\d+ x \w+>) ([^,]+), poison", r"\1 \2 \3, zeroinitializer", module)
    if "poison" in module or "undef" in module:
        raise NotEstablished("the module has a poison that no rule replaces")
    return module


def _rewritten(line: str, number: int, declared: set[str]) -> Iterator[str]:
    if not line.startswith("  "):
        yield line
        return
    if not _KNOWN.match(line):
        raise NotEstablished(f"llvm-stress made an instruction that no rule is known for: {line.strip()}")
    if match := _ALLOCA.match(line):
        yield f"  {match['name']} = alloca [{OBJECT_BYTES} x i8], align {_ALIGNMENT}"
        yield f"  call void @llvm.memset.p0.i64(ptr {match['name']}, i8 5, i64 {OBJECT_BYTES}, i1 false)"
    elif match := _COMPARE_POINTERS.match(line):
        yield f"  {match['name']} = icmp eq i1 true, true"
    elif match := _EXTRACT.match(line):
        index = yield from _index(match)
        yield f"  {match['name']} = extractelement {match['type']} {match['value']}, i32 {index}"
    elif match := _INSERT.match(line):
        index = yield from _index(match)
        yield f"  {match['name']} = insertelement {match['type']} {match['value']}, {match['element']}, i32 {index}"
    elif (match := _LOAD.match(line)) and _element(match["type"]) == "i1":
        yield from _load_bits(match)
    elif (match := _STORE.match(line)) and _element(match["type"]) == "i1":
        yield from _store_bits(match, number)
    elif match := _BRANCH.match(line):
        yield from _turns(match, number)
    elif (match := _CONVERSION.match(line)) and match["what"] in ("fptosi", "fptoui"):
        yield _saturating(match, declared)
    elif (match := _CONVERSION.match(line)) and match["what"] in ("fptrunc", "fpext"):
        yield from _one_nan(line, match["name"], match["to"])
    elif (match := _BINARY.match(line)) and match["what"] in ("udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr"):
        yield from _bounded(match)
    elif (match := _BINARY.match(line)) and match["what"] in ("fadd", "fsub", "fmul", "fdiv", "frem"):
        yield from _one_nan(line, match["name"], match["type"])
    else:
        yield line


def _with_entry(module: str, loads: list[str]) -> str:
    """Puts the counter that branches ask, and the loads of inputs, into the entry block."""
    entry = "\n".join(["  %turns = alloca i32, align 4", f"  store i32 {_TURNS}, ptr %turns, align 4", *loads])
    return re.sub(r"^(define .*\{\n\w+:.*)$", lambda match: f"{match[1]}\n{entry}", module, count=1, flags=re.MULTILINE)


def _index(match: re.Match[str]) -> Generator[str, None, str]:
    index, n = match["index"], int(match["n"])
    if index.lstrip("-").isdigit():
        return str(int(index) % n)
    yield f"  {match['name']}.index = urem i32 {index}, {n}"
    return f"{match['name']}.index"


def _element(kind: str) -> str:
    return kind.strip("<>").split(" x ")[-1]


def _length(kind: str) -> int | None:
    return int(kind.strip("<>").split(" x ")[0]) if kind.startswith("<") else None


def _all(kind: str, value: object) -> str:
    """A constant of a type, in each element of a vector."""
    return f"splat ({_element(kind)} {value})" if kind.startswith("<") else str(value)


def _bounded(match: re.Match[str]) -> Iterator[str]:
    name, what, kind, second = match["name"], match["what"], match["type"], match["second"]
    width = _WIDTHS[_element(kind)]
    if what in ("shl", "lshr", "ashr"):
        yield f"  {name}.amount = and {kind} {second}, {_all(kind, width - 1) if width > 1 else _zero(kind)}"
        yield f"  {name} = {what} {kind} {match['first']}, {name}.amount"
    elif width == 1:  # its only divisor is 1, which is -1 where it has a sign
        yield f"  {name} = xor {kind} {match['first']}, {second}"
    else:
        mask = (1 << (width - 1)) - 1 if what.startswith("s") else -1
        yield f"  {name}.part = and {kind} {second}, {_all(kind, mask)}"
        yield f"  {name}.divisor = or {kind} {name}.part, {_all(kind, 1)}"
        yield f"  {name} = {what} {kind} {match['first']}, {name}.divisor"


def _zero(kind: str) -> str:
    return "zeroinitializer" if kind.startswith("<") else "false" if kind == "i1" else "0"


def _one_nan(line: str, name: str, kind: str) -> Iterator[str]:
    """Which NaN an operation gives, sign and payload, is not defined."""
    condition = f"<{_length(kind)} x i1>" if kind.startswith("<") else "i1"
    yield line.replace(f"{name} =", f"{name}.any =", 1)
    yield f"  {name}.nan = fcmp uno {kind} {name}.any, {name}.any"
    nan = _all(kind, _NANS[_element(kind)])
    yield f"  {name} = select {condition} {name}.nan, {kind} {nan}, {kind} {name}.any"


def _saturating(match: re.Match[str], declared: set[str]) -> str:
    def mangled(kind: str) -> str:
        element = {"float": "f32", "double": "f64"}.get(_element(kind), _element(kind))
        return f"v{_length(kind)}{element}" if kind.startswith("<") else element

    function = f"@llvm.{match['what']}.sat.{mangled(match['to'])}.{mangled(match['type'])}"
    declared.add(f"declare {match['to']} {function}({match['type']})")
    return f"  {match['name']} = call {match['to']} {function}({match['type']} {match['value']})"


def _load_bits(match: re.Match[str]) -> Iterator[str]:
    name, n = match["name"], _length(match["type"])
    width = max(8, n or 1)
    yield f"  {name}.bytes = load i{width}, ptr {match['pointer']}, align 1"
    if n is None:
        yield f"  {name} = trunc i8 {name}.bytes to i1"
        return
    if n < width:
        yield f"  {name}.bits = trunc i{width} {name}.bytes to i{n}"
    yield f"  {name} = bitcast i{n} {name}.{'bits' if n < width else 'bytes'} to {match['type']}"


def _store_bits(match: re.Match[str], number: int) -> Iterator[str]:
    n = _length(match["type"])
    width = max(8, n or 1)
    name = f"%stored.{number}"
    value = match["value"]
    if n is None:
        yield f"  {name} = zext i1 {value} to i8"
    else:
        yield f"  {name}.bits = bitcast {match['type']} {value} to i{n}"
        if n < width:
            yield f"  {name} = zext i{n} {name}.bits to i{width}"
        else:
            name += ".bits"
    yield f"  store i{width} {name}, ptr {match['pointer']}, align 1"


def _turns(match: re.Match[str], number: int) -> Iterator[str]:
    name = f"%turns.{number}"
    yield f"  {name}.left = load i32, ptr %turns, align 4"
    yield f"  {name}.next = sub i32 {name}.left, 1"
    yield f"  store i32 {name}.next, ptr %turns, align 4"
    yield f"  {name}.more = icmp sgt i32 {name}.next, 0"
    yield f"  {name}.goes = and i1 {match['condition']}, {name}.more"
    yield f"  br i1 {name}.goes, label {match['yes']}, label {match['no']}"
