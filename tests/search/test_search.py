"""The loop keeps its budget, strategies repeat for a seed and propose only what the catalog takes."""

import hashlib
import inspect
import random
from collections.abc import Iterator
from dataclasses import fields

import pytest

from compiler_agent.base.config import Budget
from compiler_agent.base.errors import PlanError, UsageError
from compiler_agent.evaluation.evaluate import Evaluation, Verdict
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.engine import Measurement, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.loop import better, search
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Score, ranked

PLANS = [Plan.parse(f"-passes=default<O2> -inline-threshold={number}") for number in range(10)]


@pytest.fixture(scope="module")
def space() -> Space:
    known = catalog.load()
    return Space(known, stock.editable_pipeline(discover(), known))


@pytest.fixture(scope="module")
def wide_space() -> Space:
    known = catalog.load()
    return Space(known, stock.editable_pipeline(discover(), known), allow_experimental=True)


def evaluation(plan: Plan, value: int | None, verdict: Verdict = Verdict.ESTABLISHED) -> Evaluation:
    outcome = Outcome.OK if value is not None else Outcome.CRASH
    return Evaluation(plan, verdict, Measurement(outcome, text_bytes=value), value, None)


def synthetic(plan: Plan) -> Evaluation:
    """A figure that depends on nothing but the plan; some plans crash, some are not better."""
    digest = int(hashlib.sha256(str(plan).encode()).hexdigest(), 16)
    if digest % 11 == 0:
        return evaluation(plan, None, Verdict.CRASH)
    value = 1000 - 10 * len(plan.options) + digest % 50
    return evaluation(plan, value, Verdict.ESTABLISHED if value < 1000 else Verdict.NOT_BETTER)


class Fixed:
    """Proposes given plans and notes what it is told."""

    def __init__(self, plans: list[Plan]) -> None:
        self.plans: Iterator[Plan] = iter(plans)
        self.told: list[Score] = []

    def ask(self) -> Plan | None:
        return next(self.plans, None)

    def tell(self, score: Score) -> None:
        self.told.append(score)


def test_a_budget_of_evaluations_is_spent_and_not_exceeded() -> None:
    found = search(Fixed(PLANS), synthetic, Budget(n_evaluations=4))
    assert [judged.plan for judged in found.evaluations] == PLANS[:4]
    assert not found.interrupted


def test_a_budget_of_nothing_evaluates_nothing() -> None:
    found = search(Fixed(PLANS), lambda plan: pytest.fail("no budget"), Budget(n_evaluations=0))
    assert found.evaluations == ()
    assert found.best is None


def test_a_budget_of_seconds_ends_by_the_clock() -> None:
    now = 100.0

    def slow(plan: Plan) -> Evaluation:
        nonlocal now
        now += 2.0
        return synthetic(plan)

    found = search(Fixed(PLANS), slow, Budget(seconds=5), clock=lambda: now)
    assert len(found.evaluations) == 3
    assert found.seconds == 6.0


def test_a_repeat_costs_nothing_and_is_still_told() -> None:
    strategy = Fixed([PLANS[0], PLANS[0], PLANS[1], PLANS[0], PLANS[2], PLANS[3]])
    judged: list[Plan] = []

    def evaluate(plan: Plan) -> Evaluation:
        judged.append(plan)
        return evaluation(plan, 7)

    search(strategy, evaluate, Budget(n_evaluations=3))
    assert judged == PLANS[:3]
    assert [score.plan for score in strategy.told] == [PLANS[0], PLANS[0], PLANS[1], PLANS[0], PLANS[2]]
    assert {score.value for score in strategy.told} == {7}


def test_a_strategy_that_only_repeats_itself_ends_the_search() -> None:
    found = search(Fixed([PLANS[0]] * 100_000), synthetic, Budget(n_evaluations=50))
    assert len(found.evaluations) == 1


def test_the_best_may_be_kept_and_is_the_shorter_among_equals() -> None:
    long, short, smallest = (
        Plan.parse("-passes=default<O2> -disable-lsr=true"),
        Plan.parse("-passes=default<O2>"),
        PLANS[0],
    )
    values = {
        long: evaluation(long, 5),
        short: evaluation(short, 5),
        smallest: evaluation(smallest, 1, Verdict.MOVED_TO_DATA),
    }
    found = search(Fixed([long, smallest, short]), values.__getitem__, Budget(n_evaluations=9))
    assert found.best is not None
    assert found.best.plan == short
    assert [judged.plan for judged in found.ranked] == [short, long]
    assert better(evaluation(long, None)) > better(evaluation(long, 10**9))


def test_nothing_that_may_be_kept_is_no_best() -> None:
    found = search(Fixed(PLANS), lambda plan: evaluation(plan, 1, Verdict.NOT_ESTABLISHED), Budget(n_evaluations=5))
    assert found.best is None
    assert found.ranked == []


def test_stopping_keeps_what_was_found() -> None:
    seen: list[Evaluation] = []
    found = search(
        Fixed(PLANS), synthetic, Budget(n_evaluations=10), on_evaluation=seen.append, should_stop=lambda: len(seen) == 3
    )
    assert found.interrupted
    assert found.evaluations == tuple(seen)
    assert len(seen) == 3


