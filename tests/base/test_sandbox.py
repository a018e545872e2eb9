"""Programs that try to get out: with namespaces nothing of it works, without them the limits hold."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compiler_agent.base import sandbox
from compiler_agent.base.errors import ToolError
from compiler_agent.base.sandbox import Confined, Confinement, Ending, SandboxLimits, run_confined

PATIENT = SandboxLimits(wall_time_s=200)
"""A machine that is slow or busy is no fault."""
needs_namespaces = pytest.mark.skipif(
    subprocess.run(["unshare", "-Urmpnf", "true"], capture_output=True, check=False).returncode != 0,
    reason="the kernel allows no namespaces here",
)


def shell(command: str, scratch: Path, **settings: object) -> Confined:
    settings.setdefault("limits", PATIENT)
    return run_confined(["/bin/sh", "-c", command], scratch, **settings)  # type: ignore[arg-type]


@pytest.fixture(params=[True, False], ids=["namespaces", "limits-only"])
def namespaces(request: pytest.FixtureRequest) -> bool:
    if request.param and sandbox.probe()[0] is not Confinement.FULL:
        pytest.skip(sandbox.probe()[1])
    return bool(request.param)


@pytest.fixture
def outside() -> Path:  # not below /tmp, where a confined program has a view of its own
    directory = Path(__file__).resolve().parents[2] / "build" / f"sandbox-test-{os.getpid()}"
    directory.mkdir(parents=True)
    yield directory
    shutil.rmtree(directory)


def test_what_a_program_does_comes_back(tmp_path: Path, namespaces: bool) -> None:
    done = run_confined(
        ["/bin/sh", "-c", 'cat; echo "$WORD" >&2; echo new > file; pwd; exit 7'],
        tmp_path,
        limits=PATIENT,
        input=b"given\n",
        variables={"WORD": "said"},
        namespaces=namespaces,
    )
    assert (done.completed.status, done.ending) == (7, Ending.EXITED)
    assert done.completed.stdout == f"given\n{tmp_path}\n".encode()
    assert done.completed.stderr == b"said\n"
    assert (tmp_path / "file").read_text() == "new\n"
    assert done.confinement is (Confinement.FULL if namespaces else Confinement.LIMITS_ONLY)
    assert bool(done.reason) is not namespaces


def test_a_signal_is_told_from_a_status(tmp_path: Path, namespaces: bool) -> None:
    done = shell("kill -SEGV $$", tmp_path, namespaces=namespaces)
    assert (done.completed.status, done.ending) == (-11, Ending.SIGNALLED)


def test_a_program_that_is_not_there(tmp_path: Path, namespaces: bool) -> None:
    with pytest.raises(ToolError, match="nowhere"):
        run_confined(["/nowhere"], tmp_path, namespaces=namespaces)


def test_our_environment_stays_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespaces: bool) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    assert b"hush" not in shell("env", tmp_path, namespaces=namespaces).completed.stdout


@needs_namespaces
def test_nothing_is_written_outside(tmp_path: Path, outside: Path) -> None:
    victim = outside / "victim"
    victim.write_text("whole")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = shell(f"echo gone > {victim}; rm -f {victim}; touch {outside}/new {tmp_path}/new /new; echo end", scratch)
    assert done.completed.stdout == b"end\n"
    assert victim.read_text() == "whole"
    assert not (outside / "new").exists()
    assert not (tmp_path / "new").exists()  # it may write to a /tmp, but not to this one
    assert not Path("/new").exists()


@needs_namespaces
def test_devices_kernel_settings_and_services_are_out_of_reach(tmp_path: Path) -> None:
    done = shell("ls /dev /run; (: > /proc/sys/kernel/core_pattern); mount -t tmpfs x /mnt; echo end", tmp_path)
    names = done.completed.stdout.decode().split()
    allowed = "/dev: fd full null random shm stderr stdin stdout urandom zero /run: end"
    assert names == allowed.split()
    assert b"core_pattern: Read-only" in done.completed.stderr
    assert b"mount:" in done.completed.stderr


@needs_namespaces
def test_the_scratch_directory_takes_another_ones_place(tmp_path: Path, outside: Path) -> None:
    (outside / "original").touch()
    (tmp_path / "sub").mkdir()
    done = shell("pwd; touch made", tmp_path, seen_at=outside, cwd="sub")
    assert done.completed.stdout == f"{outside}/sub\n".encode()
    assert (tmp_path / "sub" / "made").exists()
    assert os.listdir(outside) == ["original"]


def test_without_namespaces_nothing_runs_in_the_other_ones_place(tmp_path: Path, outside: Path) -> None:
    shell("touch made", tmp_path, seen_at=outside, namespaces=False)
    assert (tmp_path / "made").exists()
    assert os.listdir(outside) == []


CONNECT = """
import socket, sys
for family, address in ((socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))), (socket.AF_UNIX, sys.argv[2])):
    try:
        socket.socket(family).connect(address)
        print("connected")
    except OSError as error:
        print("refused")
