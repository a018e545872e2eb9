"""The engine: a clang that has parsed one source, stopped before optimization, and compiles it once per plan.

The other half is `passes/plugin/serve.cpp`: each evaluation is a forked child of that clang, so a pass that crashes,
hangs or eats memory costs that evaluation and nothing else, and the object that is measured is the one a replay ships.
"""

from __future__ import annotations

import enum
import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from compiler_agent.base.config import child_environment, native_directory
from compiler_agent.base.errors import EngineError
from compiler_agent.base.process import start, stop

DEFAULT_TIMEOUT_S = 60.0
DEFAULT_MEMORY_BYTES = 2 << 30
_START_TIMEOUT_S = 300.0


class Outcome(enum.StrEnum):
    """How one evaluation ended."""

    OK = "ok"
    """The plan applied and the module passed LLVM's verifier."""
    REJECTED = "rejected"
    """Unknown pass or option, wrong parameter: nothing was run."""
    INVALID = "invalid"
    """LLVM's verifier rejects the module after the pipeline."""
    CRASH = "crash"
    """A pass or code generation crashed, aborted or gave up."""
    TIMEOUT = "timeout"
    """It took longer than it may."""
    MEMORY = "memory"
    """It needed more memory than it may."""
    ERROR = "error"
    """The compiler reported an error of its own."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one evaluation of a plan gave."""

    outcome: Outcome
    """How it ended; figures are there only for `ok`."""
    message: str = ""
    """Why, in LLVM's words, for every other outcome."""
    fingerprint: str = ""
    """The module's fingerprint after the pipeline: 32 hexadecimal digits."""
    ir_instructions: int | None = None
    """IR instructions after the pipeline."""
    inst_count: tuple[int, ...] = ()
    """The module after the pipeline in 70 counts, named by `features.INST_COUNT_NAMES`, where they were asked for."""
    autophase: tuple[int, ...] = ()
    """The same in 56 counts, named by `features.AUTOPHASE_NAMES`."""
    text_bytes: int | None = None
    """Bytes of executable sections of the object."""
    data_bytes: int | None = None
    """Bytes of the other loaded sections, unwind tables apart."""
    unwind_bytes: int | None = None
    """Bytes of .eh_frame and .gcc_except_table."""
    object_bytes: int | None = None
    """Bytes of the whole object file."""
    object_sha256: str = ""
    """SHA-256 of the object that was emitted, or of the first one of an equal module."""
    emitted: bool = False
    """False where an equal module's object was known already and none was made."""
    wall_time_s: float = 0.0
    """What it took, in seconds."""


def measurement_of(reply: Mapping[str, Any]) -> Measurement:
    """A reply of `passes/plugin/serve.h` as a value."""
    fields = {name: reply[name] for name in Measurement.__slots__ if name in reply}
    vectors = {name: tuple(reply.get(name, ())) for name in ("inst_count", "autophase")}
    return Measurement(**{**fields, **vectors, "outcome": Outcome(reply["outcome"])})


