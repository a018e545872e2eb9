"""The environments that `compiler-agent env` knows, by compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from compiler_agent.search.env import actions, observations, rewards, served
from compiler_agent.search.env.compiler_env import DEFAULT_BENCHMARK, CompilerEnv
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.gcc import environment as gcc
from compiler_agent.search.env.gcc import observations as gcc_observations
from compiler_agent.search.env.gcc.compiler import find
from compiler_agent.search.env.gcc.reviewed import production
from compiler_agent.search.env.gcc.served import GccBaseline, GccMetric
from compiler_agent.search.env.rewards import RewardSpace
from compiler_agent.search.env.spaces import Observation


@dataclass(frozen=True, slots=True)
class Compiler:
    """One compiler's environment."""

    make: Callable[..., CompilerEnv[Any, Any]]
    """The environment's class, or what calls it."""
    observation: str
    """One that costs little."""
    observations: Callable[[], Mapping[str, Observation]]
    """All by name."""
    not_built: Mapping[str, str]
    """Those that are looked for in vain, and why."""
    rewards: Mapping[str, RewardSpace]
    """All by name."""
    actions: Callable[[], Mapping[str, int]]
    """Action spaces by name, and how many actions each has."""
    metrics: type[StrEnum]
    """What is counted."""
    baselines: type[StrEnum]
    """What it is compared with."""
    command: Callable[[CompilerEnv[Any, Any]], list[str]]
    """What compiles an episode's benchmark."""

    def environment(self, benchmark: str = DEFAULT_BENCHMARK, reward: str | None = None) -> CompilerEnv[Any, Any]:
        """An environment; without a reward's name with its own."""
        named = {} if reward is None else {"reward_space": reward}
        return self.make(benchmark, observation_space=self.observation, **named)


def _gcc_actions() -> dict[str, int]:
    options = production(find().options)
    return {"choices": sum(len(option.choices) + 1 for option in options), "all-at-once": len(options)}


COMPILERS = {
    "llvm": Compiler(
        LlvmEnv,
        "InstCount",
        lambda: observations.OBSERVATIONS,
        observations.NOT_BUILT,
        rewards.REWARDS,
        lambda: {name: len(actions.actions(name).names) for name in actions.ACTION_SPACES},
        served.Metric,
        served.Baseline,
        lambda env: list(env.episode.benchmark.command(served.LEVEL)),
    ),
    "gcc": Compiler(
        gcc.GccEnv,
        "choices",
        lambda: gcc_observations.observations(production(find().options)),
        gcc_observations.NOT_BUILT,
        gcc.REWARDS,
        _gcc_actions,
        GccMetric,
        GccBaseline,
        lambda env: list(find().command(env.episode.benchmark)),
    ),
}
"""By name."""
