"""Measures what each reviewed option value does to code size, one at a time, against clang -Oz.

    screen.py --raw RAW.jsonl --output passes/catalog/screening.tsv MODULE.bc …

A module is unoptimized bitcode as `clang -Oz -Xclang -disable-llvm-passes -emit-llvm -c` writes it. Back-end options
are tried on the module that -Oz has already optimized, which halves the time; that the baseline is the same both ways
is checked. RAW holds one line per measurement, and a second run skips what is there. The ratio is baseline ÷
candidate in bytes of executable sections: more than 1 is smaller code. A value that made none of the first modules
smaller (--give-up-after) is not tried on the others: most values do nothing, and the time is for those that do.
"""

from __future__ import annotations

import argparse
import json
import math
import struct
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base import process

HERE = Path(__file__).resolve().parent
CLANG = "clang-22"
TIMEOUT_S = 60.0
SHF_EXECINSTR = 4
COLUMNS = ("stage", "option", "value", "modules", "geomean", "min", "max", "wins", "losses", "failures")


@dataclass(frozen=True, slots=True)
class Trial:
    """One option value to measure."""

    stage: str
    """middle-end or back-end."""
    option: str
    """Name of the option, without dashes."""
    value: str
    """Its value as written on the command line."""
    needs: str
    """`name=value` that has to be set for the option to have any effect; empty if none. It is in the baseline too."""

    @property
    def key(self) -> str:
        """What the trial is called in the raw file."""
        return f"{self.option}={self.value}"


