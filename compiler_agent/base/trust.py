"""How far the plans of a lock are established: what was shown for one function, and what that makes of a whole plan."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_TEST_SECONDS = 2.0
"""For the test of one function, unless the user says otherwise."""
DEFAULT_TEST_COVERAGE = 0.5
"""What share of its edges a function's test must have reached, to count, unless the user says otherwise."""


class Trust(enum.StrEnum):
    """How much stands behind a plan, and how much a user demands; each member includes those before it."""

    PRODUCTION = "production"
    """Only passes and options that clang's own levels use or that were reviewed; no behaviour was seen to differ."""
    TESTED = "tested"
    """Every function whose code the plan changed was tested or proved, or a whole program with the plan was tested."""
    PROVED = "proved"
    """Every function whose code the plan changed was proved."""

    def satisfies(self, demanded: Trust) -> bool:
        """Whether this is enough where that much is demanded."""
        order = list(Trust)
        return order.index(self) >= order.index(demanded)

    def raised_to(self, least: Trust) -> Trust:
        """This, or that much where this is less."""
        return self if self.satisfies(least) else least


class Strength(enum.StrEnum):
    """What was shown for one function."""

    PROVED = "proved"
    """For all inputs, by a formal check."""
    TESTED = "tested"
    """On many inputs."""
    UNCHANGED = "unchanged"
    """Its code, and all code of the unit that it uses, is clang's own."""
    NOT_ESTABLISHED = "not-established"
    """Nothing; the reason says why."""


class Checker(enum.StrEnum):
    """Who says so."""

    Z3 = "z3"
    """The translation validator, by a proof."""
    STRUCTURAL = "structural"
    """The translation validator: the IR is the same up to names."""
    ALIVE2 = "alive2"
    """alive-tv."""
    FUNCTION_TEST = "function-test"
    """The function tester."""
    IDENTICAL_CODE = "identical-code"
    """The comparison with clang's own code."""


@dataclass(frozen=True, slots=True)
class FunctionRecord:
    """The strongest evidence for one function, and how much of it there is."""

    strength: Strength
    """What was shown."""
    checker: Checker
    """Who says so, or who could not say more."""
    n_inputs: int = 0
    """For a test: inputs that were compared."""
    edges: int = 0
    """For a test: edges of the unoptimized function's control flow."""
    edges_covered: int = 0
    """Of them, those that an input has taken."""
    seconds: float = 0.0
    """What it took on the clock, to a tenth."""
    seed: int = 0
    """Of the inputs."""
    reason: str = ""
    """Why nothing is established."""
    edges_wanted: int = 0
    """For a test: so many of its edges it had to take to count; 0 in locks that were written before this was asked."""

    def to_json(self) -> dict[str, Any]:
        """The record as a lock holds it."""
        return {name: getattr(self, name) for name in _TYPES}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FunctionRecord:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: A field is missing, unknown, or of the wrong kind; the message names it.
        """
        value = {**_LATER, **value}
        for name in sorted(_TYPES.keys() ^ value.keys()):
            raise ValueError(f"{name!r} is {'missing' if name in _TYPES else 'unknown'}")
        for name, expected in _TYPES.items():
            if not isinstance(value[name], expected) or isinstance(value[name], bool):
                raise ValueError(f"{name} is {value[name]!r}")
        try:
            kinds = {"strength": Strength(value["strength"]), "checker": Checker(value["checker"])}
        except ValueError as error:
            raise ValueError(f"a strength or checker that is not known: {error}") from None
        return cls(**{**value, **kinds, "seconds": round(float(value["seconds"]), 1)})


_TYPES: dict[str, Any] = {
    "strength": str,
    "checker": str,
    "n_inputs": int,
    "edges": int,
    "edges_covered": int,
    "edges_wanted": int,
    "seconds": int | float,
    "seed": int,
    "reason": str,
}


_LATER: dict[str, Any] = {"edges_wanted": 0}
"""Fields that records of the first locks do not have."""


def edges_wanted(edges: int, coverage: float) -> int:
    """How many of a function's edges a test must have taken to count: that share, rounded up, and one at least.

    Args:
        edges: All of them; 0, where nothing is known of them, leaves the test without a chance.
        coverage: The share, 0 to 1; 0: none is wanted.
    """
    return max(1, math.ceil(edges * coverage - 1e-9)) if coverage > 0 else 0


def counted(functions: Mapping[str, FunctionRecord]) -> str:
    """How many functions there are of each strength, as words: "3 proved, 4 tested, 12 unchanged"."""
    strengths = [record.strength for record in functions.values()]
    counts = [(strengths.count(strength), strength.value.replace("-", " ")) for strength in Strength]
    return ", ".join(f"{count} {words}" for count, words in counts if count) or "no functions"
