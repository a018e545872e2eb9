"""The strategies of `--objective speed`, by the names that those for size have. All of them draw from one `SpeedSpace`.

They are told times as ratios, candidate ÷ baseline, with the standard error of the logarithm. A plan whose objects are
those of a plan that was measured before is told that plan's very figure: it costs no measurement.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from compiler_agent.base.errors import UsageError
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.speed_model import Told, Worth
from compiler_agent.search.speed_space import STOCK, SpeedSpace, words_of
from compiler_agent.search.strategies import Coreset, read_coreset
from compiler_agent.search.strategy import Score, Strategy

SEED_FILE = Path(__file__).resolve().parents[2] / "passes" / "pipelines" / "speed.txt"
_FAILED = Told(STOCK, math.log(1.2), 0.1)
"""What a plan that crashed or failed its test counts as: its words are not tried again soon."""

_WORD_COST = 0.0005
"""What a word must be worth, as a logarithm of time: plans are to be read, and each word is one more to be wrong."""


class Random:
    """Draws plans around clang's own, each without regard to the others: what luck alone finds."""

    def __init__(self, space: SpeedSpace, seed: int) -> None:
        self._space = space
        self._rng = random.Random(seed)

    def ask(self) -> Plan | None:
        """Clang's own plan with one to six words."""
        plan = STOCK
        for _ in range(self._rng.randint(1, 6)):
            plan = self._space.with_word(plan, self._space.draw(self._rng).text)
        return plan

    def tell(self, score: Score) -> None:
        """Learns nothing."""


class Evolve:
    """Tries the seed plans, learns from all times what each word is worth, and edits what it believes fastest.

    Of many edits it proposes the one that is fastest in a draw from what it believes: what is known to be good, or not
    known well enough yet. Believing is not measuring: a lucky figure counts for as much as its error allows.

    Source: Thompson sampling: Thompson 1933, Biometrika 25; Russo et al., A Tutorial on Thompson Sampling, 2018.
    """

    ELITE = 6
    POOL = 40

    def __init__(self, space: SpeedSpace, seeds: Sequence[Plan], seed: int) -> None:
        self._space = space
        self._rng = random.Random(seed)
        self._draws = np.random.default_rng(seed)
        self._seeds = list(seeds)
        self._told: dict[str, Told] = {str(STOCK): Told(STOCK, 0.0, 0.0)}
        self._parents: dict[str, Plan] = {}
        self._inert: set[str] = set()

    def ask(self) -> Plan | None:
        """A seed plan while there are any, then the most promising of many edits."""
        if self._seeds:
            plan = self._seeds.pop(0)
            self._parents[str(plan)] = STOCK
            return plan
        # Words change what clang -O3 does, whose figure is not 1 where another stock configuration is the baseline.
        stock = self._told[str(STOCK)].log_ratio
        worth = Worth([replace(one, log_ratio=one.log_ratio - stock) for one in self._told.values()])
        pool = self._edits(self._space.without_effect(self._inert), self._elite(worth))
        if not pool:
            return None
        lengths = np.array([len(words_of(plan)) for plan in pool])
        return pool[int(np.argmin(worth.sample(pool, self._draws) + _WORD_COST * lengths))]

    def tell(self, score: Score) -> None:
        """Notes the figure; where it is that of the plan which was edited, what was added or left out does nothing."""
        failed = score.value is None
        figure = _FAILED.log_ratio if score.value is None else math.log(score.value)
        self._told[str(score.plan)] = Told(score.plan, figure, _FAILED.error if failed else score.error)
        parent = self._told.get(str(self._parents.get(str(score.plan))))
        if parent is not None and not failed and figure == parent.log_ratio:
            before, after = set(words_of(parent.plan)), set(words_of(score.plan))
            if before < after or after < before:
                self._inert.update(text for _, text in before ^ after)

    def _elite(self, worth: Worth) -> list[Plan]:
        """Plans by what is believed of them, fastest first; of those with one figure, one."""
        order = sorted(zip(worth.believed(), self._told.values(), strict=True), key=_by_belief)
        plans: dict[float, Plan] = {}
        for _, one in order:
            plans.setdefault(one.log_ratio, one.plan)
        best = list(plans.values())[: self.ELITE]
        # Both: a word that does nothing alone may do something beside another one.
        return list(dict.fromkeys(one for plan in best for one in (self._stripped(plan), plan)))

    def _stripped(self, plan: Plan) -> Plan:
        """The plan without words that do nothing."""
        for _, text in words_of(plan):
            if text in self._inert:
                plan = self._space.without_word(plan, text)
        return plan

    def _edits(self, space: SpeedSpace, elite: Sequence[Plan]) -> list[Plan]:
        """Plans that were not proposed before, near those of the elite."""
        weights = [2.0**-rank for rank in range(len(elite))]
        pool: dict[str, Plan] = {}
        for _ in range(20 * self.POOL):
            if len(pool) == self.POOL:
                break
            parent = self._rng.choices(elite, weights)[0]
            plan = self._edit(space, parent, elite)
            if str(plan) not in self._told:
                pool[str(plan)] = plan
                self._parents[str(plan)] = parent
        return list(pool.values())

    def _edit(self, space: SpeedSpace, parent: Plan, elite: Sequence[Plan]) -> Plan:
        said = words_of(parent)
        kind = self._rng.random()
        if kind < 0.25:
            return space.cross(parent, self._rng.choice(elite))
        if kind < 0.4 and said:
            return space.without_word(parent, self._rng.choice(said)[1])
        if kind < 0.6 and said:  # another value for what the plan already speaks of
            subject, _ = self._rng.choice(said)
            others = [word.text for word in space.words if word.subject == subject]
            if others:
                return space.with_word(parent, self._rng.choice(others))
        plan = parent
        for _ in range(self._rng.choice((1, 1, 2))):
            plan = space.with_word(plan, space.draw(self._rng).text)
        return plan


def _by_belief(believed: tuple[float, Told]) -> tuple[float, int]:
    belief, told = believed
    return belief + _WORD_COST * len(words_of(told.plan)), len(str(told.plan))


def _seeds(space: SpeedSpace) -> list[Plan]:
    return [plan for plan in read_coreset(SEED_FILE) if space.takes(plan)]


_MAKERS: dict[str, Callable[[SpeedSpace, int], Strategy]] = {
    "baseline": lambda space, seed: Coreset([STOCK]),
    "random": Random,
    "coreset": lambda space, seed: Coreset(_seeds(space)),
    "evolve": lambda space, seed: Evolve(space, _seeds(space), seed),
}
NAMES = tuple(_MAKERS)
"""The strategies that there are for speed; none asks a language model, or uses what was learned for size."""


def make(name: str, space: SpeedSpace, seed: int) -> Strategy:
    """A strategy for speed by its name, one of NAMES.

    Raises:
        UsageError: There is none of that name for speed.
    """
    check_name(name)
    return _MAKERS[name](space, seed)


def check_name(name: str) -> None:
    """Makes sure that there is such a strategy, before anything is measured for it.

    Raises:
        UsageError: There is none of that name for speed.
    """
    if name not in _MAKERS:
        raise UsageError(f"strategy '{name}' is not there for speed", hint=f"choose one of {', '.join(NAMES)}")
