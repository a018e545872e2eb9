"""What about a measurement should make one careful: values, each of which says what to do."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from compiler_agent.evaluation.machine import Load
from compiler_agent.evaluation.samples import Pair

SHORT_RUN_S = 0.01
"""Below, what is timed is to a good part the start of a process, 1 to 2 ms."""
_BUSY_RATIO = 1.2
_THREADS_RATIO = 0.9
_STOLEN_SHARE = 0.02
_DRIFT = 0.05
_NOISY = 0.03
_N_FOR_DRIFT = 12


class CautionKind(enum.StrEnum):
    """What is the matter."""

    TOO_SHORT = "too-short"
    FEW_PAIRS = "few-pairs"
    FIXED_LAYOUT = "fixed-layout"
    BUSY = "busy"
    STOLEN = "stolen"
    DRIFT = "drift"
    THREADS = "threads"
    NOISY = "noisy"


@dataclass(frozen=True, slots=True)
class Caution:
    """A warning as a value."""

    kind: CautionKind
    """For programs."""
    message: str
    """For people: what is so, and what to do about it."""

    def __str__(self) -> str:
        """The message."""
        return self.message


def of_workload(cpu_time_s: float, n_repeats: int, n_pairs: int, n_wanted: int, seconds: float) -> list[Caution]:
    """What one run of the baseline says about what can be measured.

    Args:
        cpu_time_s: Of one run.
        n_repeats: Runs per sample.
        n_pairs: That fit into the time.
        n_wanted: That there should be.
        seconds: The time for a comparison.
    """
    found = []
    if cpu_time_s < SHORT_RUN_S:
        found.append(
            Caution(
                CautionKind.TOO_SHORT,
                f"one run takes {1e3 * cpu_time_s:.1f} ms, a good part of which is the start of a process: it is run "
                f"{n_repeats} times per sample, and gains look smaller than they are; give it a larger input",
            )
        )
    if n_pairs < n_wanted:
        found.append(
            Caution(
                CautionKind.FEW_PAIRS,
                f"one run takes {cpu_time_s:.1f} s: only {n_pairs} of {n_wanted} pairs fit into {seconds:.0f} s, "
                "so only large differences will be seen; give it a smaller input, or more seconds",
            )
        )
    return found


def of_layouts(n_baseline: int, n_candidate: int) -> list[Caution]:
    """Whether a win could be one of layout."""
    if min(n_baseline, n_candidate) > 1:
        return []
    message = "an executable is measured in one layout only, and layout alone changes times by some per cent; give the "
    return [Caution(CautionKind.FIXED_LAYOUT, message + "objects and the command that links them instead")]


def of_noise(scale: float) -> list[Caution]:
    """Whether pairs of a program with itself differ so much that only large gains will show.

    Args:
        scale: Standard deviation of their log ratios.
    """
    if scale < _NOISY:
        return []
    message = f"pairs of the program with itself differ by {scale:.1%}, so gains of less will hardly be found"
    return [Caution(CautionKind.NOISY, f"{message}; stop what else runs, or give it a larger input")]


def of_pairs(pairs: Sequence[Pair], before: Load, after: Load, n_cores: int) -> list[Caution]:
    """What the times themselves and the machine say.

    Args:
        pairs: Of one comparison.
        before: The machine's load when it began.
        after: When it ended.
        n_cores: The machine's.
    """
    times = [one for pair in pairs for one in (pair.baseline, pair.candidate)]
    if not times:
        return []
    found = []
    ratio = statistics.median(one.wall_time_s / one.cpu_time_s for one in times)
    if ratio < _THREADS_RATIO:
        message = f"it used {1 / ratio:.1f} processors at a time, and processor time is what is compared, not the clock"
        found.append(Caution(CautionKind.THREADS, f"{message}; let it use one thread"))
    elif ratio > _BUSY_RATIO and after.average > n_cores:
        message = (
            f"runs took {ratio:.1f} times their processor time, with {after.average:.1f} processes for {n_cores} cores"
        )
        found.append(Caution(CautionKind.BUSY, f"{message}: others share caches and cores; stop them, or wait"))
    if (stolen := after.stolen_since(before)) > _STOLEN_SHARE:
        message = f"the hypervisor gave {stolen:.0%} of the time to other virtual machines"
        found.append(Caution(CautionKind.STOLEN, f"{message}; repeat later, or on a machine of your own"))
    if len(pairs) >= _N_FOR_DRIFT:
        baseline = [pair.baseline.cpu_time_s for pair in pairs]
        half = len(baseline) // 2
        drift = statistics.median(baseline[half:]) / statistics.median(baseline[:half]) - 1
        if abs(drift) > _DRIFT:
            message = f"the baseline's own times changed by {drift:+.0%} within the comparison"
            advice = "pairs are hardly hurt, but wait until the clock rate has settled and nothing else runs"
            found.append(Caution(CautionKind.DRIFT, f"{message}; {advice}"))
    return found
