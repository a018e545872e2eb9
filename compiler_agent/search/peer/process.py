"""The process of a peer: one JSON object a line is asked, one line answers it; the adapter's docstring lists them.

It runs under limits and dies with us. One that crashes, hangs or answers nonsense costs the request at hand, and that
request says why; the next one finds a new process with the same benchmark.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from compiler_agent.base.errors import ToolError
from compiler_agent.llvm.engine import Outcome
from compiler_agent.search.peer.lines import LineProcess, PeerFailed, nonsense

_MOST_FAILED_STARTS = 3
_LOAD_SECONDS = 300.0
_NAME = re.compile(r"[\w.-]+")
"""Of a pass: a word on a command line, and in a pipeline."""
_LATER = 1.25
"""We wait so much longer than the peer is told to, so that one that keeps to it can say what took the time."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a peer says of itself."""

    name: str
    """With its version."""
    passes: tuple[tuple[str, str], ...]
    """Its actions: name, and what the peer says of it."""
    stock: tuple[str, ...]
    """Names of passes, in order: what stands for its own -Oz."""
    rewards: tuple[str, ...]
    """What it can be asked to count, by its own names."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Figures of a benchmark's baselines."""

    first: int
    """Of the module before the first pass."""
    baseline: int
    """Of the peer's own -Oz on it."""
    attributed: int
    """Of the peer's own -Oz where functions carry the attributes of a size build."""


class PeerProcess:
    """A peer. Use as a context manager, in the thread that outlives its use."""

    def __init__(self, command: str, *, seconds: float = 60.0, memory_bytes: int = 16 << 30) -> None:
        """Starts nothing yet.

        Args:
            command: As for a shell, which is not involved.
            seconds: For one request, on the clock; loading a benchmark may take longer.
            memory_bytes: Limit of the address space of each of its processes.

        Raises:
            UsageError: It is no command.
        """
        self._lines = LineProcess(command, memory_bytes)
        self.seconds = seconds
        """For one request, on the clock."""
        self.generation = 0
        """Counts what ends environments: what was made in an earlier one is gone."""
        self._failed_starts = 0
        self._load: dict[str, Any] | None = None

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    @property
    def argv(self) -> tuple[str, ...]:
        """Its command."""
        return self._lines.argv

    def describe(self) -> Description:
        """What the peer says of itself.

        Raises:
            PeerFailed: It gives no such answer.
        """
        reply = self._ask({"do": "describe"}, _LOAD_SECONDS)
        try:
            passes = tuple((str(one["name"]), str(one["description"])) for one in reply["passes"])
            found = Description(str(reply["name"]), passes, tuple(reply["stock"]), tuple(reply["rewards"]))
        except (KeyError, TypeError) as error:
            raise self._nonsense(reply) from error
        names = {name for name, _ in passes}
        if not found.stock or not names.issuperset(found.stock) or not all(map(_NAME.fullmatch, names)):
            raise self._nonsense(reply)
        return found

    def load(self, source: str, directory: str, flags: tuple[str, ...], reward: str) -> Loaded:
        """Begins with a source; a process that has to be started later begins with it, too.

        Raises:
            PeerFailed: The peer does not take it.
        """
        self._load = None
        request = {"do": "load", "source": source, "directory": directory, "flags": flags, "reward": reward}
        reply = self._ask(request, _LOAD_SECONDS)
        self._load = request
        return Loaded(*(self._number(reply, name) for name in ("first", "baseline", "attributed")))

    def run(self, passes: tuple[str, ...], environment: int = 0, *, anew: bool) -> int:
        """The figure after passes, from the benchmark's beginning (`anew`) or from where the environment is.

        Raises:
            PeerFailed: A pass crashed or hung.
        """
        request = {"do": "run", "environment": environment, "anew": anew, "passes": passes, "seconds": self.seconds}
        return self._number(self._ask(request, _LATER * self.seconds), "figure")

    def fork(self, environment: int) -> int:
        """Another environment that goes on from there; `close` it.

        Raises:
            PeerFailed: There is none.
        """
        return self._number(self._ask({"do": "fork", "environment": environment}, self.seconds), "environment")

    def close(self, environment: int) -> None:
        """Ends an environment that `fork` made."""
        with contextlib.suppress(PeerFailed):  # it has ended already
            self._ask({"do": "close", "environment": environment}, self.seconds)

    def observe(self, space: str) -> Any:
        """What environment 0 shows, by the peer's own name for it.

        Raises:
            PeerFailed: It shows no such thing.
        """
        return self._ask({"do": "observe", "space": space}, self.seconds).get("value")

    def emit(self, path: str) -> None:
        """Has environment 0 written as an object file.

        Raises:
            PeerFailed: No code can be generated for it.
        """
        self._ask({"do": "emit", "path": path}, _LOAD_SECONDS)

    def end(self) -> None:
        """Ends the process and all that it started; the next request starts another."""
        if self._lines.is_running:
            self._lines.end()
            self.generation += 1

    def _ask(self, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        self._ready()
        try:
            reply = self._lines.ask(request, seconds)
        except PeerFailed:
            self.end()
            raise
        self._failed_starts = 0
        if "failed" in reply or "error" in reply:
            self.generation += 1
        if "failed" in reply:
            known = reply["failed"] in (Outcome.CRASH, Outcome.TIMEOUT)
            outcome = Outcome(reply["failed"]) if known else Outcome.ERROR
            raise PeerFailed(outcome, str(reply.get("reason", "")))
        if "error" in reply:
            raise PeerFailed(Outcome.ERROR, str(reply["error"]))
        return reply

    def _ready(self) -> None:
        """A process that has the benchmark at hand.

        Raises:
            ToolError: It cannot be started, or ends again and again before it has answered anything.
        """
        if self._lines.is_running:
            return
        if self._failed_starts >= _MOST_FAILED_STARTS:
            reason = f"ended {self._failed_starts} times without an answer"
            raise ToolError(
                self.argv, None, self._lines.said(), reason=reason, hint="is it set up? `make compiler-gym`"
            )
        self._failed_starts += 1
        self._lines.start()
        if self._load is not None:
            try:
                reply = self._lines.ask(self._load, _LOAD_SECONDS)
            except PeerFailed:
                self.end()
                raise
            if "first" not in reply:
                raise self._nonsense(reply)

    def _number(self, reply: Mapping[str, Any], name: str) -> int:
        value = reply.get(name)
        if not isinstance(value, int):
            raise self._nonsense(reply)
        return value

    def _nonsense(self, answer: object) -> PeerFailed:
        self.end()
        return nonsense(answer)
