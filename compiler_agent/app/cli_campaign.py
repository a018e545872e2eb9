"""`compiler-agent bench csmith` and `bench llvm-stress`: the hunt for miscompiles."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from compiler_agent.app.cli_options import with_options

if TYPE_CHECKING:
    from compiler_agent.app.campaign import Case
    from compiler_agent.llvm.toolchain import Toolchain

_OPTIONS = (
    click.option("--seed", default=0, show_default=True, help="Of the first program, and of the plans."),
    click.option(
        "--plans", default=4, show_default=True, type=click.IntRange(1), help="Of each kind for each program."
    ),
    click.option("--reduce", "reduce_s", default=120.0, show_default=True, help="Seconds of llvm-reduce for a report."),
    click.option("--jobs", default=2, show_default=True, type=click.IntRange(1), help="Programs at a time."),
    click.option("--output", type=click.Path(path_type=Path), help="State and reports; default: build/campaign/SUITE."),
    click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON."),
)


@click.command("csmith")
@click.option("--programs", default=300, show_default=True, type=click.IntRange(1))
@with_options(_OPTIONS)
def bench_csmith(programs: int, seed: int, **settings: Any) -> None:
    """Random plans on Csmith programs: each mismatch with -O0 is followed up to the pass.

    A second run with the same settings goes on where the first one ended.
    """
    from compiler_agent.app.campaign_csmith import CsmithCase
    from compiler_agent.evaluation.generated import csmith_version

    version = csmith_version()
    _run("csmith", version, seed, lambda llvm: (CsmithCase(seed + i, llvm) for i in range(programs)), **settings)


@click.command("llvm-stress")
@click.option("--modules", default=100, show_default=True, type=click.IntRange(1))
@with_options(_OPTIONS)
def bench_llvm_stress(modules: int, seed: int, **settings: Any) -> None:
    """Random plans on llvm-stress modules, rewritten so that their behaviour is defined.

    A second run with the same settings goes on where the first one ended.
    """
    from compiler_agent.app.campaign_stress import StressCase

    _run("llvm-stress", "", seed, lambda llvm: (StressCase(seed + i, llvm) for i in range(modules)), **settings)


def _run(
    suite: str,
    generator: str,
    seed: int,
    cases: Callable[[Toolchain], Iterable[Case]],
    *,
    plans: int,
    reduce_s: float,
    jobs: int,
    output: Path | None,
    as_json: bool,
) -> None:
    from compiler_agent.app import campaign_report
    from compiler_agent.app.campaign import Campaign
    from compiler_agent.base.journal import Journal
    from compiler_agent.llvm.toolchain import discover

    toolchain = discover()
    place = (output or Path("build") / "campaign" / suite).absolute()
    settings = {"suite": suite, "generator": generator, "seed": seed, "plans": plans, "llvm": toolchain.version}
    journal = Journal(place / "journal.jsonl", settings)
    campaign = Campaign(toolchain, place, seed, plans, reduce_s, on_event=lambda words: click.echo(words, err=True))
    interrupted = False
    try:
        campaign.run(cases(toolchain), journal, jobs)
    except KeyboardInterrupt:
        interrupted = True
    if as_json:
        click.echo(json.dumps(campaign_report.summary(journal), indent=2))
    else:
        campaign_report.render(journal, f"{suite}, seed {seed}", Console(width=200))
    if interrupted:
        click.echo("interrupted: the same command goes on from here", err=True)
        sys.exit(130)
