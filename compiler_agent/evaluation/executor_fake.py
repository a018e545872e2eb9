"""An executor that runs nothing: times are made up, and so is the clock. For tests, and for trying settings out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compiler_agent.evaluation.difftest import Behaviour, Workload
from compiler_agent.evaluation.executor import Run


class FakeExecutor:
    """Answers with what a function makes up.

    Args:
        runs: The executable, and the number of the run from 0, to the run.
        command: Of the workload, for messages.
    """

    def __init__(self, runs: Callable[[Path, int], Run], command: str = "./program") -> None:
        self.workload = Workload(command)
        self.now_s = 0.0
        self.n_runs = 0
        self._runs = runs

    def clock(self) -> float:
        """The time that all runs so far took on the clock, in seconds."""
        return self.now_s

    def run(self, executable: Path, *, environment_bytes: int, timeout_s: float) -> Run:
        """See `Executor`; a run that takes longer than its time is killed."""
        made_up = self._runs(executable, self.n_runs)
        self.n_runs += 1
        if made_up.behaviour.wall_time_s > timeout_s:
            self.now_s += timeout_s
            return Run(Behaviour(status=-9, timed_out=True, wall_time_s=timeout_s, cpu_time_s=timeout_s))
        self.now_s += made_up.behaviour.wall_time_s
        return made_up


def computing(cpu_time_s: float, stdout: bytes = b"done\n", transferred: tuple[int, int] = (4000, 5)) -> Run:
    """A run that succeeded and had the processor for itself."""
    behaviour = Behaviour(status=0, stdout=stdout, wall_time_s=cpu_time_s + 0.001, cpu_time_s=cpu_time_s)
    return Run(behaviour, cpu_time_s, transferred)
