"""Signals that end a program, put off while their handlers could not end it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_put_off() -> Iterator[None]:
    """Lets the handlers of the signals that end a program run after the block, not within it. For the time of a fork.

    What a handler raises while Python calls the hooks around a fork (`logging` has some) is printed and forgotten:
    Ctrl-C would be lost. In the child, before it is the other program, it would look as if that could not be started.
    """
    if threading.current_thread() is not threading.main_thread():  # handlers run in that one alone
        yield
        return
    came: list[signal.Signals] = []
    handlers = {number: handler for number in _ENDING if callable(handler := signal.getsignal(number))}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number))

    try:
        for number in handlers:
            signal.signal(number, note)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            handlers[number](number, None)
