"""An episode's module as graphs."""

from __future__ import annotations

import json

import networkx

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.library import Library, Module
from compiler_agent.llvm.program_graph import program_graph
from compiler_agent.search.env.effects import CompilationFailed
from compiler_agent.search.env.episode import Episode


def programl(episode: Episode) -> networkx.MultiDiGraph:
    """ProGraML's graph of the module; see `llvm.program_graph`."""
    with parsed(episode) as module:
        return program_graph(module.json())


def control_flow(episode: Episode) -> networkx.MultiDiGraph:
    """The control flow graphs of all functions that are defined.

    Nodes are (function, number of the block), with `opcodes`, in order; block 0 is a function's entry.
    Edges have `position`, the number of the successor: two ways of a branch that lead to one block are two edges.
    """
    graph = networkx.MultiDiGraph()
    with parsed(episode) as module:
        functions = json.loads(module.json())["functions"]
    for function in functions:
        name = function["name"]
        for number, block in enumerate(function.get("blocks", ())):
            graph.add_node((name, number), opcodes=tuple(instruction["op"] for instruction in block))
            for position, successor in enumerate(block[-1].get("to", ()) if block else ()):
                graph.add_edge((name, number), (name, successor), position=position)
    return graph


def parsed(episode: Episode) -> Module:
    """The module in this process, which is safe: nothing is run on it but LLVM's verifier.

    Raises:
        CompilationFailed: The verifier rejects it.
    """
    bitcode = episode.session.print("bitcode")
    try:
        return Library().parse(bitcode)
    except EngineError as error:
        raise CompilationFailed(Outcome.INVALID, error.message) from error
