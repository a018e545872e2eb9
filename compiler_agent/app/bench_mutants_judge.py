"""Who says what a mutant is: the function tester that is measured, and what decides about those it lets through."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from compiler_agent.app.bench_mutants_build import Compiled, Site
from compiler_agent.base.journal import Journal

PROVERS = ("inputs", "optimizer", "validator")
"""Their names, the cheapest first."""


class Answer(enum.Enum):
    """What the function tester says of a function; ALARM is what it should say of a mutant that is wrong."""

    ALARM = "alarm"
    """It behaves differently."""
    PASSED = "passed"
    """Reply, no difference found: a plan would be kept."""
    NOT_ESTABLISHED = "not-established"
    """Not tested well enough to say: a plan would not be kept."""


class Truth(enum.Enum):
    """What a mutant is, as far as it could be found out without the tester."""

    EQUIVALENT = "equivalent"
    """By proof, or because all inputs were tried."""
    WRONG = "wrong"
    """An input shows it."""
    UNDECIDED = "undecided"
    """Neither could be shown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The function tester's answer."""

    answer: Answer
    """What it says."""
    reason: str
    """Why: the difference, or what is missing."""
    seconds: float
    """Time on the clock."""
    coverage: float
    """Share of the reference's edges that its inputs reached, 0 to 1; negative: not said."""
    n_inputs: int
    """Inputs that were run."""


class Tester(Protocol):
    """What is measured."""

    def prepare(self, argv: Sequence[str], cwd: Path) -> Sequence[str]:
        """Builds what does not depend on a candidate, so that `test` finds it; the symbols of the visible functions.

        Args:
            argv: The command that compiles the source.
            cwd: Where it runs.
        """
        ...

    def test(
        self, argv: Sequence[str], cwd: Path, candidate: Path, functions: Sequence[str], *, seconds: float, seed: int
    ) -> dict[str, Reply]:
        """Compares functions of a candidate object with what the command's source means.

        Args:
            argv: The command that compiles the source.
            cwd: Where it runs.
            candidate: The object to be judged.
            functions: Symbols; empty: all that are visible.
            seconds: For each function.
            seed: Of its inputs.
        """
        ...


@dataclass(frozen=True, slots=True)
class Proof:
    """What a formal or exhaustive check says of a mutant."""

    truth: Truth
    """EQUIVALENT, WRONG or UNDECIDED."""
    reason: str
    """How it is known, or why it is not."""


class Prover(Protocol):
    """Decides about mutants without sampling inputs."""

    name: str
    """One word, for journals and tables."""
    limited: bool
    """Whether more time may get it further."""

    def prove(self, compiled: Compiled, site: Site, mutant: Path, seconds: float) -> Proof:
        """Compares a function of the unit's optimized module with that of the mutant's.

        Args:
            compiled: The unit.
            site: The mistake.
            mutant: The mutant's bitcode.
            seconds: Processor time, for those that are limited.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all provers together say of a mutant."""

    truth: Truth
    """UNDECIDED also where they contradict each other."""
    prover: str
    """Who decided; empty: nobody."""
    how: str
    """How, or why not."""


def verdict_of(journal: Journal, mutant: str) -> Verdict:
    """What the journal of the mutants has about one, by its key."""
    rows = [row for name in PROVERS if (row := journal.get("judged", f"{mutant} {name}")) is not None]
    decided = [row for row in rows if row["truth"] != Truth.UNDECIDED.value]
    if len({row["truth"] for row in decided}) > 1:
        return Verdict(Truth.UNDECIDED, "", f"CONTRADICTION: {'; '.join(str(row['how']) for row in decided)}")
    if decided:
        return Verdict(Truth(decided[0]["truth"]), str(decided[0]["prover"]), str(decided[0]["how"]))
    return Verdict(Truth.UNDECIDED, "", "; ".join(str(row["how"]) for row in rows) or "not judged")
