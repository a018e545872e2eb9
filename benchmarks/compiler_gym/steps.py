"""The old CompilerGym (LLVM 10) as a peer of `compiler-agent bench steps`, which says what is asked and answered.

    compiler-agent bench steps --peer 'build/compiler-gym/bin/python benchmarks/compiler_gym/steps.py'

Runs with the Python that `make compiler-gym` sets up.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("COMPILER_GYM_SITE_DATA", f"{sys.prefix}/site")
os.environ.setdefault("COMPILER_GYM_CACHE", f"{sys.prefix}/cache")
os.environ.setdefault("COMPILER_GYM_TRANSIENT_CACHE", f"{sys.prefix}/cache")

import compiler_gym
from compiler_gym.datasets import Benchmark

REWARDS = {
    "passes": "IrInstructionCountOz",
    "steps": "IrInstructionCountOz",
    "fork": "IrInstructionCountOz",
    "text": "ObjectTextSizeOz",
}
BEFORE_OPTIMIZATION = ("-O1", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c")


class Environments:
    """One environment for each reward, with the benchmark that was asked for last."""

    def __init__(self, scratch: str) -> None:
        self.scratch = Path(scratch)
        self.made = {}

    def answer(self, asked: dict) -> dict:
        """The reply to a request."""
        env = self.begin(asked)
        numbers = {flag.removeprefix("-"): number for number, flag in enumerate(env.action_space.flags)}
        if asked["what"] == "passes":
            return {"passes": list(numbers)}
        drawn = [numbers[name] for name in asked["passes"]] or [None] * asked["count"]
        return measure(env, asked["what"], drawn)

    def begin(self, asked: dict):
        """The environment of a request, at the beginning of an episode."""
        benchmark = self.benchmark(asked)
        reward = REWARDS[asked["what"]]
        if reward not in self.made:
            self.made[reward] = compiler_gym.make(
                "llvm-v0", benchmark=benchmark, observation_space="Autophase", reward_space=reward
            )
        self.made[reward].reset(benchmark=benchmark)
        self.made[reward].action_space.seed(asked.get("seed", 0))
        return self.made[reward]

    def benchmark(self, asked: dict) -> Benchmark:
        """The source as bitcode that LLVM 10 reads."""
        name = str(abs(hash((asked["source"], *asked["flags"]))))
        bitcode = self.scratch / f"{name}.bc"
        if not bitcode.is_file():
            command = ["clang-13", *asked["flags"], *BEFORE_OPTIMIZATION, asked["source"], "-o", str(bitcode)]
            subprocess.run(command, cwd=asked["directory"], check=True, capture_output=True, timeout=300)
        return Benchmark.from_file(f"benchmark://peer-v0/{name}", bitcode)

    def close(self) -> None:
        """An environment that is not closed hangs the interpreter."""
        for env in self.made.values():
            env.close()


def processor_seconds() -> float:
    """Processor time of this process, the service, and what they waited for; see `compiler_agent.app.bench_steps`."""
    seconds, waiting = 0.0, [os.getpid()]
    while waiting:
        process = waiting.pop()
        for thread in Path(f"/proc/{process}/task").iterdir():
            waiting += map(int, (thread / "children").read_text().split())
        ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]
        seconds += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return seconds


def measure(env, what: str, actions: list) -> dict:
    """Seconds for so many forks, or for passes: their numbers, or None for one that is drawn."""
    seconds, before = 0.0, processor_seconds()
    for action in actions:
        began = time.perf_counter()
        if what == "fork":
            fork = env.fork()
            seconds += time.perf_counter() - began
            fork.close()
        else:
            done = env.step(env.action_space.sample() if action is None else action)[2]
            seconds += time.perf_counter() - began
            if done:
                env.reset()
    return {"seconds": seconds, "cpu_seconds": processor_seconds() - before}


def main() -> None:
    """Answers until there is nothing more to answer."""
    with tempfile.TemporaryDirectory() as scratch:
        environments = Environments(scratch)
        try:
            for line in sys.stdin:
                asked = json.loads(line)
                try:
                    reply = environments.answer(asked)
                except Exception as error:
                    reply = {"error": f"{type(error).__name__}: {error}"}
                print(json.dumps(reply), flush=True)
        finally:
            environments.close()


main()
