"""Validates the functions of a module, each within its time and memory, in processes that can be killed."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from compiler_agent.base.process import start, stop
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.validate.ir import Module, reachable_symbols, read_module
from compiler_agent.evaluation.validate.verdict import FunctionVerdict, Outcome
from compiler_agent.llvm.library import Library

MEMORY_BYTES = 4 << 30
"""Of the process that checks, stack and libraries included."""
_GRACE_S = 2.0
_BUSY = 6.0
"""A second of processor time may take so many on the clock before the worker is killed."""
_START_S = 30.0


def validate_modules(
    before: bytes | str,
    after: bytes | str,
    *,
    functions: Iterable[str] | None = None,
    seconds_per_function: float = 10.0,
    memory_bytes: int = MEMORY_BYTES,
    concrete_inputs: bool = False,
    bound: int = 4,
    library: Library | None = None,
) -> tuple[FunctionVerdict, ...]:
    """Says for each function whether the optimized one refines the other.

    A proof of a function that calls others of the module assumes that those behave alike; where such a callee is local,
    so that nobody else answers for it, it is checked, too, and the proof holds only if the callee's does.

    Args:
        before: The module as it was, bitcode or textual IR.
        after: The module after optimization.
        functions: Which to check; by default those that other modules can call and that both modules define.
        seconds_per_function: Limit for each, in processor time, so that it means the same on a busy machine.
        memory_bytes: Memory limit of the process that checks.
        concrete_inputs: Whether arguments are taken to be neither undef nor poison whatever their attributes say; no
            running program can pass such values.
        bound: How often the loops of a function are unrolled to look for a counterexample.
        library: The loaded native component.

    Returns:
        A verdict for each, in the order of the module.

    Raises:
        EngineError: A module cannot be read.
    """
    native = library or Library()
    texts = []
    for content, name in ((before, "before"), (after, "after")):
        with native.parse(content, name) as module:
            texts.append(module.json())
    source, target = read_module(texts[0]), read_module(texts[1])
    wanted = list(functions) if functions is not None else visible(source, target)
    options = {"seconds": seconds_per_function, "concrete": concrete_inputs, "bound": bound}
    with ScratchDirectory(prefix="cc-agent-validate-") as directory:
        paths = [Path(directory) / name for name in ("before.json", "after.json")]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        checker = _Checker(paths, options, seconds_per_function, memory_bytes)
        try:
            return _with_callees(checker, source, target, wanted)
        finally:
            checker.close()


def validate_pair(
    module: bytes | str,
    source: str,
    target: str,
    *,
    seconds: float = 10.0,
    concrete_inputs: bool = False,
    bound: int = 4,
    library: Library | None = None,
) -> FunctionVerdict:
    """Says whether one function of a module refines another; in this process, so for tests and tools.

    Args:
        module: Bitcode or textual IR.
        source: The name of the function as it was.
        target: The name of what a transformation made of it.
        seconds: Limit of processor time, as far as z3 keeps to it.
        concrete_inputs: As for `validate_modules`.
        bound: As for `validate_modules`.
        library: The loaded native component.

    Raises:
        EngineError: The module cannot be read.
    """
    from compiler_agent.evaluation.validate.check import check_function

    with (library or Library()).parse(module, "pair") as parsed:
        before = read_module(parsed.json())
    others = {name: one for name, one in before.functions.items() if name != target}
    after = replace(before, functions={**others, source: replace(before.functions[target], name=source)})
    return check_function(before, after, source, seconds=seconds, concrete=concrete_inputs, bound=bound)


def visible(source: Module, target: Module) -> list[str]:
    """Functions that other modules can call and that both modules define."""
    return [
        name
        for name, one in source.functions.items()
        if one.defined and not one.local and name in target.functions and target.functions[name].defined
    ]


def _with_callees(
    checker: _Checker, source: Module, target: Module, wanted: Sequence[str]
) -> tuple[FunctionVerdict, ...]:
    verdicts: dict[str, FunctionVerdict] = {}
    needs: dict[str, set[str]] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop(0)
        if name in verdicts:
            continue
        verdicts[name] = checker.check(name)
        if verdicts[name].outcome is Outcome.PROVED:
            needs[name] = _unanswered(source, target, verdicts[name])
            waiting += sorted(needs[name])
    changed = _changed_globals(source, target)
    # A proof stands only while the local functions that it assumes stand.
    doubted = True
    while doubted:
        doubted = False
        for name, verdict in verdicts.items():
            if verdict.outcome is not Outcome.PROVED:
                continue
            reason = changed
            for callee in sorted(needs[name]):
                if not reason and verdicts[callee].outcome is not Outcome.PROVED:
                    reason = f"it calls {callee}, for which nothing was established: {verdicts[callee].reason}"
            if reason:
                verdicts[name] = replace(verdict, outcome=Outcome.NOT_ESTABLISHED, reason=reason)
                doubted = True
    return tuple(verdicts[name] for name in wanted)


def _unanswered(source: Module, target: Module, verdict: FunctionVerdict) -> set[str]:
    """Local functions that a proof depends on: it assumes their calls, or hands out their addresses."""
    body = target.functions[verdict.function]
    names = {*verdict.assumes, *reachable_symbols(target, body.symbols)} - {verdict.function}
    return {name for name in names if (one := source.functions.get(name)) is not None and one.defined and one.local}


def _changed_globals(source: Module, target: Module) -> str:
    """What is wrong with the globals that other modules see; empty if they are what they were."""
    for name, before in source.globals.items():
        if before.local or "initializer" not in before.details:
            continue
        after = target.globals.get(name)
        if after is None or (before.content, before.n_bytes, before.constant) != (
            after.content,
            after.n_bytes,
            after.constant,
        ):
            return f"the global {name} was changed"
    return ""


class _Checker:
    """A worker that is started again where it was killed."""

    def __init__(self, paths: Sequence[Path], options: Mapping[str, object], seconds: float, memory_bytes: int) -> None:
        self._argv = [
            sys.executable,
            *("-m", "compiler_agent.evaluation.validate.worker"),
            *map(str, paths),
            json.dumps(options),
        ]
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._stop: Callable[[], int] | None = None
        self._wire: socket.socket | None = None

    def check(self, name: str) -> FunctionVerdict:
        """One function's verdict; what the worker does not survive is not established."""
        started = time.monotonic()
        if self._wire is None:
            self._wire = self._start()
            self._line(started + _START_S)  # "ready", or it will not answer below either
        limit = time.monotonic() - started + _BUSY * self._seconds + _GRACE_S
        with contextlib.suppress(OSError):  # it died: the answer will say so
            self._wire.sendall(json.dumps(name).encode() + b"\n")
        line, ended = self._line(started + limit)
        if line:
            data = json.loads(line)
            data["outcome"] = Outcome(data["outcome"])
            data["assumes"] = tuple(data["assumes"])
            data["counterexample"] = tuple((key, value) for key, value in data["counterexample"])
            return FunctionVerdict(**data)
        status = self.close()
        took = time.monotonic() - started
        reason = f"the checker ended with status {status} (memory?)" if ended else f"no answer after {limit:g} s"
        return FunctionVerdict(name, Outcome.NOT_ESTABLISHED, reason, "z3", time_s=took)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            child = start(self._argv, stdin=theirs.fileno(), stdout=theirs.fileno(), memory_bytes=self._memory_bytes)
        self._stop = lambda: stop(child)
        return ours

    def _line(self, deadline: float) -> tuple[bytes, bool]:
        """A whole line; or nothing, and whether the worker ended."""
        assert self._wire is not None
        collected = b""
        while not collected.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._wire], [], [], left)[0]:
                return b"", False
            with contextlib.suppress(ConnectionError):
                if chunk := self._wire.recv(1 << 16):
                    collected += chunk
                    continue
            return b"", True
        return collected, False

    def close(self) -> int | None:
        """Ends the worker; its status."""
        status = self._stop() if self._stop is not None else None
        if self._wire is not None:
            self._wire.close()
        self._stop = self._wire = None
        return status
