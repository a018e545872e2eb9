"""The options of commands that can ask a language model: they are handed to a command as one value."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compiler_agent.app.cli_options import with_options
from compiler_agent.base.config import DEFAULT_MODEL, user_cache_directory

if TYPE_CHECKING:
    from compiler_agent.app.records import Record
    from compiler_agent.app.unit import TuneOptions
    from compiler_agent.base.lock_format import PlannerEvidence

_LLM_OPTIONS = (
    click.option(
        "--model",
        default="",
        show_default=f"CC_AGENT_MODEL, or {DEFAULT_MODEL}",
        help="Of --strategy llm: the language model, replay:FILE for conversations that --record wrote, or "
        "script:FILE, which is no model: replies that are the same for every unit.",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(0.0),
        metavar="USD",
        help="What all calls may cost; a call that could exceed it is not made. Default: 1, where prices are known.",
    ),
    click.option("--max-tokens", type=click.IntRange(0), help="Tokens that all calls may read and write."),
    click.option("--max-calls", type=click.IntRange(0), help="Calls that may be made, each try counted."),
    click.option("--max-call-seconds", type=click.FloatRange(0.0), help="Time that all calls may take."),
    click.option(
        "--record", type=click.Path(path_type=Path, dir_okay=False), help="Write the conversations to this file."
    ),
    click.option("--show-prompt", is_flag=True, help="Print exactly what would be sent first, and send nothing."),
    click.option("--redact", is_flag=True, help="Rename symbols and blank strings in what is sent."),
)


def llm_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --model and what belongs to it to a command, which is given `asking`: Asking."""

    @functools.wraps(command)
    def with_asking(
        *,
        model: str,
        max_cost: float | None,
        max_tokens: int | None,
        max_calls: int | None,
        max_call_seconds: float | None,
        record: Path | None,
        show_prompt: bool,
        redact: bool,
        **others: Any,
    ) -> None:
        from compiler_agent.app.llm import Asking
        from compiler_agent.search.accounts import Limits

        limits = Limits(max_cost, max_tokens, max_calls, max_call_seconds)
        command(asking=Asking(model, limits, record, show_prompt, redact), **others)

    return with_options(_LLM_OPTIONS)(with_asking)


def cost(planner: PlannerEvidence, before: int, after: int) -> str:
    """What asking a language model cost, and what each percent that was gained, for people."""
    price = "cost unknown" if planner.cost_usd is None else f"${planner.cost_usd:.4f}"
    per_percent = planner.usd_per_percent(before, after)
    gained = "" if per_percent is None else f", ${per_percent:.4f} per percent gained"
    return (
        f"{planner.model}: {planner.calls} calls, {planner.tokens} tokens "
        f"({planner.cache_read_tokens} from the cache), {price}{gained}"
    )


def show_prompts(units: Sequence[Record], options: TuneOptions) -> None:
    """Prints the first request about each unit, as it would be sent."""
    from compiler_agent.app.unit import first_request
    from compiler_agent.base.store import Store
    from compiler_agent.llvm.toolchain import discover
    from compiler_agent.search.knowledge import Knowledge

    toolchain = discover()
    with Store.open(user_cache_directory()) as store:
        known = Knowledge.read(store, toolchain.digest, options.objective)
    for unit in units:
        click.echo(json.dumps(first_request(unit, toolchain, options, known), indent=2, ensure_ascii=False))
