"""`compiler-agent env train`."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import click
from rich.console import Console


@click.command()
@click.option(
    "--table",
    "table_path",
    default=Path("build/policy/table.jsonl"),
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="What plans made of the training units; a second run goes on there.",
)
@click.option("--budget", default=100, show_default=True, type=click.IntRange(20), help="Plans tried by each search.")
@click.option("--seed", default=0, show_default=True, help="Of each search.")
@click.option(
    "--seconds", default=86400.0, show_default=True, help="Begin no unit after so long; then run again to go on."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The trained policy; default: the one that `--strategy policy` reads.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train(table_path: Path, budget: int, seed: int, seconds: float, output: Path | None, as_json: bool) -> None:
    """Trains the strategy `policy` on the training programs and libraries, about ten minutes of processor time.

    Prints what it would have done on programs and libraries left out of its training: clang -Oz ÷ the best plan so
    far, geometric means. Exit 1 if the time was up before all units were done. See docs/policy.md.
    """
    from compiler_agent.app.env_train import render, run
    from compiler_agent.search.policy.model import MODEL_FILE

    path = output or MODEL_FILE
    done = run(table_path, budget, seed, seconds, path)
    if done is None:
        click.echo(f"the time is up; {table_path} has what was done, run again to go on", err=True)
        sys.exit(1)
    model, figures = done
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(one) for one in figures], indent=1))
    else:
        Console().print(render(figures))
    click.echo(
        f"{path}: {len(model.plans)} plans, {len(model.units)} units, length {model.length}, spread {model.spread}, "
        f"patience {model.patience}, {len(model.edits)} edits of worth",
        err=True,
    )
