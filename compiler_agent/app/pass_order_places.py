"""Where the agents of `bench pass-order` work: our own environment, or another compiler's, in a peer's process."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Protocol

from compiler_agent.app.llm import Goal, ModelRun
from compiler_agent.app.records import Record
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.evaluation.evaluate import Evaluator
from compiler_agent.search.env.agents import Run, run_agent
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.rewards import reward as reward_of
from compiler_agent.search.env.served import LEVEL, Baseline, ServedBenchmark
from compiler_agent.search.env.state import State
from compiler_agent.search.peer.agents import PeerEvaluator, PeerRun, run_peer_agent
from compiler_agent.search.peer.environment import PeerEnv
from compiler_agent.search.peer.observer import PeerObserver
from compiler_agent.search.peer.process import Description, PeerProcess
from compiler_agent.search.planner import Session
from compiler_agent.search.space import Space

_REMEDY = "was it measured with another LLVM? remove that line, and run again"


class Place(Protocol):
    """Where agents work on benchmarks, and where what they found is replayed."""

    @property
    def name(self) -> str:
        """States of different places are not comparable."""
        ...

    def work(self, agent: str, benchmark: str) -> State:
        """Lets an agent work on a benchmark.

        Raises:
            CompilerAgentError: It cannot.
        """
        ...

    def ratio(self, state: State) -> float:
        """The honest baseline's figure divided by the state's, after a replay of the state; above 1 is better.

        Raises:
            CompilerAgentError: The replay gives another reward.
        """
        ...

    def close(self) -> None:
        """Ends what was started."""
        ...


class Home:
    """Our own environment."""

    name = ""

    def __init__(self, reward: str, seconds: float, seed: int, asked: ModelRun | None = None) -> None:
        """Nothing is compiled yet.

        Args:
            reward: One of our reward spaces.
            seconds: Of each agent on each benchmark, on the clock.
            seed: Of each agent.
            asked: The language model, if there is one.

        Raises:
            UsageError: There is no such reward, or the same state is not worth the same each time.
        """
        if not reward_of(reward).is_repeatable:
            raise UsageError(f"states are replayed here, and {reward} is not the same twice", hint="rank by a size")
        self._reward, self._seconds, self._seed, self._asked = reward, seconds, seed, asked
        self._replays: LlvmEnv | None = None

    def work(self, agent: str, benchmark: str) -> State:
        """Lets an agent work in an environment of its own: none profits from what another had compiled."""
        env = LlvmEnv(benchmark, observation_space="InstCount", reward_space=self._reward)
        try:
            return run_agent(agent, Run(env, self._seconds, self._seed, self._session_of(env)))
        finally:
            env.close()

    def ratio(self, state: State) -> float:
        """What `clang -Oz` gives divided by what the state does."""
        if self._replays is None:
            self._replays = LlvmEnv(observation_space="InstCount", reward_space=self._reward)
        env = self._replays
        *_, truncated, info = env.apply(state)
        if truncated or info["rejected"] or not state.is_worth(env.state.reward):
            raise _differs(state, info.get("reason") or info.get("rejected") or str(env.state.reward))
        metric = env.metric
        return env.episode.served.figure(metric, Baseline.OZ) / max(env.episode.figure(metric), 1)

    def close(self) -> None:
        """Ends the environment of the replays."""
        if self._replays is not None:
            self._replays.close()

    def _session_of(self, env: LlvmEnv) -> Callable[[Evaluator, Space, str], Session] | None:
        asked = self._asked
        if asked is None:
            return None

        def session(evaluator: Evaluator, space: Space, strategy: str) -> Session:
            record = _record(env.episode.served)
            return asked.session(record, evaluator, space, Budget(seconds=self._seconds), strategy=strategy, say=_say)

        return session


class Away:
    """A peer."""

    def __init__(
        self,
        process: PeerProcess,
        peer: Description,
        reward: str,
        seconds: float,
        seed: int,
        asked: ModelRun | None = None,
    ) -> None:
        """Asks nothing yet.

        Args:
            process: The peer's process; somebody else ends it.
            peer: What it says of itself.
            reward: One of its reward spaces.
            seconds: As for `Home`.
            seed: As for `Home`.
            asked: As for `Home`.
        """
        self._process, self._peer, self._reward, self._asked = process, peer, reward, asked
        self._seconds, self._seed = seconds, seed

    @property
    def name(self) -> str:
        """As the peer says it."""
        return self._peer.name

    def work(self, agent: str, benchmark: str) -> State:
        """Lets an agent work in the peer."""
        env = self._env(benchmark)
        return run_peer_agent(agent, PeerRun(env, self._seconds, self._seed, self._session_of(benchmark)))

    def ratio(self, state: State) -> float:
        """What the peer's -Oz on functions with the attributes of a size build gives divided by what the state does."""
        env = self._env(state.benchmark)
        figure = env.apply(state)
        if not state.is_worth(reward := env.reward(figure)):
            raise _differs(state, str(reward))
        return env.loaded.attributed / max(figure, 1)

    def close(self) -> None:
        """Nothing is to be ended: the process is somebody else's."""

    def _env(self, benchmark: str) -> PeerEnv:
        return PeerEnv(self._process, self._peer, find(benchmark), self._reward)

    def _session_of(self, benchmark: str) -> Callable[[PeerEvaluator, str], Session] | None:
        asked = self._asked
        if asked is None:
            return None

        def session(evaluator: PeerEvaluator, strategy: str) -> Session:
            goal = Goal(self._reward, evaluator.baseline_value, Budget(seconds=self._seconds))
            name = f"{self._peer.name} {strategy} {benchmark}"
            return asked.conversation(name, PeerObserver(evaluator), goal, evaluator.space, say=_say)

        return session


def _record(served: ServedBenchmark) -> Record:
    """The benchmark as a unit that can be observed: its source is the last word of its command."""
    benchmark = served.benchmark
    *words, source = benchmark.argv
    at = words.index("-c")
    return Record(str(benchmark.directory), source, "size", (*words[:at], LEVEL, *words[at:], source))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _differs(state: State, found: str) -> CompilerAgentError:
    shown = dataclasses.replace(state, commandline="")
    return CompilerAgentError(f"{shown.benchmark}: {shown.reward} is not what its plan gives: {found}", hint=_REMEDY)
