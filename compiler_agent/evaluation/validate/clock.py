"""A budget of processor time, so that it means the same on a busy machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

_MOST_STRETCH = 8.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Counts from its making."""

    seconds: float
    """The budget, in seconds of processor time."""
    started_s: float = field(default_factory=time.process_time)
    """Processor time when it was made."""
    wall_started_s: float = field(default_factory=time.monotonic)
    """The monotonic clock when it was made."""

    def left(self) -> float:
        """Seconds of processor time that are left."""
        return self.seconds - (time.process_time() - self.started_s)

    def wall_left(self) -> float:
        """About so many seconds on the clock, as busy as the machine has been; z3 counts in those."""
        used, passed = time.process_time() - self.started_s, time.monotonic() - self.wall_started_s
        stretch = min(_MOST_STRETCH, max(1.0, passed / used if used > 0.01 else 1.0))
        return self.left() * stretch

    def part(self, share: float) -> Clock:
        """A clock for a share of what is left."""
        return Clock(max(0.0, self.left() * share))
