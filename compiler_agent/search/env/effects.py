"""What a step did to a state, and why an episode can end in it: the same words for every compiler."""

from __future__ import annotations

from dataclasses import dataclass

from compiler_agent.base.errors import EngineError, NotEstablished
from compiler_agent.llvm.engine import Outcome


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step did."""

    outcome: Outcome
    """ok; rejected: the compiler does not know an action; invalid: LLVM's verifier objects."""
    message: str
    """Why it is not ok, in the compiler's words."""
    changed: bool
    """False where nothing was changed, as far as the compiler says."""


class CompilationFailed(EngineError):
    """The compiler makes no object of a state: what there is to measure is gone.

    Args:
        outcome: crash, timeout, memory, or invalid: LLVM's verifier rejects the module.
        reason: In words.
    """

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(f"no code can be generated for this state: {outcome}: {reason}")
        self.outcome = outcome
        self.reason = reason


class WrongProgram(NotEstablished):
    """A state's program does something else than at -O0: its time is no figure.

    Args:
        reason: In which it differs, in words.
    """

    outcome = "wrong"
    """How an episode ends in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the time of a program that is wrong is no figure: {reason}")
        self.reason = reason
