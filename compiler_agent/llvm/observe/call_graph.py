"""The call graph, and how much each function is likely to matter."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import networkx

from compiler_agent.llvm.observe.facts import Function, Loop, Summary

LOOP_FACTOR = 10
"""How often a loop's body is taken to run where nothing is known. Source: Chaitin 1982, spill costs."""
MAXIMUM_CALL_FACTOR = 1000
"""So much at most a function's weight grows because it is called from loops."""


class Measure(StrEnum):
    """What functions are ranked by."""

    PROFILE = "instructions that the profiled run executed"
    """Where the unit has a profile."""
    SIZE = "bytes of machine code by the stock pipeline, since the unit is compiled for size"
    """Where it is compiled for size."""
    ESTIMATE = (
        f"no profile, so size times {LOOP_FACTOR} (or the trip count) for each loop around it, here and at call sites"
    )
    """Otherwise."""


def call_graph(summary: Summary) -> networkx.DiGraph:
    """Who calls whom.

    An edge has the number of call `sites`, the largest loop `depth` of one, and the largest `level`: the depth, less
    one for a call that not every iteration makes.
    """
    graph = networkx.DiGraph()
    graph.add_nodes_from(function.name for function in summary.functions)
    for function in summary.functions:
        for call in function.calls:
            if not call.callee:
                continue
            depth = function.loops[call.loop].depth if call.loop is not None else 0
            level = depth - (not call.always)
            known = graph.get_edge_data(function.name, call.callee, {"sites": 0, "depth": 0, "level": level})
            graph.add_edge(
                function.name,
                call.callee,
                sites=known["sites"] + 1,
                depth=max(known["depth"], depth),
                level=max(known["level"], level),
            )
    return graph


def weights(
    summary: Summary, graph: networkx.DiGraph, code_bytes: Mapping[str, int], *, for_size: bool
) -> tuple[Measure, dict[str, float]]:
    """How much each function is likely to matter, and by which measure.

    A function that is inlined everywhere weighs nothing: it counts in its callers.

    Args:
        summary: The unit.
        graph: Its call graph.
        code_bytes: Bytes of machine code that the stock pipeline gives, by function.
        for_size: Whether the unit is compiled for size.
    """
    if any(one.executed_instructions is not None for one in summary.functions):
        return Measure.PROFILE, {one.name: one.executed_instructions or 0.0 for one in summary.functions}
    if for_size:
        return Measure.SIZE, {one.name: float(code_bytes.get(one.name, 0)) for one in summary.functions}
    factors = _call_factors(summary, graph)
    return Measure.ESTIMATE, {
        one.name: 0.0 if is_inlined(one, summary) else _estimate(one, summary) * factors[one.name]
        for one in summary.functions
    }


def is_inlined(function: Function, summary: Summary) -> bool:
    """Whether a function was small enough to be inlined everywhere at once, and no other unit can use it."""
    return (function.local or function.discardable) and not summary.simplified[function.name].used


def recursive(graph: networkx.DiGraph) -> set[str]:
    """Functions that can call themselves, directly or through others."""
    cycles = {name for part in networkx.strongly_connected_components(graph) if len(part) > 1 for name in part}
    return cycles | {name for name in graph if graph.has_edge(name, name)}


def _estimate(function: Function, summary: Summary) -> float:
    size = summary.simplified[function.name].instructions
    in_loops = sum(loop.facts.instructions for loop in function.loops if loop.facts)
    return max(size - in_loops, 1) + sum(
        loop.facts.instructions * _iterations(loop, function.loops) for loop in function.loops if loop.facts
    )


def _iterations(loop: Loop, loops: tuple[Loop, ...]) -> float:
    """How often a loop's body runs for one call of its function."""
    own = float(LOOP_FACTOR)
    if loop.facts and loop.facts.trip_count is not None:
        own = min(loop.facts.trip_count, LOOP_FACTOR)
    return own * (_iterations(loops[loop.parent], loops) if loop.parent is not None else 1.0)


def _call_factors(summary: Summary, graph: networkx.DiGraph) -> Mapping[str, float]:
    """The largest product of loop factors on a way to each function; cycles of calls count as one function.

    What other units can call, or what is not called directly, runs once at least; what does not return, once at most.
    """
    condensed = networkx.condensation(graph)
    factors = dict.fromkeys(graph, 1.0)
    for one in summary.functions:
        if (one.local or one.discardable) and graph.in_degree(one.name):
            factors[one.name] = 0.0
    for part in networkx.topological_sort(condensed):
        for name in condensed.nodes[part]["members"]:
            for _, callee, edge in graph.out_edges(name, data=True):
                if condensed.graph["mapping"][callee] != part:
                    factor = min(factors[name] * LOOP_FACTOR ** edge["level"], MAXIMUM_CALL_FACTOR)
                    factors[callee] = max(factors[callee], factor)
    return factors | {one.name: 1.0 for one in summary.functions if "noreturn" in one.attributes}
