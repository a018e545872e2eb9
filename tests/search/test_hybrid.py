"""The mixed strategy: a useless model costs little, a good one wins, and both feed one population."""

import hashlib
from collections.abc import Iterator
from itertools import pairwise

import pytest

from compiler_agent.base.config import Budget
from compiler_agent.evaluation.evaluate import Evaluation, Verdict
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.engine import Measurement, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.hybrid import PATIENCE, TURN, Hybrid
from compiler_agent.search.loop import search
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Score, Strategy

BUDGET = 200
MOST_LOST = 0.08
"""Of a budget of 200: what `Hybrid` promises."""


@pytest.fixture(scope="module")
def space() -> Space:
    known = catalog.load()
    return Space(known, stock.editable_pipeline(discover(), known))


class Scripted:
    """A model that proposes given plans and notes what it is told."""

    def __init__(self, plans: Iterator[Plan]) -> None:
        self.plans = plans
        self.asked: list[Plan] = []
        self.told: list[Score] = []

    def ask(self) -> Plan | None:
        plan = next(self.plans, None)
        if plan is not None:
            self.asked.append(plan)
        return plan

    def tell(self, score: Score) -> None:
        self.told.append(score)


def useless() -> Scripted:
    return Scripted(Plan.parse(f"-passes=default<O0> -inline-threshold={n}") for n in range(10_000))


def evaluate(plan: Plan) -> Evaluation:
    """Every option pays a little, and some more than others; -O0 is worse than anything."""
    gains = sum(1 + hashlib.sha256(name.encode()).digest()[0] % 7 for name, _ in plan.options)
    value = 2000 if "O0" in str(plan) else 1000 - gains
    verdict = Verdict.ESTABLISHED if value < 1000 else Verdict.NOT_BETTER
    return Evaluation(plan, verdict, Measurement(Outcome.OK, text_bytes=value), value, None)


def best(strategy: Strategy, n_evaluations: int = BUDGET) -> int:
    found = search(strategy, evaluate, Budget(n_evaluations)).best
    assert found is not None
    assert found.value is not None
    return found.value


def embedded(space: Space, seed: int = 1) -> Strategy:
    return strategies.make("evolve", space, seed)


def test_a_useless_model_loses_no_more_than_is_said(space: Space) -> None:
    model = useless()
    with_it = best(Hybrid(model, embedded(space)))
    assert TURN < len(model.asked) <= MOST_LOST * BUDGET
    # What it lost are evaluations, not the search: it is where the embedded search was that many evaluations earlier.
    assert with_it <= best(embedded(space), BUDGET - len(model.asked))


def test_the_bound_holds_where_the_embedded_search_finds_nothing_either() -> None:
    model, plans = useless(), Scripted(Plan.parse(f"-passes=default<O2> -a={n}") for n in range(10_000))
    hybrid = Hybrid(model, plans)
    asked_at: list[int] = []
    for number in range(BUDGET):
        before = len(model.asked)
        plan = hybrid.ask()
        assert plan is not None
        hybrid.tell(Score(plan, 2000 if "O0" in str(plan) else 1000, False))
        asked_at += [number] * (len(model.asked) - before)
    turns = asked_at[::TURN]
    assert [later - earlier - TURN for earlier, later in pairwise(turns)] == [
        PATIENCE * 2**n for n in range(1, len(turns))
    ]
    assert len(model.asked) <= MOST_LOST * BUDGET


def test_a_good_model_wins_and_keeps_its_turn(space: Space) -> None:
    options = [option for option in space.options if option.search]
    plans, plan = [], strategies.STOCK
    for option in options[:40]:
        plan = plan.with_option(option.name, option.search[0])
        plans.append(plan)
    model = Scripted(iter(plans))
    assert best(Hybrid(model, embedded(space)), 60) < best(embedded(space), 60)
    assert len(model.asked) == len(plans), "it won each time and was asked for all it had"


def test_the_embedded_search_builds_on_the_models_plans(space: Space) -> None:
    rare = Plan.parse("-passes=default<O2> -inline-threshold=123456")
    model = Scripted(iter([rare]))

    def prefer_rare(plan: Plan) -> Evaluation:
        value = 500 - len(plan.options) if plan.option("inline-threshold") == "123456" else 1000
        return Evaluation(plan, Verdict.ESTABLISHED, Measurement(Outcome.OK, text_bytes=value), value, None)

    found = search(Hybrid(model, embedded(space)), prefer_rare, Budget(60)).best
    assert found is not None
    assert found.plan.option("inline-threshold") == "123456"
    assert len(found.plan.options) > 1


def test_both_hear_of_every_plan_in_order(space: Space) -> None:
    model, other = useless(), useless()
    found = search(Hybrid(model, other), evaluate, Budget(BUDGET))
    judged = [one.plan for one in found.evaluations]
    assert [score.plan for score in model.told] == [score.plan for score in other.told]
    assert list(dict.fromkeys(score.plan for score in model.told)) == judged


def test_a_model_with_nothing_to_say_leaves_the_embedded_search_as_it_is(space: Space) -> None:
    def plans(strategy: Strategy) -> list[str]:
        return [str(judged.plan) for judged in search(strategy, evaluate, Budget(80)).evaluations]

    assert plans(Hybrid(Scripted(iter(())), embedded(space))) == plans(embedded(space))
