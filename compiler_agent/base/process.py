"""The only module that starts programs.

`run` waits for a program and measures it, `check` also insists that it succeeds, `start` leaves it running.
Every child is the leader of its own session, dies with us (even if we are killed by SIGKILL), and takes its
whole process tree along when it is ended. What it started itself outlives us only if we are killed by SIGKILL, and then
not for longer than its processor time allows.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from compiler_agent.base.errors import ToolError
from compiler_agent.base.process_pump import Pump
from compiler_agent.base.signals import signals_put_off

OUTPUT_LIMIT_BYTES = 64 << 20
PIPE = subprocess.PIPE
"""For `start`: a pipe to or from the program."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Loaded here and not in the child: between fork and exec nothing may allocate or import.
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program did, measured from its start to its end."""

    argv: tuple[str, ...]
    """The command, whole."""
    status: int
    """Exit status; negative: the number of the signal that ended it."""
    stdout: bytes
    """Its standard output, at most `output_limit_bytes` of it; empty if it was not captured."""
    stderr: bytes
    """Its standard error, at most `output_limit_bytes` of it; empty if it was not captured."""
    user_time_s: float
    """Processor time in user mode, with that of its descendants that it waited for."""
    system_time_s: float
    """Processor time in the kernel, with that of its descendants that it waited for."""
    wall_time_s: float
    """Time on the clock."""
    peak_memory_bytes: int
    """Largest resident set of any single process among it and the descendants that it waited for."""
    transferred: tuple[int, int] | None = None
    """Bytes that it and the descendants that it waited for read and wrote; None: the kernel does not say."""
    timed_out: bool = False
    """It was killed because `timeout_s` had passed, or because `should_stop` said so."""
    output_truncated: bool = False
    """It wrote more than the limit; the rest was read and dropped."""

    @property
    def cpu_time_s(self) -> float:
        """User and system time together, in seconds."""
        return self.user_time_s + self.system_time_s


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None,
    memory_bytes: int | None = None,
    input: bytes | None = None,
    capture: bool = True,
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
    pass_fds: Sequence[int] = (),
    should_stop: Callable[[], bool] | None = None,
) -> Completed:
    """Runs a program to its end.

    Args:
        argv: Program and arguments; no shell is involved.
        cwd: Working directory, ours if None.
        env: The whole environment, ours if None.
        timeout_s: The process tree is killed after so many seconds; None: never.
        memory_bytes: Limit of the address space of each process in the tree.
        input: Bytes for its standard input; None: nothing to read.
        capture: False: it writes to our own stdout and stderr.
        output_limit_bytes: Of each stream so much is kept, the rest is read and dropped.
        pass_fds: File descriptors that the child inherits under the same numbers.
        should_stop: Asked some times a second; the process tree is killed once it says yes, as when its time is over.

    Returns:
        The outcome; a failure of the program is not an error here, see `check`.

    Raises:
        ToolError: The program could not be started.
    """
    command = tuple(os.fspath(word) for word in argv)
    started_s = time.monotonic()
    stream = subprocess.PIPE if capture else None
    child = _spawn(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
        stdout=stream,
        stderr=stream,
        memory_bytes=memory_bytes,
        cpu_time_s=None if timeout_s is None else _most_cpu_time_s(timeout_s),
        pass_fds=pass_fds,
    )
    try:
        deadline_s = None if timeout_s is None else started_s + timeout_s
        pump = Pump(child, input, output_limit_bytes, should_stop)
        timed_out = not pump.until_exit(deadline_s)
        if timed_out:  # while its pipes are open: it is to die of this, not of a broken pipe
            kill_tree(child.pid)
    except BaseException:
        kill_tree(child.pid)
        _reap(child)
        raise
    finally:
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    transferred = _transferred(child.pid)
    status, usage = _reap(child)
    return Completed(
        argv=command,
        status=status,
        stdout=bytes(pump.stdout),
        stderr=bytes(pump.stderr),
        user_time_s=usage.ru_utime,
        system_time_s=usage.ru_stime,
        wall_time_s=time.monotonic() - started_s,
        peak_memory_bytes=usage.ru_maxrss * 1024,
        transferred=transferred,
        timed_out=timed_out,
        output_truncated=pump.truncated,
    )


def check(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None,
    memory_bytes: int | None = None,
    input: bytes | None = None,
    should_stop: Callable[[], bool] | None = None,
    hint: str = "",
) -> Completed:
    """Runs a program that has to succeed; arguments as for `run`.

    Raises:
        ToolError: It could not be started, did not exit with 0, ran out of time, or was stopped.
    """
    done = run(
        argv, cwd=cwd, env=env, timeout_s=timeout_s, memory_bytes=memory_bytes, input=input, should_stop=should_stop
    )
    if done.timed_out:
        stopped = should_stop is not None and should_stop()
        reason = "stopped" if stopped else f"not finished after {timeout_s:g} s"
        raise ToolError(done.argv, done.status, done.stderr, reason=reason, hint=hint)
    if done.status != 0:
        raise ToolError(done.argv, done.status, done.stderr, hint=hint)
    return done


def start(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    memory_bytes: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a program and returns at once; end it with `stop`.

    The kernel kills the child when the *thread* that called this ends, so call it from a thread that outlives it.

    Args:
        argv: Program and arguments.
        cwd: Working directory, ours if None.
        env: The whole environment, ours if None.
        pass_fds: File descriptors that the child inherits under the same numbers.
        stdin: As for `subprocess.Popen`; nothing to read by default.
        stdout: As for `subprocess.Popen`; ours if None.
        stderr: As for `subprocess.Popen`; ours if None.
        memory_bytes: Limit of the address space of each process in the tree.

    Raises:
        ToolError: The program could not be started.
    """
    command = tuple(os.fspath(word) for word in argv)
    return _spawn(
        command,
        cwd=cwd,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=pass_fds,
        memory_bytes=memory_bytes,
    )


