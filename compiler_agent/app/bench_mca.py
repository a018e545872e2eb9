"""`compiler-agent bench mca`: how far llvm-mca's estimates of loops agree with the time that they take here.

Each kernel in `benchmarks/kernels` is one loop nest. Its hot loop is estimated as the planner's observations are, and
timed in rounds that go through all kernels, so that what disturbs the machine disturbs all. How often a loop goes round
is counted, not derived: a second build of the same assembly has a counter at the head of each innermost loop.
"""

from __future__ import annotations

import math
import random
import re
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.files import file_error
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.stats import pearson, spearman
from compiler_agent.llvm.observe.machine_code import MachineLoop, innermost_loops, read_functions
from compiler_agent.llvm.observe.mca import estimate
from compiler_agent.llvm.toolchain import Toolchain, discover

KERNELS = Path(__file__).resolve().parents[2] / "benchmarks" / "kernels"
LEVELS = ("-O1", "-O2", "-O3")
"""-O1 is there for builds of one kernel that really differ: -O2 and -O3 mostly give the same loops."""
_SAMPLE_NS = 2e7
"""Kernels are called for at least so long per round: some steps also of a clock that counts in ticks of 10 ms."""
_TIMEOUT_S = 60.0
_MEMORY_BYTES = 2 << 30
_HOST_CPU = re.compile(r"Host CPU: (\S+)")


@dataclass(frozen=True, slots=True)
class KernelFigures:
    """One kernel at one level."""

    kernel: str
    """Its file's name without the suffix."""
    stresses: str
    """What the file says it is about."""
    level: str
    """As in -O2."""
    n_instructions: int
    """In the body of its hot loop."""
    n_blocks: int
    """Basic blocks of that body; above 1 there are branches in it."""
    cycles: float
    """What llvm-mca estimates for one pass through that body."""
    cycles_per_call: float
    """The same for all innermost loops of a call together."""
    passes_per_call: int
    """How often the hot loop went round in one call."""
    ns_per_call: tuple[float, ...]
    """Processor time of a call, in nanoseconds, one figure for each round."""

    @property
    def ns(self) -> float:
        """Processor time of one pass through the hot loop, the median of the rounds."""
        return statistics.median(self.ns_per_call) / self.passes_per_call

    @property
    def spread(self) -> float:
        """Distance between the quartiles of the rounds, as a share of their median."""
        low, median, high = statistics.quantiles(self.ns_per_call, n=4)
        return (high - low) / median


@dataclass(frozen=True, slots=True)
class Agreement:
    """How estimates and times go together."""

    n_kernels: int
    """Kernels at their levels."""
    spearman: float
    """Rank correlation of cycles and nanoseconds per pass."""
    pearson: float
    """Correlation of their logarithms."""
    n_close: int
    """Of them, those whose time is within 1.5 times of what the estimate says, by the median clock rate."""


@dataclass(frozen=True, slots=True)
class McaReport:
    """What the benchmark found."""

    cpu: str
    """Whose model was used: this machine's."""
    llvm: str
    """LLVM's version."""
    figures: tuple[KernelFigures, ...]
    """All kernels that have a loop which llvm-mca can estimate."""
    left_out: tuple[str, ...]
    """The others, by kernel and level."""

    @property
    def levels(self) -> list[str]:
        """In the order in which they were asked for."""
        return list(dict.fromkeys(one.level for one in self.figures))

    @property
    def ghz(self) -> float:
        """The clock rate that would make the median kernel's estimate right."""
        return statistics.median(one.cycles / one.ns for one in self.figures)

    def agreement(self, level: str | None = None) -> Agreement:
        """Of one level, or of all."""
        chosen = [one for one in self.figures if level in (None, one.level)]
        cycles, times = [one.cycles for one in chosen], [one.ns for one in chosen]
        close = sum(1 / 1.5 < one.cycles / one.ns / self.ghz < 1.5 for one in chosen)
        return Agreement(len(chosen), spearman(cycles, times), pearson(_logs(cycles), _logs(times)), close)

    def choices(self, margin: float = 0.05) -> tuple[int, int]:
        """How often llvm-mca says rightly which of two builds of a kernel is faster, and how many such pairs there are.

        Pairs whose times differ by no more than the margin do not count; an estimate that calls others equal is wrong.
        """
        right = wrong = 0
        by_kernel: dict[str, list[KernelFigures]] = {}
        for one in self.figures:
            by_kernel.setdefault(one.kernel, []).append(one)
        for builds in by_kernel.values():
            for first, second in combinations(builds, 2):
                times = statistics.median(first.ns_per_call) / statistics.median(second.ns_per_call)
                if abs(math.log(times)) > math.log1p(margin):
                    agrees = (first.cycles_per_call - second.cycles_per_call) * (times - 1) > 0
                    right, wrong = right + agrees, wrong + (not agrees)
        return right, right + wrong


@dataclass(frozen=True, slots=True)
class _Build:
    """A kernel that is ready to be timed."""

    figures: KernelFigures
    """All but the times."""
    program: Path
    """Prints nanoseconds per call."""
    n_calls: int
    """For one sample."""


