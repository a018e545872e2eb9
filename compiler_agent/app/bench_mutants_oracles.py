"""The real oracles behind the benchmark's protocols: the function tester, the translation validator, all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.bench_mutants_build import Compiled
from compiler_agent.app.bench_mutants_exhaustive import Exhaustive
from compiler_agent.app.bench_mutants_judge import Proof, Prover, Tester, Truth
from compiler_agent.base.errors import CompilerAgentError


def function_tester() -> Tester:
    """The function-level differential tester.

    Raises:
        CompilerAgentError: It is not part of this version.
    """
    raise CompilerAgentError("the function-level differential tester is not built yet, so there is nothing to measure")


class InTurn:
    """Asks one prover after the other; the first that knows is believed."""

    def __init__(self, provers: Sequence[Prover]) -> None:
        self.provers = provers

    def prove(self, compiled: Compiled, function: str, mutant: Path) -> Proof:
        """The first answer that decides; else all reasons."""
        reasons = []
        for prover in self.provers:
            proof = prover.prove(compiled, function, mutant)
            if proof.truth is not Truth.UNDECIDED:
                return proof
            reasons.append(proof.reason)
        return Proof(Truth.UNDECIDED, "; ".join(reasons))


def prover() -> Prover:
    """Everything that can decide about a mutant without sampling inputs."""
    return InTurn([Exhaustive()])
