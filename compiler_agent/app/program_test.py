"""A whole program is built at -O0 and with plans, and its test command is run on both; from a lock also again.

The test command is in the lock, and runs confined. The build command is not: it runs with all that its user may do,
so it is only taken from that user, now or by a tune on this machine, never from a file that somebody else wrote.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler_agent.app.records import Record, read_records
from compiler_agent.base import lock as locks
from compiler_agent.base.config import child_environment, native_directory, user_cache_directory
from compiler_agent.base.errors import CompilerAgentError, NotEstablished, UsageError
from compiler_agent.base.files import MemoryFile, write_atomically
from compiler_agent.base.lock_format import LockEntry
from compiler_agent.base.process import run
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import N_REFERENCE_RUNS, Reference, Workload

Item = tuple[str, LockEntry]
"""A key and its plan."""
_BUILD_TIMEOUT_S = 4 * 3600.0


def build(command: Sequence[str], cwd: Path, objective: str = "size", **variables: str) -> None:
    """Runs a build command with cc-agent as its compiler at -O-agent=OBJECTIVE, unless the command says otherwise."""
    launcher = native_directory() / "bin"
    done = run(
        command,
        cwd=cwd,
        env=child_environment(
            CC=str(launcher / "cc-agent"),
            CXX=str(launcher / "cc-agent++"),
            **{
                "CFLAGS": os.environ.get("CFLAGS", f"-O-agent={objective}"),
                "CXXFLAGS": os.environ.get("CXXFLAGS", f"-O-agent={objective}"),
                **variables,
            },
        ),
        timeout_s=_BUILD_TIMEOUT_S,
    )
    if done.status != 0:
        tail = done.stderr.decode(errors="replace")[-1500:].strip()
        raise CompilerAgentError(f"the build failed with status {done.status}: {shlex.join(command)}\n{tail}")


def overriding(level: str) -> dict[str, str]:
    """Clang's own way to change a command line: it reaches every compilation, whatever the flags of the build are."""
    edits = (word[1:] if word.startswith("-O") else f"+{word}" for word in level.split())
    return {"CCC_OVERRIDE_OPTIONS": f"# {' '.join(edits)}"}


def record_build(command: Sequence[str], cwd: Path, objective: str = "size") -> list[Record]:
    """Runs a build once with clang's own code and returns its translation units of one objective, size or speed.

    Raises:
        CompilerAgentError: The build fails, or nothing in it went through cc-agent with -O-agent.
    """
    with MemoryFile() as notes, MemoryFile(locks.Lock({}).to_text().encode()) as empty:
        recording = {"CC_AGENT_RECORD": str(notes.path), "CC_AGENT_LOCK": str(empty.path)}
        build(command, cwd, objective, CC_AGENT_MODE="record", **recording)
        records = [record for record in read_records(notes.path) if record.objective == objective]
    if not records:
        raise UsageError(
            f"no compilation of `{shlex.join(command)}` went through cc-agent with -O-agent={objective}",
            hint=f"let the build use them: `compiler-agent tune -- make -B CC=cc-agent CFLAGS=-O-agent={objective}`",
        )
    return records


def references(
    command: Sequence[str], cwd: Path, workloads: Sequence[Workload], objective: str = "size"
) -> list[Reference]:
    """What the program does when all of it is built at -O0; clang's own build stands there again afterwards."""
    with MemoryFile() as log:
        build(command, cwd, objective, CC_AGENT_MODE="off", CC_AGENT_LOG=str(log.path), **overriding("-O0"))
        if not log.read():
            raise NotEstablished(
                f"the second run of `{shlex.join(command)}` compiled nothing, so there is no -O0 build to compare with",
                hint="give a build command that builds everything again, such as `make -B`",
            )
    try:
        return [difftest.reference(workload, cwd) for workload in workloads]
    finally:
        build(command, cwd, objective, CC_AGENT_MODE="off")


def build_with(plans: locks.Lock, command: Sequence[str], cwd: Path, objective: str = "size") -> set[str]:
    """Builds with plans; the keys of those that are in what was built.

    Raises:
        NotEstablished: None is.
        CompilerAgentError: The build fails.
    """
    with MemoryFile(plans.to_text().encode()) as lock, MemoryFile() as log:
        files = {"CC_AGENT_LOCK": str(lock.path), "CC_AGENT_LOG": str(log.path)}
        build(command, cwd, objective, CC_AGENT_MODE="replay", **files)
        entries = [json.loads(line) for line in log.read().splitlines()]
    keys = {
        event["key"]
        for entry in entries
        if entry["decision"] == "replayed"
        for event in entry["events"]
        if event["event"] == "hit"
    }
    if plans.plans and not keys:
        raise NotEstablished(
            f"the second run of `{shlex.join(command)}` compiled nothing, so no plan could be tested",
            hint="give a build command that builds everything again, such as `make -B`",
        )
    return keys


