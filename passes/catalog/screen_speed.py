"""Measures what plans do to the speed of the training programs, one plan at a time, against clang -O3.

    screen_speed.py --raw RAW.jsonl --plans passes/pipelines/speed.txt benchmarks/programs/NAME …
    screen_speed.py --raw RAW.jsonl --words benchmarks/programs/NAME …       each reviewed option value alone
    screen_speed.py --raw RAW.jsonl --table                                  what is there, for people

For choosing seeds and words, not for claims: it runs baseline and candidate in turns and takes the median of user plus
system time ratios, in one layout, on a machine that may be busy. A plan that changes no object is not run (ratio 1).
RAW holds a line for each program and plan, and what is there is not measured again. Held-out programs are refused.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.evaluation import benchmark, benchmark_build
from compiler_agent.evaluation.benchmark import Benchmark, Part
from compiler_agent.llvm import catalog, replay
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.speed_space import STOCK, SpeedSpace
from compiler_agent.search.strategies import read_coreset

INPUT = "medium"
COMPILE_S = 20.0


class Subject:
    """One program, its -O3 build, and its builds with plans."""

    def __init__(self, program: Benchmark, directory: Path) -> None:
        self.program, self.directory, self.toolchain = program, directory, discover()
        argvs = [benchmark_build.compile_argv(unit, ("-O3",), self.toolchain) for unit in program.units()]
        self.units = [
            ((*argv, "-c", "-o", "-"), unit.directory) for argv, unit in zip(argvs, program.units(), strict=True)
        ]
        self.keys = [replay.key_of(argv, cwd) for argv, cwd in self.units]
        self.objects = [replay.compile_plainly(argv, cwd) for argv, cwd in self.units]
        self.baseline = self.link("baseline", self.objects)

    def link(self, name: str, objects: Sequence[bytes]) -> Path:
        """An executable of the objects."""
        place = self.directory / name
        place.mkdir(exist_ok=True)
        files = [place / f"{number}.o" for number in range(len(objects))]
        for file, content in zip(files, objects, strict=True):
            file.write_bytes(content)
        return benchmark_build.link(self.program, list(map(str, files)), place / "program", ("-O3",), self.toolchain)

    def seconds(self, program: Path) -> float:
        """User and system time of a run, whose output is held to what it must be."""
        done = benchmark_build.execute(program, self.program.input(INPUT))
        return done.user_time_s + done.system_time_s

    def ratios(self, plan: Plan, n_pairs: int) -> list[float]:
        """Times with a plan ÷ times without, in turns; empty where it is the same program.

        Raises:
            CompilerAgentError: It does not compile, or prints something else.
        """
        objects = []
        for (argv, cwd), key in zip(self.units, self.keys, strict=True):
            made = replay.replay(argv, cwd, key, str(plan), timeout_s=COMPILE_S)
            if made.outcome != "ok":
                raise UsageError(f"{made.outcome}: {made.message}")
            objects.append(made.content)
        if objects == self.objects:
            return []
        candidate = self.link("candidate", objects)
        self.seconds(candidate)
        pairs = []
        for number in range(n_pairs):
            order = (candidate, self.baseline) if number % 2 else (self.baseline, candidate)
            times = {program: self.seconds(program) for program in order}
            pairs.append(times[candidate] / times[self.baseline])
        return pairs


def screen(program: Benchmark, plans: Sequence[Plan], raw: Path, n_pairs: int) -> None:
    """Measures what the raw file lacks and appends it."""
    known = {(row["program"], row["plan"]) for row in read(raw)}
    todo = [plan for plan in plans if (program.name, str(plan)) not in known]
    if not todo:
        return
    with tempfile.TemporaryDirectory() as directory, raw.open("a") as sink:
        subject = Subject(program, Path(directory))
        for plan in todo:
            row = {"program": program.name, "class": program.kind, "plan": str(plan)}
            try:
                row["ratios"] = [round(ratio, 4) for ratio in subject.ratios(plan, n_pairs)]
            except CompilerAgentError as error:
                row["fault"] = str(error)[:200]
            sink.write(json.dumps(row) + "\n")
            sink.flush()


def read(raw: Path) -> list[dict]:
    """The lines of a raw file."""
    return [json.loads(line) for line in raw.read_text().splitlines()] if raw.exists() else []


def table(rows: Sequence[dict]) -> Iterator[str]:
    """For each plan how many programs it changes, makes faster and slower by 2%, and where it does most."""
    by_plan: dict[str, dict[str, float]] = defaultdict(dict)
    faults: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if "fault" in row:
            faults[row["plan"]].append(row["program"])
        else:
            by_plan[row["plan"]][row["program"]] = statistics.median(row["ratios"] or [1.0])
    yield "plan\tprograms\tchanged\tfaster\tslower\tfailed\tbest"
    for plan, found in sorted(by_plan.items(), key=lambda item: sum(min(0, r - 1) for r in item[1].values())):
        best = sorted(found.items(), key=lambda item: item[1])[:4]
        counts = (sum(r != 1 for r in found.values()), sum(r < 0.98 for r in found.values()))
        slower = sum(r > 1.02 for r in found.values())
        places = " ".join(f"{name} {ratio:.2f}" for name, ratio in best if ratio < 0.98)
        yield "\t".join([plan, *map(str, (len(found), *counts, slower, len(faults[plan]))), places])


def main() -> int:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--raw", type=Path, required=True, help="measurements, one JSON line each; appended to")
    parser.add_argument("--plans", type=Path, help="plans, one a line")
    parser.add_argument("--words", action="store_true", help="each reviewed option value alone")
    parser.add_argument("--pairs", type=int, default=5, help="runs of each side")
    parser.add_argument("--table", action="store_true", help="print what was measured")
    arguments = parser.parse_args()
    space = SpeedSpace(catalog.load())
    plans = read_coreset(arguments.plans) if arguments.plans else []
    plans += [space.with_word(STOCK, word.text) for word in space.words] if arguments.words else []
    for folder in arguments.programs:
        program = benchmark.load(folder)
        if program.part is not Part.TRAINING:
            raise UsageError(f"{program.name} is held out: nothing may be learned from it")
        screen(program, plans, arguments.raw, arguments.pairs)
    if arguments.table:
        sys.stdout.writelines(f"{line}\n" for line in table(read(arguments.raw)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CompilerAgentError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
