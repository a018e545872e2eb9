"""Pass pipelines as values: what `opt -passes=` reads and `-print-pipeline-passes` prints.

    pipeline := [node ("," node)*]
    node     := name ["<" parameters ">"] ["(" pipeline ")"]

`parse` and `str` round-trip every byte: parameters are kept as LLVM wrote them (`gvn<>`, `loop-vectorize<a;b;>`,
`print<da><normalized-results>`). Whether a pass exists, and takes such a parameter, is the catalog's business.
Edits are in `pipeline_edit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from compiler_agent.base.errors import PlanError

Path = tuple[int, ...]
"""Where a node is: its index in the pipeline, then in the body of that adaptor, and so on."""

_CARET_CONTEXT = 36
"""Characters of the text shown before and after the place of an error."""


class Level(StrEnum):
    """What a pass manager runs over; the value is the name of its adaptor."""

    MODULE = "module"
    CGSCC = "cgscc"
    FUNCTION = "function"
    LOOP = "loop"
    LOOP_MSSA = "loop-mssa"


_LEVEL_INSIDE = {
    "module": Level.MODULE,
    "coro-cond": Level.MODULE,
    "cgscc": Level.CGSCC,
    "devirt": Level.CGSCC,
    "function": Level.FUNCTION,
    "loop": Level.LOOP,
    "loop-mssa": Level.LOOP_MSSA,
}
"""Level inside each adaptor that LLVM knows."""

ADAPTORS = frozenset(_LEVEL_INSIDE)
"""Names that take a body in parentheses."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass."""

    name: str
    """Name before the first angle bracket."""
    parameters: str | None = None
    """What stands between the first and the last angle bracket; None: no brackets, which LLVM tells from `<>`."""

    @property
    def flags(self) -> tuple[str, ...]:
        """The parameters one by one."""
        return tuple(flag for flag in (self.parameters or "").split(";") if flag)

    def __str__(self) -> str:
        return self.name if self.parameters is None else f"{self.name}<{self.parameters}>"


@dataclass(frozen=True, slots=True)
class Adaptor:
    """A pass manager inside another: `function<eager-inv>(…)`, `cgscc(…)`, `devirt<4>(…)`, `loop-mssa(…)`."""

    name: str
    """Name before the angle bracket."""
    body: tuple[Node, ...]
    """What it runs, in order."""
    parameters: str | None = None
    """As for a pass."""

    def __str__(self) -> str:
        head = self.name if self.parameters is None else f"{self.name}<{self.parameters}>"
        return f"{head}({','.join(map(str, self.body))})"


Node = Pass | Adaptor


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline; equal pipelines have equal text."""

    nodes: tuple[Node, ...]
    """Its top level, in order."""

    def __str__(self) -> str:
        return ",".join(map(str, self.nodes))

    @classmethod
    def parse(cls, text: str) -> Pipeline:
        """Same as the function `parse`."""
        return parse(text)


_NODE = re.compile(r"([^,()<>\s]*)((?:<[^<>\s]*>)*)")
_NESTED = re.compile(r"[^<>\s]*[<>]")


def parse(text: str) -> Pipeline:
    """Reads a pipeline.

    Raises:
        PlanError: It is not well formed; the message shows the place with a caret.
    """
    open_adaptors: list[tuple[str, str | None, list[Node], int]] = []
    nodes: list[Node] = []
    at, end = 0, len(text)
    if not text:
        return Pipeline(())
    while True:
        start = at
        match = _NODE.match(text, at)
        assert match is not None  # every part of the expression may be empty
        at = match.end()
        if at < end and text[at] == "<":
            at = _skip_nested(text, start, at)
        if at == start or text[start] == "<":
            # Only `name()` may lack a node: a body that an edit has emptied.
            if not (open_adaptors and not nodes and text[at : at + 1] == ")" and text[at - 1] == "("):
                raise _error(text, at, "expected the name of a pass")
        elif at < end and text[at] == "(":
            leaf = _leaf(text[start:at])
            open_adaptors.append((leaf.name, leaf.parameters, nodes, at))
            nodes = []
            at += 1
            continue
        else:
            nodes.append(_leaf(text[start:at]))
        while at < end and text[at] == ")":
            if not open_adaptors:
                raise _error(text, at, "this closes a parenthesis that was never opened")
            name, parameters, outer, _ = open_adaptors.pop()
            outer.append(Adaptor(name, tuple(nodes), parameters))
            nodes = outer
            at += 1
        if at == end:
            break
        if text[at] != ",":
            raise _error(text, at, _unexpected(text, at))
        at += 1
    if open_adaptors:
        raise _error(text, open_adaptors[-1][3], "this parenthesis is never closed")
    return Pipeline(tuple(nodes))


def walk(pipeline: Pipeline, top: Level = Level.MODULE) -> Iterator[tuple[Path, Node, Level]]:
    """Every node in the order of the text, adaptors before their bodies.

    Args:
        pipeline: What to walk over.
        top: Level of the pass manager that runs the top; a plan's is the module's.

    Yields:
        The path, the node, and the level of the pass manager that holds it.
    """
    return _walk(pipeline.nodes, (), top)


def _walk(nodes: tuple[Node, ...], prefix: Path, level: Level) -> Iterator[tuple[Path, Node, Level]]:
    for index, node in enumerate(nodes):
        path = (*prefix, index)
        yield path, node, level
        if isinstance(node, Adaptor):
            yield from _walk(node.body, path, level_inside(node, level))


def level_inside(adaptor: Adaptor, around: Level) -> Level:
    """Level of an adaptor's body; an adaptor that LLVM does not know is taken to keep the level around it."""
    if around is Level.LOOP_MSSA and adaptor.name == "loop":
        return around  # LLVM makes no new loop pass manager there, so MemorySSA stays
    return _LEVEL_INSIDE.get(adaptor.name, around)


@lru_cache(maxsize=8192)
def _leaf(text: str) -> Pass:
    """A pass from its text. Pipelines repeat themselves, and so do the thousands of pipelines of a search."""
    name, bracket, rest = text.partition("<")
    return Pass(name, rest[:-1] if bracket else None)


def _skip_nested(text: str, start: int, at: int) -> int:
    """End of a node whose brackets hold brackets; LLVM prints none today, its parser takes them."""
    opened = at = text.index("<", start)
    depth = 0
    while True:
        match = _NESTED.match(text, at)
        if match is None:
            raise _error(text, opened, "this angle bracket is never closed")
        at = match.end()
        depth += 1 if text[at - 1] == "<" else -1
        if depth == 0 and text[at : at + 1] != "<":
            return at


def _unexpected(text: str, at: int) -> str:
    character = text[at]
    if character == ">":
        return "this closes an angle bracket that was never opened"
    if character.isspace():
        return "a pipeline has no white space"
    if character == "(" and text[at - 1] == ")":
        return "an adaptor has one body"
    return "expected ',' or ')' here"


def _error(text: str, at: int, what: str) -> PlanError:
    """An error with the line around the place and a caret under it; columns count from 1."""
    first, last = max(0, at - _CARET_CONTEXT), min(len(text), at + _CARET_CONTEXT)
    before = ("…" if first else "") + text[first:at].replace("\n", " ")
    after = text[at:last].replace("\n", " ") + ("…" if last < len(text) else "")
    return PlanError(
        f"pipeline, column {at + 1}: {what}\n  {before}{after}\n  {' ' * len(before)}^",
        hint="the syntax is that of `opt -passes=`, for example `function(sroa,gvn<>),globaldce`",
    )
