"""Takes pairs of samples, and refutes candidates that do something else than the baseline.

A pair is a sample of each, one after the other in an order that is drawn, each in a layout that is drawn and with
another size of the environment. So a pair is symmetric where nothing differs, whatever the machine does meanwhile, and
that is all that the evidence asks for (`stats.evidence`).
"""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.errors import NotEstablished
from compiler_agent.evaluation import cautions
from compiler_agent.evaluation.cautions import Caution
from compiler_agent.evaluation.difftest import Behaviour, Reference, repeatable
from compiler_agent.evaluation.executor import Executor, Run
from compiler_agent.evaluation.layout import Layouts
from compiler_agent.evaluation.samples import Pair, Times

_ENVIRONMENT_BYTES = 4096
_N_REPEATS = 20
_HUNG_TIMES = 5.0
_HUNG_SLACK_S = 5.0
"""For what others do to the machine meanwhile."""


class Outcome(enum.StrEnum):
    """How a comparison ended. Exactly one member permits keeping a candidate."""

    FASTER = "faster"
    """Shown to be faster, with the same output and nothing odd."""
    SLOWER = "slower"
    """Shown to be slower."""
    NOT_SHOWN = "not-shown"
    """No difference was shown, or no gain was to be expected any more."""
    QUARANTINED = "quarantined"
    """Faster, but in a way that has to be verified on other inputs first."""
    WRONG_OUTPUT = "wrong-output"
    """It did something else than the baseline."""
    NOT_REPEATABLE = "not-repeatable"
    """It did not even do the same twice."""
    FAILED = "failed"
    """It ended with another status than 0."""
    CRASHED = "crashed"
    """It was ended by a signal."""
    HUNG = "hung"
    """It took so much longer than the baseline that it was ended."""

    @property
    def permits(self) -> bool:
        """Whether a plan may be kept as far as speed goes."""
        return self is Outcome.FASTER

    @property
    def refutes(self) -> bool:
        """Whether the candidate did not behave as the baseline does; then what it took says nothing."""
        return self not in (Outcome.FASTER, Outcome.SLOWER, Outcome.NOT_SHOWN, Outcome.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured."""

    n_pairs: int = 60
    """Most pairs of one comparison."""
    n_first_look: int = 6
    """Pairs before which nothing is given up, and which must fit into the time."""
    seconds: float = 120.0
    """Most time of one comparison, on the clock."""
    sample_s: float = 0.02
    """Processor time that a sample should take: a shorter program is run several times."""
    level: float = 0.05
    """Probability of a false claim; over the candidates of a session: expected share of false claims."""


DEFAULT_SETTINGS = Settings()


class Refuted(Exception):
    """The candidate did something that ends its comparison."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Baseline:
    """A program on a workload, shown to succeed and to do the same each time."""

    layouts: Layouts
    """Its executables."""
    executor: Executor
    """Runs it, and candidates."""
    reference: Reference
    """What it does."""
    settings: Settings
    """How much is measured."""
    n_repeats: int
    """Runs per sample."""
    n_pairs: int
    """Pairs that fit into the time, at most those that were wanted."""
    cautions: tuple[Caution, ...]
    """What is to be said about the workload."""

    @classmethod
    def establish(cls, layouts: Layouts, executor: Executor, settings: Settings = DEFAULT_SETTINGS) -> Baseline:
        """Runs a program some times, to see whether and how it can be measured.

        Raises:
            NotEstablished: It fails, hangs, does not repeat itself, or takes too long; the hint says what to do.
        """
        workload = executor.workload
        executable = layouts.executable(0)

        def run_once() -> Behaviour:
            return executor.run(executable, environment_bytes=0, timeout_s=workload.timeout_s).behaviour

        reference = repeatable(workload, run_once, "the baseline")
        cpu_time_s, wall_time_s = reference.behaviour.cpu_time_s, reference.behaviour.wall_time_s
        n_repeats = min(_N_REPEATS, max(1, math.ceil(settings.sample_s / max(cpu_time_s, 1e-6))))
        n_pairs = min(settings.n_pairs, int(settings.seconds / (2 * n_repeats * wall_time_s)))
        if n_pairs < settings.n_first_look:
            raise NotEstablished(
                f"one run takes {wall_time_s:.1f} s, so that not even {settings.n_first_look} pairs fit into "
                f"{settings.seconds:.0f} s: {workload.command}",
                hint="give it a smaller input, or allow a comparison more seconds",
            )
        found = cautions.of_workload(cpu_time_s, n_repeats, n_pairs, settings.n_pairs, settings.seconds)
        return cls(layouts, executor, reference, settings, n_repeats, n_pairs, tuple(found))


def take_pair(baseline: Baseline, candidate: Layouts, layouts: tuple[int, int], draw: random.Random) -> Pair:
    """Runs both once, or some times each if they are short.

    Args:
        baseline: One side.
        candidate: The other.
        layouts: The numbers of their executables.
        draw: Decides the order and the sizes of the environment.

    Raises:
        Refuted: The candidate did not behave as the baseline does.
        NotEstablished: The baseline did not.
        ToolError: An executable does not link, or cannot be started.
    """
    # Both are linked before either runs: else only the side that is not linked yet would run right after a linker.
    executables = (baseline.layouts.executable(layouts[False]), candidate.executable(layouts[True]))
    candidate_first = draw.random() < 0.5
    taken: dict[bool, Times] = {}
    for is_candidate in (candidate_first, not candidate_first):
        taken[is_candidate] = _sample(baseline, executables[is_candidate], layouts[is_candidate], is_candidate, draw)
    return Pair(taken[False], taken[True], candidate_first)


def _sample(baseline: Baseline, executable: Path, layout: int, is_candidate: bool, draw: random.Random) -> Times:
    environment_bytes = draw.randrange(_ENVIRONMENT_BYTES)
    expected = baseline.reference.behaviour
    timeout_s = _HUNG_TIMES * expected.wall_time_s + _HUNG_SLACK_S

    def run_once() -> Run:
        return baseline.executor.run(executable, environment_bytes=environment_bytes, timeout_s=timeout_s)

    runs: list[Run] = []
    for _ in range(baseline.n_repeats):
        runs.append(seen := run_once())
        if fault := _fault(baseline.reference, seen.behaviour, run_once):
            if is_candidate:
                raise Refuted(*fault)
            raise NotEstablished(
                f"the baseline did something else than before: {fault[1]}: {baseline.executor.workload.command}",
                hint="make it deterministic, or give the machine more room; nothing can be compared with it as it is",
            )
    n_runs, cpu_time_s = len(runs), sum(one.behaviour.cpu_time_s for one in runs)
    if cpu_time_s <= 0:
        command = baseline.executor.workload.command
        raise NotEstablished(
            f"this machine's clock of processor time stood still over {n_runs} runs of {command}",
            hint="give it a larger input: the clock goes in steps of some milliseconds here",
        )
    return Times(
        cpu_time_s=cpu_time_s / n_runs,
        user_time_s=sum(one.user_time_s for one in runs) / n_runs,
        wall_time_s=sum(one.behaviour.wall_time_s for one in runs) / n_runs,
        layout=layout,
        environment_bytes=environment_bytes,
        transferred=runs[0].transferred,
    )


def _fault(reference: Reference, seen: Behaviour, run_again: Callable[[], Run]) -> tuple[Outcome, str] | None:
    """What a run did that the baseline does not do; None: nothing."""
    expected = reference.behaviour
    if seen.timed_out:
        took_s = expected.wall_time_s
        return Outcome.HUNG, f"it did not end within {seen.wall_time_s:.1f} s, the baseline takes {took_s:.2f} s"
    if seen.status < 0:
        return Outcome.CRASHED, f"it was ended by signal {-seen.status}"
    if seen.status != expected.status:
        return Outcome.FAILED, f"it ended with status {seen.status}"
    judged = reference.judge(seen)
    if judged.verdict.permits:
        return None
    again = run_again().behaviour
    if seen.differences(again, tolerance=reference.workload.tolerance, with_stderr=False):
        return Outcome.NOT_REPEATABLE, f"it does not do the same twice: {judged.differences[0]}"
    return Outcome.WRONG_OUTPUT, str(judged.differences[0])
