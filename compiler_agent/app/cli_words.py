"""Words that several commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from compiler_agent.base.errors import UsageError
from compiler_agent.base.trust import FunctionRecord, Strength

BUDGET_HELP = "Per translation unit: a number of evaluations, or a time (30s, 2m)."


SOURCE_SUFFIXES = {".c", ".cc", ".cpp", ".cxx", ".C", ".c++"}


def check_files(words: Sequence[str]) -> None:
    """Makes sure that each word is a file.

    Raises:
        UsageError: One is not.
    """
    for word in words:
        if not Path(word).is_file():
            raise UsageError(f"there is no file {word}")


def is_compiler(word: str) -> bool:
    """Whether the first word of a command looks like a C or C++ compiler's name."""
    return Path(word).name.startswith(("clang", "cc-agent", "gcc", "g++", "cc", "c++")) and Path(word).name != "ccmake"


def function_table(functions: Mapping[str, FunctionRecord]) -> list[str]:
    """What was shown for each function, one line each; unchanged ones are counted only."""
    rows = []
    for symbol, record in functions.items():
        if record.strength is Strength.UNCHANGED:
            continue
        figures = ""
        if record.n_inputs:
            wanted = f" ({record.edges_wanted} wanted)" if record.edges_wanted else ""
            edges = f"{record.edges_covered} of {record.edges} edges{wanted}"
            figures = f", {record.n_inputs} inputs, {edges}, seed {record.seed}"
        reason = f": {record.reason}" if record.reason else ""
        rows.append(f"{symbol}: {record.strength} ({record.checker}{figures}, {record.seconds:.1f} s){reason}")
    n_unchanged = len(functions) - len(rows)
    return [*rows, f"{n_unchanged} more are unchanged"] if n_unchanged else rows
