"""What `compiler-agent bench mca` prints."""

from __future__ import annotations

import dataclasses
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_mca import McaReport

_COLUMNS = ("kernel", "level", "instructions", "blocks", "passes", "cycles", "ns", "spread", "GHz", "what it stresses")


def render(report: McaReport, console: Console) -> None:
    """Prints the table of kernels, the correlations, and how often the estimate picks the faster build."""
    kernels = Table(title=f"llvm-mca {report.llvm} for {report.cpu}, per pass through the hot loop")
    for title in _COLUMNS:
        kernels.add_column(title, justify="left" if title in ("kernel", "what it stresses") else "right")
    for one in report.figures:
        kernels.add_row(
            one.kernel,
            one.level,
            str(one.n_instructions),
            str(one.n_blocks),
            str(one.passes_per_call),
            f"{one.cycles:.1f}",
            f"{one.ns:.2f}",
            f"{one.spread:.1%}",
            f"{one.cycles / one.ns:.2f}",
            one.stresses.partition(":")[0].rstrip("."),
        )
    console.print(kernels)
    console.print(f"GHz: the clock rate that would make the estimate right; the median is {report.ghz:.2f}")
    for level in [*report.levels, None]:
        agreement = report.agreement(level)
        console.print(
            f"{level or 'all'}: {agreement.n_kernels} kernels, Spearman {agreement.spearman:.3f}, Pearson of "
            f"logarithms {agreement.pearson:.3f}, {agreement.n_close} within 1.5 times at the median clock rate"
        )
    right, pairs = report.choices()
    console.print(
        f"builds of one kernel whose times differ by more than 5%: the faster one is named in {right} of {pairs}"
    )
    if report.left_out:
        console.print(f"no loop that llvm-mca can estimate: {', '.join(report.left_out)}")


def to_json(report: McaReport) -> dict[str, Any]:
    """Every figure, with the raw times."""
    right, pairs = report.choices()
    return {
        "cpu": report.cpu,
        "llvm": report.llvm,
        "all": dataclasses.asdict(report.agreement()),
        "levels": {level: dataclasses.asdict(report.agreement(level)) for level in report.levels},
        "faster_build_named": {"right": right, "pairs": pairs},
        "left_out": report.left_out,
        "kernels": [{**dataclasses.asdict(one), "ns": one.ns, "spread": one.spread} for one in report.figures],
    }
