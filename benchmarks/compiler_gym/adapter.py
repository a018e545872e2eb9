"""The old CompilerGym (LLVM 10) as a peer in which our strategies run; `compiler_agent/search/peer/process.py` asks.

    compiler-agent bench pass-order --peer 'build/compiler-gym/bin/python benchmarks/compiler_gym/adapter.py'

Runs with the Python that `make compiler-gym` sets up. One JSON object a line is a request, one line answers it:

    {"do":"describe"}                               {"name":…,"passes":[{"name":…,"description":…}],"stock":[NAME,…],
                                                     "rewards":[NAME,…]}
    {"do":"load","source":PATH,"directory":PATH,
     "flags":[…],"reward":NAME}                     {"first":N,"baseline":N,"attributed":N}
    {"do":"run","environment":K,"anew":BOOL,
     "passes":[…],"seconds":S}                      {"figure":N} or {"failed":"crash"|"timeout","reason":…}
    {"do":"fork","environment":K}                   {"environment":K}
    {"do":"close","environment":K}                  {}
    {"do":"observe","space":NAME}                   {"value":…}, of environment 0
    {"do":"emit","path":PATH}                       {}: writes an object file of environment 0

or {"error":…}. `first` is the figure of the module as it is loaded, `baseline` that of LLVM 10's own -Oz on it, and
`attributed` that of the same -Oz where clang gave the functions the attributes of a size build.
"""

import contextlib
import ctypes
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("COMPILER_GYM_SITE_DATA", f"{sys.prefix}/site")
os.environ.setdefault("COMPILER_GYM_CACHE", f"{sys.prefix}/cache")
os.environ.setdefault("COMPILER_GYM_TRANSIENT_CACHE", f"{sys.prefix}/cache")

import compiler_gym
from compiler_gym.datasets import Benchmark
from compiler_gym.service import connection

REWARDS = {
    "IrInstructionCountOz": ("IrInstructionCount", "IrInstructionCountO0", "IrInstructionCountOz"),
    "ObjectTextSizeOz": ("ObjectTextSizeBytes", "ObjectTextSizeO0", "ObjectTextSizeOz"),
}
"""By CompilerGym's name: what is counted, and the two that it is scaled by."""
SPACES = ("Autophase", "InstCount")
"""Vectors that can be observed; `Ir` is a text."""
CLANG = ("-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c")
RENAMED = {"function-attrs": "functionattrs", "rpo-function-attrs": "rpo-functionattrs"}
"""Passes that LLVM 13 calls otherwise."""
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Failed(Exception):
    """A pass ended the service, or took too long."""


