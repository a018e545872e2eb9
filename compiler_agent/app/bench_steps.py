"""`compiler-agent bench steps`: steps a second of the environment, what a fork takes, and whether memory grows.

Each round takes a number of random passes from the benchmark's beginning, and observes Autophase and the number of IR
instructions after each; then some with the text size, for which clang generates code; then forks. A *peer*, another
program that does the same in its own process, takes its turn after each of ours, so that both see the same machine.

A peer reads one JSON object a line and answers each with one:

    {"source":PATH,"directory":PATH,"flags":[…],"what":"passes"}
    {"passes":[NAME,…]}
    {"source":PATH,"directory":PATH,"flags":[…],"what":"steps"|"text"|"fork","count":N,"seed":S,"passes":[NAME,…]}
    {"seconds":…,"cpu_seconds":…} or {"error":…}

where both are for all N, without what comes before the first step; the second is the processor time of all its
processes, which says more than the clock on a machine that is shared. Both take the same passes in the same order,
drawn of those that both have; where `passes` is empty, the peer draws N of its own, and so do we of ours.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from compiler_agent.base.errors import ToolError, UsageError
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.peer.lines import LineProcess, PeerFailed, nonsense
from compiler_agent.search.peer.plans import flat_name

KINDS = {"steps": "IrInstructionCountOz", "text": "TextSizeBytes", "fork": "IrInstructionCountOz"}
"""What is measured, with the reward space that it is measured in."""
_PEER_TIMEOUT_S = 900.0
_Answer = TypeVar("_Answer")
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Taken:
    """What something took."""

    wall_time_s: float
    """On the clock."""
    cpu_time_s: float
    """Of the processor, in all processes."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of each is done in a round."""

    steps: int = 200
    """Random passes, with features."""
    text: int = 40
    """Random passes, with the text size."""
    fork: int = 20
    """Forks."""
    rounds: int = 3
    """Of all three."""
    memory_steps: int = 2000
    """Steps between two looks at the memory in use."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One benchmark's figures."""

    benchmark: str
    """Its URI."""
    ir_instructions: int
    """Before the first pass."""
    memory_growth_bytes: int
    """Resident memory of this process and of clang's after `memory_steps` steps, less that after a tenth of them."""
    ours: dict[str, list[Taken]] = field(default_factory=dict)
    """What each round took, by what was measured."""
    peers: dict[str, list[Taken]] = field(default_factory=dict)
    """The peer's, in the same order; empty: there is none, or it could not do it."""
    counts: Counts = field(default_factory=Counts)
    """What was done in a round."""

    def each(self, what: str, *, peer: bool = False) -> Taken | None:
        """Median over the rounds of what one takes; None: nothing was measured."""
        rounds, count = (self.peers if peer else self.ours).get(what), getattr(self.counts, what)
        if not rounds:
            return None
        return Taken(*(statistics.median(figures) / count for figures in zip(*map(astuple, rounds), strict=True)))

    def ratio(self, what: str) -> Taken | None:
        """The peer's time divided by ours, by the clock and by processor time."""
        ours, peers = self.each(what), self.each(what, peer=True)
        if ours is None or peers is None:
            return None
        least_s = _TICK_S / getattr(self.counts, what)  # what cannot be told from nothing
        return Taken(peers.wall_time_s / ours.wall_time_s, peers.cpu_time_s / max(ours.cpu_time_s, least_s))


class Peer:
    """Another program that does the same. Use as a context manager."""

    def __init__(self, command: str, *, own_passes: bool = False) -> None:
        self._lines = LineProcess(command)
        self._own_passes = own_passes

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def passes(self, benchmark: Benchmark) -> frozenset[str]:
        """What it can be told to run on a benchmark; empty: it draws passes of its own.

        Raises:
            ToolError: It does not answer, or has ended.
        """
        if self._own_passes:
            return frozenset()
        names = self._ask(benchmark, {"what": "passes"}, lambda reply: [str(name) for name in reply["passes"]])
        return frozenset(names)

    def measure(self, benchmark: Benchmark, what: str, count: int, seed: int, passes: Sequence[str]) -> Taken:
        """What it takes.

        Args:
            benchmark: Where it begins.
            what: One of `KINDS`.
            count: How many.
            seed: Of passes of its own.
            passes: The passes to run; empty: passes of its own.

        Raises:
            ToolError: It says that it cannot, does not answer, or has ended.
        """
        asked = {"what": what, "count": count, "seed": seed, "passes": list(passes)}
        return self._ask(benchmark, asked, lambda reply: Taken(float(reply["seconds"]), float(reply["cpu_seconds"])))

    def _ask(
        self, benchmark: Benchmark, asked: Mapping[str, Any], read: Callable[[Mapping[str, Any]], _Answer]
    ) -> _Answer:
        request = {
            "source": str(benchmark.directory / benchmark.argv[-1]),
            "directory": str(benchmark.directory),
            "flags": benchmark.argv[1 : benchmark.argv.index("-c")],
            **asked,
        }
        if not self._lines.is_running:
            self._lines.start()
        what = asked["what"]
        reply: Mapping[str, Any] = {}
        try:
            reply = self._lines.ask(request, _PEER_TIMEOUT_S)
            return read(reply)
        except PeerFailed as error:
            self._lines.end()
            raise ToolError(self._lines.argv, None, reason=f"the peer cannot measure {what}: {error.reason}") from error
        except (TypeError, ValueError, KeyError) as error:
            words = reply.get("error", nonsense(reply).reason)
            raise ToolError(self._lines.argv, None, reason=f"the peer cannot measure {what}: {words}") from error


