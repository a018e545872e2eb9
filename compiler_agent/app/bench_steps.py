"""`compiler-agent bench steps`: steps a second of the environment, what a fork takes, and whether memory grows.

Each round takes a number of random passes from the benchmark's beginning, and observes Autophase and the number of IR
instructions after each; then some with the text size, for which clang generates code; then forks. A *peer*, another
program that does the same in its own process, takes its turn after each of ours, so that both see the same machine.

A peer reads one JSON object a line and answers each with one:

    {"source":PATH,"directory":PATH,"flags":[…],"what":"steps"|"text"|"fork","count":N,"seed":S}
    {"seconds":…} or {"error":…}

where `seconds` is for all N, and without what comes before the first step.
"""

from __future__ import annotations

import json
import random
import select
import shlex
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from compiler_agent.base.errors import ToolError
from compiler_agent.base.process import start, stop
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.environment import LlvmEnv

KINDS = {"steps": "IrInstructionCountOz", "text": "TextSizeBytes", "fork": "IrInstructionCountOz"}
"""What is measured, with the reward space that it is measured in."""
_PEER_TIMEOUT_S = 900.0


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
    ours: dict[str, list[float]] = field(default_factory=dict)
    """Seconds for each round, by what was measured."""
    peers: dict[str, list[float]] = field(default_factory=dict)
    """The peer's, in the same order; empty: there is none, or it could not do it."""
    counts: Counts = field(default_factory=Counts)
    """What was done in a round."""

    def each_s(self, what: str, *, peer: bool = False) -> float | None:
        """Median over the rounds of what one takes, in seconds; None: nothing was measured."""
        seconds = (self.peers if peer else self.ours).get(what)
        return statistics.median(seconds) / getattr(self.counts, what) if seconds else None

    def ratio(self, what: str) -> float | None:
        """The peer's time divided by ours."""
        ours, peers = self.each_s(what), self.each_s(what, peer=True)
        return peers / ours if ours and peers else None


class Peer:
    """Another program that does the same. Use as a context manager."""

    def __init__(self, command: str) -> None:
        self._argv = shlex.split(command)
        self._child = start(self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop(self._child)

    def measure(self, benchmark: Benchmark, what: str, count: int, seed: int) -> float:
        """What it takes, in seconds.

        Raises:
            ToolError: It says that it cannot, does not answer, or has ended.
        """
        request = {
            "source": str(benchmark.directory / benchmark.argv[-1]),
            "directory": str(benchmark.directory),
            "flags": benchmark.argv[1 : benchmark.argv.index("-c")],
            "what": what,
            "count": count,
            "seed": seed,
        }
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        line = b""
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()
            if select.select([self._child.stdout], [], [], _PEER_TIMEOUT_S)[0]:
                line = self._child.stdout.readline()
            reply: dict[str, Any] = json.loads(line)
            return float(reply["seconds"])
        except (OSError, ValueError, KeyError) as error:
            words = line.decode(errors="replace").strip() or "no answer"
            raise ToolError(self._argv, None, reason=f"the peer cannot measure {what}: {words}") from error


def measure_all(benchmarks: Sequence[str], counts: Counts, peer: Peer | None, seed: int = 0) -> list[Figures]:
    """Measures benchmarks one after the other.

    Raises:
        UsageError: There is no such benchmark.
        EngineError: It does not compile.
    """
    return [_measure(benchmark, counts, peer, seed) for benchmark in benchmarks]


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
        for turn in range(counts.rounds):
            for what, reward in KINDS.items():
                count = getattr(counts, what)
                figures.ours.setdefault(what, []).append(_take(envs[reward], what, count, seed + turn))
                if peer is not None:
                    try:
                        seconds = peer.measure(benchmark, what, count, seed + turn)
                    except ToolError:
                        continue
                    figures.peers.setdefault(what, []).append(seconds)
    finally:
        for env in envs.values():
            env.close()
    return figures


def _take(env: LlvmEnv, what: str, count: int, seed: int) -> float:
    if what == "fork":
        return _forks(env, count)
    rng, n_actions = random.Random(seed), len(env.action_names)
    env.reset()
    began_s = time.perf_counter()
    for _ in range(count):
        if env.step(rng.randrange(n_actions))[3]:
            env.reset()  # a pass crashed: that costs time, too
    return time.perf_counter() - began_s


def _forks(env: LlvmEnv, count: int) -> float:
    seconds = 0.0
    for _ in range(count):
        began_s = time.perf_counter()
        fork = env.fork()
        seconds += time.perf_counter() - began_s
        fork.close()
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
    page = 4096
    served = env.episode.served.engine.process
    return sum(int(Path(f"/proc/{process}/statm").read_text().split()[1]) * page for process in ("self", served))
