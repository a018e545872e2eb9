"""`compiler-agent bench pass-order`: agents on the same benchmarks, for the same time, by the same metric.

Each agent's states go into DIRECTORY/AGENT.csv, a line when it is done, in CompilerGym's form. The table is made of
these files alone, after each state in them was replayed; a second run goes on where the first one ended.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from compiler_agent.app.pass_order_places import Place
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.base.files import file_error, write_atomically
from compiler_agent.search.env.state import State, append_state, read_states

_COMPARED = ("seconds", "reward", "seed")
"""Settings with which states in one directory are comparable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all agents and benchmarks."""

    agents: tuple[str, ...]
    """Their names."""
    seconds: float
    """Of each on each benchmark, on the clock."""
    reward: str
    """The reward space whose sum is compared."""
    directory: Path
    """Where the states go."""
    seed: int = 0
    """Of each agent."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent's figures."""

    agent: str
    """Its name."""
    rewards: tuple[float, ...]
    """By benchmark: 1 is the baseline that the reward is scaled by."""
    ratios: tuple[float, ...]
    """The metric of `clang -Oz` divided by the state's, by benchmark; above 1 is better."""
    seconds: tuple[float, ...]
    """What the agent took, by benchmark."""


def run_bench(benchmarks: Sequence[str], settings: Settings, place: Place) -> None:
    """Lets each agent work on each benchmark that is not in its file yet; progress on stderr.

    Raises:
        UsageError: There is no such agent, benchmark or reward, or the directory has states of other settings.
        FileError: A file cannot be written.
    """
    try:
        settings.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error("create", settings.directory, error) from error
    _check_same(settings, place.name)
    for benchmark in benchmarks:
        for agent in settings.agents:  # in turns, so that all see the same machine
            path = _path(settings, agent)
            if benchmark in _states(path):
                continue
            try:
                state = place.work(agent, benchmark)
                append_state(path, state)
                print(f"{agent} {benchmark}: {state.reward:.4f} in {state.walltime:.1f} s", file=sys.stderr, flush=True)
            except CompilerAgentError as error:
                print(f"{agent} {benchmark}: left out: {error}", file=sys.stderr, flush=True)


def standings(benchmarks: Sequence[str], settings: Settings, place: Place) -> list[Standing]:
    """What the files say, over the benchmarks that are in all of them; each state is replayed first.

    Raises:
        CompilerAgentError: A state's replay gives another reward, or no benchmark is in all files.
    """
    states = {agent: _states(_path(settings, agent)) for agent in settings.agents}
    common = [one for one in benchmarks if all(one in states[agent] for agent in settings.agents)]
    if not common:
        raise CompilerAgentError("no benchmark was finished by every agent", hint="the reasons stand above")
    return [_standing(agent, [states[agent][one] for one in common], place) for agent in settings.agents]


def table(found: Sequence[Standing]) -> Table:
    """For people."""
    shown = Table("agent", "n", "reward", "median", "-Oz ÷ state", "median", "without the best", "worst", "s")
    for one in found:
        shown.add_row(
            one.agent,
            str(len(one.rewards)),
            _geomean(one.rewards),
            f"{statistics.median(one.rewards):.4f}",
            _geomean(one.ratios),
            f"{statistics.median(one.ratios):.4f}",
            _geomean(sorted(one.ratios)[:-1]),
            f"{min(one.ratios):.4f}",
            f"{statistics.mean(one.seconds):.1f}",
        )
    return shown


def _standing(agent: str, states: Sequence[State], place: Place) -> Standing:
    ratios = tuple(place.ratio(state) for state in states)
    return Standing(agent, tuple(one.reward for one in states), ratios, tuple(one.walltime for one in states))


def _check_same(settings: Settings, place: str) -> None:
    path = settings.directory / "settings.json"
    compared = {name: getattr(settings, name) for name in _COMPARED}
    ours = json.dumps(compared | ({"place": place} if place else {}))
    try:
        if not path.is_file():
            write_atomically(path, ours.encode())
        theirs = path.read_text()
    except OSError as error:
        raise file_error("read", path, error) from error
    if theirs != ours:
        raise UsageError(f"{path}: the states there are of {theirs}, not of {ours}", hint="give another --output")


def _states(path: Path) -> dict[str, State]:
    return {state.benchmark: state for state in read_states(path)} if path.is_file() else {}


def _path(settings: Settings, agent: str) -> Path:
    return settings.directory / f"{agent}.csv"


def _geomean(values: Sequence[float]) -> str:
    """As text; a figure that is not positive has none."""
    return f"{statistics.geometric_mean(values):.4f}" if values and min(values) > 0 else "-"
