"""What looks too good: a candidate that may be fast because it does less of the work."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from compiler_agent.evaluation.samples import Pair

UNLIKELY_SPEEDUP = 2.0
_TRANSFER_SLACK = 0.01
"""Reads of the dynamic linker and buffers that begin elsewhere: a share that may be missing."""


def suspicion(pairs: Sequence[Pair]) -> str:
    """Why a candidate should not be believed before it was tried on other inputs; empty if nothing is odd.

    Args:
        pairs: At least one, with equal output.
    """
    speedup = math.exp(statistics.median(pair.log_ratio for pair in pairs))
    if speedup > UNLIKELY_SPEEDUP:
        return f"{speedup:.2f} times as fast, more than {UNLIKELY_SPEEDUP:g} without an explanation"
    for which, verb in enumerate(("reads", "writes")):
        sides = [(pair.baseline.transferred, pair.candidate.transferred) for pair in pairs]
        known = [(ours[which], theirs[which]) for ours, theirs in sides if ours is not None and theirs is not None]
        if known:
            expected, seen = (statistics.median(values) for values in zip(*known, strict=True))
            if seen < expected * (1 - _TRANSFER_SLACK):
                return f"it {verb} {seen:.0f} bytes where the baseline {verb} {expected:.0f}"
    return ""