def test_a_strategy_is_told_scores_and_nothing_of_the_measurement() -> None:
    strategy = Fixed(PLANS)
    search(strategy, synthetic, Budget(n_evaluations=3))
    assert all(type(score) is Score for score in strategy.told)
    assert [field.name for field in fields(Score)] == ["plan", "value", "may_be_kept", "verdict", "reason", "error"]
    for module in (strategies, inspect.getmodule(Space), inspect.getmodule(Score)):
        assert module is not None
        assert "evaluation" not in {name.lower() for name in vars(module)}, f"{module.__name__} sees the judge"


def test_ranking_drops_failures() -> None:
    scores = [Score(PLANS[0], 3, True), Score(PLANS[1], None, False), Score(PLANS[2], 2, True)]
    assert [score.plan for score in ranked(scores)] == [PLANS[2], PLANS[0]]


@pytest.mark.parametrize("name", ["random", "evolve"])
def test_a_search_repeats_exactly_for_a_seed(space: Space, name: str) -> None:
    def run(seed: int) -> list[str]:
        found = search(strategies.make(name, space, seed), synthetic, Budget(n_evaluations=80))
        return [str(judged.plan) for judged in found.evaluations]

    first = run(1)
    assert len(first) == 80
    assert first == run(1)
    assert first != run(2)


@pytest.mark.parametrize("experimental", [False, True], ids=["production", "experimental"])
@pytest.mark.parametrize("name", strategies.NAMES)
def test_every_proposed_plan_is_one_the_catalog_takes(
    space: Space, wide_space: Space, name: str, experimental: bool
) -> None:
    chosen = wide_space if experimental else space
    found = search(strategies.make(name, chosen, 3), synthetic, Budget(n_evaluations=120))
    assert found.evaluations
    for judged in found.evaluations:
        chosen.catalog.check(judged.plan)
        assert Plan.parse(str(judged.plan)) == judged.plan
    doubtful = {word for judged in found.evaluations for word in chosen.catalog.provenance_of(judged.plan).names}
    if not experimental:
        assert doubtful == set()
    elif name in ("random", "evolve"):
        assert doubtful, "the wider space was not used"


def test_random_and_evolve_do_edit_pipelines_and_options(space: Space) -> None:
    for name in ("random", "evolve"):
        found = search(strategies.make(name, space, 5), synthetic, Budget(n_evaluations=60))
        assert any(judged.plan.options for judged in found.evaluations)
        assert len({str(judged.plan.pipeline) for judged in found.evaluations}) > 5


def test_evolve_finds_more_than_random_where_options_add_up(space: Space) -> None:
    wanted = {option.name for option in space.options}

    def evaluate(plan: Plan) -> Evaluation:
        value = 1000 - 5 * sum(name in wanted for name, _ in plan.options)
        return evaluation(plan, value)

    best = {
        name: search(strategies.make(name, space, 1), evaluate, Budget(n_evaluations=150)).best
        for name in ("random", "evolve")
    }
    assert best["evolve"] is not None
    assert best["random"] is not None
    assert best["evolve"].value is not None
    assert best["random"].value is not None
    assert best["evolve"].value < best["random"].value


def test_baseline_proposes_the_stock_plan_once() -> None:
    strategy = strategies.Baseline()
    assert strategy.ask() == strategies.STOCK
    assert strategy.ask() is None


def test_the_coreset_comes_in_its_order(space: Space) -> None:
    strategy = strategies.make("coreset", space, 0)
    seeds = strategies.read_coreset()
    assert seeds
    assert [strategy.ask() for _ in seeds] == seeds
    assert strategy.ask() is None


def test_an_unknown_strategy_names_those_there_are(space: Space) -> None:
    with pytest.raises(UsageError, match="no strategy 'luck'") as caught:
        strategies.make("luck", space, 0)
    assert "evolve" in caught.value.hint


def test_crossing_keeps_and_mixes_decisions_and_takes_no_thing_twice(space: Space) -> None:
    first = Plan.parse("-passes=dce call:f:0:inline=never loop:f:0:unroll-count=2")
    second = Plan.parse("-passes=dce loop:f:0:unroll-count=4 function:f:cold=true")
    rng = random.Random(0)
    found = {space.cross(first, second, rng).decisions for _ in range(200)}
    assert () in found
    assert max(map(len, found)) == 3
    assert {str(decision) for decisions in found for decision in decisions} == {
        str(decision) for decision in (*first.decisions, *second.decisions)
    }


def test_a_plan_of_an_unknown_pass_would_be_noticed() -> None:
    """The check that the property above rests on does fail."""
    with pytest.raises(PlanError):
        catalog.load().check(Plan.parse("-passes=cc-agent-test-crash"))


def test_evolve_takes_plans_that_it_did_not_ask_for_however_often_and_builds_on_them(space: Space) -> None:
    evolve = strategies.make("evolve", space, 1)
    foreign = Plan.parse("-passes=default<O2> -inline-threshold=123456")
    seed = strategies.read_coreset()[0]
    for plan in (foreign, seed, foreign, seed):
        evolve.tell(Score(plan, 10 if plan == foreign else 100, True))
    asked = [evolve.ask() for _ in range(60)]
    assert seed in asked
    children = [plan for plan in asked if plan is not None and plan.option("inline-threshold") == "123456"]
    assert len(children) > 10
    assert foreign not in children
