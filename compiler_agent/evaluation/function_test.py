"""Function-level differential testing: does each function of a candidate object behave as its source does at -O0?

    report = test_functions(argv, cwd, candidate_object, seconds_per_function=10.0, seed=0)
    report.refuted  # functions that were shown to be wrong, with a minimal input

Inputs are made from the functions' types and run on both; what they return, leave in memory, call and print is compared
(`passes/tester`; docs/differential-testing.md). An input counts as a refutation only when the reference is free of
undefined behaviour on it, as far as AddressSanitizer and UndefinedBehaviorSanitizer see, and repeats itself.
"""

from __future__ import annotations

import enum
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.config import native_file
from compiler_agent.base.errors import EngineError, NotEstablished, ToolError
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.function_test_build import (
    DIES_IN_CONSTRUCTION,
    Reference,
    candidate_executables,
    reference,
)

_START_S = 60.0
_MINIMISATION_S = 30.0


class FunctionOutcome(enum.StrEnum):
    """What is known of one function. Only `tested` speaks for the candidate."""

    TESTED = "tested"
    """It behaved as the reference on every input; how many and which edges they reached is in the evidence."""
    REFUTED = "refuted"
    """There is an input without undefined behaviour on which it behaves otherwise."""
    NOT_ESTABLISHED = "not-established"
    """Nothing can be said; the reason says why."""


@dataclass(frozen=True, slots=True)
class FunctionEvidence:
    """What was found out about one function, and from how much."""

    function: str
    """Its symbol."""
    outcome: FunctionOutcome
    """What is known."""
    reason: str = ""
    """Why nothing is established."""
    n_inputs: int = 0
    """Inputs on which both ran to an end and were compared."""
    n_executions: int = 0
    """Inputs that were run on the reference."""
    n_crashed: int = 0
    """Of them, discarded because the reference crashed."""
    n_timed_out: int = 0
    """Of them, discarded because the reference did not end in time."""
    n_limited: int = 0
    """Of them, discarded because the reference wanted more than a test may: memory, system calls."""
    n_sanitized: int = 0
    """Inputs that were checked for undefined behaviour: all that reached something new, and a sample of the others."""
    n_undefined: int = 0
    """Of them, those that have it; they are discarded."""
    n_unstable: int = 0
    """Differences that the reference, built otherwise, has with itself: uninitialised memory, addresses."""
    edges: int = 0
    """Edges of the control flow at -O0, of the function and of the local functions that it calls."""
    edges_covered: int = 0
    """Of them, those that an input without undefined behaviour has taken."""
    seconds: float = 0.0
    """Time on the clock."""
    seed: int = 0
    """With the same seed the same inputs come in the same order; how many, time decides."""
    isolation: tuple[str, ...] = ()
    """What kept the code under test away from the machine."""
    counterexample: str = ""
    """For a refutation: the minimal input as C, and what differs."""


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """The functions of one translation unit."""

    functions: tuple[FunctionEvidence, ...]
    """In the order of the source."""
    seconds: float
    """Time on the clock, with what was built."""

    def having(self, outcome: FunctionOutcome) -> tuple[FunctionEvidence, ...]:
        """The functions with this outcome."""
        return tuple(function for function in self.functions if function.outcome is outcome)

    @property
    def refuted(self) -> tuple[FunctionEvidence, ...]:
        """The functions that were shown to be wrong."""
        return self.having(FunctionOutcome.REFUTED)


_ISOLATION = (
    (1, "own user namespace"),
    (2, "own network namespace"),
    (4, "own mount namespace"),
    (8, "own process namespace"),
    (16, "system call filter"),
    (32, "empty file system"),
)


