"""GCC's optimization options and parameters, as this GCC lists them: nothing of it is written down here.

`gcc -Q --help=optimizers -O2` prints flags with what they are at that level, `gcc -Q --help=optimizers,params -O2`
those parameters that are about optimization, and the same without `-Q` the values of an enumeration where `-Q` hides
them:

    -fgcse                                  [enabled]
    -fira-region=[one|all|mixed]            one
    -flifetime-dse=<0,2>                    2
    --param=max-combine-insns=<2,4>         4
    --param=max-unroll-times=               8

Each option becomes a list of choices: words for the command line. Numbers of a wide range become a few, around the
usual one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LEVEL = "-O"
"""The name of the option that is the optimization level."""

_LINE = re.compile(r"  (-f|--param=)(no-)?([\w-]+)(=\S*)?\s*(.*)")
_LEVEL = re.compile(r"  -O(<number>|[a-z]+)\s*")
_RANGE = re.compile(r"=<(-?\d+),\s*(-?\d+)>")
_VALUES = re.compile(r"=\[([^\]\s]+)\]")
_FEW = 8
"""A range of so many numbers is given number by number."""
_FACTORS = (0, 0.25, 0.5, 1, 2, 4, 16)
"""Else these multiples of the usual value are taken."""
_ALIGNMENTS = (1, 2, 4, 8, 16, 32, 64)
"""For `-falign-…=`, in bytes."""
_MOST = 1 << 30


@dataclass(frozen=True, slots=True)
class Option:
    """One option, and what can be written of it on a command line."""

    name: str
    """As in `-fgcse`, `-fira-region`, `--param=max-unroll-times` or `-O`."""
    choices: tuple[str, ...]
    """Words, each of which sets it; without any it is what the level makes of it."""
    usual: str
    """What it is at -O2, in GCC's words; empty: GCC does not say."""

    @property
    def drop(self) -> str:
        """What taking it from the command line is called."""
        return f"no choice of {self.name}"


def parse(flags: str, parameters: str, described: str) -> tuple[Option, ...]:
    """The options in what GCC prints, sorted by name, the level first.

    Args:
        flags: `gcc -Q --help=optimizers -O2`.
        parameters: `gcc -Q --help=optimizers,params -O2`.
        described: The same without `-Q`: names the values of enumerations.
    """
    words = " ".join(described.split())
    enumerations = {name: values for name in _enumerated(parameters) if (values := _values_of(name, words))}
    levels: list[str] = []
    found: dict[str, list[str]] = {}
    usual: dict[str, str] = {}
    for line in itertools.chain(flags.splitlines(), parameters.splitlines()):
        if level := _LEVEL.fullmatch(line):
            levels += map(str, range(4)) if level[1] == "<number>" else [level[1]]
        elif (entry := _LINE.fullmatch(line)) and not entry[5].startswith(("[available", "-f")):  # C++'s, and aliases
            name = f"{entry[1]}{entry[3]}"
            found.setdefault(name, []).extend(_choices(entry[1], entry[3], entry[4], entry[5].strip(), enumerations))
            usual[name] = entry[5].strip().strip("[]") or usual.get(name, "")
    options = [Option(name, tuple(dict.fromkeys(choices)), usual[name]) for name, choices in found.items() if choices]
    level_option = Option(LEVEL, tuple(f"-O{one}" for one in dict.fromkeys(levels)), "2")
    return (*([level_option] if levels else []), *sorted(options, key=lambda one: one.name))


def _choices(kind: str, name: str, form: str | None, value: str, enumerations: dict[str, list[str]]) -> Iterable[str]:
    if form is None:
        return (f"-f{name}", f"-fno-{name}") if kind == "-f" else ()
    return (f"{kind}{name}={one}" for one in _values(name, form, value, enumerations))


def _values(name: str, form: str, value: str, enumerations: dict[str, list[str]]) -> Iterable[str | int]:
    if listed := _VALUES.fullmatch(form):
        return listed[1].split("|")
    if name in enumerations:
        return enumerations[name]
    if limits := _RANGE.fullmatch(form):
        return numbers(int(limits[1]), int(limits[2]), _number(value))
    if name.startswith("align-") and not value.isdigit():
        return _ALIGNMENTS
    if form == "=<number>" or (form == "=" and re.fullmatch(r"-?\d+", value)):
        return numbers(0, _MOST, _number(value))
    return ()


def numbers(low: int, high: int, usual: int) -> list[int]:
    """Numbers of a range to choose from: all of a small one, else the usual one and some of its multiples."""
    if high - low < _FEW:
        return list(range(low, high + 1))
    middle = max(usual, low, 1)
    return sorted({min(max(round(factor * middle), low), high) for factor in _FACTORS})


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d+", text) else 0


def _enumerated(parameters: str) -> Iterator[str]:
    """Parameters whose value is a word, which `-Q` prints without the words that it could be."""
    for line in parameters.splitlines():
        entry = _LINE.fullmatch(line)
        if entry and entry[4] == "=" and re.fullmatch(r"[a-z][\w-]*", entry[5].strip()):
            yield entry[3]


def _values_of(name: str, words: str) -> list[str]:
    listed = re.search(rf"--param={re.escape(name)}=\[([^\]]+)\]", words)
    return listed[1].replace(" ", "").split("|") if listed else []