class Engine:
    """One clang that serves evaluations of plans for one translation unit. Use as a context manager.

    It must be made by a thread that outlives it (the kernel ends clang with that thread).
    """

    def __init__(self, argv: Sequence[str], cwd: str | os.PathLike[str], plugin: Path | None = None) -> None:
        """Starts clang and waits until it has parsed the source.

        Args:
            argv: A clang command that writes its object to standard output (`-c -o - SOURCE`).
            cwd: Its working directory.
            plugin: cc-agent.so; the built one if None.

        Raises:
            EngineError: clang could not compile the source; with its own words.
        """
        plugin = plugin or native_directory() / "lib" / "cc-agent.so"
        if not plugin.is_file():
            raise EngineError(f"the plugin {plugin} is not built", hint="run `make setup`")
        ours, theirs = socket.socketpair()
        self._complaints = os.memfd_create("cc-agent-clang")
        self._socket = ours
        self._pending = b""
        command = [argv[0], f"-fpass-plugin={plugin}", "-fno-crash-diagnostics", *argv[1:]]
        try:
            self._child: subprocess.Popen[bytes] = start(
                command,
                cwd=cwd,
                env=child_environment(
                    CC_AGENT_PLUGIN_SERVE=str(theirs.fileno()), CC_AGENT_PLUGIN_LOCK=None, CC_AGENT_PLUGIN_STATUS=None
                ),
                pass_fds=[theirs.fileno()],
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
            )
        except BaseException:
            ours.close()
            os.close(self._complaints)
            raise
        finally:
            theirs.close()
        try:
            hello = self._receive(_START_TIMEOUT_S)
        except BaseException:
            self.close()
            raise
        self.key: str = hello["key"]
        """The lock's key for this translation unit."""
        self.llvm: str = hello["llvm"]
        """LLVM's version."""
        self.target: str = hello["target"]
        """The module's target triple."""
        self.ir_instructions: int = hello["ir_instructions"]
        """IR instructions before optimization."""
        self.features: tuple[int, ...] = tuple(hello.get("inst_count", ()))
        """What the module is made of before optimization: InstCount, named by `features.INST_COUNT_NAMES`; a plugin
        that was built earlier says nothing."""
        self.autophase: tuple[int, ...] = tuple(hello.get("autophase", ()))
        """The same as Autophase, named by `features.AUTOPHASE_NAMES`."""

    @property
    def all_features(self) -> tuple[int, ...]:
        """InstCount and Autophase together: 126 counts."""
        return *self.features, *self.autophase

    @property
    def process(self) -> int:
        """The serving clang's process number; its evaluations are its children."""
        return self._child.pid

    def measure(
        self,
        plan: str,
        *,
        late: str = "",
        emit: bool = True,
        identify: bool = True,
        features: bool = False,
        share: bool = True,
        fresh: bool = False,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
    ) -> Measurement:
        """Compiles with a plan, or with clang's own pipeline for an empty text.

        Args:
            plan: The plan's canonical text, or "" (which gives sizes alone).
            late: Those of the plan's options, as they stand in its text, that code generation alone reads. Plans that
                differ in nothing else then share the run of their pipeline.
            emit: Whether an object is wanted; without, only the IR is counted.
            identify: Whether the module's fingerprint is wanted where no object is.
            features: Whether InstCount and Autophase of the module after the pipeline are wanted.
            share: Start where an earlier plan was that began with the same passes and options, if there is a process
                that waits there. It gives what a run of the whole plan gives.
            fresh: Emit an object even where that of an equal module is known. Equal modules give equal code but for
                rare cases (the order of use lists), so what is kept is measured freshly.
            timeout_s: CPU time that the evaluation may take; four times that on the clock.
            memory_bytes: Memory that it may take beyond the parsed module.

        Raises:
            EngineError: The serving clang itself has gone.
        """
        request = {
            "plan": plan,
            "late": late,
            "features": features,
            "fresh": fresh,
            "share": share,
            "measure": "object" if emit else "ir" if identify else "count",
            "timeout_s": timeout_s,
            "memory_bytes": memory_bytes,
        }
        self._send(request)
        return measurement_of(self._receive(4 * timeout_s + 60))

    def start_session(self, theirs: socket.socket, limits: Mapping[str, float]) -> None:
        """Makes a process that serves a `Session` on the other end of a socket; it says there when it has started."""
        self._send({"plan": "", "session": True, **limits}, theirs)

    def end_session(self, process: int, limits: Mapping[str, float]) -> tuple[Outcome, str]:
        """Ends the process of a session, if it has not ended, waits for it, and says how it did."""
        if self._complaints < 0:
            return Outcome.ERROR, "the engine has been closed"
        try:
            self._send({"plan": "", "end": process, **limits})
            reply = self._receive(_START_TIMEOUT_S)
        except EngineError as error:  # with clang, its children are gone
            return Outcome.ERROR, error.message
        outcome = Outcome(reply["outcome"])
        said = self._words() if outcome is Outcome.CRASH else ""
        return outcome, f"{reply['message']}: {said}".removesuffix(": ")

    def close(self) -> None:
        """Ends clang; nothing of it is left."""
        if self._complaints < 0:
            return
        self._socket.close()
        stop(self._child)
        os.close(self._complaints)
        self._complaints = -1

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, request: Mapping[str, Any], descriptor: socket.socket | None = None) -> None:
        line = json.dumps(request).encode() + b"\n"
        try:
            if descriptor is not None:
                socket.send_fds(self._socket, [line], [descriptor.fileno()])
            else:
                self._socket.sendall(line)
        except OSError as error:
            raise self._gone() from error

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        self._socket.settimeout(timeout_s)
        while b"\n" not in self._pending:
            try:
                piece = self._socket.recv(1 << 16)
            except TimeoutError:
                self._socket.shutdown(socket.SHUT_RDWR)  # a late answer must not pass for that to the next request
                raise EngineError(
                    f"clang did not answer within {timeout_s:.0f} s", hint="is the machine overloaded?"
                ) from None
            except OSError as error:
                raise self._gone() from error
            except BaseException:  # interrupted
                self._socket.shutdown(socket.SHUT_RDWR)
                raise
            if not piece:
                raise self._gone()
            self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)

    def _words(self) -> str:
        size = os.fstat(self._complaints).st_size
        return os.pread(self._complaints, 2000, max(0, size - 2000)).decode(errors="replace").strip()

    def _gone(self) -> EngineError:
        return EngineError(
            f"clang cannot serve this translation unit: {self._words() or 'it ended without a word'}",
            hint="does the same command compile with plain clang?",
        )
