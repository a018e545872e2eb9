"""The search space for speed: clang's own pipelines with options, and decisions about hot functions and their loops.

A plan for speed keeps `default<…>` whole: LLVM's options then act as `-mllvm` does, also those that the pipeline is
built by (Polly, loop interchange), and a plan stays short enough to be read. What a plan says is a set of *words*, one
for each option, decision or pipeline; the search learns what each word is worth.
"""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Container, Sequence
from dataclasses import dataclass

from compiler_agent.evaluation.hot import HotFunction
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.decision import Decision, Kind
from compiler_agent.llvm.plan import Plan

STOCK = Plan.parse("-passes=default<O3>")
"""What clang -O3 runs."""
OTHER_PIPELINES = ("-passes=default<O2>",)
_LOOP_WISHES = (
    "unroll-count=2",
    "unroll-count=4",
    "unroll-count=8",
    "unroll=full",
    "unroll=false",
    "vectorize=false",
    "vectorize-width=4",
    "vectorize-width=8",
    "vectorize-width=16",
    "interleave=1",
    "interleave=2",
    "interleave=4",
    "interleave=8",
    "distribute=true",
    "unroll-and-jam-count=2",
    "unroll-and-jam-count=4",
)
_FUNCTION_WISHES = {
    "noinline=true": 2.0,  # polyhedral passes see a kernel better as a function of its own than as a part of main
    "optsize=true": 0.3,
    "no-jump-tables=true": 0.3,
    "prefer-vector-width=256": 0.3,
}
"""With weights, where that of a wish for a loop is 1."""
_DECISIONS_NEED = {"unroll-and-jam-count": "-enable-unroll-and-jam=true"}
"""Options without which a decision does nothing, by key."""
_LEAST_SHARE = 0.03
"""Functions that take less of the time get no decisions of their own."""


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a plan can say."""

    subject: str
    """What it is about: an option's name, or a decision's place and key; words of one subject exclude each other."""
    text: str
    """As it stands in a plan."""
    weight: float
    """How often it is drawn, relative to others."""


@functools.lru_cache(maxsize=10_000)
def words_of(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Subject and text of each word of a plan; clang's own pipeline is none."""
    pipeline = f"-passes={plan.pipeline}"
    found = [] if plan.pipeline == STOCK.pipeline else [("passes", pipeline)]
    found += [(name, f"-{name}={value}") for name, value in plan.options]
    found += [(f"{one.place}:{one.key}", str(one)) for one in plan.decisions]
    return tuple(found)


class SpeedSpace:
    """The words, and edits of plans by them."""

    def __init__(self, catalog: Catalog, hot: Sequence[HotFunction] = (), *, allow_experimental: bool = True) -> None:
        """The space of one program.

        Args:
            catalog: What a plan may hold.
            hot: The program's hot functions.
            allow_experimental: Whether it may hold what LLVM keeps off or calls unfinished: Polly, unroll-and-jam.
        """
        self.catalog = catalog
        self.allow_experimental = allow_experimental
        words = (*self._option_words(), *_decision_words(hot))
        self.words = tuple(word for word in words if self.takes(self.with_word(STOCK, word.text)))
        self._weights = [word.weight for word in self.words]

    def _option_words(self) -> list[Word]:
        words = [Word("passes", pipeline, 1.0) for pipeline in OTHER_PIPELINES]
        for option in self.catalog.speed_options():
            # The first value is the most promising one; an option with many values is not drawn more often for that.
            share = 1.0 / sum(0.7**rank for rank in range(len(option.speed)))
            words += [
                Word(option.name, f"-{option.name}={value}", share * 0.7**rank)
                for rank, value in enumerate(option.speed)
            ]
        return words

    def takes(self, plan: Plan) -> bool:
        """Whether a plan may be tried here, as far as it is a matter of experiments."""
        return self.allow_experimental or self.catalog.provenance_of(plan).provenance is Provenance.PRODUCTION

    def draw(self, rng: random.Random) -> Word:
        """One word, by weight."""
        return rng.choices(self.words, self._weights)[0]

    def with_word(self, plan: Plan, text: str) -> Plan:
        """The plan with a word, and with the options that it needs to have its effect."""
        if text.startswith("-passes="):
            return plan.with_pipeline(Plan.parse(text).pipeline)
        if not text.startswith("-"):
            decision = Decision.parse(text)
            needed = _DECISIONS_NEED.get(decision.key)
            return (self.with_word(plan, needed) if needed else plan).with_decision(decision)
        name, _, value = text[1:].partition("=")
        known = self.catalog.all_options.get(name)
        if known is not None and known.needs is not None and plan.option(known.needs[0]) != known.needs[1]:
            plan = self.with_word(plan, "-{}={}".format(*known.needs))
        return plan.with_option(name, value)

    def without_word(self, plan: Plan, text: str) -> Plan:
        """The plan without a word, and without what then has nothing to act on, or would act otherwise."""
        if text.startswith("-passes="):
            return plan.with_pipeline(STOCK.pipeline)
        if not text.startswith("-"):
            return plan.without_decision(Decision.parse(text))
        name = text[1:].partition("=")[0]
        plan = plan.without_option(name)
        for other, value in plan.options:
            known = self.catalog.all_options.get(other)
            if known is not None and known.needs is not None and known.needs[0] == name:
                plan = self.without_word(plan, f"-{other}={value}")
        return plan

    def cross(self, first: Plan, second: Plan) -> Plan:
        """All that two plans say; where they disagree, as the first one says."""
        said = dict(words_of(first))
        for subject, text in words_of(second):
            if subject not in said:
                first = self.with_word(first, text)
        return first

    def without_effect(self, inert: Container[str]) -> SpeedSpace:
        """The space without words that do nothing here, and without those that need one of them."""
        smaller = copy.copy(self)
        smaller.words = tuple(word for word in self.words if not self._is_inert(word.text, inert))
        smaller._weights = [word.weight for word in smaller.words]
        return smaller

    def _is_inert(self, text: str, inert: Container[str]) -> bool:
        known = self.catalog.all_options.get(text[1:].partition("=")[0])
        needs = known.needs if known is not None else None
        return text in inert or (needs is not None and self._is_inert("-{}={}".format(*needs), inert))


def for_unit(plan: Plan, functions: Sequence[str]) -> Plan:
    """The plan as one unit of the program can take it: without decisions about functions that it does not define."""
    for decision in plan.decisions:
        if decision.function not in functions:
            plan = plan.without_decision(decision)
    return plan


def _decision_words(hot: Sequence[HotFunction]) -> list[Word]:
    """Words about hot functions: as many draws for all of them together as for twenty options."""
    found: list[Word] = []
    for function in hot:
        if function.share < _LEAST_SHARE:
            continue
        name = Decision(Kind.FUNCTION, function.name, None, "hot", "true").place.partition(":")[2]
        places = [(f"function:{name}", wish, weight) for wish, weight in _FUNCTION_WISHES.items()]
        places += [
            (f"loop:{name}:{position}", wish, 1.0) for position in range(function.n_loops) for wish in _LOOP_WISHES
        ]
        places += [
            (f"call:{name}:{position}", f"inline={how}", 0.5)
            for position in function.calls
            for how in ("always", "never")
        ]
        total = sum(weight for *_, weight in places)
        found += [
            Word(f"{place}:{wish.partition('=')[0]}", f"{place}:{wish}", 20 * function.share * weight / total)
            for place, wish, weight in places
        ]
    return found
