"""Whether one library comes through one compiler: builds, passes its own tests, and what its code weighs.

Where it does not come through, plain clang is tried in a directory of the same kind: what plain clang cannot do either
(some build systems refuse a path with spaces) is neither a pass nor the compiler's fault, and is said to be that.
"""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.evaluation.libraries import Library
from compiler_agent.evaluation.library_build import (
    Compiler,
    Step,
    build,
    check_requirements,
    configure,
    measure,
    run_tests,
)
from compiler_agent.evaluation.library_fetch import prepare

_USUAL = ("replayed", "miss", "recorded")
CONTROL = Compiler(cc="clang-22", cxx="clang++-22", cflags="-Oz")


class Outcome(enum.Enum):
    """What became of one library; only PASSED is a pass."""

    PASSED = "passed"
    """Built, and its own tests pass."""
    BUILD_FAILED = "build failed"
    """It does not build, and does with plain clang."""
    TESTS_FAILED = "tests failed"
    """It builds, its tests do not pass, and they do with plain clang."""
    CONTROL_FAILS = "plain clang fails too"
    """Plain clang does not get through it in such a directory either: nothing is shown about the compiler."""
    NOT_RUN = "could not be run"
    """It could not be fetched, or something that its build needs is not installed."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What cc-agent did with the translation units of a build, by its own log."""

    n_hits: int = 0
    """Units whose plan was replayed."""
    n_misses: int = 0
    """Units that have no plan in the lock: clang's own object."""
    n_errors: int = 0
    """Units for which the plugin reported an error: clang's own object."""
    keys: frozenset[str] = frozenset()
    """The keys of the plans that were replayed."""
    surprises: tuple[str, ...] = ()
    """Compilations with -O-agent that ended otherwise than by a hit or a miss, with the log's reason."""

    @property
    def n_units(self) -> int:
        """Units that the plugin saw."""
        return self.n_hits + self.n_misses + self.n_errors


@dataclass(frozen=True, slots=True)
class Result:
    """One library built and tested with one compiler."""

    library: str
    """The library's name."""
    version: str
    """Its version."""
    outcome: Outcome
    """What became of it."""
    n_objects: int | None
    """Object files in what was built; None: it was not built."""
    build_time_s: float
    """Configure and build on the clock."""
    build_cpu_time_s: float
    """Processor time of configure and build."""
    test_time_s: float
    """The library's own tests on the clock."""
    text_bytes: int | None
    """Executable sections of the library's objects; None: it was not built."""
    replay: Replay | None
    """What cc-agent did in the build, configure's questions apart; None: it was another compiler."""
    test_replay: Replay | None
    """The same of what the tests compile themselves."""
    tests: str
    """What its tests are."""
    message: str
    """What went wrong, with the end of the log; empty for a pass."""


def build_and_test(library: Library, directory: Path, compiler: Compiler, *, jobs: int = 2) -> Result:
    """Builds a library in a new directory and runs its own tests; does not try plain clang.

    Args:
        library: The library.
        directory: Where to; it must not exist.
        compiler: The compiler.
        jobs: Programs that the build may run at once.
    """
    try:
        check_requirements(library)
        prepare(library, directory)
    except CompilerAgentError as error:
        return _result(library, Outcome.NOT_RUN, [], message=str(error))
    # cc-agent falls back to plain clang whenever in doubt, so a pass alone does not show that it did anything.
    log = directory / "cc-agent-compilations.jsonl"
    compiler = replace(compiler, environment={**compiler.environment, "CC_AGENT_LOG": str(log)})
    steps: list[Step] = []
    for run_step in (configure, build):
        log.unlink(missing_ok=True)  # what configure compiles are questions, not parts of the library
        steps.append(run_step(library, directory, compiler, jobs=jobs))
        if not steps[-1].passed:
            return _result(library, Outcome.BUILD_FAILED, steps, message=_why(library, steps[-1]))
    try:
        artifacts = measure(library, directory)
    except CompilerAgentError as error:
        return _result(library, Outcome.BUILD_FAILED, steps, message=str(error))
    replay = read_replay(log)
    log.unlink(missing_ok=True)
    tests = run_tests(library, directory, compiler, jobs=jobs)
    return _result(
        library,
        Outcome.PASSED if tests.passed else Outcome.TESTS_FAILED,
        steps,
        test_time_s=tests.wall_time_s,
        n_objects=artifacts.n_objects,
        text_bytes=artifacts.text_bytes,
        replay=replay,
        test_replay=read_replay(log),
        message="" if tests.passed else _why(library, tests),
    )


def judge(library: Library, directory: Path, compiler: Compiler, *, jobs: int = 2) -> Result:
    """As `build_and_test`, and where it fails, finds out whether plain clang gets through.

    Args:
        library: The library.
        directory: Where the builds go, each in a directory of its own below; must exist.
        compiler: The compiler.
        jobs: Programs that the build may run at once.
    """
    result = build_and_test(library, directory / "build", compiler, jobs=jobs)
    if result.outcome not in (Outcome.BUILD_FAILED, Outcome.TESTS_FAILED):
        return result
    control = result if compiler == CONTROL else build_and_test(library, directory / "control", CONTROL, jobs=jobs)
    if control.outcome is Outcome.PASSED:
        return result
    return _result(library, Outcome.CONTROL_FAILS, [], message=f"with plain clang: {control.message}")


def read_decisions(log: Path) -> list[str] | None:
    """What cc-agent decided in each compilation, from its log; None if it wrote none."""
    if not log.exists():
        return None
    return [str(json.loads(line)["decision"]) for line in log.read_text(encoding="utf-8").splitlines() if line]


def read_replay(log: Path) -> Replay | None:
    """What cc-agent did with each translation unit, from its log; None if it wrote none.

    A unit is one module that the plugin saw: a command that compiles five sources has five.
    """
    if not log.exists():
        return None
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    events = [event for row in rows for event in row["events"]]
    kinds = Counter(event["event"] for event in events)
    return Replay(
        n_hits=kinds["hit"],
        n_misses=kinds["miss"],
        n_errors=kinds["error"],
        keys=frozenset(event["key"] for event in events if event["event"] == "hit"),
        surprises=tuple(
            f"{' '.join(row['sources'])}: {row['decision']}: {row['reason'] or 'no reason given'}"
            for row in rows
            # A link has no sources; a source that does not compile has nothing to replay.
            if row["sources"] and row["objective"] and row["decision"] not in _USUAL and row["status"] == 0
        ),
    )


def _result(
    library: Library,
    outcome: Outcome,
    steps: Sequence[Step],
    *,
    test_time_s: float = 0.0,
    n_objects: int | None = None,
    text_bytes: int | None = None,
    replay: Replay | None = None,
    test_replay: Replay | None = None,
    message: str = "",
) -> Result:
    return Result(
        library=library.name,
        version=library.version,
        outcome=outcome,
        n_objects=n_objects,
        build_time_s=sum(step.wall_time_s for step in steps),
        build_cpu_time_s=sum(step.cpu_time_s for step in steps),
        test_time_s=test_time_s,
        text_bytes=text_bytes,
        replay=replay,
        test_replay=test_replay,
        tests=library.tests,
        message=message,
    )


def _why(library: Library, step: Step) -> str:
    return f"{library.name} {library.version}: {step.name} {step.reason}, log {step.log}\n{step.tail()}"
