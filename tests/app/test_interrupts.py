"""Ctrl-C while something is being verified: no process, no temporary file, and the lock as it was."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from .programs import Project, descendants, eventually, is_running

LONG = ("--trust", "tested", "--test-seconds", "100")
PLAN = "-passes=function(sroa)"


def command_of(pid: int) -> str:
    """Its command line; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def commands_below(pid: int) -> list[str]:
    """The command lines of the programs below one, without children that are still copies of it."""
    return [command for child in descendants(pid) if (command := command_of(child)) != command_of(pid)]


def interrupted(
    project: Project, child: "subprocess.Popen[str]", running: str, number: int = signal.SIGINT, status: int = 130
) -> tuple[str, str]:
    """Waits until a program with these words in its command line runs below, then sends Ctrl-C; what was printed."""
    assert eventually(lambda: any(running in line for line in commands_below(child.pid))), child.poll()
    below = descendants(child.pid)
    child.send_signal(number)
    output, errors = child.communicate(timeout=300)
    assert child.returncode == status, errors
    assert "Traceback" not in errors
    assert eventually(lambda: not any(is_running(pid) for pid in below))
    assert project.leftovers() == []
    assert os.listdir(project.temporary) == []
    references = Path(project.environment["CC_AGENT_CACHE"]) / "function-tests"
    assert not references.is_dir() or not [name for name in os.listdir(references) if name.startswith(".")]
    return output, errors


@pytest.mark.parametrize("running", ["--write-corpus", "--candidate"])
def test_judge(project: Project, running: str) -> None:
    child = project.start("judge", *LONG, "--plan", PLAN, "--", "clang", "-c", "weigh.c")
    _, errors = interrupted(project, child, running)
    assert "interrupted" in errors


def test_blame(project: Project) -> None:
    command = ["blame", "--test-seconds", "100", "--plan", PLAN, "--", "clang", "-c", "weigh.c"]
    interrupted(project, project.start(*command), "--candidate")
    assert not (project.directory / "blame").exists()


def test_verify_while_a_function_is_tested(project: Project) -> None:
    assert project.agent("tune", "--budget", "6", "weigh.c").returncode == 0
    before = project.lock.read_bytes()
    interrupted(project, project.start("verify", "--remove", *LONG, project.lock), "--candidate")
    assert project.lock.read_bytes() == before


def test_verify_while_a_program_runs(project: Project) -> None:
    done = project.agent("tune", "--budget", "4", "--run", "./program", "--", "make", "-B")
    assert done.returncode == 0, done.stderr
    before = project.lock.read_bytes()
    child = project.start("verify", "--remove", "--run", "sleep 77", project.lock, "--", "make", "-B")
    interrupted(project, child, "sleep 77")
    assert project.lock.read_bytes() == before


def test_tune_ends_what_is_being_tested_and_keeps_nothing_of_it(project: Project) -> None:
    assert project.agent("tune", "--budget", "4", "main.c").returncode == 0
    before = project.lock.read_bytes()
    output, errors = interrupted(project, project.start("tune", "--budget", "4", *LONG, "weigh.c"), "--candidate")
    assert "not-established" in output
    assert "interrupted: " in errors
    assert project.lock.read_bytes() == before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_episode(project: Project, number: int, status: int) -> None:
    source = f"file://{project.directory}/weigh.c"
    command = ["env", "run", "--agent", "random", "--seconds", "1000", "--reward", "TextSizeBytesOz", source]
    interrupted(project, project.start(*command), "clang", number, status)