def test_functions(
    argv: Sequence[str],
    cwd: str | os.PathLike[str],
    candidate_object: str | os.PathLike[str] | bytes,
    *,
    seconds_per_function: float = 10.0,
    seed: int = 0,
    functions: Sequence[str] | None = None,
    jobs: int = 1,
    max_executions: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> FunctionReport:
    """Compares a candidate object with the -O0 build of the same source, function by function.

    Args:
        argv: The clang command of the unit, which writes an object to standard output (`-c -o - SOURCE`).
        cwd: Its working directory.
        candidate_object: The object under test, or LLVM bitcode, which is compiled as it is; a path, or the bytes.
        seconds_per_function: How long inputs are made for each function.
        seed: Of the inputs.
        functions: Symbols to test; None: all that are externally visible.
        jobs: Functions tested at the same time.
        max_executions: No more inputs for each function than so many.
        should_stop: Asked now and then; what is being tested when it says yes is not established.

    Raises:
        ToolError: The source does not compile.
        EngineError: The tester itself broke.
    """
    started_s = time.monotonic()
    built = reference(argv, cwd, should_stop)
    names = [name for name in built.functions if functions is None or name in set(functions)]
    if built.obstacle:
        return _all(names, built.obstacle, time.monotonic() - started_s)
    with ScratchDirectory(prefix="cc-agent-test-") as directory:
        try:
            candidate = candidate_executables(built, candidate_object, Path(directory))
        except NotEstablished as error:
            return _all(names, error.message, time.monotonic() - started_s)
        groups = [names[first::jobs] for first in range(min(jobs, len(names)))]

        def test(group: Sequence[str]) -> list[FunctionEvidence]:
            return _run(built, candidate, group, seconds_per_function, seed, max_executions, should_stop)

        if len(groups) == 1:  # in this thread, which Ctrl-C reaches
            parts = [test(groups[0])]
        else:
            with ThreadPoolExecutor(max_workers=max(1, len(groups))) as pool:
                parts = list(pool.map(test, groups))
    found: dict[str, FunctionEvidence] = {}
    for evidence in (evidence for part in parts for evidence in part):
        known = found.get(evidence.function)
        if known is None or evidence.outcome is FunctionOutcome.REFUTED:
            found[evidence.function] = evidence
    order = {name: number for number, name in enumerate(built.functions)}
    ordered = sorted(found.values(), key=lambda evidence: order[evidence.function])
    return FunctionReport(tuple(ordered), time.monotonic() - started_s)


test_functions.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test otherwise


def _all(names: Sequence[str], reason: str, seconds: float) -> FunctionReport:
    outcome = FunctionOutcome.NOT_ESTABLISHED
    return FunctionReport(tuple(FunctionEvidence(name, outcome, reason) for name in names), seconds)


def _run(
    built: Reference,
    candidate: tuple[Path, Path],
    names: Sequence[str],
    seconds: float,
    seed: int,
    max_executions: int | None,
    should_stop: Callable[[], bool],
) -> list[FunctionEvidence]:
    command: list[str | os.PathLike[str]] = [native_file("bin/cc-agent-tester"), built.description]
    for role, path in built.executables.items():
        command += [f"--{role}", path]
    command += ["--corpus", built.corpus, "--candidate", candidate[0], "--moved", candidate[1]]
    command += ["--seconds", f"{seconds:g}", "--seed", str(seed), "--functions", ",".join(names)]
    if max_executions is not None:
        command += ["--executions", str(max_executions)]
    limit_s = _START_S + len(names) * (3 * seconds + _MINIMISATION_S)
    try:
        done = check(command, timeout_s=limit_s, should_stop=should_stop)
    except ToolError as error:
        if should_stop():
            reason = "interrupted"
        elif error.status == DIES_IN_CONSTRUCTION:
            reason = "the candidate's constructors end the program"
        else:
            raise EngineError(f"the function tester failed: {error}") from error
        return [FunctionEvidence(name, FunctionOutcome.NOT_ESTABLISHED, reason, seed=seed) for name in names]
    return [_evidence(json.loads(line)) for line in done.stdout.splitlines()]


def _evidence(line: dict[str, object]) -> FunctionEvidence:
    def number(name: str) -> int:
        value = line[name]
        assert isinstance(value, int)
        return value

    granted = number("isolation")
    return FunctionEvidence(
        function=str(line["function"]),
        outcome=FunctionOutcome(str(line["outcome"])),
        reason=str(line["reason"]),
        n_inputs=number("compared"),
        n_executions=number("executions"),
        n_crashed=number("crashed"),
        n_timed_out=number("timed_out"),
        n_limited=number("limited"),
        n_sanitized=number("sanitized"),
        n_undefined=number("undefined"),
        n_unstable=number("unstable"),
        edges=number("edges"),
        edges_covered=number("edges_covered"),
        seconds=float(str(line["seconds"])),
        seed=number("seed"),
        isolation=tuple(name for bit, name in _ISOLATION if granted & bit),
        counterexample=str(line["report"]),
    )
