"""What a formal check says of one function."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.Enum):
    """What was shown; exactly one member says that the function may be kept."""

    PROVED = "proved"
    """The optimized function refines the other for all inputs."""
    REFUTED = "refuted"
    """There is an input for which it does not."""
    NOT_ESTABLISHED = "not established"
    """Neither; the reason says why."""


@dataclass(frozen=True, slots=True)
class FunctionVerdict:
    """The outcome for one function."""

    function: str
    """Its symbol."""
    outcome: Outcome
    """What was shown."""
    reason: str
    """How it was proved, what is wrong, or why nothing was established; one sentence."""
    checker: str
    """Who says so: "structural", "z3" or "alive2"."""
    counterexample: tuple[tuple[str, str], ...] = ()
    """For a refutation: names and values of the inputs, as text."""
    observable: bool | None = None
    """For a refutation: whether there is an input for which other bits come out, and not only poison or undefined
    behaviour where there was none, which a run need not show; None: not known."""
    assumes: tuple[str, ...] = ()
    """Functions of the same module whose calls were taken to behave alike on both sides."""
    bound: int | None = None
    """How often loops were unrolled; None: no loop was cut off."""
    time_s: float = 0.0
    """Time on the clock."""
