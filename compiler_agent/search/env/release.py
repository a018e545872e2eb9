"""Ends what an object holds when nobody uses it any more."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable


def when_unused(owner: object, end: Callable[[], object]) -> None:
    """Calls `end` when the owner goes, or the interpreter; not in a forked worker, which has a copy of the owner alone.

    Args:
        owner: `end` must not refer to it.
        end: What ends what it holds: a process, a directory.
    """
    weakref.finalize(owner, _end, end, os.getpid())


def _end(end: Callable[[], object], process: int) -> None:
    if os.getpid() == process:
        end()
