"""`compiler-agent bench pass-order` and `bench steps`: what agents find, and how fast the environment is."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from compiler_agent.app.cli_env import AS_JSON, PEER, REWARD
from compiler_agent.app.cli_llm import llm_options
from compiler_agent.app.signals import end_in_order
from compiler_agent.base.errors import UsageError

if TYPE_CHECKING:
    from compiler_agent.app.llm import Asking

_UNITS = (
    "libs-v0/zlib/uncompr.c",
    "libs-v0/zlib/adler32.c",
    "libs-v0/zlib/deflate.c",
    "libs-v0/lua/lvm.c",
    "libs-v0/zstd/lib/compress/zstd_compress.c",
    "libs-v0/expat/lib/xmltok.c",
    "whole-v0/lua",
)
"""From 200 to some 60,000 IR instructions before optimization."""
_SCHEME = "benchmark://"


@click.command("pass-order")
@click.option("--agents", default="random,greedy,evolve,coreset", show_default=True, help="Names, separated by commas.")
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(0, min_open=True), help="For each.")
@click.option(
    "--benchmarks",
    default="benchmark://programs-v0",
    show_default=True,
    help="URIs, separated by commas; a dataset stands for its first --limit benchmarks.",
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Benchmarks of a dataset.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--output",
    default=Path("pass-order"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where each agent's states go, as CSV.",
)
@PEER
@REWARD
@AS_JSON
@llm_options
def bench_pass_order(
    asking: Asking,
    agents: str,
    seconds: float,
    benchmarks: str,
    limit: int,
    seed: int,
    output: Path,
    peer: str | None,
    reward_space: str,
    as_json: bool,
) -> None:
    """Agents on the same benchmarks for the same time: states as CSV, and a table that was made by replaying them.

    `reward` is the geometric mean of the episodes' sums, as on CompilerGym's board; `-Oz ÷ state` compares with what
    clang -Oz makes of the same source. `compiler-agent env validate FILE` says whether the states are right.
    With --peer the agents work in another program, such as the old CompilerGym: docs/environment.md.
    """
    from compiler_agent.app.bench_pass_order import Settings, run_bench, standings, table
    from compiler_agent.app.llm import ModelRun
    from compiler_agent.app.pass_order_places import Away, Home, Place
    from compiler_agent.search import strategies
    from compiler_agent.search.env.agents import AGENTS
    from compiler_agent.search.peer import agents as peer_agents
    from compiler_agent.search.peer.process import PeerProcess
    from compiler_agent.search.policy.table import learned_from

    end_in_order()
    settings = Settings(tuple(agents.split(",")), seconds, reward_space, output, seed)
    if asking.show_prompt:
        raise UsageError("a benchmark prints no prompts", hint="compiler-agent tune --strategy llm --show-prompt")
    known = peer_agents.AGENTS if peer else AGENTS  # before the others have worked for nothing
    if unknown := [name for name in settings.agents if name not in known]:
        raise UsageError(f"there is no agent '{unknown[0]}' here", hint=f"one of: {', '.join(known)}")
    asked = ModelRun(asking) if set(strategies.ASKING).intersection(settings.agents) else None
    uris = [uri for word in benchmarks.split(",") for uri in _expanded(word, limit)]
    with contextlib.ExitStack() as stack:
        place: Place
        if peer:
            process = stack.enter_context(PeerProcess(peer))
            described = process.describe()
            click.echo(peer_agents.restriction(described), err=True)
            place = Away(process, described, reward_space, seconds, seed, asked)
        else:
            place = stack.enter_context(contextlib.closing(Home(reward_space, seconds, seed, asked)))
        run_bench(uris, settings, place)
        if learned := learned_from(uris) if "policy" in settings.agents else []:
            click.echo(
                f"policy was trained on programs and libraries of {len(learned)} of these {len(uris)} benchmarks, "
                f"which are no test of it: {', '.join(learned)}",
                err=True,
            )
        found = standings(uris, settings, place)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(one) for one in found], indent=1))
    else:
        Console().print(table(found))


@click.command("steps")
@click.argument("benchmarks", nargs=-1)
@click.option("--steps", default=200, show_default=True, type=click.IntRange(1), help="Random passes with features.")
@click.option("--text-steps", default=40, show_default=True, type=click.IntRange(1), help="The same with text sizes.")
@click.option("--forks", default=20, show_default=True, type=click.IntRange(1))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--memory-steps", default=2000, show_default=True, type=click.IntRange(10))
@click.option("--seed", default=0, show_default=True)
@click.option("--peer", metavar="COMMAND", help="A program that takes turns; see app/bench_steps.py.")
@click.option("--own-passes", is_flag=True, help="Each draws of all its passes, not both the same of those both have.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write every figure to this file.")
def bench_steps(
    benchmarks: tuple[str, ...],
    steps: int,
    text_steps: int,
    forks: int,
    rounds: int,
    memory_steps: int,
    seed: int,
    peer: str | None,
    own_passes: bool,
    json_file: Path | None,
) -> None:
    """Steps a second of the environment on BENCHMARKS, what a fork takes, and whether memory grows.

    Default: six units of real libraries, and one library whole. `÷ peer` is by the clock, and in brackets by processor
    time.
    """
    from compiler_agent.app.bench_steps import Counts, Peer, measure_all
    from compiler_agent.base.files import write_json

    end_in_order()
    counts = Counts(steps, text_steps, forks, rounds, memory_steps)
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(Peer(peer, own_passes=own_passes)) if peer else None
        found = []
        for one in measure_all(benchmarks or [f"{_SCHEME}{unit}" for unit in _UNITS], counts, other, seed):
            found.append(one)
            if json_file is not None:  # each time: what was measured is there if the next one fails
                write_json(json_file, [dataclasses.asdict(each) for each in found])
    shown = Table("benchmark", "IR", "steps/s", "÷ peer", "text steps/s", "÷ peer", "fork ms", "÷ peer", "growth MiB")
    for one in found:
        cells = [one.benchmark.removeprefix(_SCHEME), str(one.ir_instructions)]
        for what in ("steps", "text", "fork"):
            each, ratio = one.each(what), one.ratio(what)
            assert each is not None
            cells.append(f"{1000 * each.wall_time_s:.2f}" if what == "fork" else f"{1 / each.wall_time_s:.0f}")
            cells.append(f"{ratio.wall_time_s:.1f} ({ratio.cpu_time_s:.1f})" if ratio else "-")
        shown.add_row(*cells, f"{one.memory_growth_bytes / (1 << 20):.1f}")
    Console().print(shown)


def _expanded(word: str, limit: int) -> list[str]:
    from compiler_agent.search.env.datasets import find, find_dataset, uris

    try:
        dataset = find_dataset(word)
    except UsageError:
        return [find(word).uri]  # as states have it
    return list(itertools.islice(uris(dataset), limit))