def text_bytes(elf: bytes) -> int:
    """Sum of the sizes of the executable sections of a little-endian 64-bit ELF object, in bytes."""
    if elf[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a little-endian 64-bit ELF object")
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    entry_bytes, entries = struct.unpack_from("<HH", elf, 0x3A)
    total = 0
    for index in range(entries):
        flags, _, _, size = struct.unpack_from("<QQQQ", elf, table + index * entry_bytes + 8)
        if flags & SHF_EXECINSTR:
            total += size
    return total


def trials(path: Path) -> Iterator[Trial]:
    """Every option value in the reviewed file, in its order."""
    document = tomllib.loads(path.read_text())
    needs = document.get("needs", {})
    for stage in ("middle-end", "back-end"):
        for options in document[stage].values():
            for option, values in options.items():
                for value in values:
                    text = str(value).lower() if isinstance(value, bool) else str(value)
                    yield Trial(stage, option, text, needs.get(option, ""))


def measure(source: Path, options: list[str], scratch: Path, *, optimized: bool) -> int | None:
    """Size of the object for one module, in bytes of executable sections; None where clang fails or hangs."""
    target = scratch / "out.o"
    arguments = [CLANG, "-Oz", "-w", "-c", str(source), "-o", str(target)]
    if optimized:
        arguments += ["-Xclang", "-disable-llvm-passes"]
    for option in options:
        arguments += ["-mllvm", f"-{option}"]
    target.unlink(missing_ok=True)
    done = process.run(arguments, timeout_s=TIMEOUT_S)
    if done.status != 0 or not target.exists():
        return None
    return text_bytes(target.read_bytes())


def screen(modules: list[Path], wanted: list[Trial], raw: Path, scratch: Path, give_up_after: int) -> None:
    """Runs every trial that the raw file lacks, and appends one JSON line for each measurement."""
    with raw.open("a") as sink:
        for position, module in enumerate(modules):
            rows = _read(raw)
            done = {(row["module"], row["trial"]) for row in rows}
            if position == give_up_after:
                winners = {row["trial"] for row in rows if row["base"] and row["size"] and row["size"] < row["base"]}
                wanted = [trial for trial in wanted if trial.key in winners]
            todo = [trial for trial in wanted if (module.stem, trial.key) not in done]
            if not todo:
                continue
            optimized = scratch / "optimized.bc"
            process.check(
                [CLANG, "-Oz", "-w", "-emit-llvm", "-c", str(module), "-o", str(optimized)], timeout_s=TIMEOUT_S
            )
            baselines: dict[tuple[str, bool], int | None] = {}
            for trial in todo:
                late = trial.stage == "back-end"
                source = optimized if late else module
                needs = [trial.needs] if trial.needs else []
                if (trial.needs, late) not in baselines:
                    baselines[trial.needs, late] = measure(source, needs, scratch, optimized=late)
                size = measure(source, [*needs, trial.key], scratch, optimized=late)
                row = {"module": module.stem, "trial": trial.key, "base": baselines[trial.needs, late], "size": size}
                sink.write(json.dumps(row) + "\n")
                sink.flush()
            if len({baselines.get(("", late)) for late in (False, True) if ("", late) in baselines}) > 1:
                print(f"{module.stem}: baselines of the two stages differ: {baselines}", file=sys.stderr)


def summarise(raw: Path, wanted: list[Trial], modules: set[str]) -> list[tuple[str, ...]]:
    """One row of COLUMNS for each trial, best single gain first."""
    ratios: dict[str, list[float]] = defaultdict(list)
    failures: dict[str, int] = defaultdict(int)
    for row in _read(raw):
        if row["module"] not in modules or not row["base"]:
            continue
        if row["size"]:
            ratios[row["trial"]].append(row["base"] / row["size"])
        else:
            failures[row["trial"]] += 1
    table = []
    for trial in wanted:
        values = ratios[trial.key] or [1.0]
        geomean = math.exp(math.fsum(map(math.log, values)) / len(values))
        counts = (sum(r > 1 for r in values), sum(r < 1 for r in values), failures[trial.key])
        figures = (f"{geomean:.4f}", f"{min(values):.4f}", f"{max(values):.4f}", *map(str, counts))
        table.append((trial.stage, trial.option, trial.value, str(len(ratios[trial.key])), *figures))
    return sorted(table, key=lambda row: (-float(row[6]), -float(row[4]), row[1], row[2]))


def best_of(raw: Path, modules: set[str]) -> tuple[float, list[tuple[str, float]]]:
    """Geomean if each module took its best single value, and the values that get there, greedily, with the geomean."""
    gain: dict[str, dict[str, float]] = defaultdict(dict)
    for row in _read(raw):
        if row["module"] in modules and row["base"] and row["size"]:
            gain[row["trial"]][row["module"]] = math.log(row["base"] / row["size"])
    best = dict.fromkeys(modules, 0.0)
    steps: list[tuple[str, float]] = []
    while gain:
        added = {t: sum(max(0.0, g - best[m]) for m, g in found.items()) for t, found in gain.items()}
        trial = max(added, key=lambda t: added[t])
        if added[trial] <= 1e-9:
            break
        best = {m: max(value, gain[trial].get(m, 0.0)) for m, value in best.items()}
        steps.append((trial, math.exp(sum(best.values()) / len(best))))
    return math.exp(sum(best.values()) / max(1, len(best))), steps


def _read(raw: Path) -> list[dict]:
    return [json.loads(line) for line in raw.read_text().splitlines()] if raw.exists() else []


def main() -> int:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+", type=Path, metavar="MODULE.bc")
    parser.add_argument("--options", type=Path, default=HERE / "options.toml", help="reviewed options")
    parser.add_argument("--raw", type=Path, required=True, help="measurements, one JSON line each; appended to")
    parser.add_argument("--give-up-after", type=int, default=sys.maxsize, metavar="MODULES", help="default: never")
    parser.add_argument("--output", type=Path, help="where the table goes (default: stdout)")
    arguments = parser.parse_args()
    wanted = list(trials(arguments.options))
    with tempfile.TemporaryDirectory() as scratch:
        screen(arguments.modules, wanted, arguments.raw, Path(scratch), arguments.give_up_after)
    names = {module.stem for module in arguments.modules}
    rows = [COLUMNS, *summarise(arguments.raw, wanted, names)]
    text = "".join("\t".join(row) + "\n" for row in rows)
    if arguments.output:
        arguments.output.write_text(text)
    else:
        sys.stdout.write(text)
    total, steps = best_of(arguments.raw, names)
    print(f"best single value per module: geomean {total:.4f}", file=sys.stderr)
    for trial, running in steps[:40]:
        print(f"  {running:.4f}  {trial}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
