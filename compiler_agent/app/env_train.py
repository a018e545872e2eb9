"""`compiler-agent env train`: fills the policy's table, trains the policy, and says what it is worth."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from compiler_agent.app.unit import search_space
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.policy import table
from compiler_agent.search.policy.assess import EVALUATIONS, Figure, assess
from compiler_agent.search.policy.collect import Collecting, collect, cpu_time_s
from compiler_agent.search.policy.fit import train
from compiler_agent.search.policy.model import Model


def run(path: Path, budget: int, seed: int, seconds: float, output: Path) -> tuple[Model, list[Figure]] | None:
    """Collects what is missing in the table, then trains and assesses; progress on stderr.

    Args:
        path: The table.
        budget: Plans that each search tries.
        seed: Of each search.
        seconds: Time on the clock after which no further unit is begun.
        output: Where the model goes.

    Returns:
        The model and its figures; None where the time was up before the table was complete.

    Raises:
        UsageError: The table is one of other settings, or of units that must not be learned from.
        FileError: A file cannot be written.
    """
    toolchain = discover()
    journal = table.open_table(path, budget, seed, toolchain.digest)
    if not collect(Collecting(journal, budget, seed, seconds, _say)):
        return None
    rows = table.read(journal)
    model = train(rows, toolchain.digest, f"compiler-agent env train --budget {budget} --seed {seed}")
    model.write(output)
    gains = [row.gain for row in rows]
    _say(
        f"{cpu_time_s(journal):.0f} s of processor time; evolve beat the seed plans on {sum(one > 1 for one in gains)} "
        f"of {len(gains)} units, by {statistics.geometric_mean(gains):.4f} on average"
    )
    return model, assess(rows, search_space(toolchain), toolchain.digest)


def render(figures: Sequence[Figure]) -> Table:
    """For people."""
    title = "clang -Oz ÷ the best after so many plans"
    shown = Table("part", "chooser", "units", *map(str, EVALUATIONS), title=title)
    for one in figures:
        shown.add_row(one.part, one.chooser, str(one.n_units), *(f"{ratio:.4f}" for ratio in one.ratios))
    return shown


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
