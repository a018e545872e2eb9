"""A program that is asked one JSON object a line, and answers each with one line.

It runs under limits and dies with us, in the thread that outlives its use. What it says on stderr is kept for messages.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from compiler_agent.base.errors import EngineError, UsageError
from compiler_agent.base.process import PIPE, start, stop
from compiler_agent.llvm.engine import Outcome

_LONGEST_LINE = 64 << 20
_TAIL_BYTES = 2000


class PeerFailed(EngineError):
    """One request came to nothing; the peer can be asked again.

    Args:
        outcome: crash, timeout, or error: it answered nonsense.
        reason: In words.
    """

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(f"the peer: {outcome}: {reason}")
        self.outcome = outcome
        self.reason = reason


def nonsense(answer: object) -> PeerFailed:
    """The fault of an answer that means nothing here."""
    return PeerFailed(Outcome.ERROR, f"no answer that is known here: {str(answer)[:200]}")


class LineProcess:
    """Such a program; `start` it, `ask` it, and `end` it, as often as there is need. `close` it in the end.

    Args:
        command: As for a shell, which is not involved.
        memory_bytes: Limit of the address space of each of its processes; None: none.

    Raises:
        UsageError: It is no command.
    """

    def __init__(self, command: str, memory_bytes: int | None = None) -> None:
        self.argv = _words_of(command)
        """Its command."""
        self._memory_bytes = memory_bytes
        self._child: subprocess.Popen[bytes] | None = None
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close
        self._read = b""

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not ended since."""
        return self._child is not None

    def start(self) -> None:
        """Starts it.

        Raises:
            ToolError: It cannot be started.
        """
        self._stderr.seek(0)
        self._stderr.truncate()
        self._child = start(self.argv, stdin=PIPE, stdout=PIPE, stderr=self._stderr, memory_bytes=self._memory_bytes)
        self._read = b""

    def end(self) -> None:
        """Ends it and all that it started."""
        if self._child is not None:
            stop(self._child)
            self._child = None

    def close(self) -> None:
        """Ends it, and forgets what it said."""
        self.end()
        self._stderr.close()

    def ask(self, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        """What it answers, in so many seconds on the clock.

        Raises:
            PeerFailed: It ended, hangs, or answers no such thing. It is to be ended then: a late answer would be taken
                for that to the next request.
        """
        assert self._child is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        deadline_s = time.monotonic() + seconds
        # What it said unasked would be taken for the answer to this, and each answer for that to the next request.
        if select.select([self._child.stdout.fileno()], [], [], 0)[0]:
            self._read += os.read(self._child.stdout.fileno(), 1 << 16)
        if self._read:
            raise nonsense(self._read)
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()
            line = self._line(deadline_s)
        except OSError as error:
            raise PeerFailed(Outcome.CRASH, f"it has ended: {self._tail()}") from error
        try:
            reply = json.loads(line)
        except ValueError as error:
            raise nonsense(line) from error
        if not isinstance(reply, dict):
            raise nonsense(reply)
        return reply

    def said(self) -> bytes:
        """The end of what it said on stderr."""
        # It writes at the place that a seek would move.
        size = os.fstat(self._stderr.fileno()).st_size
        return os.pread(self._stderr.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES))

    def _line(self, deadline_s: float) -> bytes:
        assert self._child is not None
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        while b"\n" not in self._read:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
                raise PeerFailed(Outcome.TIMEOUT, "no answer in time")
            more = os.read(descriptor, 1 << 16)
            if not more:
                raise PeerFailed(Outcome.CRASH, f"it has ended: {self._tail()}")
            self._read += more
            if len(self._read) > _LONGEST_LINE:
                raise nonsense(self._read)
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _tail(self) -> str:
        return self.said().decode(errors="replace").strip() or "without a word"


def _words_of(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"not a command: {command}: {error}", hint="quote it as for a shell") from error
    if not words:
        raise UsageError("the peer's command is empty", hint="name a program")
    return words
