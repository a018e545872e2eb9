"""What `compiler-agent env replay --peer` prints: whether a peer comes to the same figures again.

There is no `validate` for a peer: whether its programs are right cannot be seen from outside.
"""

from __future__ import annotations

from pathlib import Path

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.state import State, read_states
from compiler_agent.search.peer.environment import PeerEnv
from compiler_agent.search.peer.process import Description, PeerFailed, PeerProcess

_TOLERANCE = 1e-6


def replay_peer_states(file: Path, reward: str, command: str) -> list[tuple[str, str, str]]:
    """Replays each state of a CSV file in a peer and compares its reward.

    Raises:
        UsageError: It is no such file.
        ToolError: The peer cannot be started.
    """
    with PeerProcess(command) as process:
        peer = process.describe()
        return [(state.benchmark, *_one(process, peer, reward, state)) for state in read_states(file)]


def _one(process: PeerProcess, peer: Description, reward: str, state: State) -> tuple[str, str]:
    try:
        env = PeerEnv(process, peer, find(state.benchmark), reward)
        found = env.reward(env.apply(state))
    except PeerFailed as failed:
        return "wrong", f"it cannot be had again: {failed.outcome}: {failed.reason}"
    except CompilerAgentError as error:
        return "not-established", error.message
    if abs(found - state.reward) > _TOLERANCE:
        return "wrong", f"its reward is {found:.6f}, not {state.reward:.6f}"
    return "okay", f"reward {found:.6f}; whether the program is right is not looked at in a peer"
