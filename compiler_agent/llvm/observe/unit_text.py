"""The unit as a whole in words: what it is, its functions, what the stock pipeline does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler_agent.llvm.observe.call_graph import LOOP_FACTOR, recursive
from compiler_agent.llvm.observe.effects import Effects
from compiler_agent.llvm.observe.facts import Function
from compiler_agent.llvm.observe.history import history_text
from compiler_agent.llvm.observe.redaction import Redaction, printable

if TYPE_CHECKING:
    from compiler_agent.llvm.observe.observer import Observer

_TABLE_FUNCTIONS = 25
_MOST_NEIGHBOURS = 4
_LEVEL = re.compile(r"-O([0-4sz]|fast|g)?$")
_SPEED_LEVELS = {"": "1", "g": "1", "s": "2", "z": "2", "fast": "3", "4": "3"}
_SHOWN_OPTIONS = ("-O", "-m", "-f", "-std=", "-D")


def stock_plan(argv: Sequence[str]) -> str:
    """The plan that does what clang's own pipeline does at the command's level.

    Source: clang's BackendUtil maps -Os and -Oz to size attributes and the speed level 2; such plans give clang's own
    objects (docs/decisions/0001).
    """
    levels = [match[1] or "" for word in argv if (match := _LEVEL.match(word))]
    level = levels[-1] if levels else "0"
    return f"-passes=default<O{_SPEED_LEVELS.get(level, level)}>"


def head(observer: Observer) -> str:
    """What stands at the beginning of a packet."""
    summary, redaction = observer.summary, observer.redaction
    shown = () if redaction.enabled else _SHOWN_OPTIONS  # a macro's value can hold anything
    options = " ".join(printable(word) for word in observer.argv[1:] if word.startswith(shown))
    rows = [
        f"UNIT {redaction.file(summary.source)}, {summary.triple}, CPU {observer.cpu}, clang {options}".rstrip(),
        f"{summary.instructions} IR instructions before optimization, {sum(observer.effects.after.values())} after "
        f"{observer.stock_plan.removeprefix('-passes=')}",
        "Facts and IR are of the unit after sroa, simplification, inlining of small functions without loops, loop "
        "rotation and licm; loops are numbered as in the IR that clang gives the optimizer.",
        "",
        *_table(observer),
        "",
        *_passes(observer.effects, redaction),
    ]
    if observer.history:
        rows += ["", "TRIED (each as an edit to its parent):", history_text(observer.history)]
    return "\n".join(rows)


def _table(observer: Observer) -> list[str]:
    profiled = any(weight.profiled for weight in observer.weights.values())
    how = (
        "instructions that the profiled run executed"
        if profiled
        else (
            f"no profile: size, times {LOOP_FACTOR} (or the trip count) for each loop around it, here and at call sites"
        )
    )
    rows = [f"FUNCTIONS by weight ({how})"]
    rows += [" " + function_head(observer, one) for one in observer.functions[:_TABLE_FUNCTIONS]]
    if (more := len(observer.functions) - _TABLE_FUNCTIONS) > 0:
        rows.append(f" NOT SHOWN: {more} functions with less weight")
    return rows


def function_head(observer: Observer, function: Function) -> str:
    """A function on one line."""
    redaction, graph = observer.redaction, observer.graph
    total = sum(weight.instructions for weight in observer.weights.values()) or 1.0
    share = 100 * observer.weights[function.name].instructions / total
    after = observer.effects.after.get(function.name)
    depth = max((loop.depth for loop in function.loops), default=0)
    words = [f"{function.instructions} -> {after if after is not None else 'gone (inlined or unused)'} instructions"]
    if function.loops:
        words.append(f"{len(function.loops)} loop{'s' if len(function.loops) > 1 else ''}, depth {depth}")
    if function.irreducible_lines:
        words.append(f"irreducible cycle at line {', '.join(map(str, function.irreducible_lines))}")
    if function.name in recursive(graph):
        words.append("recursive")
    words += ["local"] if function.local else []
    words += [redaction.ir(one) for one in function.attributes if one != "nounwind"]
    callers = [redaction.name(name) + _sites(edge) for name, _, edge in graph.in_edges(function.name, data=True)]
    callees = [redaction.name(name) + _sites(edge) for _, name, edge in graph.out_edges(function.name, data=True)]
    words += [f"called by {_some(callers)}"] if callers else []
    words += [f"calls {_some(callees)}"] if callees else []
    place = f" ({redaction.file(function.file)}:{function.line})" if function.file else ""
    return f"{share:.0f}% {redaction.name(function.name)}{place}: {'; '.join(words)}"


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
        f"{one.name} {one.total:+d}" + (f" ({one.changed} of {one.runs} runs)" if one.runs > 1 else "")
        for one in effects.passes
        if one.changed
    ]
    idle = [one.name for one in effects.passes if not one.changed]
    rows = [f"PASSES that changed something, instructions gained: {', '.join(changed) or 'none'}"]
    return [*rows, f"PASSES that changed nothing: {', '.join(idle)}"] if idle else rows


def _sites(edge: dict[str, int]) -> str:
    notes = [f"x{edge['sites']}"] if edge["sites"] > 1 else []
    notes += [f"loop depth {edge['depth']}"] if edge["depth"] else []
    return f" ({', '.join(notes)})" if notes else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NEIGHBOURS} more" if len(names) > _MOST_NEIGHBOURS else ""
    return ", ".join(names[:_MOST_NEIGHBOURS]) + more
