"""What all tests share."""

import functools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.evaluation import function_test, ledger, ledger_checks
from compiler_agent.evaluation.libraries import load, select
from compiler_agent.evaluation.library_fetch import prepare

# A machine that is busy with something else is not a failure.
settings.register_profile("suite", deadline=None, print_blob=True)
settings.load_profile("suite")

# A shell without job control starts what it puts into the background with Ctrl-C ignored; tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the settings of whoever runs it, or writes into their cache."""
    for name in list(os.environ):
        if name.startswith(("CC_AGENT_", "ANTHROPIC_")) and name not in ("CC_AGENT_LLVM", "CC_AGENT_NATIVE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def tested_by_executions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are tested with so many inputs, not for so long, and proofs have time: a slow machine is no failure."""
    limited = functools.partial(function_test.test_functions, max_executions=300)
    monkeypatch.setattr(ledger_checks, "test_functions", limited)
    monkeypatch.setattr(ledger, "_CHEAP_SECONDS", 60.0)


@pytest.fixture(scope="module")
def zlib_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of zlib, of a module's own."""
    (library,) = select(load(), ["zlib"])
    directory = tmp_path_factory.mktemp("zlib") / "zlib"
    try:
        prepare(library, directory)
    except CompilerAgentError as error:
        pytest.skip(f"zlib's sources cannot be had: {error}")
    return directory


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a file system of its own with room for 256 KiB."""
    directory = tmp_path / "small disk"
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(directory)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a file system: {mounted.stderr.decode().strip()}")
    yield directory
    for _ in range(50):
        if subprocess.run(["umount", str(directory)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"{directory} is still in use")
