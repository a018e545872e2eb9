"""A module as the native component writes it (`Module.json`), read into values.

Nothing is interpreted here: types, constants and attributes keep the form of the JSON, which is documented in
docs/validation.md, because the reader of each knows what it can model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from compiler_agent.base.errors import EngineError

_FORMAT, _VERSION = "cc-agent-module", 1
Type = Any
"""A text as "i32", "ptr", "double", "void"; or an object with "k": struct, array, vector, other."""
Operand = list[Any]
"""A kind and its parts: ["v", number], ["i", width, decimal], ["g", name], …"""
_NUMBERED = re.compile(r"(\w+)[ (](\d+)\)?")


@dataclass(frozen=True)
class Attributes:
    """What is claimed of one function, result or argument, as LLVM prints it."""

    texts: frozenset[str]
    """Each attribute's text: "noundef", "align 8", "memory(none)"."""

    def __contains__(self, name: str) -> bool:
        return name in self.texts

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Attributes with a number, by name: align, dereferenceable."""
        found = {}
        for text in self.texts:
            if match := _NUMBERED.fullmatch(text):
                found[match[1]] = int(match[2])
        return found

    @cached_property
    def range(self) -> tuple[int, int] | None:
        """The bounds of `range(iN low, high)`, as they are printed (signed)."""
        for text in self.texts:
            if match := re.fullmatch(r"range\(i\d+ (-?\d+), (-?\d+)\)", text):
                return int(match[1]), int(match[2])
        return None

    def union(self, other: Attributes) -> Attributes:
        """The claims of both."""
        return Attributes(self.texts | other.texts)


NO_ATTRIBUTES = Attributes(frozenset())


@dataclass(frozen=True)
class AttributeList:
    """The attributes of a function or a call."""

    function: Attributes
    """Of the function as a whole."""
    result: Attributes
    """Of what it returns."""
    arguments: tuple[Attributes, ...]
    """Of each argument."""

    def argument(self, index: int) -> Attributes:
        """Of one argument; none for those that a variadic call adds."""
        return self.arguments[index] if index < len(self.arguments) else NO_ATTRIBUTES


@dataclass(frozen=True)
class Instruction:
    """One instruction."""

    number: int
    """Arguments and instructions of a function are numbered together."""
    op: str
    """LLVM's name of the operation."""
    type: Type
    """Of its result."""
    operands: tuple[Operand, ...]
    """Without blocks; of a call: its arguments."""
    flags: frozenset[str]
    """nuw, nsw, exact, …; "fast-math" for any of those."""
    successors: tuple[int, ...]
    """Blocks it may go to: true before false, default before cases."""
    metadata: Mapping[str, str]
    """By kind; the text is the content."""
    details: Mapping[str, Any]
    """The rest, by the names of the format."""

    @property
    def text(self) -> str:
        """How a reason names it."""
        name = self.details.get("intrinsic") or (self.details.get("callee") or ["", ""])[-1]
        return f"{self.op} {name}" if self.op == "call" else self.op

    @cached_property
    def attributes(self) -> AttributeList:
        """Of a call."""
        return _attributes(self.details["attributes"])


