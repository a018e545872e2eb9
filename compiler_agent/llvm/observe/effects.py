"""What a pipeline did, pass by pass (`passes/plugin/pass_effects.h`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassEffect:
    """What one pass did, over all of its runs."""

    name: str
    """As in `opt -passes=`."""
    runs: int
    """How often it ran, on whatever it runs on."""
    changed: int
    """How many of the runs changed something."""
    gained: Mapping[str, int]
    """IR instructions gained (lost: negative) by function, where that is not 0."""

    @property
    def total(self) -> int:
        """IR instructions gained in the whole module."""
        return sum(self.gained.values())


@dataclass(frozen=True, slots=True)
class Effects:
    """What a pipeline did."""

    passes: tuple[PassEffect, ...]
    """In the order of their first run."""
    before: Mapping[str, int]
    """IR instructions by function."""
    after: Mapping[str, int]
    """The same after the pipeline; a function that is gone is missing."""
    code_bytes: Mapping[str, int]
    """Machine code by function; empty where no object was made."""


def read_effects(text: str) -> Effects:
    """Reads the library's JSON."""
    row = json.loads(text)
    passes = tuple(PassEffect(one["name"], one["runs"], one["changed"], one["functions"]) for one in row["passes"])
    return Effects(passes, row["before"], row["after"], row.get("bytes", {}))
