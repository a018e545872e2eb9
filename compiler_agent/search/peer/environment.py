"""A peer's episodes, with as much of the environment's surface as agents need that take one action after the other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from compiler_agent.base.errors import UsageError
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.llvm.engine import Outcome
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.state import State
from compiler_agent.search.peer.lines import PeerFailed
from compiler_agent.search.peer.plans import command_line, names_of
from compiler_agent.search.peer.process import Description, Loaded, PeerProcess


class PeerEnv:
    """One benchmark in a peer."""

    def __init__(self, process: PeerProcess, peer: Description, benchmark: Benchmark, reward: str) -> None:
        """Loads the benchmark.

        Args:
            process: The peer's process.
            peer: What it says of itself.
            benchmark: A C source; the peer's own clang compiles it, with the same flags.
            reward: A reward space of the peer's.

        Raises:
            PeerFailed: The peer does not take it.
            UsageError: It is no C source, or there is no such reward.
        """
        if not benchmark.argv[-1].endswith(".c"):
            raise UsageError(
                f"{benchmark.uri} is no C source", hint="the peer reads what its own clang makes of C alone"
            )
        if reward not in peer.rewards:
            raise UsageError(f"the peer has no reward '{reward}'", hint=f"one of: {', '.join(peer.rewards)}")
        self.peer = peer
        """What the peer says of itself."""
        self.benchmark = benchmark
        """What episodes begin with."""
        self.process = process
        """The peer's process."""
        flags = benchmark.argv[1 : benchmark.argv.index("-c")]
        source = str(benchmark.directory / benchmark.argv[-1])
        self.loaded: Loaded = process.load(source, str(benchmark.directory), flags, reward)
        """The baselines' figures."""
        self.action_names = tuple(name for name, _ in peer.passes)
        """What each action is called."""
        self._number = 0
        self._names: tuple[str, ...] = ()
        self._figure = self.loaded.first
        self._generation = -1
        self._began_s = 0.0
        self._begin()

    @property
    def state(self) -> State:
        """The episode so far."""
        reward = self.reward(self._figure)
        return State(self.benchmark.uri, reward, time.monotonic() - self._began_s, command_line(self._names))

    @property
    def figure(self) -> int:
        """What is counted, now."""
        return self._figure

    def reward(self, figure: int) -> float:
        """A figure as the sum of an episode's rewards: 1 is the peer's own -Oz."""
        return (self.loaded.first - figure) / max(self.loaded.first - self.loaded.baseline, 1)

    def reset(self, *, seed: int | None = None) -> tuple[None, dict[str, Any]]:
        """Begins an episode; nothing here is random."""
        self._begin()
        return None, {}

    def step(self, action: int) -> tuple[None, float, bool, bool, dict[str, Any]]:
        """Takes one action; a crash or a hang truncates the episode and says why."""
        name = self.action_names[action]
        try:
            if self._anew and self._number:
                raise PeerFailed(Outcome.CRASH, "the process that it was forked in has ended")
            passes = (*self._names, name) if self._anew else (name,)
            figure = self.process.run(passes, self._number, anew=self._anew)
        except PeerFailed as failed:
            return None, 0.0, False, True, {"ended": failed.outcome.value, "reason": failed.reason}
        gained = (self._figure - figure) / max(self.loaded.first - self.loaded.baseline, 1)
        self._names, self._figure, self._generation = (*self._names, name), figure, self.process.generation
        return None, gained, False, False, {}

    def run(self, passes: tuple[str, ...]) -> int:
        """The figure after passes on the module as it was loaded: an episode of its own, whole.

        Raises:
            PeerFailed: One of them crashed or hung.
        """
        figure = self.process.run(passes, anew=True)
        self._names, self._figure, self._generation = passes, figure, self.process.generation
        return figure

    def apply(self, state: State) -> int:
        """Does what was done to come to a state; gives the figure.

        Raises:
            PeerFailed: It cannot be had again.
            UsageError: Its command line is none of the peer's.
        """
        return self.run(names_of(state.commandline))

    def object_of(self, passes: tuple[str, ...]) -> bytes:
        """The object that the peer makes after passes on the module as it was loaded.

        Raises:
            PeerFailed: There is none.
        """
        with ScratchDirectory(prefix="cc-agent-peer-") as scratch:
            path = Path(scratch) / "unit.o"
            self.run(passes)
            self.process.emit(str(path))
            try:
                return path.read_bytes()
            except OSError as error:
                raise PeerFailed(Outcome.ERROR, f"it wrote no object: {error}") from error

    def fork(self) -> PeerEnv:
        """An environment with an episode of its own that goes on from here; `close` it.

        Raises:
            PeerFailed: This one cannot be had again.
        """
        if self._anew:
            self.process.run(self._names, self._number, anew=True)
            self._generation = self.process.generation
        other = PeerEnv.__new__(PeerEnv)
        other.__dict__.update(self.__dict__)
        other._number = self.process.fork(self._number)
        return other

    def close(self) -> None:
        """Ends a fork; what was not forked ends with its process."""
        if self._number and not self._anew:
            self.process.close(self._number)

    @property
    def _anew(self) -> bool:
        """Whether the peer has lost the episode, so that it has to be begun again."""
        return self._generation != self.process.generation

    def _begin(self) -> None:
        # Nothing is asked: the first step says that it is the first.
        self._names = ()
        self._figure, self._generation, self._began_s = self.loaded.first, -1, time.monotonic()
