"""The strategies by name: the embedded ones, which need no key and no network, and those that ask a language model."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error
from compiler_agent.evaluation.evaluate import Objective, stock_plan
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.hybrid import TURN, Hybrid
from compiler_agent.search.planner import LlmPlanner, Session
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Score, Strategy, ranked

CORESET_FILE = Path(__file__).resolve().parents[2] / "passes" / "pipelines" / "size.txt"
STOCK = stock_plan()


class Baseline:
    """Proposes clang's stock pipeline alone: what a search is worth is seen beside it."""

    def __init__(self) -> None:
        self._plans = [STOCK]

    def ask(self) -> Plan | None:
        """The stock plan, once."""
        return self._plans.pop() if self._plans else None

    def tell(self, score: Score) -> None:
        """Learns nothing."""


class Coreset:
    """Proposes the seed plans in their order: found on training code, chosen to complement each other."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = list(plans)

    def ask(self) -> Plan | None:
        """The next seed plan."""
        return self._plans.pop(0) if self._plans else None

    def tell(self, score: Score) -> None:
        """Learns nothing."""


class Random:
    """Draws plans around the stock pipeline, each without regard to the others: what luck alone finds."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._rng = random.Random(seed)

    def ask(self) -> Plan | None:
        """A stock plan with one to six random edits."""
        plan = STOCK
        for _ in range(self._rng.randint(1, 6)):
            edit = self._space.edit_options if self._rng.random() < 0.6 else self._space.edit_pipeline
            plan = edit(plan, self._rng)
        return plan

    def tell(self, score: Score) -> None:
        """Learns nothing."""


class Evolve:
    """Starts from the stock pipeline and the seed plans, then edits and crosses what is best so far.

    A steady-state evolution: parents are drawn from the elite by rank, and the kinds of edits by what each has
    gained so far (a bandit), so that effort goes where this translation unit yields.
    """

    ELITE = 6

    def __init__(self, space: Space, seeds: Sequence[Plan], seed: int) -> None:
        self._space = space
        self._rng = random.Random(seed)
        self._seeds = [STOCK, *seeds]
        self._scores: list[Score] = []
        self._asked: dict[str, str] = {}
        self.parents: dict[str, Plan] = {}
        """By the text of a plan that was asked for: the plan that it is an edit of; of a crossing, the first."""
        self._tried = {"option": 1.0, "options": 1.0, "pipeline": 1.0, "cross": 1.0, "drop": 1.0}
        self._won = {"option": 0.7, "options": 0.4, "pipeline": 0.5, "cross": 0.3, "drop": 0.2}

    def ask(self) -> Plan | None:
        """A seed plan while there are any, then an edit of an elite plan."""
        if self._seeds:
            return self._seeds.pop(0)
        elite = self._elite()
        if not elite:
            return STOCK
        for _ in range(50):
            kind = self._draw_kind()
            plan = self._edit(kind, elite)
            if str(plan) not in self._asked:
                self._asked[str(plan)] = kind
                return plan
        return plan

    def tell(self, score: Score) -> None:
        """Remembers the outcome, and whether the kind of edit that led here paid."""
        best = self._elite()
        kind = self._asked.get(str(score.plan))
        if kind in self._tried:
            self._tried[kind] += 1
            if score.value is not None and best and best[0].value is not None and score.value < best[0].value:
                self._won[kind] += 1
        self._asked.setdefault(str(score.plan), "seed")
        self._scores.append(score)

    def _elite(self) -> list[Score]:
        elite: list[Score] = []
        values: set[float | None] = set()
        for score in ranked(self._scores):
            if score.value not in values:  # equal figures are mostly equal code: one stands for all
                values.add(score.value)
                elite.append(score)
            if len(elite) == self.ELITE:
                break
        return elite

    def _draw_kind(self) -> str:
        kinds = list(self._tried)
        return self._rng.choices(kinds, [0.05 + self._won[kind] / self._tried[kind] for kind in kinds])[0]

    def _edit(self, kind: str, elite: list[Score]) -> Plan:
        rng = self._rng
        weights = [2.0**-rank for rank in range(len(elite))]
        parent = rng.choices(elite, weights)[0].plan
        plan = self._edited(kind, parent, elite)
        self.parents.setdefault(str(plan), parent)
        return plan

    def _edited(self, kind: str, plan: Plan, elite: list[Score]) -> Plan:
        rng, space = self._rng, self._space
        if kind == "cross":
            return space.cross(plan, rng.choice(elite).plan, rng)
        if kind == "drop" and plan.options:
            return plan.without_option(rng.choice(plan.options)[0])
        for _ in range(rng.choice((1, 1, 2, 3)) if kind == "options" else 1):
            plan = space.edit_pipeline(plan, rng) if kind == "pipeline" else space.edit_options(plan, rng)
        if kind == "pipeline" and rng.random() < 0.3:
            plan = space.edit_pipeline(plan, rng)
        return plan


