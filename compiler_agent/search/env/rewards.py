"""What a step is worth: CompilerGym's formulas, over its metrics and ours.

With C the metric of a state, C0 that of the first one and B a baseline's:

    raw          C[t-1] - C[t]
    Norm         (C[t-1] - C[t]) / C0
    O3, Oz, …    (C[t-1] - C[t]) / max(C0 - B, 1)

so that an episode's sum is 1 where it reached the baseline. Source: compiler_gym/envs/llvm/llvm_rewards.py, v0.2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from compiler_agent.base.errors import UsageError
from compiler_agent.search.env.served import Baseline, Metric, ServedBenchmark

_NORM = "Norm"


@dataclass(frozen=True, slots=True)
class Reward:
    """One reward space."""

    name: str
    """As in `reward_space=`."""
    metric: Metric
    """What is made smaller."""
    scale: Baseline | None
    """What the difference is divided by: C0 for O0, C0 less the baseline for others; None: nothing."""

    @property
    def wire(self) -> tuple[str, ...]:
        """What the session is asked for with each step."""
        return ("ir_instructions",) if self.metric is Metric.IR_INSTRUCTIONS else ("fingerprint",)

    def divisor(self, served: ServedBenchmark) -> float:
        """What a difference of the metric is divided by, on one benchmark."""
        if self.scale is None:
            return 1.0
        first = served.figure(self.metric, Baseline.O0)
        if self.scale is Baseline.O0:
            return max(first, 1)
        return max(first - served.figure(self.metric, self.scale), 1)


def _all() -> dict[str, Reward]:
    scales = {"": None, _NORM: Baseline.O0, **{one.value: one for one in Baseline if one is not Baseline.O0}}
    return {
        f"{metric.value}{ending}": Reward(f"{metric.value}{ending}", metric, scale)
        for metric in Metric
        for ending, scale in scales.items()
    }


REWARDS = _all()
"""By name."""


def reward(name: str) -> Reward:
    """A reward space by name.

    Raises:
        UsageError: There is none of that name, or it is not built.
    """
    if name == "Runtime":
        raise UsageError("the reward space 'Runtime' is not built", hint="observe Runtime, and judge by its samples")
    if name not in REWARDS:
        raise UsageError(f"there is no reward space '{name}'", hint=f"one of: {', '.join(REWARDS)}")
    return REWARDS[name]
