"""A module as a graph for learned models: ProGraML's instructions, variables and constants, and what flows between.

Source: Cummins et al., "ProGraML: A Graph-based Program Representation for Data Flow Analysis and Compiler
Optimizations", ICML 2021, section 3. Where the paper leaves something open, as its implementation for LLVM does it.
"""

from __future__ import annotations

import enum
import itertools
import json
from collections.abc import Iterator
from typing import Any

import networkx

from compiler_agent.base.errors import EngineError


class NodeType(enum.IntEnum):
    """What a node stands for."""

    INSTRUCTION = 0
    VARIABLE = 1
    CONSTANT = 2


class Flow(enum.IntEnum):
    """What an edge stands for."""

    CONTROL = 0
    DATA = 1
    CALL = 2


_ROOT = 0
# Operands of LLVM 10 that are blocks, and stand before the function that is called.
_N_BLOCKS_BEFORE_CALLEE = {"call": 0, "invoke": 2}


def program_graph(module_json: str) -> networkx.MultiDiGraph:
    """The graph of a module.

    Nodes are numbered from 0, which is the outside (`[external]`), and have `type` (`NodeType`), `text` (the opcode, or
    a value's type), `function` and `block` (numbers in the module; -1 where they are in none). There is one variable
    node for each use of an instruction's result, one for each argument that is used, and one node for each constant.

    Edges have `flow` (`Flow`) and `position`: of data, the number of the operand; of control, that of the successor.
    Calls lead to a function's entry and back from its exits; the outside calls each function.

    Args:
        module_json: What `Module.json()` gives.

    Raises:
        EngineError: Functions or variables have no names to tell them apart.
    """
    module = json.loads(module_json)
    if [one["name"] for one in (*module["functions"], *module["globals"])].count("") > 1:
        raise EngineError(
            "the module has functions or variables without names, so their uses cannot be told apart",
            hint="run the pass name-anon-globals on it first",
        )
    builder = _Builder({function["name"] for function in module["functions"]})
    for number, function in enumerate(module["functions"]):
        builder.add_function(number, function)
    builder.add_calls()
    return builder.graph


