"""Loops in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from compiler_agent.llvm.observe.facts import Access, Carried, Function, Loop, LoopFacts
from compiler_agent.llvm.observe.redaction import Redaction

_CAST = re.compile(r"\((?:zext|sext|trunc|ptrtoint) \S+ ((?:[^()]|\([^()]*\))+?) to \w+\)")
_FLAGS = re.compile(r"<(?:nuw|nsw|nw|nusw)>")
_TELLING_MAXIMUM = 1 << 16
"""A larger bound on the iterations only says how wide the counter is."""
_MOST_ACCESSES = 12


def loop_text(function: Function, loop: Loop, redaction: Redaction, name: Callable[[str], str]) -> str:
    """What is known of one loop, indented by its depth.

    Args:
        function: Whose loop it is.
        loop: The loop.
        redaction: For the names of values.
        name: How functions are called.
    """
    head = f"loop {loop.position}, {_lines(loop)}, depth {loop.depth}"
    if loop.parent is not None:
        head += f" in loop {loop.parent}"
    indent = "  " * (loop.depth - 1)
    if loop.facts is None:
        return f"{indent}{head}: gone after simplification (runs at most once, or has no effect)"
    facts = loop.facts
    rows = [f"{head}: {trips(facts, redaction)}; {facts.instructions} instructions in {_blocks(facts)}"]
    rows += [f"  {row}" for row in _details(function, loop, facts, redaction, name)]
    return "\n".join(indent + row for row in rows)


def trips(facts: LoopFacts, redaction: Redaction) -> str:
    """How often the body runs."""
    if facts.trip_count is not None:
        return f"{facts.trip_count} iterations"
    if facts.trips:
        bound = f" (at most {facts.trip_count_max})" if _tells(facts.trip_count_max) else ""
        return f"iterations {expression(facts.trips, redaction)}{bound}"
    if _tells(facts.trip_count_max):
        return f"unknown number of iterations, at most {facts.trip_count_max}"
    return "unknown number of iterations"


def expression(text: str, redaction: Redaction) -> str:
    """A SCEV expression without conversions and flags."""
    text = _FLAGS.sub("", text)
    while (shorter := _CAST.sub(r"\1", text)) != text:
        text = shorter
    return redaction.ir(text)


def _tells(maximum: int | None) -> bool:
    return maximum is not None and maximum <= _TELLING_MAXIMUM


def _lines(loop: Loop) -> str:
    return (
        f"line {loop.first_line}" if loop.first_line == loop.last_line else f"lines {loop.first_line}-{loop.last_line}"
    )


def _blocks(facts: LoopFacts) -> str:
    return "1 block" if facts.blocks == 1 else f"{facts.blocks} blocks"


def _details(
    function: Function, loop: Loop, facts: LoopFacts, redaction: Redaction, name: Callable[[str], str]
) -> Iterator[str]:
    if len(facts.exits) > 1 or not all(one.counted for one in facts.exits):
        yield "exits: " + "; ".join(
            f"line {one.line}{' at the end' if one.latch else ' early'}{'' if one.counted else ', not countable'}"
            for one in facts.exits
        )
    if facts.carried:
        yield "goes round: " + "; ".join(_carried(one, redaction) for one in facts.carried)
    if facts.accesses:
        yield "memory: " + "; ".join(_accesses(loop, facts, function, redaction))
    if facts.dependences is not None and (words := "; ".join(_dependences(facts, redaction))):
        yield words
    if facts.switches:
        yield "switches: " + "; ".join(f"line {one.line} with {one.cases} cases" for one in facts.switches)
    if facts.calls:
        counted = Counter(
            (name(call.callee) if call.callee else "through a pointer", call.line) for call in facts.calls
        )
        yield "calls: " + "; ".join(
            f"{callee} line {line}{f' x{count}' if count > 1 else ''}" for (callee, line), count in counted.items()
        )


def _carried(one: Carried, redaction: Redaction) -> str:
    name = f"{redaction.ir(one.name)} {one.type}"
    if one.kind == "induction":
        return f"{name} from {redaction.ir(one.start)} step {expression(one.step, redaction)}"
    if one.kind == "reduction":
        order = ", order fixed (vectorizes only if reassociation is allowed)" if one.ordered else ""
        return f"{name} {one.operation} reduction{order}"
    if one.kind == "previous":
        return f"{name} value of the previous iteration"
    return f"{name} serial chain (forbids vectorization)"


def _accesses(loop: Loop, facts: LoopFacts, function: Function, redaction: Redaction) -> Iterator[str]:
    """What every iteration does, one by one; what only some do, by object where there is much of it."""
    shown = facts.accesses
    if len({_access(one, loop, function, redaction) for one in facts.accesses}) > _MOST_ACCESSES:
        shown = tuple(one for one in facts.accesses if one.always)
        objects = Counter((one.base, one.store) for one in facts.accesses if not one.always)
        for (base, store), count in objects.most_common(_MOST_ACCESSES):
            yield f"{count} conditional {'stores to' if store else 'loads from'} {redaction.ir(base)}"
    counted = Counter(_access(one, loop, function, redaction) for one in shown)
    for text, count in list(counted.items())[:_MOST_ACCESSES]:
        yield f"{text} x{count}" if count > 1 else text
    if len(counted) > _MOST_ACCESSES:
        yield f"and {len(counted) - _MOST_ACCESSES} more"


def _access(one: Access, loop: Loop, function: Function, redaction: Redaction) -> str:
    around: list[int] = []
    position: int | None = loop.position
    while position is not None:
        around.append(position)
        position = function.loops[position].parent
    words = ["volatile" if one.volatile else "", "store" if one.store else "load", one.type, redaction.ir(one.base)]
    text = " ".join(word for word in words if word) + f" line {one.line}"
    steps = []
    for position, stride in zip(around, one.strides, strict=False):
        shown = expression(stride.removeprefix("~"), redaction)
        if shown == "0":
            steps.append(f"same address in loop {position}" if position == loop.position else f"0 in loop {position}")
        else:
            caution = " unless its index wraps" if stride.startswith("~") else ""
            steps.append(f"stride {'unknown' if shown == '?' else shown + ' bytes'} in loop {position}{caution}")
    return f"{text} ({'' if one.always else 'conditional, '}{', '.join(steps)})"


def _dependences(facts: LoopFacts, redaction: Redaction) -> Iterator[str]:
    known = facts.dependences
    assert known is not None
    if known.vectorizable and known.runtime_checks:
        objects = ", ".join(redaction.ir(name) for name in known.compared)
        yield f"to vectorize takes {known.runtime_checks} run-time overlap checks between {objects}"
    elif known.vectorizable:
        yield "no memory dependence forbids vectorization"
    else:
        yield f"access analysis gives up: {' '.join(redaction.prose(known.reason).split()) or 'unknown'}"
    if known.safe_bits is not None:
        yield f"vectors of at most {known.safe_bits} bits are safe"
    for (kind, source, destination), count in Counter(
        (pair.type, pair.source_line, pair.destination_line) for pair in known.pairs
    ).items():
        yield f"{kind} dependence line {source} -> line {destination}{f' x{count}' if count > 1 else ''}"
