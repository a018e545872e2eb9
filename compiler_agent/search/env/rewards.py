"""What a step is worth: CompilerGym's formulas, over its metrics and ours.

With C the metric of a state, C0 that of the first one and B a baseline's:

    raw          C[t-1] - C[t]
    Norm         (C[t-1] - C[t]) / C0
    O3, Oz, …    (C[t-1] - C[t]) / max(C0 - B, 1)

so that an episode's sum is 1 where it reached the baseline. `Runtime` is by measured times: see `runtime`.
Source: compiler_gym/envs/llvm/llvm_rewards.py, v0.2.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from compiler_agent.base.errors import UsageError
from compiler_agent.search.env.runtime import RuntimeReward
from compiler_agent.search.env.served import Baseline, Metric

_NORM = "Norm"


class Score(Protocol):
    """What an episode has come to. Values: a fork's and its original's do not disturb each other."""

    def advance(self, episode: Any) -> tuple[float, Score]:
        """What the last step was worth, and the score from which the next one counts.

        Raises:
            CompilationFailed: The state has no figure.
            WrongProgram: The same, since its program is wrong.
            NotEstablished: Its program cannot be compared, or not be timed.
        """
        ...


class RewardSpace(Protocol):
    """What steps are worth, by one measure."""

    @property
    def name(self) -> str:
        """As in `reward_space=`."""
        ...

    @property
    def wire(self) -> tuple[str, ...]:
        """What a session of LLVM is asked for with each step."""
        ...

    @property
    def is_repeatable(self) -> bool:
        """Whether the same state is worth the same each time: sizes are, times are not."""
        ...

    @property
    def description(self) -> str:
        """What it is by, in a word or two."""
        ...

    def begin(self, episode: Any) -> Score:
        """The score of an episode at its beginning."""
        ...


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward by a figure that each state has: see above."""

    name: str
    """As in `reward_space=`."""
    metric: StrEnum
    """What is made smaller."""
    first: StrEnum
    """The baseline that is the state at the beginning."""
    scale: StrEnum | None
    """What the difference is divided by: C0 for `first`, C0 less the baseline for others; None: nothing."""
    wire: tuple[str, ...] = ()
    """What a session of LLVM is asked for with each step."""

    @property
    def is_repeatable(self) -> bool:
        """Yes: a state has one figure."""
        return True

    @property
    def description(self) -> str:
        """See `RewardSpace`."""
        return f"by the {self.metric}"

    def divisor(self, served: Any) -> float:
        """What a difference of the metric is divided by, on one benchmark."""
        if self.scale is None:
            return 1.0
        first = served.figure(self.metric, self.first)
        if self.scale is self.first:
            return max(first, 1)
        return max(first - served.figure(self.metric, self.scale), 1)

    def begin(self, episode: Any) -> FigureScore:
        """See `RewardSpace`."""
        return FigureScore(self.metric, episode.figure(self.metric), self.divisor(episode.served))


@dataclass(frozen=True, slots=True)
class FigureScore:
    """A state's figure, and what a difference is divided by."""

    metric: StrEnum
    """Whose figure it is."""
    figure: int
    """Of the state that was seen last."""
    divisor: float
    """Of differences."""

    def advance(self, episode: Any) -> tuple[float, FigureScore]:
        """See `Score`."""
        figure = episode.figure(self.metric)
        return (self.figure - figure) / self.divisor, replace(self, figure=figure)


def size_rewards(
    metrics: Iterable[StrEnum], baselines: Iterable[StrEnum], first: StrEnum, wire: Callable[[Any], tuple[str, ...]]
) -> dict[str, RewardSpace]:
    """Every metric in each of its forms, by name."""
    scales = {"": None, _NORM: first, **{one.value: one for one in baselines if one is not first}}
    return {
        f"{metric.value}{ending}": Reward(f"{metric.value}{ending}", metric, first, scale, wire(metric))
        for metric in metrics
        for ending, scale in scales.items()
    }


RUNTIME = RuntimeReward()
REWARDS = {**size_rewards(Metric, Baseline, Baseline.O0, lambda metric: metric.wire), RUNTIME.name: RUNTIME}
"""By name."""


def reward(name: str, table: Mapping[str, RewardSpace] = REWARDS) -> RewardSpace:
    """A reward space by name.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in table:
        raise UsageError(f"there is no reward space '{name}'", hint=f"one of: {', '.join(table)}")
    return table[name]