"""


def test_no_network(tmp_path: Path, namespaces: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inet, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "socket"))
        unix.listen()
        port = str(inet.getsockname()[1])
        command = [sys.executable, "-c", CONNECT, port, str(tmp_path / "socket")]
        assert subprocess.run(command, capture_output=True, check=True).stdout == b"connected\nconnected\n"
        done = run_confined(command, tmp_path, limits=PATIENT, namespaces=namespaces)
    assert done.completed.stdout == b"refused\nrefused\n"


def test_a_fork_bomb_ends(tmp_path: Path, namespaces: bool) -> None:
    bomb = "import os, time\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
    limits = SandboxLimits(wall_time_s=200, processes=30)
    done = run_confined([sys.executable, "-c", bomb], tmp_path, limits=limits, namespaces=namespaces)
    assert done.ending is Ending.PROCESSES, "and not the clock"
    assert _running(bomb) == 0


def test_memory_is_bounded(tmp_path: Path, namespaces: bool) -> None:
    eater = "import time\nx = [bytearray(1 << 22) for _ in range(100)]\ntime.sleep(1000)\n"
    limits = SandboxLimits(wall_time_s=200, memory_bytes=100 << 20)
    done = run_confined([sys.executable, "-c", eater], tmp_path, limits=limits, namespaces=namespaces)
    assert done.ending is Ending.MEMORY


def test_an_address_space_is_bounded(tmp_path: Path, namespaces: bool) -> None:
    limits = SandboxLimits(wall_time_s=200, address_space_bytes=200 << 20)
    command = [sys.executable, "-c", "x = bytearray(1 << 30)"]
    done = run_confined(command, tmp_path, limits=limits, namespaces=namespaces)
    assert b"MemoryError" in done.completed.stderr


def test_a_huge_file_is_cut(tmp_path: Path, namespaces: bool) -> None:
    limits = SandboxLimits(wall_time_s=200, file_bytes=1 << 20)
    done = shell("exec head -c 10000000 /dev/zero > big", tmp_path, limits=limits, namespaces=namespaces)
    assert done.ending is Ending.SIGNALLED
    assert (tmp_path / "big").stat().st_size == 1 << 20


def test_processor_time_is_bounded(tmp_path: Path, namespaces: bool) -> None:
    limits = SandboxLimits(wall_time_s=300, cpu_time_s=1)
    done = shell("while :; do :; done", tmp_path, limits=limits, namespaces=namespaces)
    assert done.ending is Ending.SIGNALLED
    assert done.completed.cpu_time_s < 5


def test_the_clock_ends_what_sleeps_and_all_below_it(tmp_path: Path, namespaces: bool) -> None:
    marker = f"{1000 + os.getpid()}.25"
    done = shell(
        f"setsid sleep {marker} & sleep {marker}",
        tmp_path,
        limits=SandboxLimits(wall_time_s=0.5),
        namespaces=namespaces,
    )
    assert done.ending is Ending.TIMED_OUT
    assert _running(marker) == 0


def test_nothing_outlives_its_parent(tmp_path: Path, namespaces: bool) -> None:
    marker = f"{2000 + os.getpid()}.25"
    done = shell(f"setsid sleep {marker} >/dev/null 2>&1 & echo started", tmp_path, namespaces=namespaces)
    assert done.completed.stdout == b"started\n"
    assert _running(marker) == 0


def _running(words: str) -> int:
    """How many processes have these words in their command line, a moment after they should be gone."""
    for _ in range(600):
        n_found = 0
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                n_found += words.encode() in path.read_bytes()
            except OSError:
                continue
        if not n_found:
            return 0
        time.sleep(0.05)
    return n_found