class _Builder:
    def __init__(self, functions: set[str]) -> None:
        self.graph = networkx.MultiDiGraph()
        self._functions = functions
        self._entries_and_exits: dict[str, tuple[int, list[int]]] = {}
        self._calls: list[tuple[int, str]] = []
        self._constants: dict[str, int] = {}
        self._n_blocks = 0
        self._add(NodeType.INSTRUCTION, "[external]")

    def add_function(self, number: int, function: dict[str, Any]) -> None:
        """Adds its instructions, what they use, and how control flows between them."""
        if not function["defined"]:
            self._declare(function["name"], number)
            return
        blocks, results = [], {}
        for block in function["blocks"]:
            nodes = [self._add(NodeType.INSTRUCTION, one["op"], number, self._n_blocks) for one in block]
            for source, target in itertools.pairwise(nodes):
                self._connect(source, target, Flow.CONTROL, 0)
            results.update({one["id"]: (node, _type_text(one["t"])) for node, one in zip(nodes, block, strict=True)})
            blocks.append(nodes)
            self._n_blocks += 1
        self._add_uses(number, function, blocks, results)
        exits = self._connect_blocks(blocks, [block[-1].get("to", []) for block in function["blocks"]])
        self._entries_and_exits[function["name"]] = blocks[0][0], exits

    def add_calls(self) -> None:
        """Adds the edges of calls, from instructions and from the outside; all functions are there by now."""
        for caller, name in [*((_ROOT, name) for name in self._entries_and_exits), *self._calls]:
            entry, exits = self._entries_and_exits[name]
            self._connect(caller, entry, Flow.CALL, 0)
            for node in exits:
                self._connect(node, caller, Flow.CALL, 0)

    def _add_uses(
        self, number: int, function: dict[str, Any], blocks: list[list[int]], results: dict[int, tuple[int, str]]
    ) -> None:
        arguments: dict[int, int] = {}
        instructions = itertools.chain.from_iterable(function["blocks"])
        for node, instruction in zip(itertools.chain.from_iterable(blocks), instructions, strict=True):
            if "intrinsic" in instruction:  # their declarations are not in a module's JSON
                self._declare(instruction["callee"][1])
            for position, operand in _operands(instruction):
                if operand[0] != "v":
                    self._use_constant(operand, node, position)
                    continue
                value = operand[1]
                if value in results:
                    producer, kind = results[value]
                    variable = self._add(NodeType.VARIABLE, kind, number, self.graph.nodes[node]["block"])
                    self._connect(producer, variable, Flow.DATA, 0)
                else:
                    if value not in arguments:
                        kind = _type_text(function["arguments"][value]["t"])
                        arguments[value] = self._add(NodeType.VARIABLE, kind, number)
                    variable = arguments[value]
                self._connect(variable, node, Flow.DATA, position)
            if instruction["op"] == "call" and self._is_function(instruction.get("callee")):
                self._calls.append((node, instruction["callee"][1]))

    def _declare(self, name: str, number: int = -1) -> None:
        if name not in self._entries_and_exits:
            self._functions.add(name)
            node = self._add(NodeType.INSTRUCTION, "; undefined function", number)
            self._entries_and_exits[name] = node, [node]

    def _connect_blocks(self, blocks: list[list[int]], successors: list[list[int]]) -> list[int]:
        """Adds the edges out of each block that can be reached; gives the instructions that leave the function."""
        waiting, seen, exits = [0], {0}, []
        while waiting:
            block = waiting.pop()
            for position, successor in enumerate(successors[block]):
                self._connect(blocks[block][-1], blocks[successor][0], Flow.CONTROL, position)
                if successor not in seen:
                    seen.add(successor)
                    waiting.append(successor)
            if not successors[block]:
                exits.append(blocks[block][-1])
        return exits

    def _use_constant(self, operand: list[Any], node: int, position: int) -> None:
        if operand[0] == "md" or self._is_function(operand):
            return
        key = json.dumps(operand)
        if key not in self._constants:
            self._constants[key] = self._add(NodeType.CONSTANT, _constant_type(operand))
        self._connect(self._constants[key], node, Flow.DATA, position)

    def _is_function(self, operand: list[Any] | None) -> bool:
        return operand is not None and operand[0] == "g" and operand[1] in self._functions

    def _add(self, kind: NodeType, text: str, function: int = -1, block: int = -1) -> int:
        node: int = self.graph.number_of_nodes()
        self.graph.add_node(node, type=int(kind), text=text, function=function, block=block)
        return node

    def _connect(self, source: int, target: int, flow: Flow, position: int) -> None:
        self.graph.add_edge(source, target, flow=int(flow), position=position)


def _operands(instruction: dict[str, Any]) -> Iterator[tuple[int, list[Any]]]:
    """Values that an instruction uses, with their places among LLVM 10's operands, where blocks have places, too."""
    yield from enumerate(instruction["x"])
    for number, value in enumerate(instruction.get("cases", ()), 1):
        yield 2 * number, value
    if "callee" in instruction:
        yield len(instruction["x"]) + _N_BLOCKS_BEFORE_CALLEE.get(instruction["op"], 0), instruction["callee"]


def _constant_type(operand: list[Any]) -> str:
    match operand:
        case ["i", width, _]:
            return f"i{width}"
        case ["g", _]:
            return "ptr"
        case ["expression", instruction]:
            return _type_text(instruction["t"])
        case ["other", text]:
            return str(text)
        case [_, kind, *_]:
            return _type_text(kind)
    raise ValueError(f"an operand of a kind that the module's format does not have: {operand}")


def _type_text(kind: Any) -> str:
    """A type as LLVM writes it, but without the names of structures."""
    if isinstance(kind, str):
        return kind
    if kind["k"] == "struct":
        return "{ " + ", ".join(map(_type_text, kind["of"])) + " }"
    if kind["k"] == "array":
        return f"[{kind['n']} x {_type_text(kind['of'])}]"
    if kind["k"] == "vector":
        return f"<{kind['n']} x {_type_text(kind['of'])}>"
    return str(kind["text"])
