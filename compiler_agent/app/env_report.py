"""What `compiler-agent env` prints: spaces, baselines, and what became of states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.search.env.actions import ACTION_SPACES, actions
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.observations import NOT_BUILT, OBSERVATIONS
from compiler_agent.search.env.rewards import REWARDS
from compiler_agent.search.env.served import LEVEL, Baseline, Metric
from compiler_agent.search.env.spaces import shape_of
from compiler_agent.search.env.state import State, read_states

_REWARD_TOLERANCE = 1e-6
Row = tuple[str, str, str]
"""A benchmark, what became of its state, and why."""


def list_spaces() -> list[tuple[str, str]]:
    """Every space by name, with what it is."""
    observations = [(name, f"observation, {shape_of(one.space)}: {one.unit}") for name, one in OBSERVATIONS.items()]
    missing = [(name, f"observation, not built: {why}") for name, why in NOT_BUILT.items()]
    rewards = [(name, f"reward, {one.description}") for name, one in REWARDS.items()]
    sets = [(name, f"actions, {len(actions(name).names)}") for name in ACTION_SPACES]
    return [*observations, *missing, *rewards, *sets]


def describe_benchmark(uri: str) -> dict[str, Any]:
    """A benchmark's command and its baselines by metric, as JSON.

    Raises:
        UsageError: There is no such benchmark.
        EngineError: It does not compile.
    """
    env = LlvmEnv(uri, observation_space="InstCount")
    try:
        env.reset()
        served = env.episode.served
        return {
            "benchmark": served.benchmark.uri,
            "command": list(served.benchmark.command(LEVEL)),
            "directory": str(served.benchmark.directory),
            "is_ir": served.benchmark.is_ir,
            "has_program": served.benchmark.program is not None,
            "baselines": {
                metric.value: {baseline.value: served.figure(metric, baseline) for baseline in Baseline}
                for metric in Metric
            },
        }
    finally:
        env.close()


def render_description(found: dict[str, Any], console: Console) -> None:
    """Prints it for people, with the difference that size attributes make."""
    console.print(f"{found['benchmark']}\n{' '.join(found['command'])}", highlight=False, soft_wrap=True)
    table = Table("metric", *(baseline.value for baseline in Baseline), "OzPlain ÷ Oz")
    for metric, figures in found["baselines"].items():
        ratio = figures[Baseline.OZ_PLAIN] / max(figures[Baseline.OZ], 1)
        table.add_row(metric, *(str(figures[baseline]) for baseline in Baseline), f"{ratio:.3f}")
    console.print(table)
    if found["is_ir"]:
        console.print(
            "This is LLVM IR: its functions carry the attributes that they were made with, whatever the level. Oz is "
            "that of a build only where they were made by clang -Oz.",
            soft_wrap=True,
        )
    else:
        console.print(
            "Oz: clang -Oz, whose functions carry size attributes. OzPlain: default<Oz> without them, as in papers.",
            soft_wrap=True,
        )
    what = "its program is tested" if found["has_program"] else "its functions are tested, one by one"
    console.print(f"validate(): {what}.")


def replay_states(file: Path, reward_space: str) -> list[Row]:
    """Replays each state of a CSV file and compares its reward.

    Raises:
        UsageError: It is no such file, or there is no such reward.
    """
    return _each(file, reward_space, lambda env, state: ("okay", f"reward {env.state.reward:.6f}"))


def validate_states(file: Path, reward_space: str, seconds_per_function: float, seed: int) -> list[Row]:
    """Replays each state of a CSV file, compares its reward, and validates it; errors as for `replay_states`."""

    def judge(env: LlvmEnv, state: State) -> tuple[str, str]:
        found = env.validate(seconds_per_function=seconds_per_function, seed=seed)
        return found.validity.value, found.reason

    return _each(file, reward_space, judge)


def _each(file: Path, reward_space: str, judge: Callable[[LlvmEnv, State], tuple[str, str]]) -> list[Row]:
    env = LlvmEnv(observation_space="InstCount", reward_space=reward_space)
    try:
        return [(state.benchmark, *_one(env, state, judge)) for state in read_states(file)]
    finally:
        env.close()


def _one(env: LlvmEnv, state: State, judge: Callable[[LlvmEnv, State], tuple[str, str]]) -> tuple[str, str]:
    try:
        _, reward, _, truncated, info = env.apply(state)
        if truncated:
            return "wrong", f"the plan does not apply: {info['ended']}: {info['reason']}"
        if info["rejected"]:
            return "wrong", f"the plan does not apply: {info['rejected']}"
        if abs(reward - state.reward) > _REWARD_TOLERANCE:
            return "wrong", f"its reward is {reward:.6f}, not {state.reward:.6f}"
        return judge(env, state)
    except CompilerAgentError as error:
        return "not-established", error.message
