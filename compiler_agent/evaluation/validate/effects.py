"""What a body does to memory, read off its instructions, to confirm a `memory(…)` attribute that LLVM added."""

from __future__ import annotations

import re
from dataclasses import dataclass

from compiler_agent.evaluation.validate.ir import Function, Instruction, Module, Operand

_ORDER = {"none": 0, "read": 1, "write": 2, "readwrite": 3}
_PLACES = ("argmem", "inaccessiblemem", "errnomem", "other")
_SILENT = re.compile(
    r"llvm\.(lifetime|dbg|assume|expect|smax|smin|umax|umin|abs|ct|bswap|bitreverse|fsh|[us](add|sub|mul|shl)\.|fabs"
    r"|copysign|[us]cmp|experimental\.noalias)"
)


@dataclass(frozen=True, slots=True)
class Effects:
    """Per kind of place: bit 1 it is read, bit 2 it is written."""

    places: dict[str, int]
    """By LLVM's names of the kinds."""

    def within(self, text: str) -> bool:
        """Whether an attribute allows all of it."""
        allowed = parse(text)
        return all(done & ~allowed[place] == 0 for place, done in self.places.items())


def parse(text: str) -> dict[str, int]:
    """What `memory(…)` allows, by kind of place.

    Source: LLVM Language Reference, "Function Attributes", memory (LLVM 22): an entry without a
    place is the default.
    """
    inside = text[len("memory(") : -1]
    default, found = 0, {}
    for entry in filter(None, (entry.strip() for entry in inside.split(","))):
        if ":" in entry:
            place, access = (part.strip() for part in entry.split(":"))
            found[place] = _ORDER[access]
        else:
            default = _ORDER[entry]
    return {place: found.get(place, default) for place in _PLACES}


def effects_of(function: Function, module: Module, above: frozenset[str] = frozenset()) -> Effects:
    """What the body does; everything where a call is not known to do less.

    Args:
        function: The body.
        module: Where its callees are.
        above: Functions that are being looked at: a recursion does everything.
    """
    above |= {function.name}
    places = dict.fromkeys(_PLACES, 0)
    for one in function.instructions.values():
        if one.op == "load":
            _touch(function, module, one.operands[0], 1, places)
        elif one.op == "store":
            _touch(function, module, one.operands[1], 2, places)
        elif one.op == "call":
            _call(function, module, one, places, above)
        elif one.op in ("invoke", "fence", "atomicrmw", "cmpxchg", "va_arg"):
            places.update(dict.fromkeys(_PLACES, 3))
        if one.details.get("volatile") or one.details.get("atomic"):
            places.update(dict.fromkeys(_PLACES, 3))
    return Effects(places)


def _call(function: Function, module: Module, one: Instruction, places: dict[str, int], above: frozenset[str]) -> None:
    name = one.details.get("intrinsic", "")
    if _SILENT.match(name):
        if name == "llvm.assume" or name.startswith("llvm.experimental"):
            places["inaccessiblemem"] |= 2
        return
    if name in ("llvm.memcpy", "llvm.memmove", "llvm.memset"):
        _touch(function, module, one.operands[0], 2, places)
        if name != "llvm.memset":
            _touch(function, module, one.operands[1], 1, places)
        return
    callee = one.details.get("callee", [""])
    called = module.functions.get(callee[1]) if callee[0] == "g" else None
    done = dict.fromkeys(_PLACES, 3)
    if called is not None and called.defined and called.name not in above:
        done = effects_of(called, module, above).places
    elif called is not None and not called.defined and called.details["library"]:
        for text in called.attributes.function.texts:
            if text.startswith("memory("):
                done = parse(text)
    for place, how in done.items():
        if place == "argmem" and how:
            for operand in one.operands:
                _touch(function, module, operand, how, places)
        else:
            places[place] |= how


def _touch(function: Function, module: Module, operand: Operand, how: int, places: dict[str, int]) -> None:
    seen: set[int] = set()
    waiting = [operand]
    while waiting:
        one = waiting.pop()
        if one[0] == "g" and how == 1 and one[1] in module.globals and module.globals[one[1]].constant:
            continue  # what never changes is no memory
        if one[0] != "v":
            places["other"] |= how
            continue
        if one[1] in seen:
            continue
        seen.add(one[1])
        if one[1] < len(function.arguments):
            places["argmem"] |= how
            continue
        made = function.instructions[one[1]]
        if made.op == "alloca":
            continue
        if made.op == "getelementptr":
            waiting.append(made.operands[0])
        elif made.op in ("phi", "select", "freeze"):
            waiting.extend(made.operands[1 if made.op == "select" else 0 :])
        else:  # it may point anywhere, also at what an argument points at
            places["other"] |= how
            places["argmem"] |= how
