"""Tunes one translation unit: serve, search, and confirm with a real replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from compiler_agent.app.llm import ModelRun, planner_of
from compiler_agent.app.outcomes import keep_outcomes, refused_plans
from compiler_agent.app.records import Record
from compiler_agent.app.verification import Demands, first_established
from compiler_agent.base.config import Budget
from compiler_agent.base.lock_format import Evidence, LockEntry, PlannerEvidence
from compiler_agent.base.store import Store
from compiler_agent.base.trust import Trust
from compiler_agent.evaluation.evaluate import Evaluation, Evaluator, Objective
from compiler_agent.evaluation.ledger import Ledger
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import Toolchain
from compiler_agent.search import strategies
from compiler_agent.search.knowledge import NOTHING, Knowledge, Neighbour, describe, plans_of
from compiler_agent.search.loop import search
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Strategy


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """How to search."""

    budget: Budget
    """Per translation unit."""
    strategy: str = "evolve"
    """One of `strategies.NAMES`, or of `strategies.ASKING` where there is an `asked`."""
    seed: int = 0
    """The search's seed."""
    objective: Objective = Objective.TEXT_BYTES
    """What is made smaller."""
    allow_experimental: bool = False
    """Whether experimental passes and options may be used; what holds them is never kept below trust `tested`."""
    demands: Demands = field(default_factory=Demands)
    """What a plan needs to be kept."""
    asked: ModelRun | None = None
    """The language model of the run; None: the strategy asks none."""


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
    best: Evaluation | None
    """The best plan that may be kept and was confirmed by a real compilation, if any."""
    n_evaluations: int
    """Candidates judged."""
    seconds: float
    """Time on the clock."""
    interrupted: bool
    """Ended early by the user."""
    ledger: Ledger | None = None
    """The evidence for the plan to keep."""
    refused: tuple[Evaluation, ...] = ()
    """Better plans that may not be kept: refuted, or not established as far as was demanded."""
    verification_seconds: float = 0.0
    """Time on the clock for confirming, proving and testing, after the search."""
    ledgers: tuple[Ledger, ...] = ()
    """What was shown of each plan that verification tried."""
    planner: PlannerEvidence | None = None
    """What a language model had to do with it; None: none was asked."""
    neighbours: tuple[str, ...] = ()
    """Keys of the past units whose plans the search began with, nearest first. What a model is told of them is in the
    recording of the conversation."""

    @property
    def shown(self) -> Ledger | None:
        """What was shown of the plan to keep, or, where none is kept, of the best one that nothing refutes, if any."""
        if self.ledger is not None:
            return self.ledger
        unrefuted = [one for one in self.ledgers if not one.refutation]
        return next(iter([*unrefuted, *self.ledgers]), None)

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
            trust=self._trust(differential_test is not None),
            functions=dict(self.ledger.functions) if self.ledger else {},
            planner=self.planner,
            neighbours=self.neighbours,
        )
        return LockEntry(
            str(self.best.plan), source, self.llvm, self.target, evidence, objective=options.objective.value
        )

    def _trust(self, program_tested: bool) -> Trust:
        """How far the plan is established, once its program has been tested or will not be."""
        trust = (self.ledger.trust if self.ledger else None) or Trust.PRODUCTION
        return trust.raised_to(Trust.TESTED) if program_tested else trust


def search_space(toolchain: Toolchain, *, allow_experimental: bool = False) -> Space:
    """The space around clang's own -Oz pipeline."""
    known = catalog.load()
    return Space(known, stock.editable_pipeline(toolchain, known), allow_experimental=allow_experimental)


