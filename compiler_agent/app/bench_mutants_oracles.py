"""The real oracles behind the benchmark's protocols: the function tester, and what decides without sampling inputs."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.bench_mutants_build import Compiled, Site, emit, mutator
from compiler_agent.app.bench_mutants_exhaustive import Exhaustive
from compiler_agent.app.bench_mutants_judge import Answer, Proof, Prover, Reply, Truth
from compiler_agent.base.process import check, run
from compiler_agent.evaluation.function_test import FunctionEvidence, FunctionOutcome, test_functions
from compiler_agent.evaluation.function_test_build import reference
from compiler_agent.evaluation.validate import Outcome, validate_modules
from compiler_agent.llvm.toolchain import discover

_OPTIMIZER_TIMEOUT_S = 60.0
_OPTIMIZER_BYTES = 2 << 30
# Levels between which the reference, which is compiled at -O0, cannot tell: the preprocessor sees the same.
_LIKE = {"-O1": "-O2", "-O3": "-O2", "-Os": "-Oz"}


class FunctionTester:
    """The function-level differential tester. Levels that have the same reference share it."""

    def prepare(self, argv: Sequence[str], cwd: Path) -> Sequence[str]:
        """As `Tester.prepare` says."""
        return reference(_shared(argv), cwd).functions

    def test(
        self, argv: Sequence[str], cwd: Path, candidate: Path, functions: Sequence[str], *, seconds: float, seed: int
    ) -> dict[str, Reply]:
        """As `Tester.test` says."""
        report = test_functions(
            _shared(argv), cwd, candidate, seconds_per_function=seconds, seed=seed, functions=list(functions) or None
        )
        replies = {evidence.function: _reply(evidence) for evidence in report.functions}
        for function in functions:
            replies.setdefault(function, Reply(Answer.NOT_ESTABLISHED, "the tester does not know it", 0.0, -1.0, 0))
        return replies


def _shared(argv: Sequence[str]) -> list[str]:
    return [_LIKE.get(word, word) for word in argv]


def _reply(evidence: FunctionEvidence) -> Reply:
    answer = {
        FunctionOutcome.REFUTED: Answer.ALARM,
        FunctionOutcome.TESTED: Answer.PASSED,
        FunctionOutcome.NOT_ESTABLISHED: Answer.NOT_ESTABLISHED,
    }[evidence.outcome]
    coverage = evidence.edges_covered / evidence.edges if evidence.edges else -1.0
    return Reply(answer, evidence.counterexample or evidence.reason, evidence.seconds, coverage, evidence.n_inputs)


class Optimizer:
    """LLVM's own optimizer: where the mutant's values differ from the function's, a call would be made; is it dead?"""

    name = "optimizer"
    limited = False

    def prove(self, compiled: Compiled, site: Site, mutant: Path, seconds: float) -> Proof:
        """EQUIVALENT if it removes all those calls; never WRONG."""
        what = ["--kind", site.kind, "--site", str(site.number), "--agrees"]
        done = run([mutator(), *what, compiled.bitcode], timeout_s=_OPTIMIZER_TIMEOUT_S, memory_bytes=_OPTIMIZER_BYTES)
        if done.timed_out or done.status != 0:
            why = "it takes too long" if done.timed_out else f"status {done.status}: {done.stderr[-300:]!r}"
            return Proof(Truth.UNDECIDED, why)
        answer = json.loads(done.stdout)
        truth = Truth.EQUIVALENT if answer["agrees"] else Truth.UNDECIDED
        return Proof(truth, str(answer["reason"]))


class Validator:
    """The translation validator, on the optimized module and the mutant of it."""

    name = "validator"
    limited = True

    def prove(self, compiled: Compiled, site: Site, mutant: Path, seconds: float) -> Proof:
        """EQUIVALENT if it refines the unmutated function, or gives the same bits; WRONG where others come out."""
        before: bytes | str = compiled.bitcode.read_bytes()
        after: bytes | str = mutant.read_bytes()
        texts = without_noalias(compiled, site.function, mutant)
        if texts is not None:
            before, after = texts
        (verdict,) = validate_modules(
            before,
            after,
            functions=[site.function],
            seconds_per_function=seconds,
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
            if texts is not None:
                truth, seen = Truth.UNDECIDED, f"{seen}, perhaps only where noalias arguments alias"
            return Proof(truth, f"{verdict.checker}: {seen}: {verdict.reason}: {inputs}")
        return Proof(Truth.UNDECIDED, f"{verdict.checker}: {verdict.reason}")


def without_noalias(compiled: Compiled, function: str, mutant: Path) -> tuple[str, str] | None:
    """Both modules as text, the function without `noalias` on its arguments, which the validator does not model.

    Without it the unmutated function has a meaning for more inputs, so a proof is one for all that it had before. The
    mutant that is proved must be the one that is tested: its object must be the same byte for byte.

    Returns:
        None where the function has no such argument, or the mutant's object is another.
    """
    texts = [_disassembled(path) for path in (compiled.bitcode, mutant)]
    head = re.compile(rf"^define [^\n]*@{re.escape(function)}\([^\n]*", re.MULTILINE)

    def strip(found: re.Match[str]) -> str:
        return re.sub(r"\bnoalias ", "", found[0])

    stripped = [head.sub(strip, text) for text in texts]
    if stripped == texts:
        return None
    with tempfile.NamedTemporaryFile(suffix=".ll") as file:
        file.write(stripped[1].encode())
        file.flush()
        if emit(compiled, Path(file.name)) != emit(compiled, mutant):
            return None
    return stripped[0], stripped[1]


def _disassembled(bitcode: Path) -> str:
    # With the order of uses, which code generation sees.
    tool = discover().tool("llvm-dis")
    done = check([tool, "--preserve-ll-uselistorder", bitcode, "-o", "-"], timeout_s=_OPTIMIZER_TIMEOUT_S)
    return done.stdout.decode()


def provers() -> tuple[Prover, ...]:
    """Everything that can decide about a mutant without sampling inputs, the cheapest first."""
    return Exhaustive(), Optimizer(), Validator()
