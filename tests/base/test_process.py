"""Programs are started, measured, limited and ended with everything they started.

Times are limits that a slow or busy machine keeps to, and what they guard against takes longer still: a program that is
to be ended in the middle says itself, by a file, when it is there.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from compiler_agent.base import process
from compiler_agent.base.errors import ToolError


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, timeout_s: float = 100.0) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def read_pid(path: Path) -> int:
    assert wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def test_output_status_and_input():
    done = process.run(["sh", "-c", "cat; echo bad >&2; exit 7"], input=b"hello", timeout_s=100)
    assert (done.status, done.stdout, done.stderr) == (7, b"hello", b"bad\n")
    assert not done.timed_out
    assert not done.output_truncated


def test_large_input_and_output_do_not_deadlock():
    data = os.urandom(3 << 20)
    assert process.run(["cat"], input=data, timeout_s=100).stdout == data


def test_program_that_does_not_read_its_input():
    assert process.run(["true"], input=b"x" * (1 << 20), timeout_s=100).status == 0


def test_without_input_there_is_nothing_to_read():
    assert process.run(["cat"], timeout_s=100).stdout == b""


def test_working_directory_and_environment(tmp_path):
    done = process.run(["/bin/sh", "-c", "pwd; echo $MARK"], cwd=tmp_path, env={"MARK": "set"}, timeout_s=100)
    assert done.stdout.decode().split() == [str(tmp_path), "set"]


def test_times_are_measured():
    code = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    done = process.run([sys.executable, "-c", code], timeout_s=100)
    assert 0.25 <= done.user_time_s + done.system_time_s < done.wall_time_s + 0.2
    assert done.cpu_time_s == done.user_time_s + done.system_time_s
    assert done.peak_memory_bytes > 1 << 20


def test_signal_is_a_negative_status():
    assert process.run(["sh", "-c", "kill -SEGV $$"], timeout_s=100).status == -signal.SIGSEGV


def test_memory_limit():
    code = "x = bytearray(1 << 30)"
    assert process.run([sys.executable, "-c", code], timeout_s=100).status == 0
    limited = process.run([sys.executable, "-c", code], timeout_s=100, memory_bytes=512 << 20)
    assert limited.status == 1
    assert b"MemoryError" in limited.stderr


def test_endless_output_is_cut_and_ended(tmp_path):
    command = ["sh", "-c", "yes | head -c 200000; touch much; exec yes"]  # more than a pipe holds: it has been read
    done = process.run(
        command, cwd=tmp_path, timeout_s=100, output_limit_bytes=1000, should_stop=(tmp_path / "much").exists
    )
    assert done.timed_out
    assert done.output_truncated
    assert done.stdout == b"y\n" * 500
    assert done.status == -signal.SIGKILL


def test_output_of_exactly_the_limit_is_not_truncated():
    assert not process.run(["printf", "12345"], timeout_s=100, output_limit_bytes=5).output_truncated
    assert process.run(["printf", "12345"], timeout_s=100, output_limit_bytes=4).output_truncated


def test_an_end_kills_the_whole_tree_even_in_other_sessions(tmp_path):
    script = """
        sleep 1000 & echo $! > same
        setsid sh -c 'echo $$ > other; sleep 1000 & wait' &
        (setsid sh -c 'echo $$ > orphan; exec sleep 1000' &)
        while ! [ -s orphan -a -s other -a -s same ]; do sleep 0.01; done
        touch all
        wait
    """
    done = process.run(["sh", "-c", script], cwd=tmp_path, timeout_s=100, should_stop=(tmp_path / "all").exists)
    assert done.timed_out
    assert done.wall_time_s < 100
    for name in ("same", "other", "orphan"):
        pid = read_pid(tmp_path / name)
        assert wait_until(lambda pid=pid: not is_alive(pid)), name


def test_background_process_does_not_hold_us_up(tmp_path):
    done = process.run(["sh", "-c", "yes & echo $! > pid; sleep 1000 & exit 3"], cwd=tmp_path, timeout_s=100)
    assert done.status == 3
    assert not done.timed_out
    assert wait_until(lambda: not is_alive(read_pid(tmp_path / "pid")))


def test_interrupt_kills_the_tree(tmp_path):
    def interrupt():
        read_pid(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        process.run(["sh", "-c", "sleep 1000 & echo $! > pid; wait"], cwd=tmp_path, timeout_s=500)
    thread.join()
    assert wait_until(lambda: not is_alive(read_pid(tmp_path / "pid")))


@pytest.mark.parametrize("hook", ["before", "after_in_parent", "after_in_child"])
@pytest.mark.parametrize("program", ["sleep", "no-such-program"])
def test_a_signal_during_a_fork_is_not_lost(tmp_path, hook, program):
    """Python prints and forgets what is raised in such a hook."""
    code = (
        "import os, signal\n"
        "from compiler_agent.base import process\n"
        f"os.register_at_fork({hook}=lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "try:\n"
        f"    print(process.run([{program!r}, '0.01'], timeout_s=None).status)\n"
        "except KeyboardInterrupt:\n"
        "    print(open(f'/proc/self/task/{os.getpid()}/children').read() or 'alone')\n"
        "except Exception as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    expected = {"sleep": "0", "no-such-program": "does not exist"}[program] if hook == "after_in_child" else "alone"
    assert expected in done.stdout


def test_child_dies_when_we_are_killed(tmp_path):
    code = (
        "from compiler_agent.base import process\n"
        "process.run(['sh', '-c', 'echo $$ > pid; exec sleep 1000'], timeout_s=None)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    child = read_pid(tmp_path / "pid")
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not is_alive(child))


def test_what_outlives_us_has_a_limit_of_processor_time_that_plugins_can_raise():
    done = process.run(["sh", "-c", "ulimit -S -t; ulimit -H -t"], timeout_s=98.5)
    assert done.stdout.decode().split() == [str(100 * os.cpu_count()), "unlimited"]


def test_no_descriptor_and_no_child_is_left():
    def descriptors() -> set[str]:
        return set(os.listdir("/proc/self/fd"))

    process.run(["true"], timeout_s=100)
    before = descriptors()
    for _ in range(5):
        process.run(["cat"], input=b"x", timeout_s=100)
        process.run(["sleep", "9"], timeout_s=0.01)
    assert descriptors() == before
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)


def test_missing_program():
    with pytest.raises(ToolError, match="no-such-program does not exist") as caught:
        process.run(["no-such-program", "-x"], timeout_s=100)
    assert caught.value.status is None
    assert caught.value.exit_code == 3


def test_missing_working_directory_is_named(tmp_path):
    with pytest.raises(ToolError, match="nowhere does not exist"):
        process.run(["true"], cwd=tmp_path / "nowhere", timeout_s=100)


def test_check_raises_with_command_status_and_tail():
    with pytest.raises(ToolError) as caught:
        process.check(["sh", "-c", "head -c 100000 /dev/zero >&2; echo the end >&2; exit 4"], timeout_s=100)
    assert caught.value.status == 4
    assert caught.value.argv[0] == "sh"
    assert caught.value.stderr_tail.endswith("the end")
    assert len(caught.value.stderr_tail) < 5000
    assert "exited with status 4" in str(caught.value)


def test_check_names_the_time():
    with pytest.raises(ToolError, match=r"not finished after 0\.05 s"):
        process.check(["sleep", "9"], timeout_s=0.05)


def test_start_passes_descriptors_and_stop_kills(tmp_path):
    reader, writer = os.pipe()
    child = process.start(
        ["sh", "-c", f"sleep 1000 & echo $! > pid; echo hi >/dev/fd/{writer}; wait"], cwd=tmp_path, pass_fds=[writer]
    )
    os.close(writer)
    assert os.read(reader, 10) == b"hi\n"
    os.close(reader)
    assert child.poll() is None
    assert process.stop(child) == -signal.SIGKILL
    assert process.stop(child) == -signal.SIGKILL
    assert wait_until(lambda: not is_alive(read_pid(tmp_path / "pid")))


def test_a_program_is_killed_when_it_is_to_stop(tmp_path: Path) -> None:
    command = ["sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/pid; touch {tmp_path}/there; wait"]
    done = process.run(command, timeout_s=100, should_stop=(tmp_path / "there").exists)
    assert done.timed_out
    assert done.wall_time_s < 100
    assert wait_until(lambda: not is_alive(read_pid(tmp_path / "pid")))
    done = process.run(["true"], timeout_s=100, should_stop=lambda: False)
    assert (done.status, done.timed_out) == (0, False)
    with pytest.raises(ToolError, match="stopped"):
        process.check(command, timeout_s=None, should_stop=lambda: True)


def test_bytes_read_and_written_are_counted_with_those_of_descendants(tmp_path):
    (tmp_path / "data").write_bytes(b"x" * 500_000)
    if not Path("/proc/self/io").exists():
        pytest.skip("this kernel does not count them")
    nothing = process.run(["true"], timeout_s=100).transferred
    copied = process.run(["sh", "-c", "cat data; exit 0"], cwd=tmp_path, timeout_s=100).transferred
    assert nothing is not None
    assert copied is not None
    assert nothing[0] < 100_000
    assert copied[0] >= 500_000
    assert copied[1] >= 500_000
