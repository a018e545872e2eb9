"""An episode's outcome in a line of CSV, as CompilerGym has it: `benchmark,reward,walltime,commandline`."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TextIO

from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error

csv.field_size_limit(sys.maxsize)  # the plan of a long episode is longer than the 128 KiB that Python allows

_REWARD_TOLERANCE = 1e-6

HEADER = ("benchmark", "reward", "walltime", "commandline")


@dataclass(frozen=True, slots=True)
class State:
    """What came of one episode, and how to come to it again."""

    benchmark: str
    """Its URI."""
    reward: float
    """The sum of its rewards."""
    walltime: float
    """What it took, in seconds on the clock."""
    commandline: str
    """What was done: a plan, or GCC's options; empty: nothing."""

    def is_worth(self, reward: float) -> bool:
        """Whether a reward that was found again is this state's, up to rounding."""
        return abs(reward - self.reward) <= _REWARD_TOLERANCE


def write_states(states: Iterable[State], file: TextIO) -> None:
    """Writes states as CSV with a header."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(astuple(state) for state in states)


def append_state(path: Path, state: State) -> None:
    """Adds one state to a CSV file, which gets its header with the first.

    Raises:
        FileError: It cannot be written.
    """
    try:
        with path.open("a", newline="") as file:
            if file.tell() == 0:
                write_states([state], file)
            else:
                csv.writer(file, lineterminator="\n").writerow(astuple(state))
    except OSError as error:
        raise file_error("write", path, error) from error


def read_states(path: Path) -> list[State]:
    """Reads what `write_states` wrote.

    Raises:
        UsageError: It is no such file; the message names the line.
        FileError: It cannot be read.
    """
    try:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise file_error("read", path, error) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is no CSV: {error}") from error
    if not rows or tuple(rows[0]) != HEADER:
        raise UsageError(
            f"{path}: does not begin with {','.join(HEADER)}", hint="name the CSV of a benchmark's results"
        )
    states = []
    for number, row in enumerate(rows[1:], 2):
        try:
            uri, reward, walltime, commandline = row
            if not math.isfinite(float(reward)):
                raise ValueError(f"the reward is {reward}")
            states.append(State(uri, float(reward), float(walltime), commandline))
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: not {','.join(HEADER)}: {error}") from error
    return states
