"""What `env replay` and `env validate` say of a peer's states: the same figure again, and the same program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.env_report import Row
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.linking import linked_program
from compiler_agent.search.env.state import State, read_states
from compiler_agent.search.env.validation import of_program
from compiler_agent.search.peer.environment import PeerEnv
from compiler_agent.search.peer.lines import PeerFailed
from compiler_agent.search.peer.plans import names_of
from compiler_agent.search.peer.process import Description, PeerProcess


def replay_peer_states(file: Path, reward: str, command: str) -> list[Row]:
    """Replays each state of a CSV file in a peer and compares its reward.

    Raises:
        UsageError: It is no such file.
        ToolError: The peer cannot be started.
    """
    return _each(file, reward, command, lambda env, state: ("okay", f"reward {state.reward:.6f}"))


def validate_peer_states(file: Path, reward: str, command: str) -> list[Row]:
    """Replays each state and compares the program that comes of it with the peer's own at -O0; errors as above.

    A benchmark that is no program shows nothing: the peer's functions cannot be tested one by one.
    """
    return _each(file, reward, command, _tested)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A state's object, as `linked_program` wants it."""

    env: PeerEnv
    passes: tuple[str, ...]

    @property
    def benchmark(self) -> Benchmark:
        return self.env.benchmark

    def shipped(self) -> bytes:
        return self.env.object_of(self.passes)

    def plain(self) -> bytes:
        return self.env.object_of(())


def _tested(env: PeerEnv, state: State) -> tuple[str, str]:
    unit = _Unit(env, names_of(state.commandline))
    with linked_program(unit) as program:
        if program is None:
            return "not-established", "the figure is the same; it is no program that could be run"
        found = of_program(program.test(unit.shipped()))
    return found.validity.value, found.reason


def _each(file: Path, reward: str, command: str, judge: Callable[[PeerEnv, State], tuple[str, str]]) -> list[Row]:
    with PeerProcess(command) as process:
        peer = process.describe()
        return [(state.benchmark, *_one(process, peer, reward, state, judge)) for state in read_states(file)]


def _one(
    process: PeerProcess,
    peer: Description,
    reward: str,
    state: State,
    judge: Callable[[PeerEnv, State], tuple[str, str]],
) -> tuple[str, str]:
    try:
        env = PeerEnv(process, peer, find(state.benchmark), reward)
        found = env.reward(env.apply(state))
        if not state.is_worth(found):
            return "wrong", f"its reward is {found:.6f}, not {state.reward:.6f}"
        return judge(env, state)
    except PeerFailed as failed:
        return "wrong", f"it cannot be had again: {failed.outcome}: {failed.reason}"
    except CompilerAgentError as error:
        return "not-established", error.message