def read_coreset(path: Path = CORESET_FILE) -> list[Plan]:
    """The seed plans, one a line, best first; lines that start with # are comments."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise file_error("read", path, error) from error
    return [Plan.parse(line) for line in lines if line.strip() and not line.startswith("#")]


_MAKERS: dict[str, Callable[[Space, int], Strategy]] = {
    "baseline": lambda space, seed: Baseline(),
    "random": Random,
    "coreset": lambda space, seed: Coreset(read_coreset()),
    "evolve": lambda space, seed: Evolve(space, read_coreset(), seed),
}
NAMES = (*_MAKERS, "neighbours", "policy")
"""The embedded ones. `neighbours` is `evolve`, begun with what worked on similar units; `policy` was trained."""
ASKING = ("llm", "hybrid")
"""Those that ask a language model, and send it what is observed of the code."""
USES_KNOWLEDGE = frozenset({"neighbours", *ASKING})
"""Those to which it matters what worked on other units."""


def make(
    name: str,
    space: Space,
    seed: int,
    session: Session | None = None,
    near: Sequence[Plan] = (),
    *,
    features: Sequence[int] = (),
    objective: Objective = Objective.TEXT_BYTES,
) -> Strategy:
    """A strategy by name, one of NAMES, or of ASKING if there is a conversation for it.

    Args:
        name: The strategy.
        space: The plans to search.
        seed: Of the search.
        session: The conversation with a language model, if there is one.
        near: What worked on similar units, for `neighbours`: see `knowledge.plans_of`.
        features: The unit's InstCount and Autophase before optimization, for `policy`; empty: not known.
        objective: What is made smaller, for `policy`.

    Raises:
        UsageError: There is no such strategy, or it lacks its conversation.
    """
    if name == "neighbours":
        return Evolve(space, [*filter(space.takes, near), *read_coreset()], seed)
    if name == "policy":
        return _policy(space, seed, features, objective)
    if name == "llm" and session is not None:
        return LlmPlanner(session, make("evolve", space, seed))
    if name == "hybrid" and session is not None:
        # Where the model fails, the embedded search goes on anyway.
        return Hybrid(LlmPlanner(replace(session, plans_per_turn=TURN), Coreset(())), make("evolve", space, seed))
    if name in ASKING:
        raise UsageError(f"strategy '{name}' asks a language model, which cannot be done here", hint=_CHOOSE)
    if name not in _MAKERS:
        raise UsageError(f"there is no strategy '{name}'", hint=_CHOOSE)
    return _MAKERS[name](space, seed)


def _policy(space: Space, seed: int, features: Sequence[int], objective: Objective) -> Strategy:
    from compiler_agent.search.policy.model import read  # numpy is slow to import, and a build's miss needs neither
    from compiler_agent.search.policy.strategy import Policy

    # Where a unit gains more than any in training did, nothing more is expected: the seed plans are tried all the same.
    return Policy(read(), space, features, objective, lambda chosen: Evolve(chosen, read_coreset(), seed))


_CHOOSE = f"choose one of {', '.join(NAMES)}"
