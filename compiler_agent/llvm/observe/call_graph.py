"""The call graph, and how much each function is likely to matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import networkx

from compiler_agent.llvm.observe.facts import Function, Loop, Summary

LOOP_FACTOR = 10
"""How often a loop's body is taken to run where nothing is known. Source: Chaitin 1982, spill costs."""
MAXIMUM_CALL_FACTOR = 1000
"""So much at most a function's weight grows because it is called from loops."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a function is likely to matter."""

    instructions: float
    """Instructions executed: by the profile's run, or estimated."""
    profiled: bool
    """Whether a profile says so."""
    call_factor: int
    """By how much the estimate grew because the function is called from loops."""


def call_graph(summary: Summary) -> networkx.DiGraph:
    """Who calls whom; an edge has the number of `sites` and the largest loop `depth` at which one of them is."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(function.name for function in summary.functions)
    for function in summary.functions:
        for call in function.calls:
            if not call.callee:
                continue
            depth = function.loops[call.loop].depth if call.loop is not None else 0
            known = graph.get_edge_data(function.name, call.callee, {"sites": 0, "depth": 0})
            graph.add_edge(function.name, call.callee, sites=known["sites"] + 1, depth=max(known["depth"], depth))
    return graph


def weights(summary: Summary, graph: networkx.DiGraph) -> dict[str, Weight]:
    """The weight of each function: what a profile says, otherwise size and loop depth, here and at its callers."""
    factors = _call_factors(graph)
    return {
        function.name: Weight(function.executed_instructions, True, 1)
        if function.executed_instructions is not None
        else Weight(_estimate(function, summary) * factors[function.name], False, factors[function.name])
        for function in summary.functions
    }


def recursive(graph: networkx.DiGraph) -> set[str]:
    """Functions that can call themselves, directly or through others."""
    cycles = {name for part in networkx.strongly_connected_components(graph) if len(part) > 1 for name in part}
    return cycles | {name for name in graph if graph.has_edge(name, name)}


def _estimate(function: Function, summary: Summary) -> float:
    simplified = summary.simplified.get(function.name)
    in_loops = sum(loop.facts.instructions for loop in function.loops if loop.facts)
    size = simplified.instructions if simplified else function.instructions
    return max(size - in_loops, 1) + sum(
        loop.facts.instructions * _iterations(loop, function.loops) for loop in function.loops if loop.facts
    )


def _iterations(loop: Loop, loops: tuple[Loop, ...]) -> float:
    """How often a loop's body runs for one call of its function."""
    own = float(LOOP_FACTOR)
    if loop.facts and loop.facts.trip_count is not None:
        own = min(loop.facts.trip_count, LOOP_FACTOR)
    return own * (_iterations(loops[loop.parent], loops) if loop.parent is not None else 1.0)


def _call_factors(graph: networkx.DiGraph) -> Mapping[str, int]:
    """The largest product of loop factors on a way to each function; cycles of calls count as one function."""
    condensed = networkx.condensation(graph)
    factors: dict[str, int] = dict.fromkeys(graph, 1)
    for part in networkx.topological_sort(condensed):
        for name in condensed.nodes[part]["members"]:
            for _, callee, edge in graph.out_edges(name, data=True):
                if condensed.graph["mapping"][callee] != part:
                    factor = min(factors[name] * LOOP_FACTOR ** edge["depth"], MAXIMUM_CALL_FACTOR)
                    factors[callee] = max(factors[callee], factor)
    return factors
