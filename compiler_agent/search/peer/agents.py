"""Agents that work in a peer: random and greedy as at home, and our strategies, restricted to what the peer has."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from compiler_agent.base.config import Budget
from compiler_agent.base.errors import PlanError, UsageError
from compiler_agent.evaluation.evaluate import FAULTS, Evaluation, Verdict
from compiler_agent.llvm.engine import Measurement, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.search import strategies
from compiler_agent.search.env.agents import greedy_walk, random_walk
from compiler_agent.search.env.state import State
from compiler_agent.search.hybrid import TURN, Hybrid
from compiler_agent.search.loop import better, search
from compiler_agent.search.peer.environment import PeerEnv
from compiler_agent.search.peer.lines import PeerFailed
from compiler_agent.search.peer.plans import PeerSpace, command_line, flatten, pipeline_of
from compiler_agent.search.peer.process import Description
from compiler_agent.search.planner import LlmPlanner, Session
from compiler_agent.search.strategies import Coreset, Evolve
from compiler_agent.search.strategy import Strategy

SEEDS_FILE = strategies.CORESET_FILE.with_name("llvm-10.txt")
AGENTS = ("random", "greedy", "baseline", "coreset", "evolve", "llm", "hybrid")
"""By name; `baseline` is what stands for the peer's own -Oz."""


@dataclass(frozen=True, slots=True)
class PeerRun:
    """What an agent is given."""

    env: PeerEnv
    """Whose episodes begin with the benchmark at hand."""
    seconds: float
    """Time on the clock; an evaluation that has begun is finished."""
    seed: int
    """Of its choices."""
    session: Callable[[PeerEvaluator, str], Session] | None = None
    """The conversation with a language model for a strategy by name; None: none can be asked."""


class PeerEvaluator:
    """Judges flat plans: what the peer answers."""

    def __init__(self, env: PeerEnv, space: PeerSpace) -> None:
        self.env = env
        """The benchmark in the peer."""
        self.space = space
        """What a plan may hold."""

    @property
    def baseline_value(self) -> int:
        """The figure of the peer's own -Oz."""
        return self.env.loaded.baseline

    def evaluate(self, plan: Plan) -> Evaluation:
        """Runs a plan in the peer. A crash or a hang is a verdict with a reason."""
        try:
            figure = self.env.run(self.space.names(plan))
        except PlanError as error:
            return Evaluation(plan, Verdict.REJECTED, Measurement(Outcome.REJECTED, str(error)), None, None, str(error))
        except PeerFailed as failed:
            measured = Measurement(failed.outcome, failed.reason)
            return Evaluation(plan, FAULTS[failed.outcome], measured, None, None, failed.reason)
        verdict = Verdict.ESTABLISHED if figure < self.baseline_value else Verdict.NOT_BETTER
        ratio = self.baseline_value / figure if figure else None
        return Evaluation(plan, verdict, Measurement(Outcome.OK, ir_instructions=figure), figure, ratio)


def run_peer_agent(name: str, run: PeerRun) -> State:
    """Lets an agent work, and replays what it found: the reward is that of the state, not what the agent says.

    Raises:
        UsageError: There is no agent of that name, or it lacks its model.
        PeerFailed: What it found cannot be had again.
    """
    if name not in AGENTS:
        raise UsageError(f"there is no agent '{name}' for a peer", hint=f"one of: {', '.join(AGENTS)}")
    began_s = time.monotonic()
    if name == "random":
        found = random_walk(run.env, run.seconds, run.seed)
    elif name == "greedy":
        found = greedy_walk(run.env, run.seconds, run.seed)
    else:
        found = _searched(name, run)
    elapsed_s = time.monotonic() - began_s
    return replace(found, reward=run.env.reward(run.env.apply(found)), walltime=elapsed_s)


def flattened_seeds(peer: Description) -> list[Plan]:
    """Our seed plans in the peer's words, each once."""
    return _flat(strategies.read_coreset(), peer)


def restriction(peer: Description) -> str:
    """What our seed plans lose in the peer's words, for people."""
    plans = strategies.read_coreset()
    found = [flatten(plan, peer) for plan in plans]
    unknown = sorted({name for one in found for name in one.unknown})
    return (
        f"{peer.name} runs flat lists of its {len(peer.passes)} passes: of our {len(plans)} seed plans "
        f"{len(flattened_seeds(peer))} stay different, without {sum(one.n_options for one in found)} options, "
        f"{sum(one.n_parameters for one in found)} passes' parameters, and {', '.join(unknown) or 'no pass'}"
    )


def learned_seeds(peer: Description) -> list[Plan]:
    """Plans that were found in LLVM 10 on training programs: `benchmarks/compiler_gym/seeds.py`."""
    return _flat(strategies.read_coreset(SEEDS_FILE), peer)


def _flat(plans: Sequence[Plan], peer: Description) -> list[Plan]:
    flat = (flatten(plan, peer).passes for plan in plans)
    return [Plan(pipeline_of(passes)) for passes in dict.fromkeys(flat) if passes]


def _searched(name: str, run: PeerRun) -> State:
    run.env.reset(seed=run.seed)
    space = PeerSpace(run.env.peer)
    evaluator = PeerEvaluator(run.env, space)
    found = search(_strategy(name, run, evaluator), evaluator.evaluate, Budget(seconds=run.seconds))
    fit = [one for one in found.evaluations if one.value is not None]
    first = State(run.env.benchmark.uri, 0.0, 0.0, "")
    return replace(first, commandline=command_line(space.names(min(fit, key=better).plan))) if fit else first


def _strategy(name: str, run: PeerRun, evaluator: PeerEvaluator) -> Strategy:
    space = evaluator.space
    match name:
        case "baseline":
            return strategies.Baseline()
        case "coreset":
            return Coreset([*learned_seeds(run.env.peer), *flattened_seeds(run.env.peer)])
        case "evolve":
            return Evolve(space, learned_seeds(run.env.peer), run.seed)
    if run.session is None:
        raise UsageError(
            f"'{name}' asks a language model, and none is given", hint="--model NAME or --model replay:FILE"
        )
    session, embedded = run.session(evaluator, name), Evolve(space, learned_seeds(run.env.peer), run.seed)
    if name == "llm":
        return LlmPlanner(session, embedded)
    return Hybrid(LlmPlanner(replace(session, plans_per_turn=TURN), Coreset(())), embedded)
