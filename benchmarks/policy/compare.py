"""Strategies at equal numbers of evaluations on units that the policy was not trained on: clang -Oz ÷ best so far.

    python benchmarks/policy/compare.py --part held-out --budget 60

Units are those of benchmarks/programs, or the libraries named. What is measured is in a journal at once, so that an
interrupted run goes on; with evaluations as budget it repeats exactly. Progress on stderr, the table on stdout.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import statistics
import sys
import time
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from compiler_agent.base.config import Budget
from compiler_agent.base.errors import EngineError
from compiler_agent.base.journal import Journal
from compiler_agent.evaluation.benchmark import Part
from compiler_agent.evaluation.evaluate import Evaluator, Objective
from compiler_agent.evaluation.stats import geometric_mean, geometric_mean_interval
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.datasets.programs import Libraries, Programs
from compiler_agent.search.env.served import LEVEL
from compiler_agent.search.loop import search
from compiler_agent.search.policy.model import MODEL_FILE, read
from compiler_agent.search.policy.strategy import Policy
from compiler_agent.search.space import Space
from compiler_agent.search.strategies import Evolve, read_coreset
from compiler_agent.search.strategy import Strategy

WITHOUT_EDITS = "policy-without-edits"
"""The policy, with the edits after its portfolio drawn as `evolve` draws them: what learning them is worth."""
AFTER = (2, 4, 8, 12, 20, 30, 40, 60, 100, 200)
"""Evaluations, the stock plan among them, after which figures are given."""


def curve(uri: str, name: str, budget: int, seed: int) -> list[float]:
    """The logarithm of clang -Oz ÷ the best so far after each evaluation of a strategy on a unit.

    Raises:
        EngineError: It does not compile.
    """
    benchmark, known = find(uri), catalog.load()
    with Engine(benchmark.command(LEVEL), benchmark.directory) as engine:
        evaluator = Evaluator(engine, known)
        if not evaluator.baseline_value:
            raise EngineError(f"{uri} has no code")
        space = Space(known, stock.editable_pipeline(discover(), known))
        if name == WITHOUT_EDITS:
            model = replace(read(), edits={})
            strategy: Strategy = Policy(
                model,
                space,
                engine.all_features,
                Objective.TEXT_BYTES,
                lambda chosen: Evolve(chosen, read_coreset(), seed),
            )
        else:
            strategy = strategies.make(name, space, seed, features=engine.all_features)
        found = search(strategy, evaluator.evaluate, Budget(n_evaluations=budget)).evaluations
        values = [one.value if one.value and one.verdict.may_be_kept else evaluator.baseline_value for one in found]
    gains = list(accumulate((math.log(evaluator.baseline_value / value) for value in values), max))
    return gains + gains[-1:] * (budget - len(gains))  # one that has nothing more to propose stays where it is


def main() -> None:
    """Measures what is missing within the time, then prints what there is of all strategies."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--strategies", default="coreset,evolve,policy")
    parser.add_argument("--part", choices=[part.value for part in Part], default=Part.HELD_OUT.value)
    parser.add_argument("--libraries", default="", help="names, separated by commas; otherwise the programs")
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no unit after so long")
    parser.add_argument("--state", type=Path, default=Path("build/policy/compare"))
    options = parser.parse_args()
    names, part = options.strategies.split(","), Part(options.part)
    if options.libraries:
        wanted = tuple(f"{name}/" for name in options.libraries.split(","))
        uris = [f"{Libraries().uri}/{name}" for name in Libraries().names_of(part) if name.startswith(wanted)]
    else:
        uris = [f"{Programs().uri}/{name}" for name in Programs().names_of(part)]
    journal = Journal(
        options.state / f"{options.budget}-{options.seed}.jsonl",
        {"what": "policy-compare-v1", "budget": options.budget, "seed": options.seed, "llvm": discover().digest},
    )
    # Another policy under the same name is measured again.
    digest = hashlib.sha256(MODEL_FILE.read_bytes()).hexdigest()[:12]
    labels = {name: f"{name}-{digest}" if name.startswith("policy") else name for name in names}
    deadline_s = time.monotonic() + options.seconds
    for uri in uris:
        for name in names:
            if journal.get("curve", f"{labels[name]} {uri}") is None and time.monotonic() < deadline_s:
                try:
                    gains = curve(uri, name, options.budget, options.seed)
                except EngineError as error:
                    print(f"{uri}: left out: {error.message}", file=sys.stderr)
                    break
                journal.note("curve", f"{labels[name]} {uri}", gains=gains)
                print(f"{name} {uri}: {math.exp(gains[-1]):.4f}", file=sys.stderr, flush=True)
    done = [uri for uri in uris if all(journal.get("curve", f"{labels[name]} {uri}") for name in names)]
    after = [number for number in AFTER if number <= options.budget]
    print(f"{len(done)} of {len(uris)} units, {part.value}")
    curves = {name: [(journal.get("curve", f"{labels[name]} {uri}") or {})["gains"] for uri in done] for name in names}
    for name in names if done else []:
        columns = (f"{math.exp(statistics.mean(one[number - 1] for one in curves[name])):.4f}" for number in after)
        print(f"{name:10}", *(f"{number}: {column}" for number, column in zip(after, columns, strict=True)))
    for name in names[:-1] if done else []:
        ratios = [math.exp(ours[-1] - theirs[-1]) for ours, theirs in zip(curves[names[-1]], curves[name], strict=True)]
        low, high = geometric_mean_interval(ratios)
        better, worse = sum(ratio > 1 + 1e-9 for ratio in ratios), sum(ratio < 1 - 1e-9 for ratio in ratios)
        print(
            f"{names[-1]} ÷ {name}: {geometric_mean(ratios):.4f} (95%: {low:.4f} to {high:.4f}), "
            f"better {better}, equal {len(ratios) - better - worse}, worse {worse}"
        )


if __name__ == "__main__":
    main()
