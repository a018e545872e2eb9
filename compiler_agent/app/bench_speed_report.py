"""What `compiler-agent bench speed` prints and draws: a table and a plot for each part, and the same as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_speed_figures import THRESHOLDS, ProgramFigures, Replication, Summary, groups
from compiler_agent.evaluation.stats import Speedup

PARTS = ("training", "held-out")
_PROGRAM_COLUMNS = ("program", "class", "strategy", "baseline", "speedup", "timed", "wrong", "size", "seconds", "plan")
_SUMMARY_COLUMNS = ("programs", "strategy", "n", "geomean", "wins", "slower", "fast_p")
Rows = list[tuple[str, ...]]


def program_rows(figures: Sequence[ProgramFigures]) -> Rows:
    """One row for each program and strategy."""
    return [
        (
            row.program,
            row.kind,
            row.strategy,
            row.baseline,
            str(row),
            str(row.n_timed),
            str(row.n_wrong),
            f"{1 / row.size_ratio:.2f}",
            f"{row.seconds:.0f}",
            row.plan or row.reason,
        )
        for row in sorted(figures, key=lambda row: (row.kind, row.program, row.strategy))
    ]


def summary_rows(figures: Sequence[ProgramFigures]) -> Rows:
    """One row for each group of programs and each strategy."""
    rows: Rows = []
    for group, members in groups(figures).items():
        for strategy in dict.fromkeys(row.strategy for row in figures):
            summary = Summary.of(row for row in members if row.strategy == strategy)
            if summary is None:
                continue
            curve = ", ".join(f">{at:g}: {share:.0%}" for at, share in zip(THRESHOLDS, summary.fast_p, strict=True))
            geomean = str(Speedup(summary.geomean, summary.low, summary.high))
            counts = (str(summary.n_programs), geomean, str(summary.n_wins), str(summary.n_slower))
            rows.append((group, strategy, *counts, curve))
    return rows


def render(figures: Sequence[ProgramFigures], console: Console) -> None:
    """Prints training and held-out programs apart."""
    for part in PARTS:
        members = [row for row in figures if row.part == part]
        if members:
            _print(
                f"{part}: times as fast as the fastest stock build", _PROGRAM_COLUMNS, program_rows(members), console
            )
            _print(f"{part}, summed up; 1 where no plan is kept", _SUMMARY_COLUMNS, summary_rows(members), console)


def render_replication(found: Replication, console: Console) -> None:
    """Prints how far two runs agree."""
    console.print(f"{found.n_overlapping} of {found.n_kept} kept plans ({found.share:.0%}) have overlapping intervals")
    for one, other in found.apart:
        console.print(f"  apart: {one.program} {one.strategy}: {one}, then {other}")


def markdown(figures: Sequence[ProgramFigures], plots: dict[str, str]) -> str:
    """The same as text for a page of docs/.

    Args:
        figures: Of all parts.
        plots: By part, the file of its plot as the page names it.
    """
    lines: list[str] = []
    for part in PARTS:
        members = [row for row in figures if row.part == part]
        if not members:
            continue
        lines += [f"### {part.capitalize()} programs", ""]
        if part in plots:
            lines += [f"![Speedup of each program with its interval]({plots[part]})", ""]
        lines += [*_table(_SUMMARY_COLUMNS, summary_rows(members)), ""]
        lines += [*_table(_PROGRAM_COLUMNS[:-1], [row[:-1] for row in program_rows(members)]), ""]
    return "\n".join(lines)


def draw(figures: Sequence[ProgramFigures], path: Path, title: str) -> None:
    """Draws each program's speedup with its interval, one colour for each strategy, as an SVG file."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot, ticker

    strategies = list(dict.fromkeys(row.strategy for row in figures))
    programs = sorted({row.program for row in figures}, key=lambda name: _best(figures, name))
    size = (9.0, 1.5 + 0.28 * len(programs))
    figure, axes = pyplot.subplots(figsize=size, layout="constrained")
    for number, strategy in enumerate(strategies):
        rows = [row for row in figures if row.strategy == strategy]
        places = [programs.index(row.program) + 0.22 * (number - (len(strategies) - 1) / 2) for row in rows]
        errors = [[row.speedup - row.low for row in rows], [row.high - row.speedup for row in rows]]
        axes.errorbar([row.speedup for row in rows], places, xerr=errors, fmt="o", markersize=4, label=strategy)
    axes.axvline(1.0, color="gray", linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(ticker.LogLocator(base=2, subs=(1.0, 1.25, 1.5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_yticks(range(len(programs)), programs)
    axes.set_xlabel("times as fast as the fastest stock build, 95% interval")
    axes.set_title(title)
    axes.legend(loc="lower right")
    matplotlib.rcParams["svg.hashsalt"] = title  # equal figures give an equal file
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def _best(figures: Sequence[ProgramFigures], program: str) -> float:
    return max(row.speedup for row in figures if row.program == program)


def _print(title: str, columns: Sequence[str], rows: Rows, console: Console) -> None:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _table(columns: Sequence[str], rows: Rows) -> list[str]:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]
