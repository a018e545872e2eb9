"""The gymnasium environment `compiler_agent/llvm-v0`: passes on LLVM modules, with clang itself as the engine.

    env = gymnasium.make("compiler_agent/llvm-v0", benchmark="benchmark://kernels-v0/adler")
    observation, info = env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())

An episode has no end of its own (`terminated` is never true); `TimeLimit` gives it one. A pass that crashes, hangs or
uses too much memory truncates it: `info["ended"]` and `info["reason"]` say how, the reward of that step is 0, what is
observed is what was seen last, and `reset` begins anew.
"""

from __future__ import annotations

import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
from gymnasium import spaces

from compiler_agent.base.errors import EngineError, UsageError
from compiler_agent.base.trust import DEFAULT_TEST_SECONDS
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.session import SessionEnded
from compiler_agent.search.env.actions import actions as actions_of
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.episode import CompilationFailed, Effect, Episode
from compiler_agent.search.env.observations import observation as observation_of
from compiler_agent.search.env.rewards import reward as reward_of
from compiler_agent.search.env.served import Limits, Metric, ServedBenchmark
from compiler_agent.search.env.state import State
from compiler_agent.search.env.validation import Validation, validate

DEFAULT_BENCHMARK = "benchmark://kernels-v0/adler"
DEFAULT_LIMITS = Limits()
_MOST_SERVED = 8

Step = tuple[Any, float, bool, bool, dict[str, Any]]
"""Observation, reward, terminated, truncated, info."""