@dataclass(frozen=True)
class Function:
    """One function, defined or declared."""

    name: str
    """Its symbol."""
    result: Type
    """What it returns."""
    arguments: tuple[Type, ...]
    """The types of its arguments."""
    attributes: AttributeList
    """What is claimed of it."""
    blocks: tuple[tuple[Instruction, ...], ...]
    """Empty for a declaration."""
    details: Mapping[str, Any]
    """The rest, by the names of the format: local, exact, library, variadic, convention."""

    @property
    def defined(self) -> bool:
        """Whether the body is here."""
        return bool(self.details["defined"])

    @property
    def local(self) -> bool:
        """Whether no other module can call it by name."""
        return bool(self.details["local"])

    @cached_property
    def instructions(self) -> Mapping[int, Instruction]:
        """By number."""
        return {one.number: one for block in self.blocks for one in block}

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Globals and functions that the body mentions."""
        return frozenset(
            name for one in self.instructions.values() for name in mentioned([*one.operands, dict(one.details)])
        )

    @cached_property
    def callees(self) -> frozenset[str]:
        """Names of the functions that it calls directly, intrinsics left out."""
        return frozenset(
            one.details["callee"][1]
            for one in self.instructions.values()
            if "callee" in one.details and one.details["callee"][0] == "g" and "intrinsic" not in one.details
        )


@dataclass(frozen=True)
class Global:
    """A global variable."""

    name: str
    """Its symbol."""
    n_bytes: int
    """Its size."""
    align: int
    """Its alignment in bytes."""
    constant: bool
    """Whether it is never written."""
    local: bool
    """Whether no other module sees it."""
    details: Mapping[str, Any] = field(hash=False)
    """The rest: definitive, initializer, thread_local, extern_weak."""

    @property
    def content(self) -> str:
        """Its initializer, to be compared."""
        return json.dumps(self.details.get("initializer"))

    @cached_property
    def symbols(self) -> frozenset[str]:
        """What its initializer mentions."""
        return frozenset(mentioned(self.details.get("initializer", [])))


@dataclass(frozen=True)
class Module:
    """One module."""

    layout: str
    """Its data layout."""
    triple: str
    """Its target."""
    functions: Mapping[str, Function]
    """By name."""
    globals: Mapping[str, Global]
    """By name."""


def read_module(text: str) -> Module:
    """Reads what `compiler_agent.llvm.library.Module.json` returns.

    Raises:
        EngineError: It is of another format.
    """
    data = json.loads(text)
    if (data.get("format"), data.get("version")) != (_FORMAT, _VERSION):
        raise EngineError("the module's JSON is of another version", hint="build the native component: make setup")
    return Module(
        layout=data["layout"],
        triple=data["triple"],
        functions={entry["name"]: _function(entry) for entry in data["functions"]},
        globals={
            entry["name"]: Global(
                entry["name"], entry["bytes"], entry["align"], entry["constant"], entry["local"], entry
            )
            for entry in data["globals"]
        },
    )


def mentioned(part: object) -> Iterator[str]:
    """Symbols in a piece of the format."""
    if isinstance(part, list):
        if len(part) == 2 and part[0] == "g" and isinstance(part[1], str):
            yield part[1]
        for inner in part:
            yield from mentioned(inner)
    elif isinstance(part, dict):
        for inner in part.values():
            yield from mentioned(inner)


def reachable_symbols(module: Module, start: Iterable[str]) -> set[str]:
    """Symbols, and those that the initializers of globals among them mention, and so on."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            if name in module.globals:
                waiting += module.globals[name].symbols
    return found


def _attributes(data: Mapping[str, Any]) -> AttributeList:
    return AttributeList(
        Attributes(frozenset(data["function"])),
        Attributes(frozenset(data["result"])),
        tuple(Attributes(frozenset(entry)) for entry in data["arguments"]),
    )


def _function(data: Mapping[str, Any]) -> Function:
    return Function(
        name=data["name"],
        result=data["result"],
        arguments=tuple(entry["t"] for entry in data["arguments"]),
        attributes=_attributes(data["attributes"]),
        blocks=tuple(tuple(_instruction(entry) for entry in block) for block in data.get("blocks", ())),
        details={key: value for key, value in data.items() if key not in ("blocks", "attributes")},
    )


def _instruction(data: Mapping[str, Any]) -> Instruction:
    known = ("id", "op", "t", "x", "f", "to", "metadata", "name")
    return Instruction(
        number=data["id"],
        op=data["op"],
        type=data["t"],
        operands=tuple(data["x"]),
        flags=frozenset(data.get("f", ())),
        successors=tuple(data.get("to", ())),
        metadata=data.get("metadata", {}),
        details={key: value for key, value in data.items() if key not in known},
    )
