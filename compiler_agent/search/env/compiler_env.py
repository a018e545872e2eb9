"""What the environments of all compilers have in common: episodes, rewards, states and forks.

An episode has no end of its own (`terminated` is never true); `TimeLimit` gives it one. A step that the compiler does
not survive truncates it: `info["ended"]` and `info["reason"]` say how, the reward of that step is 0, what is observed
is what was seen last, and `reset` begins anew.
"""

from __future__ import annotations

import abc
import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

import gymnasium

from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.base.trust import DEFAULT_TEST_SECONDS
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.session import SessionEnded
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.effects import CompilationFailed, Effect, WrongProgram
from compiler_agent.search.env.inputs import Inputs
from compiler_agent.search.env.rewards import RewardSpace, Score
from compiler_agent.search.env.spaces import Observation
from compiler_agent.search.env.state import State
from compiler_agent.search.env.validation import Validation

DEFAULT_BENCHMARK = "benchmark://kernels-v0/adler"
_MOST_SERVED = 8

Step = tuple[Any, float, bool, bool, dict[str, Any]]
"""Observation, reward, terminated, truncated, info."""


class AnyEpisode(Protocol):
    """An episode of any compiler."""

    @property
    def benchmark(self) -> Benchmark:
        """What it began with."""
        ...

    @property
    def plan_text(self) -> str:
        """What was done, from which it can be done again; empty: nothing."""
        ...

    def checkpoint(self) -> Callable[[], None]:
        """What gives the episode its plan of now back, after a step that does not count."""
        ...

    def fork(self) -> Self:
        """Another episode that goes on from here by itself."""
        ...

    def close(self) -> None:
        """Ends it; a second call does nothing."""
        ...


class AnyServed(Protocol):
    """What serves a benchmark's episodes, with any compiler."""

    @property
    def inputs(self) -> Inputs:
        """The benchmark's files as they were when it was begun."""
        ...


_Episode = TypeVar("_Episode", bound=AnyEpisode)
_Served = TypeVar("_Served", bound=AnyServed)