class Environments:
    """The benchmark at hand, in as many environments as there are forks; 0 is the first."""

    def __init__(self, scratch: str) -> None:
        self.scratch = Path(scratch)
        self.open = {}
        self.numbers = itertools.count(1)
        self.count = ""
        self.benchmark = None

    def describe(self) -> dict:
        """What can be done here."""
        env = self.first()
        space = env.action_space
        passes = [
            {"name": flag.lstrip("-"), "description": text}
            for flag, text in zip(space.flags, space.descriptions, strict=True)
        ]
        return {
            "name": f"CompilerGym {compiler_gym.__version__}, LLVM 10",
            "passes": passes,
            "stock": stock(self.scratch, {one["name"] for one in passes}),
            "rewards": list(REWARDS),
        }

    def load(self, asked: dict) -> dict:
        """Begins with a source, as clang 13 compiles it and LLVM 10 reads it."""
        self.count, first, baseline = REWARDS[asked["reward"]]
        found = {}
        for name, level in (("attributed", "-Oz"), ("baseline", "-O1")):
            self.benchmark = self.compiled(asked, level)
            env = self.first()
            env.reset(benchmark=self.benchmark)
            found |= {"first": int(env.observation[first]), name: int(env.observation[baseline])}
        return found

    def run(self, asked: dict) -> dict:
        """Passes, one after the other, from the beginning or from where that environment is."""
        env = self.first() if asked["environment"] == 0 else self.open[asked["environment"]]
        if asked["anew"]:
            env.reset(benchmark=self.benchmark)
        if strange := [name for name in asked["passes"] if f"-{name}" not in env.action_space.flags]:
            raise ValueError(f"{strange[0]} is none of the {len(env.action_space.flags)} actions")
        actions = [env.action_space.flags.index(f"-{name}") for name in asked["passes"]]
        seen, _, done, info = env.multistep(
            actions, observation_spaces=[self.count], reward_spaces=[], timeout=asked["seconds"]
        )
        if done:
            raise Failed(info.get("error_details") or "the service ended the episode")
        return {"figure": int(seen[0])}

    def fork(self, asked: dict) -> dict:
        """Another environment that goes on from here."""
        number = next(self.numbers)
        self.open[number] = self.open[asked["environment"]].fork()
        return {"environment": number}

    def close(self, asked: dict) -> dict:
        """Ends one."""
        self.open.pop(asked["environment"]).close()
        return {}

    def observe(self, asked: dict) -> dict:
        """What environment 0 shows."""
        if asked["space"] == "Ir":
            return {"value": self.first().observation["Ir"]}
        if asked["space"] not in SPACES:
            raise ValueError(f"{asked['space']} is none of Ir, {', '.join(SPACES)}")
        return {"value": {name: int(n) for name, n in self.first().observation[f"{asked['space']}Dict"].items() if n}}

    def emit(self, asked: dict) -> dict:
        """Environment 0's module as an object, by clang 13's code generation at -O0."""
        bitcode = self.scratch / "emitted.bc"
        self.first().write_bitcode(bitcode)
        command = ["clang-13", "-O0", "-fPIC", "-w", "-c", str(bitcode), "-o", asked["path"]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise ValueError(f"clang 13 makes no code of it: {done.stderr.strip()[:500]}")
        return {}

    def first(self):
        """Environment 0; it is made once, and begins with what is at hand."""
        if 0 not in self.open:
            benchmark = self.benchmark or self.empty()
            self.open[0] = compiler_gym.make("llvm-v0", benchmark=benchmark)
            self.open[0].reset(benchmark=benchmark)
        return self.open[0]

    def empty(self) -> Benchmark:
        """Something to make an environment with."""
        source = self.scratch / "empty.c"
        source.write_text("int empty(void) { return 0; }\n")
        return self.compiled({"source": str(source), "directory": str(self.scratch), "flags": []}, "-O1")

    def compiled(self, asked: dict, level: str) -> Benchmark:
        """The source as bitcode."""
        name = f"{abs(hash((asked['source'], *asked['flags'])))}{level}"
        bitcode = self.scratch / f"{name}.bc"
        if not bitcode.is_file():
            command = ["clang-13", *asked["flags"], level, *CLANG, asked["source"], "-o", str(bitcode)]
            done = subprocess.run(command, cwd=asked["directory"], capture_output=True, text=True, timeout=300)
            if done.returncode:
                raise ValueError(f"clang 13 does not compile it: {done.stderr.strip()[:500]}")
        return Benchmark.from_file(f"benchmark://peer-v0/{name}", bitcode)

    def close_all(self) -> None:
        """Ends all; an environment that is not closed hangs the interpreter."""
        for number in sorted(self.open, reverse=True):
            with contextlib.suppress(Exception):  # its service may have ended before it
                self.open.pop(number).close()


def stock(scratch: Path, known: set) -> list:
    """LLVM 13's -Oz as its old pass manager runs it, as far as there are actions for it; LLVM 10 cannot be asked."""
    module = scratch / "empty.ll"
    module.write_text("define i32 @empty() {\n  ret i32 0\n}\n")
    command = ["opt-13", "-enable-new-pm=0", "-Oz", "-debug-pass=Arguments", "-disable-output", str(module)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    names = (word.lstrip("-") for word in re.findall(r"(?<= )-\S+", printed))
    return [name for name in (RENAMED.get(name, name) for name in names) if name in known]


class DiesWithUs(subprocess.Popen):
    """The service is not to outlive this process, which may be killed."""

    def __init__(self, *arguments, **others) -> None:
        super().__init__(*arguments, preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), **others)


def answered(environments: Environments, line: str) -> dict:
    """The reply to a request."""
    try:
        asked = json.loads(line)
        if asked["do"] == "describe":
            return environments.describe()
        if asked["do"] not in ("load", "run", "fork", "close", "observe", "emit"):
            raise ValueError(f"there is no {asked['do']}")
        return getattr(environments, asked["do"])(asked)
    except (Failed, compiler_gym.errors.ServiceError) as error:
        environments.close_all()  # all forks share the service that has gone
        late = any(word in str(error).lower() for word in ("deadline", "timed out", "timeout"))
        return {"failed": "timeout" if late else "crash", "reason": f"{type(error).__name__}: {error}"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answers until there is nothing more to answer."""
    connection.subprocess = type("subprocess", (), {**vars(subprocess), "Popen": DiesWithUs})
    replies, sys.stdout = sys.stdout, sys.stderr  # what CompilerGym prints is no reply
    with tempfile.TemporaryDirectory() as scratch:
        environments = Environments(scratch)
        try:
            for line in sys.stdin:
                print(json.dumps(answered(environments, line)), file=replies, flush=True)
        finally:
            environments.close_all()


main()
