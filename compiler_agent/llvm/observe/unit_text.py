"""The unit as a whole in words: what it is, its functions, what the stock pipeline does."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler_agent.llvm.observe.call_graph import recursive
from compiler_agent.llvm.observe.effects import Effects
from compiler_agent.llvm.observe.facts import Function
from compiler_agent.llvm.observe.history import history_text
from compiler_agent.llvm.observe.redaction import Redaction, printable

if TYPE_CHECKING:
    from compiler_agent.llvm.observe.observer import Observer

TABLE_FUNCTIONS = 20
"""So many at most are described."""
_MOST_NEIGHBOURS = 4
_MOST_SITES = 16
_MOST_GONE = 30
_LEVEL = re.compile(r"-O([0-4sz]|fast|g)?$")
_SPEED_LEVELS = {"": "1", "g": "1", "s": "2", "z": "2", "fast": "3", "4": "3"}
_SHOWN_OPTIONS = ("-O", "-m", "-f", "-std=", "-D")
_BOOKKEEPING = re.compile(
    r"(?:alloc-token|annotation|called-value|cg-profile|coro-|deadargelim|drop-|ee-|elim-avail|forceattrs|infer|inject-|inliner-|"
    r"lower-constant|memprof|move-auto|openmp|recompute|rel-lookup|rpo-|transform-warning)"
)
"""Passes that compute facts or serve languages that C and C++ are not: that they changed nothing says nothing."""


def stock_plan(argv: Sequence[str]) -> str:
    """The plan that does what clang's own pipeline does at the command's level.

    Source: clang's BackendUtil maps -Os and -Oz to size attributes and the speed level 2; such plans give clang's own
    objects (docs/decisions/0001).
    """
    level = _level(argv)
    return f"-passes=default<O{_SPEED_LEVELS.get(level, level)}>"


def is_for_size(argv: Sequence[str]) -> bool:
    """Whether the command compiles for size."""
    return _level(argv) in ("s", "z")


def _level(argv: Sequence[str]) -> str:
    levels = [match[1] or "" for word in argv if (match := _LEVEL.match(word))]
    return levels[-1] if levels else "0"


def head(observer: Observer) -> str:
    """What stands at the beginning of a packet."""
    summary, redaction, effects = observer.summary, observer.redaction, observer.effects
    shown = () if redaction.enabled else _SHOWN_OPTIONS  # a macro's value can hold anything
    options = " ".join(printable(word) for word in observer.argv[1:] if word.startswith(shown))
    rows = [
        f"UNIT {redaction.file(summary.source)}, {summary.triple}, CPU {observer.cpu}, clang {options}".rstrip(),
        f"Stock pipeline {observer.stock_plan.removeprefix('-passes=')}: {summary.instructions} -> "
        f"{sum(effects.after.values())} IR instructions, {sum(effects.code_bytes.values())} bytes of functions",
        "Facts and IR below are of the unit after sroa, simplification, inlining of small functions without loops, "
        "loop rotation and licm. Loops and call sites are numbered as in the IR that clang gives the optimizer.",
        "",
        *_table(observer),
        "",
        *_passes(effects, redaction),
    ]
    if observer.history:
        rows += ["", "TRIED (each as an edit to its parent):", history_text(observer.history)]
    return "\n".join(rows)


def _table(observer: Observer) -> list[str]:
    there = [one for one in observer.functions if observer.weights[one.name]]
    gone = [one for one in observer.functions if not observer.weights[one.name]]
    rows = [f"FUNCTIONS by weight ({observer.measure})"]
    rows += [f" {_row(observer, one)}" for one in there[:TABLE_FUNCTIONS]]
    if (more := len(there) - TABLE_FUNCTIONS) > 0:
        rows.append(f" NOT SHOWN: {more} functions with less weight")
    if gone:
        names = [observer.short(one.name) for one in gone]
        rows.append(f" no weight (inlined into callers, or unused): {_some(list(dict.fromkeys(names)), _MOST_GONE)}")
    return rows


def _row(observer: Observer, function: Function) -> str:
    graph, effects = observer.graph, observer.effects
    share = 100 * observer.weights[function.name] / (sum(observer.weights.values()) or 1.0)
    name, short = observer.redaction.name(function.name), observer.short(function.name)
    after, code_bytes = effects.after.get(function.name), effects.code_bytes.get(function.name)
    result = "gone" if after is None else f"{after}, {code_bytes} bytes" if code_bytes else str(after)
    words = [f"{function.instructions} -> {result}"]
    if function.loops:
        depth = max(loop.depth for loop in function.loops)
        words.append(f"{len(function.loops)} loop{'s' if len(function.loops) > 1 else ''}, depth {depth}")
    if function.irreducible_lines:
        words.append(f"irreducible cycle at line {', '.join(map(str, function.irreducible_lines))}")
    if function.name in recursive(graph):
        words.append("recursive")
    words += ["local"] if function.local else []
    words += [observer.redaction.ir(one) for one in function.attributes if one != "nounwind"]
    callers = [observer.short(one) + _sites(edge) for one, _, edge in graph.in_edges(function.name, data=True)]
    callees = [observer.short(one) + _sites(edge) for _, one, edge in graph.out_edges(function.name, data=True)]
    words += [f"called by {_some(callers)}"] if callers else []
    words += [f"calls {_some(callees)}"] if callees else []
    return f"{share:.0f}% {name}{f' = {short}' if short != name else ''}: {'; '.join(words)}"


def section_head(observer: Observer, function: Function) -> str:
    """Where what is known of one function begins."""
    place = ""
    if function.file:
        place = f" ({observer.redaction.file(os.path.basename(function.file))}:{function.line})"
    short = observer.short(function.name)
    return f"== {short if observer.is_unique(short) else observer.redaction.name(function.name)}{place}"


def call_sites(observer: Observer, function: Function) -> list[str]:
    """The calls that a decision can be about: direct ones of functions that the unit defines."""
    defined = {one.name for one in observer.functions}
    sites = [
        f"{call.position} {observer.short(call.callee)} line {call.line or '?'}"
        + (f" in loop {call.loop}" if call.loop is not None else "")
        for call in function.calls
        if call.callee in defined
    ]
    return [f"call sites of functions defined here: {_some(sites, _MOST_SITES)}"] if sites else []


def function_effects(effects: Effects, name: str) -> str:
    """What each pass of the stock pipeline did to one function."""
    rows = [f"{one.name} {one.gained[name]:+d}" for one in effects.passes if one.gained.get(name)]
    return f"instructions gained by pass: {', '.join(rows)}" if rows else ""


def effects_text(effects: Effects, redaction: Redaction) -> str:
    """What a pipeline did, in the whole module and by function."""
    rows = [f"{sum(effects.before.values())} -> {sum(effects.after.values())} IR instructions"]
    for name, before in effects.before.items():
        after = effects.after.get(name)
        if after != before:
            rows.append(f" {redaction.name(name)}: {before} -> {'gone' if after is None else after}")
    return "\n".join([*rows, *_passes(effects, redaction)])


def _passes(effects: Effects, redaction: Redaction) -> list[str]:
    changed = [
        f"{one.name} {one.total:+d}" + (f" ({one.changed}/{one.runs})" if one.runs > 1 else "")
        for one in effects.passes
        if one.changed and not (_BOOKKEEPING.match(one.name) and not one.total)
    ]
    idle = [one.name for one in effects.passes if not one.changed and not _BOOKKEEPING.match(one.name)]
    rows = [
        f"PASSES that changed something: instructions gained (runs that changed/runs): {', '.join(changed) or 'none'}"
    ]
    return [*rows, f"PASSES that changed nothing: {', '.join(idle)}"] if idle else rows


def _sites(edge: dict[str, int]) -> str:
    notes = [f"x{edge['sites']}"] if edge["sites"] > 1 else []
    notes += [f"loop depth {edge['depth']}"] if edge["depth"] else []
    return f" ({', '.join(notes)})" if notes else ""


def _some(names: Sequence[str], most: int = _MOST_NEIGHBOURS) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
