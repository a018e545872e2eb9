"""What decisions can be about in a translation unit: its functions, their loops and their calls, with their places.

The native component lists them (`passes/plugin/decidable.h`); `Module.decidable` in `library` asks for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the source, by the debug information; without that, nowhere."""

    file: str = ""
    """As the debug information names it, relative to the directory of the compilation; empty: not known."""
    line: int = 0
    """From 1; 0: not known."""
    column: int = 0
    """In bytes, from 1; 0: not known, as for functions."""


@dataclass(frozen=True, slots=True)
class DecidableLoop:
    """One loop."""

    position: int
    """The number that decisions call it by."""
    depth: int
    """1 for a loop that no other one holds."""
    place: Place
    """Of its statement, where it is one."""


@dataclass(frozen=True, slots=True)
class DecidableCall:
    """One direct call."""

    position: int
    """The number that decisions call it by."""
    callee: str
    """The function that is called, by its name in the IR."""
    is_defined: bool
    """Whether the unit defines that function: only then it can be inlined."""
    place: Place
    """Of the call."""


@dataclass(frozen=True, slots=True)
class DecidableFunction:
    """One function that the unit defines."""

    name: str
    """In the IR."""
    place: Place
    """Of its name, by line."""
    loops: tuple[DecidableLoop, ...]
    """By position."""
    calls: tuple[DecidableCall, ...]
    """By position."""


def read_decidable(text: str) -> tuple[DecidableFunction, ...]:
    """Reads the native component's listing."""
    return tuple(
        DecidableFunction(
            row["name"],
            _place(row),
            tuple(DecidableLoop(loop["position"], loop["depth"], _place(loop)) for loop in row["loops"]),
            tuple(
                DecidableCall(call["position"], call["callee"], call["is_defined"], _place(call))
                for call in row["calls"]
            ),
        )
        for row in json.loads(text)["functions"]
    )


def _place(row: dict[str, Any]) -> Place:
    return Place(row.get("file", ""), row.get("line", 0), row.get("column", 0))