def run_bench(names: Sequence[str] = (), levels: Sequence[str] = LEVELS, rounds: int = 15) -> McaReport:
    """Estimates and times kernels.

    Args:
        names: Kernels; all if empty.
        levels: Options of clang for each build, in one word each.
        rounds: Samples of each build.

    Raises:
        CompilerAgentError: There is no such kernel, or one does not compile or run.
    """
    toolchain = discover()
    host = _HOST_CPU.search(check([toolchain.llvm_mca, "--version"], timeout_s=_TIMEOUT_S).stdout.decode())
    if host is None:
        raise CompilerAgentError("llvm-mca does not know this machine's CPU")
    sources = [KERNELS / f"{name}.c" for name in names] or sorted(set(KERNELS.glob("*.c")) - {KERNELS / "driver.c"})
    builds, left_out = [], []
    with ScratchDirectory(prefix="cc-agent-mca-") as directory:
        driver = Path(directory) / "driver.o"
        check([toolchain.clang, "-O2", "-c", KERNELS / "driver.c", "-o", driver], timeout_s=_TIMEOUT_S)
        for source in sources:
            for level in levels:
                build = _build(source, level, toolchain, host[1], driver)
                if build is None:
                    left_out.append(f"{source.stem} {level}")
                else:
                    builds.append(build)
        samples: list[list[float]] = [[] for _ in builds]
        order = list(range(len(builds)))
        for n_round in range(rounds):
            random.Random(n_round).shuffle(order)  # no kernel always follows the same one
            for index in order:
                samples[index].append(_sample(builds[index].program, builds[index].n_calls)[-1])
            print(f"round {n_round + 1} of {rounds}", file=sys.stderr, flush=True)
    figures = (replace(one.figures, ns_per_call=tuple(ns)) for one, ns in zip(builds, samples, strict=True))
    return McaReport(host[1], toolchain.version, tuple(figures), tuple(left_out))


def _build(source: Path, level: str, toolchain: Toolchain, cpu: str, driver: Path) -> _Build | None:
    """Compiles, estimates and counts; None where there is no loop that llvm-mca can estimate."""
    try:
        stresses = source.read_text(encoding="utf-8").splitlines()[0].removeprefix("// ")
    except OSError as error:
        raise file_error("read", source, error) from error
    name = f"{source.stem}{level}"
    clang = [str(toolchain.clang), "-march=native", level]
    # The counters use the stack below what the code knows of.
    code = check([*clang, "-mno-red-zone", "-S", "-o", "-", str(source)], timeout_s=_TIMEOUT_S).stdout.decode()
    loops = list(innermost_loops(read_functions(code)["kernel"]))
    estimates = estimate(loops, toolchain, toolchain.target, cpu)
    programs, directory = {}, driver.parent
    for kind, text in (("timed", code), ("counted", _with_counters(code, loops))):
        assembly, programs[kind] = directory / f"{name}-{kind}.s", directory / f"{name}-{kind}"
        assembly.write_text(text, encoding="utf-8")
        check([toolchain.clang, driver, assembly, "-lm", "-o", programs[kind]], timeout_s=_TIMEOUT_S)
    counts = [int(count) for count in _sample(programs["counted"], 1)[:-1]]
    known = [
        (one.cycles * n, n, one.cycles, loop) for one, n, loop in zip(estimates, counts, loops, strict=True) if one
    ]
    if not known:
        return None
    _, passes, cycles, hot = max(known, key=lambda row: row[0])
    per_call = sum(row[0] for row in known)
    figures = KernelFigures(
        source.stem, stresses, level, len(hot.instructions), hot.n_blocks, cycles, per_call, passes, ()
    )
    return _Build(figures, programs["timed"], _calls_per_sample(programs["timed"]))


def _calls_per_sample(program: Path) -> int:
    """How many calls a sample takes, by trying: over a single one the clock may stand still."""
    n_calls = 1
    while n_calls * _sample(program, n_calls)[-1] < _SAMPLE_NS:
        n_calls *= 2
    return n_calls


def _with_counters(assembly: str, loops: Sequence[MachineLoop]) -> str:
    """The assembly with a counter at the head of each loop, which disturbs no register and no flag."""
    for n, loop in enumerate(loops, 1):
        count = f"\tpushfq\n\tincq cc_agent_counts+{8 * n}(%rip)\n\tpopfq\n"
        assembly = re.sub(rf"(?m)^(\.LBB{loop.header}:.*\n(?:\s*#.*\n)*)", rf"\1{count}", assembly)
    zeros = ", 0" * len(loops)
    return (
        f"{assembly}\n\t.data\n\t.globl cc_agent_counts\n\t.p2align 3\ncc_agent_counts:\n\t.quad {len(loops)}{zeros}\n"
    )


def _sample(program: Path, n_calls: int) -> list[float]:
    """What the driver prints: counts, if they are counted, and nanoseconds per call."""
    done = check([program, str(n_calls)], timeout_s=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)
    return [float(word) for word in done.stdout.split()]


def _logs(values: Sequence[float]) -> list[float]:
    return [math.log(value) for value in values]
