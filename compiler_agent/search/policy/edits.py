"""What edits of plans are worth, by Max-Q learning, and a search space that draws edits by it.

The value of a plan is the best that was reached from it: its own figure, or that of any plan that came of it by further
edits. The value of an edit is what that is better than the plan that was edited, on average over the training units.

Source: Gottipati et al., Maximum Reward Formulation in Reinforcement Learning, 2020: what a step returns is a maximum,
not a sum. Here with a table instead of a network, and without a unit's features.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm import pipeline_edit
from compiler_agent.llvm.pipeline import Pass, Pipeline, walk
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.space import Places, Space

_SHRINKAGE = 5.0
"""An edit is thought to be worth nothing as firmly as if so many tries of it had gained nothing."""
_MOST_GAIN = 0.3
"""A gain counts no more than this, in logarithms: a unit of a few bytes must not decide."""
_LEARNED_SHARE = 0.5
"""Of edits that are drawn by what was learned; the others are drawn as `evolve` draws them."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One plan of a search and where it came from."""

    parent: int
    """Index, in the search, of the plan it was edited from; -1: of none."""
    value: int | None
    """The objective's figure, less is better; None: the plan failed."""
    words: tuple[str, ...]
    """What the edit did: see `edit_words`."""


def edit_words(before: Plan, after: Plan, space: Space) -> tuple[str, ...]:
    """What makes the second plan of the first: `+option=value`, `-option`, `add pass`, `drop pass`, sorted."""
    old, new = dict(before.options), dict(after.options)
    words = [f"+{name}={value}" for name, value in new.items() if old.get(name) != value]
    words += [f"-{name}" for name in old if name not in new]
    had, has = (_passes(space.spelled_out(plan.pipeline)) for plan in (before, after))
    words += [f"add {name}" for name in (has - had)] + [f"drop {name}" for name in (had - has)]
    return tuple(sorted(words))


def edit_values(searches: Iterable[Sequence[Tried]]) -> dict[str, float]:
    """What edits are worth: the mean gain that lay behind each, in logarithms; those that gained nothing are left out.

    Args:
        searches: Of each unit, its plans in the order in which they were tried.
    """
    gains: dict[str, list[float]] = defaultdict(list)
    for search in searches:
        reached = _reached(search)
        for index, tried in enumerate(search):
            before = search[tried.parent].value if tried.parent >= 0 else None
            if before is None or len(tried.words) > 3:  # what many edits at once did says little of each
                continue
            after = reached[index]
            gain = math.log(before / after) if before and after else 0.0
            for word in tried.words:
                gains[word].append(min(max(gain, 0.0), _MOST_GAIN))
    values = {word: sum(each) / (len(each) + _SHRINKAGE) for word, each in gains.items()}
    return {word: value for word, value in sorted(values.items()) if value > 0}


def _reached(search: Sequence[Tried]) -> list[float | None]:
    """The best figure that each plan led to; children come after their parents."""
    best: list[float | None] = [tried.value for tried in search]
    for index in reversed(range(len(search))):
        parent, value = search[index].parent, best[index]
        if parent >= 0 and value is not None:
            known = best[parent]
            best[parent] = value if known is None else min(known, value)
    return best


def _passes(pipeline: Pipeline) -> Counter[str]:
    return Counter(node.name for _, node, _ in walk(pipeline) if isinstance(node, Pass))


class LearnedSpace(Space):
    """The same plans as another space, whose edits are drawn by what they are worth."""

    def __init__(self, space: Space, values: Mapping[str, float]) -> None:
        self.__dict__.update(space.__dict__)  # whatever it is restricted to
        self._drops = {word.removeprefix("drop "): value for word, value in values.items() if word.startswith("drop ")}
        self._removals = {word[1:]: value for word, value in values.items() if word.startswith("-")}
        known = {option.name: option for option in self.options}
        self._sets = []
        for word, value in values.items():
            name, _, setting = word.removeprefix("+").partition("=")
            if word.startswith("+") and name in known:
                self._sets.append((known[name], setting, value))

    def edit_options(self, plan: Plan, rng: random.Random) -> Plan:
        """Sets or takes out an option, half of the time by what that is worth."""
        if rng.random() >= _LEARNED_SHARE:
            return super().edit_options(plan, rng)
        sets = [one for one in self._sets if plan.option(one[0].name) != one[1]]
        removals = [(name, self._removals[name]) for name, _ in plan.options if name in self._removals]
        weights = [one[2] for one in sets] + [value for _, value in removals]
        if not weights:
            return super().edit_options(plan, rng)
        drawn = rng.choices(range(len(weights)), weights)[0]
        if drawn < len(sets):
            option, setting, _ = sets[drawn]
            return self.with_option(plan, option, setting)
        return plan.without_option(removals[drawn - len(sets)][0])

    def _delete(self, pipeline: Pipeline, places: Places, rng: random.Random) -> Pipeline:
        if rng.random() >= _LEARNED_SHARE:
            return super()._delete(pipeline, places, rng)
        worth = [(path, self._drops[node.name]) for path, node, _ in places if self._may_drop(node)]
        if not worth:
            raise PlanError("nothing to delete")
        return pipeline_edit.delete(
            pipeline, rng.choices([path for path, _ in worth], [value for _, value in worth])[0]
        )

    def _may_drop(self, node: object) -> bool:
        return (
            isinstance(node, Pass)
            and node.name in self._drops
            and node.name in self.catalog.all_passes
            and not self.catalog.all_passes[node.name].keep
        )