def try_plans(
    plans: Mapping[str, LockEntry],
    command: Sequence[str],
    cwd: Path,
    expected: Sequence[Reference],
) -> tuple[bool, set[str]]:
    """Builds with plans and tests; whether it behaves as expected, and the keys whose plans are in what was built."""
    keys = build_with(locks.Lock(plans), command, cwd)
    return difftest.judge(expected, cwd).verdict.permits, keys


def retest(
    plans: Mapping[str, LockEntry], command: Sequence[str], cwd: Path, workloads: Sequence[Workload]
) -> tuple[set[str], set[str]]:
    """Tests plans of a lock again; clang's own build stands there afterwards.

    Returns:
        The keys of the plans that change what the program does, and of all that were in what was built.

    Raises:
        NotEstablished: A test fails on the -O0 build, is not repeatable, or nothing was built again.
        CompilerAgentError: A build fails.
    """
    replayed: set[str] = set()

    def passes(items: Sequence[Item]) -> bool:
        behaves, keys = try_plans(dict(items), command, cwd, expected)
        replayed.update(keys)
        return behaves

    expected = references(command, cwd, workloads)
    try:
        refuted = difftest.culprits(list(plans.items()), passes)
    finally:
        build(command, cwd, CC_AGENT_MODE="off")
    return {key for key, _ in refuted}, replayed


def evidence_of(expected: Sequence[Reference]) -> dict[str, object]:
    """What a lock says of a program's test, with all that it takes to run it again but the build command."""
    commands = [reference.workload.command for reference in expected]
    timeout_s = expected[0].workload.timeout_s
    return {**expected[0].evidence(), "command": "; ".join(commands), "commands": commands, "timeout_s": timeout_s}


def workloads_of(evidence: Mapping[str, Any], *, no_sandbox: bool) -> tuple[Workload, ...]:
    """The test commands behind a lock's evidence.

    Args:
        evidence: What `evidence_of` returned, or an older lock's, in which several commands are one.
        no_sandbox: Whether the user lets a test that ran without the sandbox do that again.

    Raises:
        NotEstablished: They cannot be run again; the message says why.
    """
    sandboxed = evidence.get("sandbox") != "none"
    if not sandboxed and not no_sandbox:
        raise NotEstablished("it ran without the sandbox; --no-sandbox lets it do that again")
    commands = evidence.get("commands", [evidence.get("command")])
    try:
        if not commands or not all(isinstance(command, str) and command for command in commands):
            raise ValueError("there is no command")
        return tuple(
            Workload(
                command,
                float(evidence.get("timeout_s", 600.0)),
                float(evidence.get("tolerance", 0.0)),
                ignored_files=tuple(map(str, evidence.get("ignored_files", ()))),
                sandboxed=sandboxed,
                n_reference_runs=int(evidence.get("runs", N_REFERENCE_RUNS)),
            )
            for command in commands
        )
    except (TypeError, ValueError) as error:
        raise NotEstablished(f"the lock does not say how it was run: {error}") from error


def remember_build(keys: Iterable[str], command: Sequence[str], cwd: Path) -> None:
    """Keeps in the user's cache how the units with these keys were built, so that `verify` can do it again."""
    text = json.dumps({"cwd": str(cwd), "command": list(command)})
    for key in keys:
        path = _build_of(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode(errors="surrogateescape"))
        except (OSError, CompilerAgentError):
            return  # a convenience: without it `verify` asks for the build command


def recall_build(key: str) -> tuple[tuple[str, ...], Path] | None:
    """The build command that was kept for a key, and its directory; None where either is gone."""
    try:
        row = json.loads(_build_of(key).read_text(errors="surrogateescape"))
        command, cwd = tuple(map(str, row["command"])), Path(row["cwd"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (command, cwd) if command and cwd.is_dir() else None


def _build_of(key: str) -> Path:
    return user_cache_directory() / "builds" / f"{key}.json"
