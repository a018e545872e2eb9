"""Tunes one translation unit: serve, search, and confirm with a real replay."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from compiler_agent.app.records import Record
from compiler_agent.base import lock as locks
from compiler_agent.base.config import Budget, child_environment, native_directory
from compiler_agent.base.files import MemoryFile
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.base.process import run
from compiler_agent.base.store import Store, StoredEvaluation
from compiler_agent.evaluation.evaluate import Evaluation, Evaluator, Objective
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import Toolchain
from compiler_agent.search import strategies
from compiler_agent.search.loop import search
from compiler_agent.search.space import Space

# So many of the best plans are tried, should the real compilation not give the object that was measured.
_CONFIRMATIONS = 3


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """How to search."""

    budget: Budget
    """Per translation unit."""
    strategy: str = "evolve"
    """One of `strategies.NAMES`."""
    seed: int = 0
    """The search's seed."""
    objective: Objective = Objective.TEXT_BYTES
    """What is made smaller."""
    allow_experimental: bool = False
    """Whether experimental passes and options may be used; only with differential testing."""


@dataclass(frozen=True, slots=True)
class UnitResult:
    """What tuning one translation unit gave."""

    record: Record
    """The unit."""
    key: str
    """Its key in the lock."""
    llvm: str
    """LLVM's version."""
    target: str
    """The target triple."""
    baseline_value: int
    """The baseline's figure."""
    kept: tuple[Evaluation, ...]
    """Plans that may be kept and were confirmed by a real compilation, best first; at most one today."""
    n_evaluations: int
    """Candidates judged."""
    seconds: float
    """Time on the clock."""
    interrupted: bool
    """Ended early by the user."""

    @property
    def best(self) -> Evaluation | None:
        """The plan to keep, if any."""
        return self.kept[0] if self.kept else None

    def lock_entry(self, source: str, options: TuneOptions, differential_test: dict[str, object] | None) -> LockEntry:
        """The entry for the best plan, with its evidence."""
        assert self.best is not None
        assert self.best.value is not None
        evidence = Evidence(
            baseline_text_bytes=self.baseline_value,
            plan_text_bytes=self.best.value,
            n_evaluations=self.n_evaluations,
            strategy=options.strategy,
            seed=options.seed,
            differential_test=differential_test,
        )
        return LockEntry(
            str(self.best.plan), source, self.llvm, self.target, evidence, objective=options.objective.value
        )


def search_space(toolchain: Toolchain, *, allow_experimental: bool = False) -> Space:
    """The space around clang's own -Oz pipeline."""
    known = catalog.load()
    return Space(known, stock.editable_pipeline(toolchain, known), allow_experimental=allow_experimental)


def tune_unit(
    record: Record,
    toolchain: Toolchain,
    options: TuneOptions,
    store: Store,
    *,
    on_evaluation: Callable[[Evaluation], None] = lambda evaluation: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> UnitResult:
    """Searches a plan for one translation unit. The calling thread must outlive the search.

    Raises:
        EngineError: The unit does not compile, or the compiler cannot serve it.
    """
    space = search_space(toolchain, allow_experimental=options.allow_experimental)
    with Engine(record.argv, record.cwd) as engine:
        evaluator = Evaluator(
            engine, space.catalog, objective=options.objective, allow_experimental=options.allow_experimental
        )
        found = search(
            strategies.make(options.strategy, space, options.seed),
            evaluator.evaluate,
            options.budget,
            on_evaluation=on_evaluation,
            should_stop=should_stop,
        )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        store.put_many(_stored(engine.key, toolchain, evaluation, now) for evaluation in found.evaluations)
        confirmed = first_confirmed(record, evaluator, found.ranked[:_CONFIRMATIONS])
        return UnitResult(
            record=record,
            key=engine.key,
            llvm=engine.llvm,
            target=engine.target,
            baseline_value=evaluator.baseline_value,
            kept=(confirmed,) if confirmed else (),
            n_evaluations=len(found.evaluations),
            seconds=found.seconds,
            interrupted=found.interrupted,
        )


def first_confirmed(record: Record, evaluator: Evaluator, candidates: list[Evaluation]) -> Evaluation | None:
    """The first plan that still wins when it is measured freshly and whose replay ships what was measured."""
    for candidate in candidates:
        evaluation = evaluator.evaluate(candidate.plan, fresh=True)
        if evaluation.verdict.may_be_kept and confirm(record, evaluator.engine, evaluation):
            return evaluation
    return None


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


def _stored(key: str, toolchain: Toolchain, evaluation: Evaluation, now: str) -> StoredEvaluation:
    measured = evaluation.measurement
    return StoredEvaluation(
        key=key,
        toolchain=toolchain.digest,
        plan_sha256=evaluation.plan.sha256,
        plan=str(evaluation.plan),
        outcome=evaluation.verdict.value,
        message=evaluation.reason,
        text_bytes=measured.text_bytes,
        object_bytes=measured.object_bytes,
        ir_instructions=measured.ir_instructions,
        seconds=measured.wall_time_s,
        created=now,
    )