def stop(child: subprocess.Popen[bytes]) -> int:
    """Kills a started child with its whole tree, reaps it, and returns its status; harmless if it has ended."""
    if child.returncode is None:
        # Still unreaped: poll() here would free the number that kill_tree is about to signal.
        kill_tree(child.pid)
        child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    return child.returncode


def kill_tree(pid: int) -> None:
    """Kills a child of ours that was started here, its group, and its descendants in other groups.

    The child must not have been reaped. It is a subreaper, so what it or its descendants orphaned is still below it.
    """
    # Stopped first: a tree that goes on forking while it is walked would lose us some of its members.
    for victim in (pid, *_descendants(pid)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(victim, signal.SIGSTOP)
    victims = _descendants(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for victim in (*victims, pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(victim, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{parent}/task"):
                children = Path(f"/proc/{parent}/task/{thread}/children").read_text()
                pids = [int(word) for word in children.split()]
                found += pids
                waiting += pids
    return found


def _spawn(
    command: tuple[str, ...],
    *,
    cwd: str | os.PathLike[str] | None,
    env: Mapping[str, str] | None,
    stdin: int | IO[bytes] | None,
    stdout: int | IO[bytes] | None,
    stderr: int | IO[bytes] | None,
    memory_bytes: int | None,
    cpu_time_s: int | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    child = None
    try:
        with signals_put_off():
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
                start_new_session=True,
                preexec_fn=_prepare_child(os.getpid(), memory_bytes, cpu_time_s),
            )
        return child
    except FileNotFoundError as error:
        missing = error.filename or command[0]
        hint = "check the path, or run `compiler-agent doctor` to see what is installed"
        raise ToolError(command, None, reason=f"could not be started: {missing} does not exist", hint=hint) from error
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ToolError(command, None, reason=f"could not be started: {error}") from error
    except BaseException:  # a signal that was put off; nobody else knows of the child yet
        if child is not None:
            stop(child)
        raise


def _most_cpu_time_s(timeout_s: float) -> int:
    """What a process can use on all cores in a time on the clock, so that only one that nobody watches reaches it."""
    return (math.ceil(timeout_s) + 1) * (os.cpu_count() or 1)


def _prepare_child(parent: int, memory_bytes: int | None, cpu_time_s: int | None) -> Callable[[], None]:
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if os.getppid() != parent:  # it died before the signal was armed
            os._exit(127)
        if memory_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        if cpu_time_s is not None:
            allowed = resource.getrlimit(resource.RLIMIT_CPU)[1]
            most = cpu_time_s if allowed == resource.RLIM_INFINITY else min(cpu_time_s, allowed)
            resource.setrlimit(resource.RLIMIT_CPU, (most, allowed))

    return prepare


def _reap(child: subprocess.Popen[bytes]) -> tuple[int, resource.struct_rusage]:
    _, wait_status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(wait_status)
    return child.returncode, usage


def _transferred(pid: int) -> tuple[int, int] | None:
    """Bytes that a child that has ended, and is not reaped yet, passed to read and write calls."""
    try:
        fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
        return int(fields["rchar"]), int(fields["wchar"])
    except (OSError, KeyError):  # a kernel without CONFIG_TASK_IO_ACCOUNTING
        return None
