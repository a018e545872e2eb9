"""The reward `Runtime`: the logarithm of how many times as fast the program got, where a difference is shown.

A state is compared with the last one that was shown to differ, pair by pair in random layouts, until the e-value of the
measurement module shows a difference or the pairs are used up (`evaluation.measure`). What is not shown is worth 0 and
changes nothing: small gains count once they are large enough together. An episode's sum is the logarithm of the speedup
of the last state that was shown to differ over the first one. Of steps that change no time, at most one in twenty
claims a difference.

Before it is measured, the program is shown to do what it does at -O0; where it does something else, the episode ends.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from compiler_agent.base.files import write_atomically
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import stats
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.executor import Executor, ProcessExecutor
from compiler_agent.evaluation.layout import LinkedLayouts
from compiler_agent.evaluation.measure import Rule, Stopping, compare
from compiler_agent.evaluation.pairing import Baseline, Outcome, Settings
from compiler_agent.search.env.benchmark import Program
from compiler_agent.search.env.datasets.dataset import toolchain
from compiler_agent.search.env.effects import WrongProgram
from compiler_agent.search.env.linking import Linkable, LinkedProgram, program_of
from compiler_agent.search.env.release import when_unused

DEFAULT_SETTINGS = Settings(n_pairs=20, seconds=60.0)
"""Of one comparison: ten pairs are the fewest that can show anything."""
_SELF_PAIRS = 10
_SHOWN = (Outcome.FASTER, Outcome.SLOWER, Outcome.QUARANTINED)
"""What looks too good counts, too: unoptimized programs are often more than twice as slow."""

StartExecutor = Callable[[Workload, Path, str], AbstractContextManager[Executor]]
"""What runs a workload, given the directory that its command needs and the name of the program in it."""


@dataclass(frozen=True, slots=True)
class RuntimeReward:
    """The reward space."""

    name: str = "Runtime"
    """As in `reward_space=`."""
    settings: Settings = DEFAULT_SETTINGS
    """How much is measured for each step."""
    start_executor: StartExecutor = ProcessExecutor
    """What runs programs."""
    wire: tuple[str, ...] = ()
    """Nothing is asked of a session beforehand."""

    @property
    def is_repeatable(self) -> bool:
        """No: times are measured anew."""
        return False

    @property
    def description(self) -> str:
        """See `RewardSpace`."""
        return "by the processor time of the benchmark's program: ln(times as fast), 0 where no difference is shown"

    def begin(self, episode: Linkable) -> RuntimeScore:
        """Measures the program against itself, which says how noisy this machine is.

        Raises:
            UsageError: The benchmark is no program.
            NotEstablished: It fails, does not repeat itself, or takes too long.
        """
        runs = _Runs(episode, program_of(episode.benchmark), self)
        content = episode.shipped()
        layouts = runs.layouts(content)
        baseline = Baseline.establish(layouts, runs.executor, self.settings)
        short = replace(baseline, n_pairs=min(_SELF_PAIRS, baseline.n_pairs))
        itself = compare(short, layouts, Rule(stopping=Stopping.NEVER), seed="itself")
        scale = stats.noise_scale([pair.log_ratio for pair in itself.pairs])
        return RuntimeScore(runs, baseline, _digest(content), scale)


@dataclass(frozen=True, slots=True)
class RuntimeScore:
    """The state that the next one is compared with: see `Score`."""

    runs: _Runs
    """What links and runs the program."""
    baseline: Baseline
    """The last state that was shown to differ from the one before."""
    digest: str
    """Of its object."""
    scale: float
    """Noise of a pair: standard deviation of its log ratio where nothing differs."""

    def advance(self, episode: Linkable) -> tuple[float, RuntimeScore]:
        """See `Score`."""
        content = episode.shipped()
        digest = _digest(content)
        if digest == self.digest:
            return 0.0, self
        self.runs.program.check(content)
        layouts = self.runs.layouts(content)
        settings = self.baseline.settings
        rule = Rule(self.scale, stats.log_needed(settings.level), Stopping.DIFFERENCES)
        found = compare(self.baseline, layouts, rule, seed=digest)
        if found.outcome.refutes:
            raise WrongProgram(found.reason)
        if found.outcome not in _SHOWN or found.speedup is None:
            return 0.0, self
        baseline = Baseline.establish(layouts, self.runs.executor, settings)
        return math.log(found.speedup.median), replace(self, baseline=baseline, digest=digest)


class _Runs:
    """A benchmark's program as executables of many states; all goes when no score needs it any more."""

    def __init__(self, episode: Linkable, program: Program, reward: RuntimeReward) -> None:
        stack = ExitStack()
        when_unused(self, stack.close)
        scratch = ScratchDirectory(prefix="cc-agent-env-")
        self._scratch = Path(stack.enter_context(scratch))
        self._n_layouts = reward.settings.n_pairs
        self._link = _without_output(program.link)
        self.program = LinkedProgram(episode.benchmark, program, episode.plain(), self._scratch)
        self.executor = stack.enter_context(
            reward.start_executor(program.workload, self.program.directory, program.name)
        )

    def layouts(self, content: bytes) -> LinkedLayouts:
        """The program with an object in it, linked in many layouts, each when it is asked for."""
        directory = Path(tempfile.mkdtemp(prefix="state-", dir=self._scratch))
        write_atomically(directory / "unit.o", content)
        link = [str(directory / "unit.o") if word == "{object}" else word for word in self._link]
        layouts = LinkedLayouts(link, directory, toolchain(), self._n_layouts, gaps=self._scratch / "gaps")
        when_unused(layouts, lambda: shutil.rmtree(directory, ignore_errors=True))
        return layouts


def _without_output(link: tuple[str, ...]) -> tuple[str, ...]:
    place = link.index("{program}")
    return (*link[: place - 1], *link[place + 1 :])  # each layout has a name of its own


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
