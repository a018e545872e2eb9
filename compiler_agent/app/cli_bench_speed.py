"""`compiler-agent bench speed`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from compiler_agent.app.cli_words import BUDGET_HELP
from compiler_agent.app.signals import end_in_order
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error, write_atomically


@click.command("speed")
@click.option("--strategies", "names", default="evolve,random", show_default=True)
@click.option("--budget", default="100", show_default=True, help=BUDGET_HELP.replace("translation unit", "program"))
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only this one; may be given again.")
@click.option("--part", type=click.Choice(["training", "held-out"]), help="Only these programs; default: both parts.")
@click.option("--march", default="", help="-march of all builds, baselines too, as in native.")
@click.option("--pgo", is_flag=True, help="Give all builds, baselines too, a profile of the input that is timed.")
@click.option("--seed", default=0, show_default=True, help="Of searches, and of what measuring draws.")
@click.option("--seconds", type=click.FloatRange(1.0), help="A search ends after so long, whatever its budget.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path("build/bench-speed"),
    show_default=True,
    help="Where its journal and the raw times are; an interrupted run goes on there.",
)
@click.option("--report-only", is_flag=True, help="Print what the journal has, and measure nothing.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
@click.option(
    "--markdown", type=click.Path(path_type=Path), help="Also write the tables to this file, plots beside it."
)
@click.option(
    "--again",
    type=click.Path(path_type=Path, exists=True),
    metavar="A.json",
    help="Search nothing: measure the plans that run A kept once more, with this --seed.",
)
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path, exists=True),
    metavar="A.json B.json",
    help="Measure nothing: say how many of the plans that run A kept have overlapping intervals in run B.",
)
@click.option("--check", "fail_below", is_flag=True, help="Exit with 1 where a program is slower beyond its interval.")
def bench_speed(
    names: str,
    budget: str,
    programs: tuple[str, ...],
    part: str | None,
    march: str,
    pgo: bool,
    seed: int,
    seconds: float | None,
    state: Path,
    report_only: bool,
    json_file: Path | None,
    markdown: Path | None,
    again: Path | None,
    compare: tuple[Path, Path] | None,
    fail_below: bool,
) -> None:
    """Strategies for speed on the programs of benchmarks/, against the fastest stock build of each.

    Stock builds are -O2 and -O3 for the same CPU; with --pgo each with and without the profile. The speedup is that of
    samples which neither the search nor the choice among its best has seen.
    """
    from compiler_agent.app import bench_speed as module
    from compiler_agent.app import bench_speed_report as report
    from compiler_agent.app.bench_speed_figures import replicated

    console = Console(width=200)
    if compare:
        found = replicated(*(_read(path) for path in compare))
        report.render_replication(found, console)
        sys.exit(0 if found.share >= 0.9 else 1)
    settings = module.Settings(Budget.parse(budget), seed, march, pgo, seconds, again=again is not None)
    end_in_order()
    chosen, earlier = module.chosen(programs, part or ""), _read(again) if again else []
    figures = module.run_bench(chosen, names.split(","), settings, state, measure=not report_only, earlier=earlier)
    report.render(figures, console)
    if json_file is not None:
        rows = [row.to_json() for row in figures]
        write_atomically(json_file, (json.dumps(rows, indent=1) + "\n").encode())
    if markdown is not None:
        plots = {}
        for one in dict.fromkeys(row.part for row in figures):
            plots[one] = f"{markdown.stem}-{one}.svg"
            members = [row for row in figures if row.part == one]
            report.draw(members, markdown.with_name(plots[one]), f"{one} programs, budget {budget}")
        write_atomically(markdown, report.markdown(figures, plots).encode())
    if fail_below and any(row.is_slower for row in figures):
        sys.exit(1)


def _read(path: Path) -> list:
    from compiler_agent.app.bench_speed_figures import ProgramFigures

    try:
        return [ProgramFigures.from_json(row) for row in json.loads(path.read_text())]
    except OSError as error:
        raise file_error("read", path, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not what `bench speed --json` writes") from error
