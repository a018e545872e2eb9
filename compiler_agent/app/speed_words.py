"""What our commands say of a plan for speed."""

from __future__ import annotations

from compiler_agent.base.lock_evidence import RunTimeEvidence
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.evaluation.stats import Speedup
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.speed_space import words_of


def explained(entry: LockEntry) -> list[str]:
    """A lock's entry, in lines: its figure, what the plan says beyond clang's own pipeline, and the size it costs."""
    run_time = entry.evidence.run_time
    assert run_time is not None
    before, after = entry.evidence.baseline_text_bytes, entry.evidence.plan_text_bytes
    return [
        f"{entry.source}: the program is {_figure(run_time)} times as fast as clang {run_time.baseline}",
        f"  {run_time.n_samples} pairs in {run_time.n_layouts} layouts on {run_time.machine}",
        *(["  both sides with a profile"] if run_time.profile_sha256 else []),
        f"  executable bytes of this unit: {before} -> {after}",
        *(f"    {text}" for _, text in words_of(Plan.parse(entry.plan))),
        f"  size and speed of the program, of all that was timed: {front(run_time.front)}",
    ]


def front(points: tuple[tuple[float, float], ...]) -> str:
    """Pairs of size ratio and speedup that nothing else beats in both, in words."""
    return "; ".join(f"{1 / size:.2f} times the size, {speedup:.3f} times as fast" for size, speedup in points)


def _figure(run_time: RunTimeEvidence) -> str:
    return str(Speedup(run_time.speedup, run_time.low, run_time.high))
