"""The tables of `bench engine`."""

from __future__ import annotations

import statistics

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_engine import ALONE, EMITS, KINDS, TARGETS, WAYS, Comparison, EngineReport
from compiler_agent.evaluation.stats import geometric_mean

_TITLES = {
    "whole": "whole: independent pipelines of the stock one's size, with the object's size; against opt and llc",
    "short": "short: independent pipelines of up to 5 passes, instructions counted; against opt",
    "evolve": "evolve: the plans that a search asks for, with the object's size; against opt and llc",
    "greedy": "greedy: the best pipeline so far and one pass more, instructions counted; against opt",
}


def render(report: EngineReport, console: Console) -> None:
    """Prints every unit's figures, what deduplication and shared beginnings add, and the targets."""
    for kind in KINDS:
        rows = report.of(kind)
        if not rows:
            continue
        table = Table(title=_TITLES[kind])
        columns = ["unit", "IR instructions", "plans", "ours /s", "processes /s", "ratio", "min", "max", "cpu ratio"]
        columns += [f"cpu ratio, {way}" for way in WAYS[kind][:-1]]
        columns += [] if WAYS[kind] == (ALONE,) else ["known"] if EMITS[kind] else []
        columns += [] if EMITS[kind] else ["same count"]
        for column in columns:
            table.add_column(column, justify="left" if column == "unit" else "right")
        for row in rows:
            table.add_row(*_cells(row))
        console.print(table)
        ratios, cpu_ratios = [row.ratio() for row in rows], [row.cpu_ratio() for row in rows]
        console.print(
            f"{kind}: geomean {geometric_mean(ratios):.2f} (cpu {geometric_mean(cpu_ratios):.2f}), "
            f"median {statistics.median(ratios):.2f}, min {min(ratios):.2f}; target at least {TARGETS[kind]} on each"
        )


def _cells(row: Comparison) -> list[str]:
    ways = WAYS[row.kind]
    ours = row.ours[ways[-1]]
    n, (least, greatest) = len(row.processes_s), row.spread()
    cells = [
        row.unit,
        str(row.ir_instructions),
        str(n),
        f"{n / sum(ours.wall_time_s):.1f}",
        f"{n / sum(row.processes_s):.1f}",
        f"{row.ratio():.2f}",
        f"{least:.2f}",
        f"{greatest:.2f}",
        f"{row.cpu_ratio():.2f}",
    ]
    cells += [f"{row.cpu_ratio(way):.2f}" for way in ways[:-1]]
    if ways != (ALONE,) and EMITS[row.kind]:
        cells.append(f"{ours.n_known / n:.0%}")
    if not EMITS[row.kind]:
        cells.append(f"{row.n_agreed} of {n}")
    return cells
