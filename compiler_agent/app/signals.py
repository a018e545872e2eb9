"""What ends our commands from outside."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn


def end_in_order() -> None:
    """From now on SIGTERM and SIGHUP end us as errors do: programs are ended, temporary files removed."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
