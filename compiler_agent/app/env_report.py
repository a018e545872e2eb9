"""What `compiler-agent env` prints: spaces, baselines, and what became of states."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.app.env_compilers import COMPILERS
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.search.env.compiler_env import CompilerEnv
from compiler_agent.search.env.served import Baseline
from compiler_agent.search.env.spaces import shape_of
from compiler_agent.search.env.state import State, read_states

Row = tuple[str, str, str]
"""A benchmark, what became of its state, and why."""


def list_spaces(compiler: str) -> list[tuple[str, str]]:
    """Every space of a compiler's environment by name, with what it is."""
    chosen = COMPILERS[compiler]
    seen = [(name, f"observation, {shape_of(one.space)}: {one.unit}") for name, one in chosen.observations().items()]
    missing = [(name, f"observation, not built: {why}") for name, why in chosen.not_built.items()]
    rewards = [(name, f"reward, {one.description}") for name, one in chosen.rewards.items()]
    sets = [(name, f"actions, {number}") for name, number in chosen.actions().items()]
    return [*seen, *missing, *rewards, *sets]


def describe_benchmark(uri: str, compiler: str) -> dict[str, Any]:
    """A benchmark's command and its baselines by metric, as JSON.

    Raises:
        UsageError: There is no such benchmark.
        EngineError: It does not compile.
    """
    chosen = COMPILERS[compiler]
    env = chosen.environment(uri)
    try:
        env.reset()
        served, benchmark = env.episode.served, env.episode.benchmark
        return {
            "benchmark": benchmark.uri,
            "compiler": compiler,
            "command": chosen.command(env),
            "directory": str(benchmark.directory),
            "is_ir": benchmark.is_ir,
            "has_program": benchmark.program is not None,
            "baselines": {
                metric.value: {baseline.value: served.figure(metric, baseline) for baseline in chosen.baselines}
                for metric in chosen.metrics
            },
        }
    finally:
        env.close()


def render_description(found: dict[str, Any], console: Console) -> None:
    """Prints it for people, with the difference that size attributes make."""
    console.print(f"{found['benchmark']}\n{shlex.join(found['command'])}", highlight=False, soft_wrap=True)
    with_clang = found["compiler"] == "llvm"
    baselines = [baseline.value for baseline in COMPILERS[found["compiler"]].baselines]
    table = Table("metric", *baselines, *(["OzPlain ÷ Oz"] if with_clang else []))
    for metric, figures in found["baselines"].items():
        ratio = [f"{figures[Baseline.OZ_PLAIN] / max(figures[Baseline.OZ], 1):.3f}"] if with_clang else []
        table.add_row(metric, *(str(figures[baseline]) for baseline in baselines), *ratio)
    console.print(table)
    if not with_clang:
        shown = "its program is tested" if found["has_program"] else "it has no program, so nothing can be established"
        console.print(f"validate(): {shown}.")
        return
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


def replay_states(file: Path, reward_space: str | None, compiler: str) -> list[Row]:
    """Replays each state of a CSV file and compares its reward.

    Raises:
        UsageError: It is no such file, or there is no such reward.
    """
    return _each(file, reward_space, compiler, lambda env, state: ("okay", f"reward {env.state.reward:.6f}"))


def validate_states(
    file: Path, reward_space: str | None, compiler: str, seconds_per_function: float, seed: int
) -> list[Row]:
    """Replays each state of a CSV file, compares its reward, and validates it; errors as for `replay_states`."""

    def judge(env: CompilerEnv[Any, Any], state: State) -> tuple[str, str]:
        found = env.validate(seconds_per_function=seconds_per_function, seed=seed)
        return found.validity.value, found.reason

    return _each(file, reward_space, compiler, judge)


_Judge = Callable[[CompilerEnv[Any, Any], State], tuple[str, str]]


def _each(file: Path, reward_space: str | None, compiler: str, judge: _Judge) -> list[Row]:
    env = COMPILERS[compiler].environment(reward=reward_space)
    try:
        return [(state.benchmark, *_one(env, state, judge)) for state in read_states(file)]
    finally:
        env.close()


def _one(env: CompilerEnv[Any, Any], state: State, judge: _Judge) -> tuple[str, str]:
    try:
        _, reward, _, truncated, info = env.apply(state)
        if truncated:
            return "wrong", f"the plan does not apply: {info['ended']}: {info['reason']}"
        if info["rejected"]:
            return "wrong", f"the plan does not apply: {info['rejected']}"
        if env.reward_is_repeatable and not state.is_worth(reward):
            return "wrong", f"its reward is {reward:.6f}, not {state.reward:.6f}"
        return judge(env, state)
    except CompilerAgentError as error:
        return "not-established", error.message
