"""Finds seed plans for LLVM 10, on training programs alone: `passes/pipelines/llvm-10.txt` is what it wrote.

    .venv/bin/python benchmarks/compiler_gym/seeds.py [--seconds 15] >passes/pipelines/llvm-10.txt

`evolve` works on each program in the old CompilerGym, beginning with its -Oz and with that less what makes code grow;
then each winner is tried on every program, and those are kept that add most to those before them.
Needs `make setup compiler-gym`.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path

from compiler_agent.base.config import Budget
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.env.datasets import find
from compiler_agent.search.loop import better, search
from compiler_agent.search.peer.agents import PeerEvaluator
from compiler_agent.search.peer.environment import PeerEnv
from compiler_agent.search.peer.plans import PeerSpace, pipeline_of
from compiler_agent.search.peer.process import PeerFailed, PeerProcess
from compiler_agent.search.strategies import Evolve

ROOT = Path(__file__).parents[2]
GYM = os.environ.get("COMPILER_GYM_PYTHON", str(ROOT / "build" / "compiler-gym" / "bin" / "python"))
TRAINING = [
    "csv/csv.c",
    "aes/aes.c",
    "forth/forth.c",
    "sha256/sha256.c",
    "dijkstra/dijkstra.c",
    "edit-distance/edit_distance.c",
    "expressions/expressions.c",
    "chacha20/chacha20.c",
    "lz-huffman/lz.c",
    "lz-huffman/huffman.c",
    "sorting/sorts.c",
    "image-filters/linear.c",
    "base64/base64.c",
    "string-search/search.c",
]
GROWING = {"inline", "loop-rotate", "loop-unroll", "loop-unswitch", "loop-vectorize", "licm", "lcssa", "loop-simplify"}
N_KEPT = 6


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15.0, help="For each program.")
    seconds = parser.parse_args().seconds
    with PeerProcess(f"{GYM} {ROOT}/benchmarks/compiler_gym/adapter.py") as process:
        peer = process.describe()
        space = PeerSpace(peer)
        first = [Plan(pipeline_of([name for name in peer.stock if name not in GROWING - {kept}])) for kept in GROWING]
        winners: list[Plan] = []
        for name in TRAINING:
            evaluator = PeerEvaluator(environment(process, name), space)
            found = search(Evolve(space, [*first, *winners[-3:]], 0), evaluator.evaluate, Budget(seconds=seconds))
            winners.append(min((one for one in found.evaluations if one.value is not None), key=better).plan)
            print(name, len(found.evaluations), space.names(winners[-1]), file=sys.stderr, flush=True)
        rewards = {plan: [0.0] * len(TRAINING) for plan in [*winners, *first]}
        for index, name in enumerate(TRAINING):
            env = environment(process, name)
            for plan in rewards:
                try:
                    rewards[plan][index] = max(env.reward(env.run(space.names(plan))), 0.01)
                except PeerFailed as failed:
                    rewards[plan][index] = 0.01
                    print(name, failed.message, file=sys.stderr)
    kept: list[Plan] = []
    while len(kept) < N_KEPT:
        kept.append(max(rewards, key=lambda plan: best_of([*kept, plan], rewards)))
    print("# Seed plans for the old CompilerGym (LLVM 10), in the order in which each adds most to those before it.")
    print(
        f"# Found by benchmarks/compiler_gym/seeds.py --seconds {seconds:g} on {len(TRAINING)} training programs, by IR"
    )
    print(f"# instructions. (O0 - best of these) / (O0 - Oz) there: {best_of(kept, rewards):.4f} (geomean).")
    for plan in kept:
        print(plan)


def environment(process: PeerProcess, name: str) -> PeerEnv:
    """A training program in the peer."""
    return PeerEnv(process, process.describe(), find(f"benchmark://programs-v0/{name}"), "IrInstructionCountOz")


def best_of(plans: list[Plan], rewards: dict[Plan, list[float]]) -> float:
    """Geometric mean over the programs of the best of some plans."""
    return statistics.geometric_mean(max(column) for column in zip(*(rewards[plan] for plan in plans), strict=True))


main()