class LlvmEnv(gymnasium.Env[Any, Any]):
    """Passes on one module after the other."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as gymnasium declares it

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
        self._observation = observation_of(observation_space)
        self._reward = reward_of(reward_space)
        self._wire = tuple(dict.fromkeys((*self._observation.wire, *self._reward.wire)))
        self._benchmark = benchmark
        self._served: OrderedDict[Benchmark, ServedBenchmark] = OrderedDict()
        self._episode: Episode | None = None
        self._has_ended = False
        self._seen: Any = None
        self._figure, self._divisor = 0, 1.0
        self._episode_reward, self._began_s = 0.0, 0.0
        self.action_space = spaces.Discrete(len(self._actions.names))
        self.observation_space = self._observation.space

    @property
    def action_names(self) -> tuple[str, ...]:
        """What each action is called: the element of a pipeline that it appends, or the edit that it makes."""
        return self._actions.names

    @property
    def metric(self) -> Metric:
        """What the reward is made of."""
        return self._reward.metric

    @property
    def episode(self) -> Episode:
        """The running episode.

        Raises:
            UsageError: There is none.
        """
        if self._episode is None:
            raise UsageError("there is no episode", hint="call reset() first")
        return self._episode

    @property
    def state(self) -> State:
        """The episode so far, from which it can be had again: see `apply`."""
        uri, elapsed_s = self.episode.served.benchmark.uri, time.monotonic() - self._began_s
        return State(uri, self._episode_reward, elapsed_s, self.commandline())

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode.

        Args:
            seed: Of what is drawn here: the places of plan edits.
            options: `benchmark`: what to begin with, from now on.

        Raises:
            UsageError: There is no such benchmark.
            EngineError: It does not compile.
        """
        super().reset(seed=seed)
        self._actions.reset(seed)
        self._end_episode()
        benchmark = (options or {}).get("benchmark", self._benchmark)
        served, self._episode = self._begin(benchmark)
        try:
            self._figure, self._divisor = self._episode.figure(self._reward.metric), self._reward.divisor(served)
            self._episode_reward, self._began_s = 0.0, time.monotonic()
            self._seen = self._observation.read(self._episode)
        except BaseException:  # steps would be worth what they are on the last benchmark
            self._end_episode()
            raise
        self._benchmark, self._has_ended = benchmark, False
        return self._seen, {"benchmark": served.benchmark.uri}

    def step(self, action: int) -> Step:
        """Takes one action."""
        return self.multistep([action])

    def multistep(self, actions: Sequence[int]) -> Step:
        """Takes actions one after the other, and observes the module after the last one.

        The reward is the sum of what the single steps would give. Where a pass ends the episode, none of them counts.

        Raises:
            UsageError: One of them is no action, or the episode has ended.
        """
        if strange := [action for action in actions if not self.action_space.contains(action)]:
            raise UsageError(f"{strange[0]!r} is no action", hint=f"0 to {len(self.action_names) - 1}: action_names")
        indices = [int(action) for action in actions]
        return self._advance(lambda episode: self._actions.take(episode, indices, self._wire, self._verify))

    def apply(self, state: State) -> Step:
        """Begins an episode with the benchmark of a state, and does what was done to come to it."""
        self.reset(options={"benchmark": state.benchmark})
        if not state.commandline:
            return self.multistep([])
        plan = Plan.parse(state.commandline)
        return self._advance(lambda episode: episode.become(plan, self._wire, verify=self._verify))

    def observe(self, name: str) -> Any:
        """Another observation of the same state, by name.

        Raises:
            UsageError: There is none of that name.
        """
        return observation_of(name).read(self.episode)

    def validate(self, *, seconds_per_function: float = DEFAULT_TEST_SECONDS, seed: int = 0) -> Validation:
        """Whether the state is right, as far as can be shown; arguments as for `validation.validate`."""
        return validate(self.episode, seconds_per_function=seconds_per_function, seed=seed)

    def commandline(self) -> str:
        """The episode's plan, as a lock and `compiler-agent judge --plan` take it; empty: no pass has run."""
        return self.episode.plan_text

    def fork(self) -> LlvmEnv:
        """An environment with an episode of its own that goes on from here; `close` it, too."""
        other = LlvmEnv.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._served = self._served.copy()
        other._actions = self._actions.fork()
        other.action_space = copy.deepcopy(self.action_space)  # it draws samples
        other._episode = self.episode.fork()
        return other

    def close(self) -> None:
        """Ends the episode and, unless a fork uses them, the clangs that serve its benchmarks."""
        self._end_episode()
        self._served.clear()

    def _advance(self, run: Callable[[Episode], Effect]) -> Step:
        episode = self.episode
        if self._has_ended:
            raise UsageError("the episode has ended", hint="call reset() first")
        elements, n_elements, options = episode.elements, len(episode.elements), episode.plan_options
        try:
            effect = run(episode)
            if effect.outcome is Outcome.INVALID:
                raise CompilationFailed(effect.outcome, effect.message)
            figure = episode.figure(self._reward.metric)
            self._seen = self._observation.read(episode)
        except (SessionEnded, CompilationFailed) as error:
            episode.elements, episode.plan_options = elements[:n_elements], options  # the plan of what was seen last
            self._has_ended = True
            return copy.deepcopy(self._seen), 0.0, False, True, {"ended": error.outcome.value, "reason": error.reason}
        gained = (self._figure - figure) / self._divisor
        self._figure = figure
        self._episode_reward += gained
        info = {"action_had_no_effect": not effect.changed, "rejected": effect.message}
        return self._seen, gained, False, False, info

    def _begin(self, benchmark: str | Benchmark) -> tuple[ServedBenchmark, Episode]:
        found = benchmark if isinstance(benchmark, Benchmark) else find(benchmark)
        served = self._serve(found)
        try:
            return served, Episode(served)
        except EngineError:  # the clang that serves it has gone: somebody killed it
            del self._served[found], served
            served = self._serve(found)
            return served, Episode(served)

    def _serve(self, benchmark: Benchmark) -> ServedBenchmark:
        served = self._served.pop(benchmark, None) or ServedBenchmark(benchmark, self._limits)
        self._served[benchmark] = served
        if len(self._served) > _MOST_SERVED:
            self._served.popitem(last=False)
        return served

    def _end_episode(self) -> None:
        if self._episode is not None:
            self._episode.close()
        self._episode = None