def tune_unit(
    record: Record,
    toolchain: Toolchain,
    options: TuneOptions,
    store: Store,
    known: Knowledge = NOTHING,
    *,
    on_evaluation: Callable[[Evaluation], None] = lambda evaluation: None,
    should_stop: Callable[[], bool] = lambda: False,
    n_interrupts: Callable[[], int] = lambda: 0,
    on_function: Callable[[int, int], None] = lambda done, of: None,
    say: Callable[[str], None] = lambda text: None,
) -> UnitResult:
    """Searches a plan for one translation unit and establishes it. The calling thread must outlive the search.

    Args:
        record: The unit.
        toolchain: LLVM.
        options: How to search, and what a plan needs to be kept.
        store: Where outcomes are noted.
        known: What worked on other units, as it was before any of this run.
        on_evaluation: Told of each plan that was judged.
        should_stop: Ends the search; what it has found is then established.
        n_interrupts: How often the user has asked to stop: once more, and verification ends, too.
        on_function: Told how many functions of a plan are established, and of how many.
        say: Told what a person should know while it goes on.

    Raises:
        EngineError: The unit does not compile, or the compiler cannot serve it.
    """
    space = search_space(toolchain, allow_experimental=options.allow_experimental)
    with Engine(record.argv, record.cwd) as engine:
        evaluator = Evaluator(
            engine, space.catalog, objective=options.objective, allow_experimental=options.allow_experimental
        )
        near = known.nearest(engine.key, engine.target, engine.features)
        strategy = strategy_for(record, evaluator, space, options, near, should_stop=should_stop, say=say)
        # Without code nothing is to be gained.
        budget = options.budget if evaluator.baseline_value else Budget(n_evaluations=0)
        found = search(
            strategy,
            evaluator.evaluate,
            budget,
            on_evaluation=on_evaluation,
            should_stop=should_stop,
        )
        keep_outcomes(store, toolchain, evaluator, record.source, found.evaluations)
        before = n_interrupts()
        verified = first_established(
            record,
            evaluator,
            found.ranked,
            options.demands,
            should_stop=lambda: n_interrupts() > before,
            on_function=on_function,
        )
        interrupted = found.interrupted or n_interrupts() > before
        if not interrupted:
            refused = refused_plans(verified, found.ranked, options.demands)
            keep_outcomes(store, toolchain, evaluator, record.source, refused)
        return UnitResult(
            record=record,
            key=engine.key,
            llvm=engine.llvm,
            target=engine.target,
            baseline_value=evaluator.baseline_value,
            best=verified.kept,
            n_evaluations=len(found.evaluations),
            seconds=found.seconds,
            interrupted=interrupted,
            ledger=verified.ledger,
            refused=verified.refused,
            verification_seconds=verified.seconds,
            ledgers=verified.ledgers,
            planner=options.asked.evidence(strategy, verified.kept) if options.asked else None,
            neighbours=tuple(one.key for one in near) if options.asked is None else (),
        )


def strategy_for(
    record: Record,
    evaluator: Evaluator,
    space: Space,
    options: TuneOptions,
    near: Sequence[Neighbour],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda text: None,
) -> Strategy:
    """The strategy for one unit, with what it is told of similar ones, and its conversation if it holds one."""
    session = None
    if options.asked is not None:
        session = options.asked.session(
            record,
            evaluator,
            space,
            options.budget,
            similar=describe(near, space.stock),
            strategy=options.strategy,
            should_stop=should_stop,
            say=say,
        )
    return strategies.make(
        options.strategy,
        space,
        options.seed,
        session,
        plans_of(near),
        features=evaluator.engine.all_features,
        objective=options.objective,
    )


def first_request(record: Record, toolchain: Toolchain, options: TuneOptions, known: Knowledge) -> dict[str, Any]:
    """What a language model would be sent first about a unit, as JSON; nothing is sent."""
    assert options.asked is not None
    space = search_space(toolchain, allow_experimental=options.allow_experimental)
    with Engine(record.argv, record.cwd) as engine:
        evaluator = Evaluator(
            engine, space.catalog, objective=options.objective, allow_experimental=options.allow_experimental
        )
        near = known.nearest(engine.key, engine.target, engine.features)
        planner = planner_of(strategy_for(record, evaluator, space, options, near))
        assert planner is not None
        return planner.first_request().body(options.asked.model_name)
