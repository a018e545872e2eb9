"""Whether a state is right: it can be had again, a build ships the same object, and that does what the source means.

"Not established" is not "okay": most functions can be tested, some cannot, and a program without a test shows nothing.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.trust import DEFAULT_TEST_SECONDS, Trust
from compiler_agent.evaluation import difftest, ledger
from compiler_agent.llvm import catalog
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.session import SessionEnded
from compiler_agent.search.env.effects import CompilationFailed
from compiler_agent.search.env.episode import Episode
from compiler_agent.search.env.linking import linked_program
from compiler_agent.search.env.served import LEVEL


class Validity(enum.StrEnum):
    """What validation established. Exactly one member says that a state is right."""

    OKAY = "okay"
    """Every function that its plan changed was tested or proved, or its whole program was tested."""
    WRONG = "wrong"
    """It cannot be had again, a build ships something else, or what is shipped behaves differently."""
    NOT_ESTABLISHED = "not-established"
    """Nothing speaks against it, and too little for it."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What validating a state established."""

    validity: Validity
    """The verdict."""
    reason: str
    """What stands behind it."""

    def __str__(self) -> str:
        return f"{self.validity}: {self.reason}"


def validate(episode: Episode, *, seconds_per_function: float = DEFAULT_TEST_SECONDS, seed: int = 0) -> Validation:
    """Validates the state of an episode, which stays as it is.

    Args:
        episode: The episode.
        seconds_per_function: For the test of each function that was changed.
        seed: Of the tests' inputs.
    """
    if not episode.plan_text:
        return Validation(Validity.OKAY, "no pass has run")
    plan = Plan.parse(episode.plan_text)
    try:
        return _repeated(episode, plan) or _shipped(episode) or _tested(episode, plan, seconds_per_function, seed)
    except SessionEnded as error:
        return Validation(Validity.WRONG, f"it cannot be had again: {error.outcome}: {error.reason}")
    except CompilerAgentError as error:
        return Validation(Validity.NOT_ESTABLISHED, error.message)


def of_program(outcome: difftest.Outcome) -> Validation:
    """What a program's test says of a state where there is nothing else to test."""
    match outcome.verdict:
        case difftest.ProgramVerdict.SAME:
            return Validation(Validity.OKAY, "its program does what it does at -O0")
        case difftest.ProgramVerdict.DIFFERENT:
            return Validation(Validity.WRONG, str(outcome))
        case _:
            return Validation(Validity.NOT_ESTABLISHED, str(outcome))


def _repeated(episode: Episode, plan: Plan) -> Validation | None:
    again = Episode(episode.served)
    try:
        again.become(plan)
        if again.value("fingerprint") != episode.value("fingerprint"):
            return Validation(Validity.WRONG, "run again from the beginning, the plan makes another module")
    finally:
        again.close()
    return None


def _shipped(episode: Episode) -> Validation | None:
    try:
        content = episode.shipped()
    except CompilationFailed as error:
        return Validation(Validity.WRONG, f"a build cannot replay it: {error.outcome}: {error.reason}")
    if hashlib.sha256(content).hexdigest() != episode.session.emit().object_sha256:
        return Validation(Validity.WRONG, "a build that replays it ships another object than is measured here")
    return None


def _tested(episode: Episode, plan: Plan, seconds: float, seed: int) -> Validation:
    benchmark = episode.served.benchmark
    with linked_program(episode) as program:
        found = ledger.establish(
            benchmark.command(LEVEL),
            benchmark.directory,
            episode.served.engine.key,
            plan,
            catalog.load(),
            seconds_per_function=seconds,
            seed=seed,
            program_test=program.test if program is not None else None,
        )
    if found.refutation:
        return Validation(Validity.WRONG, found.refutation)
    if shortfall := found.shortfall(Trust.TESTED):
        return Validation(Validity.NOT_ESTABLISHED, shortfall.partition(": give ")[0])
    return Validation(Validity.OKAY, f"{found}{'; its program does what it does at -O0' if found.program else ''}")
