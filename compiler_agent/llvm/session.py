"""A module that passes are applied to in place, step after step, in a process of its own: `passes/plugin/session.h`.

    with Engine(argv, cwd) as engine, Session.open(engine) as session:
        session.step(["-passes=function(sroa)"], observe=["ir_instructions"])["ir_instructions"]
        session.emit().text_bytes  # what a replay of -passes=function(sroa) ships

A pass that crashes, hangs or eats memory ends that process: `SessionEnded` says how, the engine goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm.engine import (
    DEFAULT_MEMORY_BYTES,
    DEFAULT_TIMEOUT_S,
    Engine,
    Measurement,
    Outcome,
    measurement_of,
)

_PIECE_BYTES = 1 << 16
_TIMEOUT_FACTOR = 4
_SLACK_S = 60
_GREETING_S = 10.0


class SessionEnded(EngineError):
    """The session's process has ended: a pass crashed, hung, or used too much memory.

    Args:
        outcome: Which of these.
        reason: In words.
    """

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(f"the pass did not survive: {outcome}: {reason}", hint="leave it out: nothing can be measured")
        self.outcome = outcome
        self.reason = reason


class Session:
    """One module in a process of its own. Use as a context manager, or `close` it."""

    def __init__(self, engine: Engine, ours: socket.socket, timeout_s: float, memory_bytes: int) -> None:
        self.process = 0
        """Its number; a child of the engine's clang. 0: it has ended."""
        self._owner = os.getpid()
        self._engine = engine
        self._socket = ours
        self._pending = b""
        self._limits = {"timeout_s": timeout_s, "memory_bytes": memory_bytes}
        # By the kernel and once: settimeout() would cost a poll() for each step.
        patience = struct.pack("ll", int(_TIMEOUT_FACTOR * timeout_s + _SLACK_S), 0)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        self.process = self._greeting()

    @classmethod
    def open(
        cls, engine: Engine, *, timeout_s: float = DEFAULT_TIMEOUT_S, memory_bytes: int = DEFAULT_MEMORY_BYTES
    ) -> Session:
        """A session with the engine's module as it was parsed.

        Args:
            engine: It must not be closed before the session.
            timeout_s: CPU time that one step may take, and what code generation may; four times that on the clock.
            memory_bytes: Memory that the session may take beyond the parsed module.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            engine.start_session(theirs, {"timeout_s": timeout_s, "memory_bytes": memory_bytes})
        return cls(engine, ours, timeout_s, memory_bytes)

    def step(self, plans: Sequence[str] = (), observe: Sequence[str] = (), *, verify: bool = False) -> dict[str, Any]:
        """Applies plans to the module, one after the other, and says what it then is.

        Args:
            plans: Texts of plans. Options stay set, and hold for code generation too.
            observe: Names of observations, as in `passes/plugin/session.h`.
            verify: Whether LLVM's verifier is to look at a module that was changed.

        Returns:
            `outcome` (ok; rejected: a plan that LLVM does not know, those before it were applied; invalid: the verifier
            objects), `message`, `applied` (how many plans), `changed` (whether a pass says that it changed something),
            and each observation under its name.

        Raises:
            SessionEnded: A pass ended the process.
        """
        return self._ask({"plans": plans, "observe": observe, "verify": verify, **self._limits})

    def print(self, form: str) -> bytes:
        """The module as `ir` or `bitcode`."""
        reply = self._ask({"print": form, **self._limits})
        n_bytes = reply["printed_bytes"]
        while len(self._pending) < n_bytes:
            self._pending += self._piece()
        text, self._pending = self._pending[:n_bytes], self._pending[n_bytes:]
        return text

    def emit(self, late: str = "") -> Measurement:
        """Lets clang generate code for the module as it is, in a child of the session; the session stays as it was.

        Args:
            late: Options that code generation alone reads, as they stand in a plan's text.
        """
        reply = self._ask({"emit": True, "late": late, **self._limits})
        return measurement_of({"emitted": True, **reply})

    def fork(self) -> Session:
        """Another session that begins where this one is."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(
                    self._socket, [json.dumps({"fork": True, **self._limits}).encode() + b"\n"], [theirs.fileno()]
                )
            except OSError:
                ours.close()
                raise self._gone() from None
        return Session(self._engine, ours, self._limits["timeout_s"], int(self._limits["memory_bytes"]))

    def close(self) -> None:
        """Ends the process; a second call does nothing."""
        process, self.process = self.process, 0
        if process:
            self._socket.close()
            self._engine.end_session(process, self._limits)

    def __del__(self) -> None:
        # A forked process has a copy of this, and of the engine's socket: they are not its own.
        if os.getpid() == self._owner:
            self.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _greeting(self) -> int:
        """The number of the process, which is known even where an interrupt comes before: it must be waited for."""
        try:
            return int(self._receive()["process"])
        except SessionEnded:
            raise
        except BaseException:
            self._socket.settimeout(_GREETING_S)  # an interrupt may also have come just when it was read
            with contextlib.suppress(SessionEnded):
                self.process = int(self._receive()["process"])
                self.close()
            raise

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            return self._receive()
        except OSError:
            raise self._gone() from None
        except BaseException:  # interrupted: a late answer must not pass for that to the next request
            self.close()
            raise

    def _receive(self) -> dict[str, Any]:
        while b"\n" not in self._pending:
            self._pending += self._piece()
        line, _, self._pending = self._pending.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _piece(self) -> bytes:
        try:
            piece = self._socket.recv(_PIECE_BYTES)
        except OSError:  # also that it takes too long
            piece = b""
        if not piece:
            raise self._gone()
        return piece

    def _gone(self) -> SessionEnded:
        process, self.process = self.process, 0
        self._socket.close()
        if not process:
            return SessionEnded(Outcome.ERROR, "it could not be started, or it has been closed")
        return SessionEnded(*self._engine.end_session(process, self._limits))
