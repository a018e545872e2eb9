"""`compiler-agent env`: datasets, spaces and episodes of the reinforcement learning environment."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from compiler_agent.app.cli_env_train import train
from compiler_agent.app.signals import end_in_order
from compiler_agent.base.errors import UsageError
from compiler_agent.base.trust import DEFAULT_TEST_SECONDS

_DEFAULT_REWARD = "IrInstructionCountOz"
REWARD = click.option("--reward", "reward_space", default=_DEFAULT_REWARD, show_default=True, metavar="NAME")
PEER = click.option(
    "--peer", metavar="COMMAND", help="Another program that has the environment: search/peer/process.py."
)
_ENV_REWARD = click.option(
    "--reward", "reward_space", metavar="NAME", help=f"Default: {_DEFAULT_REWARD}; with gcc: TextSizeBytesOs."
)
_COMPILER = click.option("--compiler", default="llvm", show_default=True, type=click.Choice(["llvm", "gcc"]))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def env() -> None:
    """The environments compiler_agent/llvm-v0, passes on LLVM modules as actions, and compiler_agent/gcc-v0, GCC's
    options. See docs/environment.md."""
    end_in_order()


env.add_command(train)


@env.command("list")
@click.argument("dataset", required=False)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Benchmarks at most.")
@click.option("--spaces", is_flag=True, help="The names of observations, rewards and actions instead.")
@_COMPILER
@AS_JSON
def list_(dataset: str | None, limit: int, spaces: bool, compiler: str, as_json: bool) -> None:
    """Lists datasets, the benchmarks of DATASET, or the spaces.

    \b
    compiler-agent env list
    compiler-agent env list generator://csmith-v0 --limit 5
    compiler-agent env list file:///project/compile_commands.json
    """
    from compiler_agent.app.env_report import list_spaces
    from compiler_agent.search.env.datasets import DATASETS, find_dataset, uris

    if spaces:
        rows = list_spaces(compiler)
    elif dataset is None:
        rows = [(one.uri, one.description) for one in DATASETS]
    else:
        rows = [(uri, "") for uri in itertools.islice(uris(find_dataset(dataset)), limit)]
    if as_json:
        click.echo(json.dumps([{"name": name, "description": description} for name, description in rows], indent=1))
    else:
        for name, description in rows:
            click.echo(f"{name}  {description}".rstrip())


@env.command()
@click.argument("benchmark")
@_COMPILER
@AS_JSON
def describe(benchmark: str, compiler: str, as_json: bool) -> None:
    """Shows a benchmark's command and its baselines, and (LLVM) what size attributes make of -Oz."""
    from compiler_agent.app.env_report import describe_benchmark, render_description

    found = describe_benchmark(benchmark, compiler)
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        render_description(found, Console())


@env.command()
@click.argument("benchmarks", nargs=-1, required=True)
@click.option("--agent", default="random", show_default=True, metavar="NAME", help="As of `bench pass-order`.")
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(0, min_open=True))
@click.option("--seed", default=0, show_default=True)
@_ENV_REWARD
@_COMPILER
def run(
    benchmarks: tuple[str, ...], agent: str, seconds: float, seed: int, reward_space: str | None, compiler: str
) -> None:
    """Lets an agent work on benchmarks and prints the best states as CSV."""
    from compiler_agent.app.env_compilers import COMPILERS
    from compiler_agent.search.env.agents import Run, run_agent
    from compiler_agent.search.env.state import State, write_states

    def best(benchmark: str) -> State:
        environment = COMPILERS[compiler].environment(benchmark, reward_space)
        try:
            return run_agent(agent, Run(environment, seconds, seed))
        finally:
            environment.close()

    write_states(map(best, benchmarks), sys.stdout)  # one by one: what was found is there if the next one fails


@env.command()
@click.argument("file", type=_FILE)
@_ENV_REWARD
@_COMPILER
@PEER
@AS_JSON
def replay(file: Path, reward_space: str | None, compiler: str, peer: str | None, as_json: bool) -> None:
    """Replays the states of a CSV FILE and compares the rewards; exit 1 where one differs."""
    from compiler_agent.app.env_report import replay_states
    from compiler_agent.app.peer_report import replay_peer_states

    if peer:
        _check_alone(compiler)
        rows = replay_peer_states(file, reward_space or _DEFAULT_REWARD, peer)
    else:
        rows = replay_states(file, reward_space, compiler)
    sys.exit(_render(rows, as_json))


@env.command()
@click.argument("file", type=_FILE)
@_ENV_REWARD
@_COMPILER
@click.option(
    "--test-seconds", default=DEFAULT_TEST_SECONDS, show_default=True, type=click.FloatRange(0), help="By function."
)
@click.option("--seed", default=0, show_default=True, help="Of the tests' inputs.")
@PEER
@AS_JSON
def validate(
    file: Path,
    reward_space: str | None,
    compiler: str,
    test_seconds: float,
    seed: int,
    peer: str | None,
    as_json: bool,
) -> None:
    """Replays the states of a CSV FILE and validates each; exit 1 unless all are okay.

    With --peer whole programs are tested, and nothing is established of what is none.
    """
    from compiler_agent.app.env_report import validate_states
    from compiler_agent.app.peer_report import validate_peer_states

    if peer:
        _check_alone(compiler)
        rows = validate_peer_states(file, reward_space or _DEFAULT_REWARD, peer)
    else:
        rows = validate_states(file, reward_space, compiler, test_seconds, seed)
    sys.exit(_render(rows, as_json))


def _check_alone(compiler: str) -> None:
    if compiler != "llvm":
        raise UsageError("a peer has a compiler of its own", hint="leave out --compiler, or --peer")


def _render(rows: list[tuple[str, str, str]], as_json: bool) -> int:
    columns = ("benchmark", "verdict", "because")
    if as_json:
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=1))
    else:
        table = Table(*columns)
        for row in rows:
            table.add_row(*row)
        Console(soft_wrap=True).print(table)
    return 0 if all(verdict == "okay" for _, verdict, _ in rows) else 1
