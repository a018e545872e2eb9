"""The reward `Runtime`: what is not shown is worth nothing. Times are made up, but for one test."""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from compiler_agent.base.errors import UsageError
from compiler_agent.evaluation.executor import Run
from compiler_agent.evaluation.executor_fake import FakeExecutor, computing
from compiler_agent.evaluation.layout import LinkedLayouts
from compiler_agent.evaluation.pairing import Settings
from compiler_agent.search.env import rewards
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.runtime import RuntimeReward

SOURCE = """
#include <stdio.h>
int table[64];
static int weigh(const int *list, int n) { int t = 1; for (int i = 0; i < n; i++) t += list[i] * 3 + i; return t; }
int main(void) { printf("%d\\n", weigh(table, 64)); return 0; }
"""
PASSES = ("function(sroa)", "function(instcombine<no-verify-fixpoint>)", "default<O3>", "no-op-module")
AS_LONG_AS_IT_TAKES = Settings(n_pairs=12, seconds=1e9, sample_s=0.0)


@pytest.fixture
def benchmark_(as_program: Callable[[Path], Benchmark], tmp_path: Path) -> Benchmark:
    (tmp_path / "unit.c").write_text(SOURCE)
    return as_program(tmp_path / "unit.c")


class Times:
    """Made-up times by state, in the order in which states come to be timed."""

    def __init__(self, *seconds: float | tuple[float, float]) -> None:
        """By state; two times are taken in turns."""
        self.seconds = [itertools.cycle(one if isinstance(one, tuple) else (one,)) for one in seconds]
        self.states: list[Path] = []

    def executor(self, *_: Any) -> contextlib.AbstractContextManager[FakeExecutor]:
        return contextlib.nullcontext(FakeExecutor(self._run))

    def _run(self, executable: Path, _: int) -> Run:
        assert executable.is_file()
        if executable.parent not in self.states:
            self.states.append(executable.parent)
        return computing(next(self.seconds[self.states.index(executable.parent)]))


def unlinked(layouts: LinkedLayouts, n: int) -> Path:
    """What stands for an executable where none is run."""
    path = layouts._directory / f"layout-{n}"
    path.touch()
    return path


@contextlib.contextmanager
def timed(benchmark: Benchmark, times: Times, monkeypatch: pytest.MonkeyPatch) -> Iterator[LlvmEnv]:
    monkeypatch.setattr(LinkedLayouts, "executable", unlinked)
    reward = RuntimeReward(settings=AS_LONG_AS_IT_TAKES, start_executor=times.executor)
    monkeypatch.setitem(rewards.REWARDS, "Runtime", reward)
    env = LlvmEnv(benchmark, action_space=PASSES, observation_space="IrInstructionCount", reward_space="Runtime")
    try:
        yield env
    finally:
        env.close()


def test_what_is_shown_is_worth_its_logarithm(benchmark_: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    times = Times(0.10, 0.10, 0.05, 0.08)
    with timed(benchmark_, times, monkeypatch) as env:
        env.reset()
        assert env.step(0)[1] == 0.0  # another object that takes as long
        assert env.step(1)[1] == pytest.approx(math.log(2), abs=0.01)
        assert env.step(3)[1] == 0.0  # the same object
        assert len(times.states) == 3
        assert env.step(2)[1] == pytest.approx(math.log(0.05 / 0.08), abs=0.01)
        assert env.state.reward == pytest.approx(math.log(0.10 / 0.08), abs=0.01)


def test_what_is_not_shown_leaves_what_is_compared_with(benchmark_: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    with timed(benchmark_, Times(0.100, (0.070, 0.110), 0.020), monkeypatch) as env:
        env.reset()
        assert env.step(0)[1] == 0.0
        assert env.step(1)[1] == pytest.approx(math.log(5), abs=0.01)  # over the first one


def test_a_fork_is_timed_by_itself(benchmark_: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    times = Times(0.10, 0.05, 0.05)
    with timed(benchmark_, times, monkeypatch) as env:
        env.reset()
        fork = env.fork()
        assert fork.step(2)[1] > 0.5
        fork.close()
        del fork
        gc.collect()
        assert times.states[0].is_dir()  # the original's
        assert not times.states[1].exists()
        assert env.step(2)[1] > 0.5
    del env
    gc.collect()
    assert not times.states[0].parent.exists()


def test_a_program_that_is_wrong_is_not_timed(benchmark_: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    times = Times(0.10)
    with timed(benchmark_, times, monkeypatch) as env:
        env.reset()
        env._actions = type(env._actions)(("cc-agent-test-miscompile",))  # type: ignore[call-arg]
        _, reward, _, truncated, info = env.step(0)
        assert (reward, truncated, info["ended"]) == (0.0, True, "wrong")
        assert len(times.states) == 1
        assert env.state.reward == 0.0


def test_what_cannot_be_timed_truncates_the_episode(benchmark_: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[Path] = []

    def run(executable: Path, _: int) -> Run:
        if executable.parent not in states:
            states.append(executable.parent)
        # Once there is another state, the first one does something else than before.
        return computing(0.1, b"else\n" if len(states) > 1 and executable.parent == states[0] else b"done\n")

    reward = RuntimeReward(
        settings=AS_LONG_AS_IT_TAKES, start_executor=lambda *_: contextlib.nullcontext(FakeExecutor(run))
    )
    monkeypatch.setitem(rewards.REWARDS, "Runtime", reward)
    monkeypatch.setattr(LinkedLayouts, "executable", unlinked)
    env = LlvmEnv(benchmark_, action_space=PASSES, reward_space="Runtime")
    try:
        env.reset()
        _, gained, _, truncated, info = env.step(0)
        assert (gained, truncated, info["ended"]) == (0.0, True, "not-established")
        assert "something else than before" in info["reason"]
        assert env.commandline() == ""
    finally:
        env.close()


def test_real_runs_are_compared(benchmark_: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    short = RuntimeReward(settings=Settings(n_pairs=6, seconds=1e9, sample_s=0.0))
    monkeypatch.setitem(rewards.REWARDS, "Runtime", short)
    env = LlvmEnv(benchmark_, action_space=PASSES, reward_space="Runtime")
    try:
        env.reset()
        assert env.step(2)[1] == 0.0  # six pairs are too few to show anything
        assert not env.reward_is_repeatable
    finally:
        env.close()


def test_what_is_no_program_has_no_such_reward(tmp_path: Path) -> None:
    (tmp_path / "unit.c").write_text("int f(void) { return 1; }")
    env = LlvmEnv(f"file://{tmp_path}/unit.c", reward_space="Runtime")
    with pytest.raises(UsageError, match="no program"):
        env.reset()
    env.close()
