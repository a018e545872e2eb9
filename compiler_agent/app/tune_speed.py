"""`compiler-agent tune --objective speed`: one program is made faster than clang's best stock configuration.

Stock configurations are measured first, then what a strategy proposes; the best candidates are measured again, the one
that wins is verified on all inputs and function by function, and its figure is measured once more, free of the search's
luck. What is claimed holds for all candidates together.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from compiler_agent.app.guard import Guard
from compiler_agent.app.program import Choice, Objects, Program, profile_digest
from compiler_agent.app.speed_candidates import Candidates
from compiler_agent.app.speed_choice import Refused, choose
from compiler_agent.app.speed_search import Found, Measuring, Stock, Timed, measure_stock, search
from compiler_agent.app.verification import Demands
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import NotEstablished, ToolError
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.executor import Executor
from compiler_agent.evaluation.hot import HotFunction, hot_functions, hot_units
from compiler_agent.evaluation.ledger import Ledger
from compiler_agent.evaluation.measure import Comparison
from compiler_agent.evaluation.pairing import DEFAULT_SETTINGS, Settings
from compiler_agent.evaluation.samples import SampleFile
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import speed
from compiler_agent.search.speed_space import SpeedSpace
from compiler_agent.search.strategy import Strategy

_MOST_CANDIDATES = 1000
"""Planned for, where the budget is a time."""


@dataclass(frozen=True, slots=True)
class SpeedOptions:
    """How to search."""

    budget: Budget
    """Candidates that are timed, or a time."""
    strategy: str = "evolve"
    """One of `speed.NAMES`."""
    seed: int = 0
    """Of the search, and of what measuring draws."""
    demands: Demands = field(default_factory=Demands)
    """What a plan needs to be kept, beside being faster with the same output."""
    allow_experimental: bool = False
    """Whether experimental passes and options may be used."""
    guard: Guard | None = None
    """The most that the program may grow; None: no limit."""
    only: frozenset[str] | None = None
    """Keys of the units that plans are for; None: all that are hot."""
    settings: Settings = DEFAULT_SETTINGS
    """How much is measured."""
    samples: SampleFile | None = None
    """Where raw times are kept; None: nowhere."""
    name: str = ""
    """Names the session among the raw times; empty: the program's name."""
    most_seconds: float | None = None
    """The search ends after so long, whatever its budget; None: it does not."""


@dataclass(frozen=True, slots=True)
class SpeedResult:
    """What a tune for speed gave."""

    program: str
    """Its name."""
    stock: Stock
    """The stock configurations, and how they compare."""
    found: Found
    """What the search tried."""
    best: Timed | None
    """What is kept."""
    confirmed: Comparison | None
    """The figure of what is kept: samples that neither search nor choice has seen."""
    ledgers: dict[str, Ledger]
    """What was shown for each unit of what is kept, by key."""
    refused: tuple[Refused, ...]
    """Faster candidates that may not be kept."""
    text_bytes: int
    """Executable bytes of what ships without a plan."""
    front: tuple[tuple[float, float], ...]
    """(size_ratio, speedup) of what was timed and nothing else beats in both."""
    seconds: float
    """On the clock."""