def measure_all(benchmarks: Sequence[str], counts: Counts, peer: Peer | None, seed: int = 0) -> Iterator[Figures]:
    """Measures benchmarks one after the other, each when it is asked for.

    Raises:
        UsageError: There is no such benchmark.
        EngineError: It does not compile.
    """
    return (_measure(benchmark, counts, peer, seed) for benchmark in benchmarks)


def _measure(uri: str, counts: Counts, peer: Peer | None, seed: int) -> Figures:
    envs = {
        reward: LlvmEnv(uri, action_space="passes", observation_space="Autophase", reward_space=reward)
        for reward in KINDS.values()
    }
    try:
        for env in envs.values():
            env.reset()
        first = envs[KINDS["steps"]]
        benchmark, instructions = first.episode.served.benchmark, int(first.observe("IrInstructionCount")[0])
        figures = Figures(uri, instructions, _growth(first, counts.memory_steps, seed), counts=counts)
        drawn_from = _drawn_from(first, peer)
        for turn in range(counts.rounds):
            for what, reward in KINDS.items():
                count = getattr(counts, what)
                drawn = random.Random(seed + turn).choices(drawn_from, k=count)
                figures.ours.setdefault(what, []).append(_take(envs[reward], what, [number for number, _ in drawn]))
                if peer is not None:
                    try:
                        names = [name for _, name in drawn if name]
                        taken = peer.measure(benchmark, what, count, seed + turn, names)
                    except ToolError:
                        continue
                    figures.peers.setdefault(what, []).append(taken)
    finally:
        for env in envs.values():
            env.close()
    return figures


def _drawn_from(env: LlvmEnv, peer: Peer | None) -> list[tuple[int, str]]:
    """Numbers of our actions, each with the peer's name of the pass; without one where each draws of its own.

    Raises:
        UsageError: The peer has none of our passes.
    """
    own = [(number, "") for number in range(len(env.action_names))]
    known = peer.passes(env.episode.served.benchmark) if peer is not None else frozenset()
    if not known:
        return own
    shared = [(number, name) for number, action in enumerate(env.action_names) if (name := flat_name(action)) in known]
    if not shared:
        raise UsageError("the peer has none of our passes", hint="with --own-passes each draws of its own")
    return shared


def _take(env: LlvmEnv, what: str, actions: Sequence[int]) -> Taken:
    env.reset()
    before_s, wall_time_s = _processor_time_s(), 0.0
    for action in actions:
        began_s = time.perf_counter()
        fork = None
        if what == "fork":
            fork = env.fork()
        elif env.step(action)[3]:
            env.reset()  # a pass crashed: that costs time, too
        wall_time_s += time.perf_counter() - began_s
        if fork is not None:
            fork.close()
    return Taken(wall_time_s, _processor_time_s() - before_s)


def _processor_time_s() -> float:
    """Of this process and those below it, and of what they waited for, since each began; known to 10 ms."""
    seconds, waiting = 0.0, [os.getpid()]
    while waiting:
        process = waiting.pop()
        with contextlib.suppress(OSError):  # it ended
            for thread in Path(f"/proc/{process}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
            ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]
            seconds += sum(map(int, ticks)) * _TICK_S
    return seconds


def _growth(env: LlvmEnv, n_steps: int, seed: int) -> int:
    rng, n_actions = random.Random(seed), len(env.action_names)
    early = 0
    for index in range(n_steps):
        if index % 200 == 0:
            env.reset()
        if env.step(rng.randrange(n_actions))[3]:
            env.reset()
        if index == n_steps // 10:
            early = _resident_bytes(env)
    return _resident_bytes(env) - early


def _resident_bytes(env: LlvmEnv) -> int:
    page = os.sysconf("SC_PAGE_SIZE")
    served = env.episode.served.engine.process
    return sum(int(Path(f"/proc/{process}/statm").read_text().split()[1]) * page for process in ("self", served))
