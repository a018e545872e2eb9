"""Feeds a child process and drains it, without threads and without unbounded memory; `process` is what uses it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_CHUNK_BYTES = 1 << 16
# A pipe holds at most 1 MiB (/proc/sys/fs/pipe-max-size); more than that was written after the program's end.
_PIPE_CHUNKS = 16
_STOP_S = 0.1
"""So often `should_stop` is asked."""


class Pump:
    """Feeds a child and drains it until it exits, without threads and without unbounded memory."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        feed: bytes | None,
        limit_bytes: int,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.truncated = False
        self._child = child
        self._feed = memoryview(feed or b"")
        self._limit_bytes = limit_bytes
        self._should_stop = should_stop
        self._sinks = [(child.stdout, self.stdout), (child.stderr, self.stderr)]

    def until_exit(self, deadline_s: float | None) -> bool:
        """Returns True when the child has exited, False when the deadline (monotonic clock) or a stop came first."""
        pidfd = os.pidfd_open(self._child.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(pidfd, selectors.EVENT_READ, None)
                for pipe, sink in self._sinks:
                    if pipe is not None:
                        os.set_blocking(pipe.fileno(), False)
                        selector.register(pipe, selectors.EVENT_READ, sink)
                if self._child.stdin is not None:
                    os.set_blocking(self._child.stdin.fileno(), False)
                    selector.register(self._child.stdin, selectors.EVENT_WRITE, None)
                return self._loop(selector, pidfd, deadline_s)
        finally:
            os.close(pidfd)

    def _loop(self, selector: selectors.BaseSelector, pidfd: int, deadline_s: float | None) -> bool:
        while True:
            left_s = None if deadline_s is None else deadline_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                return False
            if self._should_stop is not None:
                if self._should_stop():
                    return False
                left_s = _STOP_S if left_s is None else min(left_s, _STOP_S)
            exited = False
            for key, _ in selector.select(left_s):
                if key.fd == pidfd:
                    exited = True
                elif isinstance(key.data, bytearray):
                    if not self._drain(key.fd, key.data):
                        selector.unregister(key.fileobj)
                elif self._write(key.fd):
                    selector.unregister(key.fileobj)
                    assert self._child.stdin is not None
                    self._child.stdin.close()
            if exited:
                # What it left running in its group holds the pipes open, and might print forever. The leader is not
                # reaped yet, so the group's number cannot have been given to anybody else.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._child.pid, signal.SIGKILL)
                for pipe, sink in self._sinks:
                    for _ in range(_PIPE_CHUNKS):
                        if pipe is None or pipe.closed or not self._drain(pipe.fileno(), sink, whole=True):
                            break
                return True

    def _drain(self, fd: int, sink: bytearray, *, whole: bool = False) -> bool:
        """Reads once; False at the end of the stream, and with `whole` also when nothing is there."""
        try:
            chunk = os.read(fd, _CHUNK_BYTES)
        except BlockingIOError:
            return not whole
        room = self._limit_bytes - len(sink)
        self.truncated = self.truncated or len(chunk) > room
        sink += chunk[: max(room, 0)]
        return bool(chunk)

    def _write(self, fd: int) -> bool:
        """Writes once; True when all is written or nobody reads."""
        try:
            self._feed = self._feed[os.write(fd, self._feed[:_CHUNK_BYTES]) :] if self._feed else self._feed
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True
        return not self._feed