def tune_program(
    program: Program,
    options: SpeedOptions,
    *,
    strategy: Strategy | None = None,
    on_timed: Callable[[Timed], None] = lambda timed: None,
    on_function: Callable[[int, int], None] = lambda done, of: None,
    say: Callable[[str], None] = lambda text: None,
) -> SpeedResult:
    """Searches a faster way to compile a program. Ctrl-C ends the search; once more, and nothing is kept.

    Args:
        program: The program.
        options: How to search, and what a plan needs to be kept.
        strategy: What proposes plans, instead of the one that `options` name.
        on_timed: Told of each candidate that was timed.
        on_function: Told how many functions of a plan are established, and of how many.
        say: Told what a person should know while it goes on.

    Raises:
        NotEstablished: The program cannot be timed.
        CompilerAgentError: It does not build.
    """
    started_s, objects = time.monotonic(), Objects()
    wanted = {unit.key for unit in program.units if options.only is None or unit.key in options.only}
    if not wanted:
        raise NotEstablished(
            f"of the {len(program.units)} units of {program.name} none is among those that plans are for",
            hint="are they recorded with the same sources and flags?",
        )
    n_candidates = options.budget.n_evaluations or _MOST_CANDIDATES
    levels = stock.speed_levels(any(profile_digest(unit.record) for unit in program.units))
    measuring = Measuring(options.settings, options.seed, n_candidates, options.name or program.name, options.samples)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(ScratchDirectory()))
        executors: list[Executor] = [stack.enter_context(one) for one in program.executors()]
        baselines = measure_stock(program, objects, executors, levels, measuring, scratch)
        for caution in baselines.session.cautions:
            say(f"caution: {caution}")
        say(f"the fastest stock configuration is {baselines.level}")
        functions, hot = profiled(program, wanted, scratch / "profile", say)
        space = SpeedSpace(catalog.load(), functions, allow_experimental=options.allow_experimental)
        candidates = Candidates(
            program, objects, hot, space, allow_experimental=options.allow_experimental, guard=options.guard
        )
        strategy = strategy or speed.make(options.strategy, space, options.seed)
        found = search(
            strategy,
            candidates,
            baselines,
            options.budget,
            scratch,
            on_timed=on_timed,
            most_seconds=options.most_seconds,
        )
        chosen = choose(program, candidates, baselines, found, options.demands, on_function)
    shipped_bytes = candidates.text_bytes(Choice())
    return SpeedResult(
        program=program.name,
        stock=baselines,
        found=found,
        best=chosen.best,
        confirmed=chosen.confirmed,
        ledgers=chosen.ledgers,
        refused=tuple(chosen.refused),
        text_bytes=shipped_bytes,
        front=_front(found, shipped_bytes),
        seconds=time.monotonic() - started_s,
    )


def profiled(
    program: Program, wanted: Collection[str], place: Path, say: Callable[[str], None]
) -> tuple[tuple[HotFunction, ...], dict[str, tuple[str, ...]]]:
    """The functions that take the program's time, and the units that plans are for, with those of each.

    Args:
        program: The program; it is built with counters, and run.
        wanted: Keys of the units that plans may be for.
        place: A directory for that.
        say: Told which functions are hot, or why there is no profile.

    Raises:
        NotEstablished: The program spends its time elsewhere.
    """
    functions: tuple[HotFunction, ...] = ()
    hot: dict[str, tuple[str, ...]] = dict.fromkeys(wanted, ())
    try:
        commands = {unit.key: (unit.record.argv, Path(unit.record.cwd)) for unit in program.units}
        functions = hot_functions(commands, program.profile(place), discover())
        hot = {key: names for key, names in hot_units(functions).items() if key in wanted}
    except (NotEstablished, ToolError) as error:
        say(f"without a profile all units are searched: {error}")
    if not hot:
        raise NotEstablished(
            f"{program.name} spends its time in none of the {len(wanted)} units that plans are for",
            hint="is it the program of that build, and does its input make it work?",
        )
    names = ", ".join(f"{one.name} {one.share:.0%}" for one in functions[:3])
    say(f"hot: {names}; plans for {len(hot)} of {len(program.units)} units")
    return functions, hot


def _front(found: Found, text_bytes: int) -> tuple[tuple[float, float], ...]:
    """What nothing else beats in size and speed at once, smallest first; what ships without a plan is (1, 1)."""
    points = {(1.0, 1.0)}
    for one in found.timed.values():
        if one.comparison.speedup and one.candidate.text_bytes:
            points.add((round(text_bytes / one.candidate.text_bytes, 4), round(one.speedup, 4)))
    best = 0.0
    front = []
    for size_ratio, speedup in sorted(points, reverse=True):
        if speedup > best:
            best = speedup
            front.append((size_ratio, speedup))
    return tuple(front)
