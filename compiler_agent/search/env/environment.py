"""The gymnasium environment `compiler_agent/llvm-v0`: passes on LLVM modules, with clang itself as the engine.

    env = gymnasium.make("compiler_agent/llvm-v0", benchmark="benchmark://kernels-v0/adler")
    observation, info = env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())

A pass that crashes, hangs or uses too much memory truncates its episode: see `compiler_env`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gymnasium import spaces

from compiler_agent.base.errors import EngineError, UsageError
from compiler_agent.base.trust import DEFAULT_TEST_SECONDS
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.env.actions import actions as actions_of
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.compiler_env import DEFAULT_BENCHMARK, CompilerEnv
from compiler_agent.search.env.effects import Effect
from compiler_agent.search.env.episode import Episode
from compiler_agent.search.env.observations import observation as observation_of
from compiler_agent.search.env.rewards import Reward
from compiler_agent.search.env.rewards import reward as reward_of
from compiler_agent.search.env.served import Limits, Metric, ServedBenchmark
from compiler_agent.search.env.spaces import Observation
from compiler_agent.search.env.validation import Validation, validate

DEFAULT_LIMITS = Limits()


class LlvmEnv(CompilerEnv[Episode, ServedBenchmark]):
    """Passes on one module after the other."""

    def __init__(
        self,
        benchmark: str | Benchmark = DEFAULT_BENCHMARK,
        *,
        action_space: str | Sequence[str] = "production",
        observation_space: str = "Autophase",
        reward_space: str = "IrInstructionCountOz",
        limits: Limits = DEFAULT_LIMITS,
        verify: bool = False,
    ) -> None:
        """Nothing is compiled before `reset`.

        Args:
            benchmark: What episodes begin with, as a URI; `reset(options={"benchmark": …})` takes another.
            action_space: One of `actions.ACTION_SPACES`, or elements of a pipeline, each an action.
            observation_space: A name of `observations.OBSERVATIONS`.
            reward_space: A name of `rewards.REWARDS`.
            limits: What one step may use.
            verify: Whether LLVM's verifier looks at the module after each step that changed it.

        Raises:
            UsageError: There is no such space; the hint lists those that there are.
        """
        self._limits, self._verify = limits, verify
        self._actions = actions_of(action_space)
        observation, reward = observation_of(observation_space), reward_of(reward_space)
        self._wire = tuple(dict.fromkeys((*observation.wire, *reward.wire)))
        super().__init__(benchmark, observation, reward, spaces.Discrete(len(self._actions.names)))

    @property
    def action_names(self) -> tuple[str, ...]:
        """What each action is called: the element of a pipeline that it appends, or the edit that it makes."""
        return self._actions.names

    @property
    def metric(self) -> Metric:
        """What the reward is made of.

        Raises:
            UsageError: It is made of times.
        """
        if isinstance(self._reward, Reward) and isinstance(self._reward.metric, Metric):
            return self._reward.metric
        raise UsageError(f"the reward {self._reward.name} has no metric of sizes", hint=f"one of: {', '.join(Metric)}")

    def validate(self, *, seconds_per_function: float = DEFAULT_TEST_SECONDS, seed: int = 0) -> Validation:
        """Whether the state is right, as far as can be shown; arguments as for `validation.validate`."""
        return validate(self.episode, seconds_per_function=seconds_per_function, seed=seed)

    def fork(self) -> LlvmEnv:
        """See `CompilerEnv`; edits of plans are drawn as the original would have drawn them."""
        other = super().fork()
        other._actions = self._actions.fork()
        return other

    def _begin(self, benchmark: Benchmark) -> Episode:
        served = self._serve(benchmark)
        try:
            return Episode(served)
        except EngineError:  # the clang that serves it has gone: somebody killed it
            del self._served[benchmark], served
            return Episode(self._serve(benchmark))

    def _take(self, episode: Episode, actions: Sequence[Any]) -> Effect:
        return self._actions.take(episode, [int(action) for action in actions], self._wire, self._verify)

    def _become(self, episode: Episode, commandline: str) -> Effect:
        return episode.become(Plan.parse(commandline), self._wire, verify=self._verify)

    def _observation_named(self, name: str) -> Observation:
        return observation_of(name)

    def _serve_new(self, benchmark: Benchmark) -> ServedBenchmark:
        return ServedBenchmark(benchmark, self._limits)

    def _reset_actions(self, seed: int | None) -> None:
        self._actions.reset(seed)
