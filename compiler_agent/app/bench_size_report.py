"""What `compiler-agent bench size` prints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_size import UnitFigures
from compiler_agent.evaluation.stats import geometric_mean, geometric_mean_interval

_SUMMARY = (
    "part",
    "units",
    "strategy",
    "after",
    "geomean",
    "95%",
    "median",
    "min",
    "max",
    "total bytes",
    "text+data",
    "evaluations",
    "made",
    "seconds",
    "USD",
)


def render(
    figures: Sequence[UnitFigures], strategy_names: Sequence[str], checkpoints: Sequence[int], console: Console
) -> None:
    """Prints the table per unit, and the summary of training and held-out units apart.

    Args:
        figures: One for each unit.
        strategy_names: Those that were run.
        checkpoints: Numbers of evaluations after which the summary also says what was found.
        console: Where to print.
    """
    units = Table(title="text_bytes: clang -Oz ÷ cc-agent")
    for title in ("unit", "part", "clang -Oz", *strategy_names):
        units.add_column(title, justify="left" if title in ("unit", "part") else "right")
    for row in figures:
        units.add_row(
            row.unit, row.part, str(row.baseline_text_bytes), *(f"{row.ratio(name):.4f}" for name in strategy_names)
        )
    console.print(units)
    summary = Table(title="summary, one figure per translation unit; 95%: of the geomean, by bootstrap over the units")
    for title in _SUMMARY:
        summary.add_column(title, justify="right")
    for part in ("training", "held-out"):
        chosen = [row for row in figures if row.part == part]
        for name in strategy_names if chosen else ():
            for checkpoint in checkpoints:
                ratios = [row.ratio(name, checkpoint) for row in chosen]
                summary.add_row(part, str(len(chosen)), name, str(checkpoint), *_spread(ratios))
            summary.add_row(
                part,
                str(len(chosen)),
                name,
                "all",
                *_spread([row.ratio(name) for row in chosen]),
                f"{sum(row.baseline_text_bytes for row in chosen) / sum(row.text_bytes[name] for row in chosen):.4f}",
                f"{geometric_mean(row.loaded_ratio[name] for row in chosen):.4f}",
                str(sum(row.n_evaluations[name] for row in chosen)),
                str(sum(row.n_emitted[name] for row in chosen)),
                f"{sum(row.seconds[name] for row in chosen):.0f}",
                _dollars([row.cost_usd[name] for row in chosen]),
            )
    console.print(summary)


def _dollars(costs: Sequence[float | None]) -> str:
    return "?" if None in costs else f"{sum(filter(None, costs)):.2f}"


def _spread(ratios: Sequence[float]) -> tuple[str, ...]:
    low, high = geometric_mean_interval(ratios)
    figures = (float(numpy.median(ratios)), min(ratios), max(ratios))
    return (f"{geometric_mean(ratios):.4f}", f"{low:.4f}–{high:.4f}", *(f"{one:.4f}" for one in figures))