class CompilerEnv(gymnasium.Env[Any, Any], abc.ABC, Generic[_Episode, _Served]):
    """One benchmark after the other, with one compiler."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as gymnasium declares it

    def __init__(
        self,
        benchmark: str | Benchmark,
        observation: Observation,
        reward: RewardSpace,
        action_space: gymnasium.Space[Any],
    ) -> None:
        self._observation, self._reward = observation, reward
        self._benchmark = benchmark
        self._served: OrderedDict[Benchmark, _Served] = OrderedDict()
        self._episode: _Episode | None = None
        self._has_ended = False
        self._seen: Any = None
        self._score: Score | None = None
        self._episode_reward, self._began_s = 0.0, 0.0
        self.action_space = action_space
        self.observation_space = observation.space

    @property
    @abc.abstractmethod
    def action_names(self) -> tuple[str, ...]:
        """What each action is called."""

    @property
    def opening_actions(self) -> tuple[int, ...]:
        """Actions of which one has to be taken first, where nothing else has an effect before; none: any will do."""
        return ()

    @property
    def episode(self) -> _Episode:
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
        uri, elapsed_s = self.episode.benchmark.uri, time.monotonic() - self._began_s
        return State(uri, self._episode_reward, elapsed_s, self.commandline())

    @property
    def reward_is_repeatable(self) -> bool:
        """Whether the same state is worth the same each time: sizes are, times are not."""
        return self._reward.is_repeatable

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
        self._reset_actions(seed)
        self._end_episode()
        benchmark = (options or {}).get("benchmark", self._benchmark)
        self._episode = self._begin(benchmark if isinstance(benchmark, Benchmark) else find(benchmark))
        try:
            self._score = self._reward.begin(self._episode)
            self._episode_reward, self._began_s = 0.0, time.monotonic()
            self._seen = self._observation.read(self._episode)
        except BaseException:  # steps would be worth what they are on the last benchmark
            self._end_episode()
            raise
        self._benchmark, self._has_ended = benchmark, False
        return self._seen, {"benchmark": self._episode.benchmark.uri}

    def step(self, action: Any) -> Step:
        """Takes one action."""
        return self.multistep([action])

    def multistep(self, actions: Sequence[Any]) -> Step:
        """Takes actions one after the other, and observes the state after the last one.

        The reward is the sum of what the single steps would give. Where an action ends the episode, none counts.

        Raises:
            UsageError: One of them is no action, or the episode has ended.
        """
        if strange := [action for action in actions if not self.action_space.contains(action)]:
            raise UsageError(
                f"{strange[0]!r} is no action", hint=f"of {self.action_space}: action_names has their names"
            )
        return self._advance(lambda episode: self._take(episode, actions))

    def apply(self, state: State) -> Step:
        """Begins an episode with the benchmark of a state, and does what was done to come to it."""
        self.reset(options={"benchmark": state.benchmark})
        if not state.commandline:
            return self.multistep([])
        return self._advance(lambda episode: self._become(episode, state.commandline))

    def observe(self, name: str) -> Any:
        """Another observation of the same state, by name.

        Raises:
            UsageError: There is none of that name.
        """
        return self._observation_named(name).read(self.episode)

    @abc.abstractmethod
    def validate(self, *, seconds_per_function: float = DEFAULT_TEST_SECONDS, seed: int = 0) -> Validation:
        """Whether the state is right, as far as can be shown.

        Args:
            seconds_per_function: For the test of each function that was changed.
            seed: Of the tests' inputs.
        """

    def commandline(self) -> str:
        """What was done, as a state has it; empty: nothing."""
        return self.episode.plan_text

    def fork(self) -> Self:
        """An environment with an episode of its own that goes on from here; `close` it, too."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._served = self._served.copy()
        other.action_space = copy.deepcopy(self.action_space)  # it draws samples
        other._episode = self.episode.fork()
        return other

    def close(self) -> None:
        """Ends the episode and, unless a fork uses it, what serves its benchmarks."""
        self._end_episode()
        self._served.clear()

    @abc.abstractmethod
    def _begin(self, benchmark: Benchmark) -> _Episode:
        """A new episode."""

    @abc.abstractmethod
    def _take(self, episode: _Episode, actions: Sequence[Any]) -> Effect:
        """Takes actions, each of which lies in the action space."""

    @abc.abstractmethod
    def _become(self, episode: _Episode, commandline: str) -> Effect:
        """Does from the beginning what a state says."""

    @abc.abstractmethod
    def _observation_named(self, name: str) -> Observation:
        """An observation space."""

    @abc.abstractmethod
    def _serve_new(self, benchmark: Benchmark) -> _Served:
        """What serves a benchmark's episodes."""

    def _reset_actions(self, seed: int | None) -> None:
        """Begins random choices of the actions anew, where there are any."""

    def _serve(self, benchmark: Benchmark) -> _Served:
        served = self._served.pop(benchmark, None)
        if served is None or served.inputs.changed():
            served = self._serve_new(benchmark)
        self._served[benchmark] = served
        if len(self._served) > _MOST_SERVED:
            self._served.popitem(last=False)
        return served

    def _advance(self, run: Callable[[_Episode], Effect]) -> Step:
        episode = self.episode
        if self._has_ended:
            raise UsageError("the episode has ended", hint="call reset() first")
        assert self._score is not None
        undo = episode.checkpoint()
        try:
            effect = run(episode)
            if effect.outcome is Outcome.INVALID:
                raise CompilationFailed(effect.outcome, effect.message)
            gained, score = self._score.advance(episode)
            self._seen = self._observation.read(episode)
        except (SessionEnded, CompilationFailed, WrongProgram) as error:
            return self._end(undo, str(error.outcome), error.reason)
        except NotEstablished as error:  # its program cannot be compared, or not be timed
            return self._end(undo, "not-established", error.message)
        self._score = score
        self._episode_reward += gained
        info = {"action_had_no_effect": not effect.changed, "rejected": effect.message}
        return self._seen, gained, False, False, info

    def _end(self, undo: Callable[[], None], ended: str, reason: str) -> Step:
        undo()  # the plan of what was seen last
        self._has_ended = True
        return copy.deepcopy(self._seen), 0.0, False, True, {"ended": ended, "reason": reason}

    def _end_episode(self) -> None:
        if self._episode is not None:
            self._episode.close()
        self._episode = None
