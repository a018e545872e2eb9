"""Words that several commands share."""

from __future__ import annotations

from pathlib import Path

BUDGET_HELP = "Evaluations per translation unit (200), or a time (30s, 2m)."


def is_compiler(word: str) -> bool:
    """Whether the first word of a command looks like a C or C++ compiler's name."""
    return Path(word).name.startswith(("clang", "cc-agent", "gcc", "g++", "cc", "c++")) and Path(word).name != "ccmake"
