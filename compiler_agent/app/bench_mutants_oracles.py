"""The real oracles behind the benchmark's protocols: the function tester, the translation validator, all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.bench_mutants_build import Compiled
from compiler_agent.app.bench_mutants_exhaustive import Exhaustive
from compiler_agent.app.bench_mutants_judge import Answer, Proof, Prover, Reply, Truth
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome, test_functions
from compiler_agent.evaluation.validate import Outcome, validate_modules

_VALIDATOR_SECONDS = 20.0


class FunctionTester:
    """The function-level differential tester."""

    def test(
        self, argv: Sequence[str], cwd: Path, candidate: Path, functions: Sequence[str], *, seconds: float, seed: int
    ) -> dict[str, Reply]:
        """As `Tester.test` says."""
        report = test_functions(
            argv, cwd, candidate, seconds_per_function=seconds, seed=seed, functions=list(functions) or None
        )
        replies = {evidence.function: _reply(evidence) for evidence in report.functions}
        for function in functions:
            replies.setdefault(function, Reply(Answer.NOT_ESTABLISHED, "the tester does not know it", 0.0, -1.0, 0))
        return replies


def _reply(evidence: FunctionEvidence) -> Reply:
    answer = {
        FunctionOutcome.REFUTED: Answer.ALARM,
        FunctionOutcome.TESTED: Answer.PASSED,
        FunctionOutcome.NOT_ESTABLISHED: Answer.NOT_ESTABLISHED,
    }[evidence.outcome]
    coverage = evidence.edges_covered / evidence.edges if evidence.edges else -1.0
    return Reply(answer, evidence.counterexample or evidence.reason, evidence.seconds, coverage, evidence.n_inputs)


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


class Validator:
    """The translation validator, on the optimized module and the mutant of it."""

    def prove(self, compiled: Compiled, function: str, mutant: Path) -> Proof:
        """EQUIVALENT if it refines the unmutated function, or gives the same bits; WRONG where others come out."""
        (verdict,) = validate_modules(
            compiled.bitcode.read_bytes(),
            mutant.read_bytes(),
            functions=[function],
            seconds_per_function=_VALIDATOR_SECONDS,
            concrete_inputs=True,  # no program that runs passes anything else
        )
        if verdict.outcome is Outcome.PROVED:
            return Proof(Truth.EQUIVALENT, f"{verdict.checker}: {verdict.reason}")
        if verdict.outcome is Outcome.REFUTED:
            inputs = ", ".join(f"{name} = {value}" for name, value in verdict.counterexample)
            if verdict.observable is False:  # poison, where the bits are the same: a machine has no poison
                return Proof(Truth.EQUIVALENT, f"{verdict.checker}: no other bits come out: {verdict.reason}")
            seen = "other bits come out" if verdict.observable else "perhaps poison only"
            truth = Truth.WRONG if verdict.observable else Truth.UNDECIDED
            return Proof(truth, f"{verdict.checker}: {seen}: {verdict.reason}: {inputs}")
        return Proof(Truth.UNDECIDED, f"{verdict.checker}: {verdict.reason}")


def prover() -> Prover:
    """Everything that can decide about a mutant without sampling inputs."""
    return InTurn([Exhaustive(), Validator()])
