"""After the search: the best plans are tried in order until one is established as far as the user demands."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from compiler_agent.app.records import Record
from compiler_agent.base import lock as locks
from compiler_agent.base.config import child_environment, native_directory
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.files import MemoryFile
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.base.process import run
from compiler_agent.base.trust import DEFAULT_TEST_COVERAGE, DEFAULT_TEST_SECONDS, Checker, Trust
from compiler_agent.evaluation import ledger as ledgers
from compiler_agent.evaluation.difftest import Outcome
from compiler_agent.evaluation.evaluate import Evaluation, Evaluator, Verdict
from compiler_agent.evaluation.ledger import Ledger
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.plan import Plan

# So many of the best plans are established, and so many are compiled afresh, should their objects not be those that
# were measured.
_ESTABLISHED = 4
_CONFIRMED = 6


@dataclass(frozen=True, slots=True)
class Demands:
    """What a plan needs to be kept."""

    trust: Trust = Trust.TESTED
    """How far it must be established; an experimental plan never on less than `tested`."""
    test_seconds: float = DEFAULT_TEST_SECONDS
    """For the test of one function, and for its proof where `trust` is `proved`; 0: functions are not tested."""
    seed: int = 0
    """Of the tests' inputs."""
    test_coverage: float = DEFAULT_TEST_COVERAGE
    """The share of its edges that a function's test must reach to count, 0 to 1."""
    program_follows: bool = False
    """A whole program is tested afterwards, so that functions of which nothing is known do not matter here."""

    def verdict(self, ledger: Ledger) -> tuple[Verdict, str]:
        """What a ledger makes of a plan that is better, and why it may not be kept."""
        if ledger.refutation:
            return Verdict.MISCOMPILED, ledger.refutation
        enough = self.program_follows and self.trust is not Trust.PROVED
        shortfall = "" if enough else ledger.shortfall(self.trust)
        if ledger.interrupted and shortfall:
            shortfall = f"interrupted: {shortfall}"
        return (Verdict.NOT_ESTABLISHED, shortfall) if shortfall else (Verdict.ESTABLISHED, "")


SIZES_ONLY = Demands(Trust.PRODUCTION, test_seconds=0.0)
"""For benchmarks whose libraries have tests of their own: no function is tested here."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of the best plans of a search."""

    kept: Evaluation | None
    """The plan to keep, if any."""
    ledger: Ledger | None
    """Its evidence."""
    refused: tuple[Evaluation, ...]
    """Better plans that were tried before it and may not be kept, with the verdict and the reason."""
    seconds: float
    """Time on the clock."""
    ledgers: tuple[Ledger, ...] = ()
    """What was shown of each plan that was tried; the last is that of the plan to keep, if any."""


def first_established(
    record: Record,
    evaluator: Evaluator,
    ranked: Sequence[Evaluation],
    demands: Demands,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_function: Callable[[int, int], None] = lambda done, of: None,
) -> Verified:
    """The first plan that still wins when measured freshly, ships what was measured, and is trusted enough.

    Args:
        record: The unit.
        evaluator: Its judge.
        ranked: Plans that may be kept, best first.
        demands: What a plan needs.
        should_stop: Asked now and then; the plan that is then in work is judged by what is known of it.
        on_function: Told how many functions of a plan are done, and of how many.
    """
    started_s = time.monotonic()
    refused: list[Evaluation] = []
    tried: list[Ledger] = []
    for candidate in _distinct(ranked):
        if len(refused) == _ESTABLISHED:
            break
        evaluation = evaluator.evaluate(candidate.plan, fresh=True)
        if not evaluation.verdict.may_be_kept or not confirm(record, evaluator.engine, evaluation):
            continue
        try:
            found = establish(
                record,
                evaluator.engine.key,
                evaluation.plan,
                evaluator.catalog,
                demands,
                should_stop,
                on_function,
                _doubtful(tried, demands),
            )
        except CompilerAgentError as error:
            verdict, reason = Verdict.NOT_ESTABLISHED, error.message
        else:
            tried.append(found)
            verdict, reason = demands.verdict(found)
            if verdict.may_be_kept:
                return Verified(evaluation, found, tuple(refused), time.monotonic() - started_s, tuple(tried))
        refused.append(dataclasses.replace(evaluation, verdict=verdict, reason=reason))
        if should_stop():
            break
    return Verified(None, None, tuple(refused), time.monotonic() - started_s, tuple(tried))


def establish(
    record: Record,
    key: str,
    plan: Plan,
    catalog: Catalog,
    demands: Demands,
    should_stop: Callable[[], bool] = lambda: False,
    on_function: Callable[[int, int], None] = lambda done, of: None,
    doubtful: Collection[str] = (),
    program_test: Callable[[bytes], Outcome] | None = None,
) -> Ledger:
    """The ledger of a plan on one unit. Arguments and errors as for `ledger.establish`."""
    return ledgers.establish(
        record.argv,
        record.cwd,
        key,
        plan,
        catalog,
        seconds_per_function=demands.test_seconds,
        seed=demands.seed,
        coverage=demands.test_coverage,
        prove=demands.trust is Trust.PROVED,
        doubtful=doubtful,
        program_test=program_test,
        should_stop=should_stop,
        on_function=on_function,
    )


def confirm(record: Record, engine: Engine, evaluation: Evaluation) -> bool:
    """Whether a real compilation that replays the plan from a lock gives byte for byte the object that was measured."""
    evidence = Evidence(0, 0, 0, "confirm", 0)
    entry = LockEntry(str(evaluation.plan), record.source, engine.llvm, engine.target, evidence)
    with MemoryFile(locks.Lock({engine.key: entry}).to_text().encode()) as lock:
        done = run(
            [record.argv[0], f"-fpass-plugin={native_directory() / 'lib' / 'cc-agent.so'}", *record.argv[1:]],
            cwd=record.cwd,
            env=child_environment(
                CC_AGENT_PLUGIN_LOCK=str(lock.path), CC_AGENT_PLUGIN_SERVE=None, CC_AGENT_PLUGIN_STATUS=None
            ),
            timeout_s=600,
            output_limit_bytes=1 << 30,
        )
    return done.status == 0 and hashlib.sha256(done.stdout).hexdigest() == evaluation.measurement.object_sha256


def _doubtful(tried: Sequence[Ledger], demands: Demands) -> set[str]:
    """Functions for which plans were refused, where one such function is enough to refuse a plan."""
    if demands.trust is not Trust.TESTED or demands.program_follows:
        return set()
    return {
        name
        for ledger in tried
        if not ledger.refutation
        for name, one in ledger.not_established.items()
        if one.checker is Checker.FUNCTION_TEST and not one.reason.startswith("not tested")
    }


def _distinct(ranked: Sequence[Evaluation]) -> Iterator[Evaluation]:
    """The best plans, one of each figure: equal figures are mostly equal objects."""
    figures: set[int | None] = set()
    for evaluation in ranked:
        if evaluation.value not in figures and len(figures) < _CONFIRMED:
            figures.add(evaluation.value)
            yield evaluation
