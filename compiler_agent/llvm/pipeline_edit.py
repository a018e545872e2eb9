"""Edits of pipelines: pure functions, each gives a new pipeline that shares what it did not touch.

A path names a node as `pipeline.walk` does. An edit does not ask whether LLVM will take the result: what may stand at
which level is the catalog's knowledge, `nest` does the wrapping.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm.pipeline import Adaptor, Level, Node, Pass, Path, Pipeline, level_inside

_Splice = Callable[[tuple[Node, ...], int], tuple[Node, ...]]

_DEPTH = {Level.MODULE: 0, Level.CGSCC: 1, Level.FUNCTION: 2, Level.LOOP: 3, Level.LOOP_MSSA: 3}


def get(pipeline: Pipeline, path: Path) -> Node:
    """The node at a path."""
    nodes, node = pipeline.nodes, None
    for index in path:
        if not 0 <= index < len(nodes):
            raise _no_such_place(path)
        node = nodes[index]
        nodes = node.body if isinstance(node, Adaptor) else ()
    if node is None:
        raise _no_such_place(path)
    return node


def level_at(pipeline: Pipeline, path: Path, top: Level = Level.MODULE) -> Level:
    """Level of the pass manager in which the path's last index counts."""
    level = top
    for length in range(1, len(path)):
        node = get(pipeline, path[:length])
        if not isinstance(node, Adaptor):
            raise _no_such_place(path)
        level = level_inside(node, level)
    return level


def insert(pipeline: Pipeline, path: Path, node: Node) -> Pipeline:
    """Puts a node where the path points; what was there, and all after it, moves back. One past the end appends."""

    def splice(nodes: tuple[Node, ...], index: int) -> tuple[Node, ...]:
        if not 0 <= index <= len(nodes):
            raise _no_such_place(path)
        return (*nodes[:index], node, *nodes[index:])

    return _edit(pipeline, path, splice)


def delete(pipeline: Pipeline, path: Path) -> Pipeline:
    """Takes a node out, with its body. An adaptor may be left empty: see `normalise`."""
    get(pipeline, path)
    return _edit(pipeline, path, lambda nodes, index: (*nodes[:index], *nodes[index + 1 :]))


def replace(pipeline: Pipeline, path: Path, node: Node) -> Pipeline:
    """Puts a node in the place of another."""
    get(pipeline, path)
    return _edit(pipeline, path, lambda nodes, index: (*nodes[:index], node, *nodes[index + 1 :]))


def swap(pipeline: Pipeline, first: Path, second: Path) -> Pipeline:
    """Exchanges two nodes, neither of which holds the other."""
    shorter = min(len(first), len(second))
    if first[:shorter] == second[:shorter] and first != second:
        raise PlanError(f"cannot swap {list(first)} with {list(second)}: one holds the other", hint="choose two apart")
    moved = get(pipeline, first)
    return replace(replace(pipeline, first, get(pipeline, second)), second, moved)


def set_parameter(pipeline: Pipeline, path: Path, parameter: str, exclusive: Collection[str] = ()) -> Pipeline:
    """Sets one parameter of a node and keeps the others.

    Args:
        pipeline: The pipeline to edit.
        path: The node.
        parameter: `flag`, `no-flag` or `name=value`. It replaces the same flag, its opposite or the same name.
        exclusive: Other spellings that it replaces too, where LLVM has alternatives (`modify-cfg`, `preserve-cfg`).
    """
    key = _key(parameter)
    return _edit_flags(
        pipeline, path, parameter, lambda flag: _key(flag) == key or (flag != parameter and flag in exclusive)
    )


def remove_parameter(pipeline: Pipeline, path: Path, parameter: str) -> Pipeline:
    """Takes a parameter out, in whichever form it stands there: LLVM's default applies again."""
    key = _key(parameter)
    return _edit_flags(pipeline, path, None, lambda flag: _key(flag) == key)


def normalise(pipeline: Pipeline) -> Pipeline:
    """Drops adaptors with nothing inside: `opt` does not take them."""
    return Pipeline(_without_empty(pipeline.nodes))


def nest(node: Node, level: Level, at: Level) -> Node:
    """Wraps a node that works at one level so that it can stand at another, outer one.

    Raises:
        PlanError: It works at an outer level, or at the other kind of loop pass manager.
    """
    if level is at:
        return node
    if _DEPTH[level] <= _DEPTH[at]:
        raise PlanError(f"'{node}' works at level {level}, it cannot stand at level {at}", hint="put it further out")
    if _DEPTH[level] == 3:
        node = Adaptor(level.value, (node,))
        if at is not Level.FUNCTION:
            node = Adaptor("function", (node,))
        return node
    return Adaptor(level.value, (node,))


def _edit(pipeline: Pipeline, path: Path, splice: _Splice) -> Pipeline:
    if not path:
        raise _no_such_place(path)
    return Pipeline(_edit_nodes(pipeline.nodes, path, 0, splice))


def _edit_nodes(nodes: tuple[Node, ...], path: Path, depth: int, splice: _Splice) -> tuple[Node, ...]:
    index = path[depth]
    if depth == len(path) - 1:
        return splice(nodes, index)
    node = nodes[index] if 0 <= index < len(nodes) else None
    if not isinstance(node, Adaptor):
        raise _no_such_place(path)
    changed = Adaptor(node.name, _edit_nodes(node.body, path, depth + 1, splice), node.parameters)
    return (*nodes[:index], changed, *nodes[index + 1 :])


def _edit_flags(pipeline: Pipeline, path: Path, added: str | None, drops: Callable[[str], bool]) -> Pipeline:
    """Puts `added` where the first dropped flag stood, else at the end."""
    node = get(pipeline, path)
    flags: list[str] = []
    for flag in filter(None, (node.parameters or "").split(";")):
        if not drops(flag):
            flags.append(flag)
        elif added is not None and added not in flags:
            flags.append(added)
    if added is not None and added not in flags:
        flags.append(added)
    text = ";".join(flags) if flags or node.parameters is not None else None
    if isinstance(node, Pass):
        return replace(pipeline, path, Pass(node.name, text))
    return replace(pipeline, path, Adaptor(node.name, node.body, text))


def _key(parameter: str) -> str:
    name = parameter.partition("=")[0]
    return name.removeprefix("no-")


def _without_empty(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Adaptor):
            body = _without_empty(node.body)
            if not body:
                continue
            if body != node.body:
                node = Adaptor(node.name, body, node.parameters)
        kept.append(node)
    return tuple(kept)


def _no_such_place(path: Path) -> PlanError:
    return PlanError(f"the pipeline has no place {list(path)}", hint="paths come from `walk` of the same pipeline")
