"""Prints what the old CompilerGym (LLVM 10) observes of bitcode files, as JSON.

Runs with the Python that `make compiler-gym` sets up:

    build/compiler-gym/bin/python benchmarks/compiler_gym/observe.py [--actions N --save DIR] FILE…

With --actions, each file is also observed after N random passes, and what they made of it is left in DIR.
"""

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path

os.environ.setdefault("COMPILER_GYM_SITE_DATA", f"{sys.prefix}/site")
os.environ.setdefault("COMPILER_GYM_CACHE", f"{sys.prefix}/cache")
os.environ.setdefault("COMPILER_GYM_TRANSIENT_CACHE", f"{sys.prefix}/cache")

import compiler_gym
from compiler_gym.datasets import Benchmark

SPACES = ("InstCount", "Autophase", "IrInstructionCount")


def observe(env, file: Path) -> dict:
    """What the environment's module is made of; `file` is where its bitcode is."""
    seen = {space: env.observation[space] for space in SPACES}
    graph = env.observation["Programl"]
    return {
        "file": str(file),
        **{space: value if isinstance(value, int) else value.tolist() for space, value in seen.items()},
        "nodes": Counter(kind for _, kind in graph.nodes(data="type")),
        "edges": Counter(flow for *_, flow in graph.edges(data="flow")),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--actions", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    records = []
    benchmarks = [Benchmark.from_file(f"benchmark://user-v0/{file.stem}", file) for file in arguments.files]
    with compiler_gym.make("llvm-v0", benchmark=benchmarks[0]) as env:
        env.action_space.seed(arguments.seed)
        for file, benchmark in zip(arguments.files, benchmarks, strict=True):
            env.reset(benchmark=benchmark)
            records.append(observe(env, file))
            if arguments.actions:
                env.multistep([env.action_space.sample() for _ in range(arguments.actions)])
                saved = arguments.save / f"{file.stem}.passes.bc"
                env.write_bitcode(saved)
                records.append(observe(env, saved))
    print(json.dumps(records))


main()
