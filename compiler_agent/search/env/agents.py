"""Agents that need no training: what a learned policy has to beat.

Each is given an environment and a time, and comes back with the best state that it has seen; states in which the metric
is equal rank by the length of their plan.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from compiler_agent.base.config import Budget
from compiler_agent.base.errors import UsageError
from compiler_agent.evaluation.evaluate import Evaluator, Objective, Verdict
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.env.compiler_env import CompilerEnv
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.served import Metric
from compiler_agent.search.env.state import State
from compiler_agent.search.loop import better, search
from compiler_agent.search.planner import Session
from compiler_agent.search.space import Space

_PATIENCE = 30
"""Actions in a row that gain nothing, after which the random agent begins anew."""
_OBJECTIVES = {
    Metric.IR_INSTRUCTIONS: Objective.IR_INSTRUCTIONS,
    Metric.TEXT_BYTES: Objective.TEXT_BYTES,
    Metric.OBJECT_BYTES: Objective.OBJECT_BYTES,
}

_FIT = (Verdict.ESTABLISHED, Verdict.NOT_BETTER)
"""Verdicts on plans that have a figure; one that is no better than clang's own counts here."""


@dataclass(frozen=True, slots=True)
class Run:
    """What an agent is given."""

    env: CompilerEnv[Any, Any]
    """Whose episodes begin with the benchmark at hand."""
    seconds: float
    """Time on the clock; a step that has begun is finished."""
    seed: int
    """Of its choices."""
    session: Callable[[Evaluator, Space, str], Session] | None = None
    """The conversation with a language model, for a strategy by name; None: none can be asked."""


Agent = Callable[[Run], State]
"""Comes back with the best state; its `walltime` is what the agent took."""


class Steps(Protocol):
    """As much of an environment as the agents need that take one action after the other."""

    @property
    def action_names(self) -> tuple[str, ...]:
        """What each action is called."""
        ...

    @property
    def state(self) -> State:
        """The episode so far."""
        ...

    def reset(self, *, seed: int | None = None) -> Any:
        """Begins an episode."""
        ...

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Takes one action."""
        ...

    def fork(self) -> Steps:
        """Another one that goes on from here."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


def random_agent(run: Run) -> State:
    """Takes random actions, and begins anew where a number of them in a row gained nothing."""
    return random_walk(run.env, run.seconds, run.seed, run.env.opening_actions)


def random_walk(env: Steps, seconds: float, seed: int, opening: Sequence[int] = ()) -> State:
    """What `random_agent` does, in any environment; it takes one of the `opening` actions first, if there are any."""
    rng, deadline_s = random.Random(seed), time.monotonic() + seconds
    n_actions = len(env.action_names)
    env.reset(seed=seed)
    best = env.state
    while time.monotonic() < deadline_s:
        env.reset()
        highest, idle, truncated = 0.0, 0, False
        if opening:
            truncated = env.step(rng.choice(opening))[3]
            highest, best = env.state.reward, _better(best, env.state)
        while idle < _PATIENCE and not truncated and time.monotonic() < deadline_s:
            truncated = env.step(rng.randrange(n_actions))[3]
            state = env.state
            idle = 0 if state.reward > highest else idle + 1
            highest, best = max(highest, state.reward), _better(best, state)
    return best


def greedy_agent(run: Run) -> State:
    """Tries each action in a fork, takes the one that gains most, and ends where none gains."""
    return greedy_walk(run.env, run.seconds, run.seed)


def greedy_walk(env: Steps, seconds: float, seed: int) -> State:
    """What `greedy_agent` does, in any environment."""
    deadline_s = time.monotonic() + seconds
    env.reset(seed=seed)
    while time.monotonic() < deadline_s:
        gains = [_gain(env, action, deadline_s) for action in range(len(env.action_names))]
        action = max(range(len(gains)), key=gains.__getitem__)
        if gains[action] <= 0 or env.step(action)[3]:
            break
    return env.state


def _gain(env: Steps, action: int, deadline_s: float) -> float:
    if time.monotonic() >= deadline_s:
        return 0.0
    fork = env.fork()
    try:
        return fork.step(action)[1]
    finally:
        fork.close()


def strategy_agent(name: str) -> Agent:
    """One of the strategies that `compiler-agent tune` has, which searches whole plans, as an agent."""

    def agent(run: Run) -> State:
        env, known = run.env, catalog.load()
        if not isinstance(env, LlvmEnv):
            raise UsageError(f"the strategy '{name}' proposes plans of LLVM's", hint="take random or greedy")
        env.reset(seed=run.seed)
        objective = _OBJECTIVES[env.metric]
        pipeline = stock.editable_pipeline(discover(), known)
        space = Space(known, pipeline, middle_end_only=objective is Objective.IR_INSTRUCTIONS)
        evaluator = Evaluator(env.episode.served.engine, known, objective=objective)
        asks = name in strategies.ASKING
        session = run.session(evaluator, space, name) if asks and run.session is not None else None
        strategy = strategies.make(
            name, space, run.seed, session, features=evaluator.engine.all_features, objective=objective
        )
        found = search(strategy, evaluator.evaluate, Budget(seconds=run.seconds))
        fit = [one for one in found.evaluations if one.verdict in _FIT]
        return replace(env.state, commandline=str(min(fit, key=better).plan)) if fit else env.state

    return agent


AGENTS: Mapping[str, Agent] = {
    "random": random_agent,
    "greedy": greedy_agent,
    **{name: strategy_agent(name) for name in ("baseline", "coreset", "evolve", "policy", *strategies.ASKING)},
}
"""By name; `baseline` is clang's own pipeline."""


def run_agent(name: str, run: Run) -> State:
    """Lets an agent work, and replays what it found: the reward is that of the state, not what the agent says.

    Raises:
        UsageError: There is no agent of that name.
    """
    if name not in AGENTS:
        raise UsageError(f"there is no agent '{name}'", hint=f"one of: {', '.join(AGENTS)}")
    began_s = time.monotonic()
    found = AGENTS[name](run)
    elapsed_s = time.monotonic() - began_s
    run.env.apply(found)
    return replace(found, reward=run.env.state.reward, walltime=elapsed_s)


def _better(best: State, other: State) -> State:
    return max(best, other, key=lambda state: (state.reward, -len(state.commandline)))
