"""What is run, recorded, searched and logged, with scripts in the place of clang and the tuner."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import Staged


def clang_calls(staged: Staged) -> list[str]:
    """Only the calls, without the lines that tell private variables."""
    return [line for line in staged.calls() if not line.startswith("lock=")]


def test_replay_runs_clang_once_with_the_plugin_first(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", CC_AGENT_MODE="replay", FAKE_EVENT="hit")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "warning: with plugin\n")
    plugin = staged.directory / "native" / "lib" / "cc-agent.so"
    lock = staged.directory / "cache" / "cc-agent" / "cc-agent.lock"
    options = f"--start-no-unused-arguments -fpass-plugin={plugin} -gen-reproducer=off --end-no-unused-arguments"
    assert staged.calls() == [f"{options} -Oz -c unit.c -o unit.o", f"lock={lock} serve=unset"]
    (entry,) = staged.log()
    assert entry["decision"] == "replayed"
    assert entry["sources"] == ["unit.c"]
    assert entry["events"] == [{"event": "hit", "key": "0123-O2s0", "source": "unit.c", "message": "m"}]
    assert entry["status"] == 0
    assert entry["wall_time_s"] > 0


def test_private_variables_of_the_caller_do_not_leak(staged: Staged):
    leak = {"CC_AGENT_PLUGIN_SERVE": "7", "CC_AGENT_PLUGIN_LOCK": "x", "CC_AGENT_PLUGIN_STATUS": "2"}
    done = staged.run("-O-agent", "-c", "unit.c", CC_AGENT_MODE="replay", CC_AGENT_LOCK="my.lock", **leak)
    assert "event" not in done.stderr
    assert staged.calls()[1] == f"lock={staged.work}/my.lock serve=unset"


@pytest.mark.parametrize("place", ["work/deep/er", "work/deep", "work", ""])
def test_lock_is_the_nearest_above_the_source(staged: Staged, place: str):
    (staged.work / "deep" / "er").mkdir(parents=True)
    (staged.work / "deep" / "er" / "unit.c").touch()
    (staged.directory / place / "cc-agent.lock").touch()
    if place == "work/deep":
        (staged.directory / "cc-agent.lock").touch()
    staged.run("-O-agent", "-c", "deep/er/unit.c", CC_AGENT_MODE="replay")
    assert staged.log()[0]["lock"] == str(staged.directory / place / "cc-agent.lock")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_strangers_lock_above_the_source_is_not_used(staged: Staged):
    lock = staged.directory / "cc-agent.lock"
    lock.touch()
    os.chown(lock, 12345, -1)
    staged.run("-O-agent", "-c", "unit.c", CC_AGENT_MODE="replay")
    os.chown(staged.work / "unit.c", 12345, -1)  # the same stranger's source: theirs to decide
    staged.run("-O-agent", "-c", "unit.c", CC_AGENT_MODE="replay")
    staged.run("-O-agent", "-c", "unit.c", CC_AGENT_MODE="replay", CC_AGENT_LOCK=str(lock))
    assert [Path(entry["lock"]) == lock for entry in staged.log()] == [False, True, True]


@pytest.mark.parametrize("status", ["134", "139", "70", "255"])
def test_crash_with_the_plugin_is_plain_clangs_object(staged: Staged, status: str):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", FAKE_PLUGIN_STATUS=status)
    assert done.returncode == 0
    assert (staged.work / "unit.o").read_text() == "plain\n"
    assert clang_calls(staged)[1] == "-Oz -c unit.c -o unit.o"
    (entry,) = staged.log()
    assert entry["decision"] == "fallback"
    assert status in entry["reason"]
    assert not (staged.directory / "tuner-call").exists()


def test_what_a_plan_wrote_to_standard_output_before_it_crashed_is_not_there_twice(staged: Staged):
    output = {"FAKE_PLUGIN_STDOUT": "half of it", "FAKE_STDOUT": "all of it", "FAKE_EVENT": "hit"}
    done = staged.run("-O-agent", "-S", "unit.c", "-o", "-", FAKE_PLUGIN_STATUS="139", **output)
    assert (done.returncode, done.stdout) == (0, "all of it\n")
    done = staged.run("-O-agent", "-S", "unit.c", "-o", "-", **output)
    assert (done.returncode, done.stdout) == (0, "half of it\n")


def test_the_plan_that_was_running_when_clang_crashed_is_told_last(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", FAKE_PLUGIN_STATUS="139", FAKE_EVENT="hit", CC_AGENT_LOCK="my.lock")
    *before, last = done.stderr.splitlines()
    assert before == ["warning: with plugin", "warning: plain"]
    assert last == (
        "cc-agent: warning: clang exited with status 139 (Segmentation fault) with the plugin and the plan of "
        "0123-O2s0; clang's own object was made instead. "
        f"To judge the plans again: compiler-agent verify '{staged.work}/my.lock'"
    )


def test_a_crash_that_plain_clang_has_too_is_not_told_to_be_the_plans(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", FAKE_PLUGIN_STATUS="139", FAKE_EVENT="hit", FAKE_STATUS="139")
    assert done.returncode == 139
    assert done.stderr.splitlines() == ["warning: with plugin", "warning: plain"]


@pytest.mark.parametrize(
    ("setting", "limits", "told"),
    [
        ({}, "600 4096", ""),
        ({"CC_AGENT_REPLAY_TIMEOUT": "7", "CC_AGENT_REPLAY_MEMORY": "0"}, "7 0", ""),
        ({"CC_AGENT_REPLAY_TIMEOUT": "5s"}, "600 4096", "CC_AGENT_REPLAY_TIMEOUT=5s is not a whole number"),
    ],
)
def test_the_plugin_is_told_what_a_plan_may_use(staged: Staged, setting: dict[str, str], limits: str, told: str):
    done = staged.run("-O-agent", "-c", "unit.c", CC_AGENT_MODE="replay", FAKE_EVENT="hit", **setting)
    assert done.returncode == 0
    assert (staged.directory / "limits").read_text() == f"{limits}\n"
    assert told in done.stderr


@pytest.mark.parametrize("name", ["SEGV", "ABRT", "KILL"])
def test_signal_with_the_plugin_is_plain_clangs_object(staged: Staged, name: str):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", FAKE_PLUGIN_SIGNAL=name)
    assert done.returncode == 0
    assert (staged.work / "unit.o").read_text() == "plain\n"
    assert staged.log()[0]["decision"] == "fallback"


def test_crash_of_plain_clang_too_is_passed_on(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", FAKE_PLUGIN_SIGNAL="SEGV", FAKE_SIGNAL="SEGV")
    assert done.returncode == -signal.SIGSEGV
    assert staged.log()[0]["status"] == 139


def test_code_that_clang_refuses_only_with_a_plan(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", FAKE_PLUGIN_STATUS="1", FAKE_EVENT="hit")
    assert done.returncode == 0
    assert (staged.work / "unit.o").read_text() == "plain\n"
    assert staged.log()[0]["decision"] == "fallback"


@pytest.mark.parametrize("event", ["none", "miss"])
def test_mistake_in_the_source_is_not_compiled_twice(staged: Staged, event: str):
    done = staged.run("-O-agent", "-c", "unit.c", FAKE_PLUGIN_STATUS="1", FAKE_EVENT=event)
    assert done.returncode == 1
    assert done.stderr == "warning: with plugin\n"
    assert not any(call.endswith("-Oz -c unit.c") and "plugin" not in call for call in clang_calls(staged))
    assert staged.log()[0]["decision"] == "plain"


def test_plugin_that_does_not_load(staged: Staged):
    settings = {"FAKE_PLUGIN_STATUS": "1", "FAKE_EVENT": "none", "FAKE_LOAD_STATUS": "1"}
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", **settings)
    assert done.returncode == 0
    assert staged.log()[0]["decision"] == "fallback"


def test_missing_plugin_is_plain_clang(staged: Staged):
    (staged.directory / "native" / "lib" / "cc-agent.so").unlink()
    done = staged.run("-O-agent=speed", "-c", "unit.c")
    assert (done.returncode, staged.calls()) == (0, ["-O3 -c unit.c"])
    assert "cc-agent.so is missing" in staged.log()[0]["reason"]


def test_other_llvm_version_is_plain_clang(staged: Staged):
    (staged.directory / "llvm" / "lib" / "clang" / "22").rename(staged.directory / "llvm" / "lib" / "clang" / "21")
    staged.run("-O-agent", "-c", "unit.c")
    assert staged.calls() == ["-Oz -c unit.c"]
    assert "is not LLVM 22" in staged.log()[0]["reason"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"CC_AGENT_DISABLE": "1"}, "switched off"), ({"CC_AGENT_MODE": "off"}, "switched off")],
)
def test_off(staged: Staged, settings: dict[str, str], told: str):
    staged.run("-O-agent", "-c", "unit.c", **settings)
    assert staged.calls() == ["-Oz -c unit.c"]
    assert told in staged.log()[0]["reason"]


def test_invalid_mode_is_told_and_replays(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", CC_AGENT_MODE="tnue")
    assert done.returncode == 0
    assert done.stderr.startswith("cc-agent: warning: CC_AGENT_MODE=tnue is none of tune, replay, record, off")
    assert staged.log()[0]["mode"] == "replay"
    assert not (staged.directory / "tuner-call").exists()


@pytest.mark.parametrize(
    "arguments", [["-O2", "-c", "unit.c"], ["--version"], ["unit.o", "-o", "unit"], ["-cc1", "-x"]]
)
def test_without_our_option_nothing_is_changed_or_logged(staged: Staged, arguments: list[str]):
    staged.run(*arguments)
    assert staged.calls() == [" ".join(arguments)]
    assert not (staged.directory / "log.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["unit.o", "-O-agent", "-o", "unit"], "unit.o -Oz -o unit"),
        (["-E", "-O-agent=speed", "unit.c"], "-E -O3 unit.c"),
        (["-###", "-O-agent", "-c", "unit.c"], "-### -Oz -c unit.c"),
        (["-O-agent", "--version"], "-Oz --version"),
    ],
)
def test_base_level_where_nothing_is_compiled(staged: Staged, arguments: list[str], expected: str):
    staged.run(*arguments)
    assert staged.calls() == [expected]
    assert not (staged.directory / "log.jsonl").exists()


def test_unknown_option_is_plain_clang(staged: Staged):
    staged.run("-O-agent", "-fbrand-new", "-c", "unit.c")
    assert staged.calls() == ["-Oz -fbrand-new -c unit.c"]
    assert staged.log()[0]["reason"] == "-fbrand-new: unknown option"


def test_miss_is_searched_and_compiled_again_quietly(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "warning: with plugin\n")
    assert (staged.work / "unit.o").read_text() == "hit\n"
    assert staged.log()[0]["decision"] == "tuned"
    words = (staged.directory / "tuner-call").read_text().splitlines()
    lock = str(staged.directory / "cache" / "cc-agent" / "cc-agent.lock")
    assert words[:-1] == [
        *["-P", "-m", "compiler_agent.app.cc", "--lock", lock, "--objective", "size", "--record-json"],
    ]
    record = json.loads(words[-1])
    assert record["format"] == "cc-agent-record"
    assert record["version"] == 1
    assert record["key"] == "0123-O2s0"
    assert record["source"] == "unit.c"
    assert record["cwd"] == str(staged.work)
    assert record["tune_argv"][1:] == ["-Qunused-arguments", "-Oz", "-c", "-o", "-", "unit.c"]
    assert record["argv"][1:] == ["-O-agent", "-c", "unit.c", "-o", "unit.o"]


def test_verbose_shows_the_tuner(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", CC_AGENT_VERBOSE="1")
    assert "tuner: a word on stderr" in done.stderr


@pytest.mark.parametrize(("status", "told"), [("1", "nothing better was found"), ("3", "CC_AGENT_VERBOSE=1")])
def test_tuner_that_finds_nothing_leaves_the_object(staged: Staged, status: str, told: str):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", FAKE_TUNER_STATUS=status)
    assert (done.returncode, done.stderr) == (0, "warning: with plugin\n")
    assert (staged.work / "unit.o").read_text() == "miss\n"
    assert len(clang_calls(staged)) == 1
    assert staged.log()[0]["decision"] == "miss"
    assert told in staged.log()[0]["reason"]


def test_missing_python_leaves_the_object(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", CC_AGENT_PYTHON="/no/such/python")
    assert done.returncode == 0
    assert (staged.work / "unit.o").read_text() == "miss\n"
    assert "/no/such/python" in staged.log()[0]["reason"]


@pytest.mark.parametrize("status", ["1", "139"])
def test_plan_that_breaks_the_second_compilation(staged: Staged, status: str):
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", FAKE_TUNED_STATUS=status)
    assert (done.returncode, done.stderr) == (0, "warning: with plugin\n")
    assert (staged.work / "unit.o").read_text() == "plain\n"
    assert staged.log()[0]["decision"] == "fallback"


def test_hit_is_not_searched(staged: Staged):
    staged.run("-O-agent", "-c", "unit.c", FAKE_EVENT="hit")
    assert not (staged.directory / "tuner-call").exists()


@pytest.mark.parametrize(
    "name",
    [
        "conftest.c",
        "CMakeFiles/CMakeScratch/TryCompile-1/src.c",
        "CMakeFiles/3.31/CompilerIdC/id.c",
        "meson-private/tmp1/testfile.c",
        "-",
    ],
)
@pytest.mark.parametrize("mode", ["tune", "record"])
def test_probes_are_neither_searched_nor_recorded(staged: Staged, name: str, mode: str):
    if name != "-":
        (staged.work / name).parent.mkdir(parents=True, exist_ok=True)
        (staged.work / name).touch()
    done = staged.run("-O-agent", "-x", "c", "-c", name, CC_AGENT_MODE=mode)
    assert done.returncode == 0
    assert "probe" in staged.log()[0]["reason"]
    assert not (staged.directory / "tuner-call").exists()
    assert not (staged.directory / "cache" / "cc-agent" / "record.jsonl").exists()


def test_output_that_cannot_be_written_again_is_not_searched(staged: Staged):
    staged.run("-O-agent", "-c", "unit.c", "-o", "/dev/null")
    assert "not a file that can be written again" in staged.log()[0]["reason"]
    assert not (staged.directory / "tuner-call").exists()


def test_source_that_is_a_pipe_is_plain_clang(staged: Staged):
    os.mkfifo(staged.work / "pipe.c")
    staged.run("-O-agent", "-c", "pipe.c")
    assert staged.calls() == ["-Oz -c pipe.c"]
    assert "not a regular file" in staged.log()[0]["reason"]


@pytest.mark.parametrize("extra", [{}, {"CC_AGENT_RECORD": "notes.jsonl"}])
def test_record(staged: Staged, extra: dict[str, str]):
    (staged.work / "two.cc").touch()
    for _ in range(2):
        staged.run("-O-agent", "-c", "unit.c", "two.cc", "three.s", CC_AGENT_MODE="record", **extra)
    path = staged.work / "notes.jsonl" if extra else staged.directory / "cache" / "cc-agent" / "record.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["source"] for record in records] == ["unit.c", "two.cc"] * 2
    assert [record["key"] for record in records] == ["0123-O2s0", None] * 2
    assert {entry["decision"] for entry in staged.log()} == {"recorded"}
    assert not (staged.directory / "tuner-call").exists()


def test_record_that_cannot_be_written_keeps_the_object(staged: Staged):
    settings = {"CC_AGENT_MODE": "record", "CC_AGENT_RECORD": "/dev/null/x"}
    done = staged.run("-O-agent", "-c", "unit.c", "-o", "unit.o", **settings)
    assert done.returncode == 0
    assert (staged.work / "unit.o").exists()
    assert staged.log()[0]["decision"] == "error"
    assert "/dev/null/x" in staged.log()[0]["reason"]


def test_speed_is_recorded_and_not_searched(staged: Staged):
    staged.run("-O-agent=speed", "-c", "unit.c")
    record = json.loads((staged.directory / "cache" / "cc-agent" / "record.jsonl").read_text())
    assert record["objective"] == "speed"
    assert "-O3" in record["tune_argv"]
    assert not (staged.directory / "tuner-call").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_clang_and_end_us_the_same_way(staged: Staged, number: signal.Signals):
    command = [staged.directory / "native" / "bin" / "cc-agent", "-O-agent", "-flto", "-c", "unit.c"]
    process = subprocess.Popen(command, cwd=staged.work, env={**staged.settings, "FAKE_SLEEP": "200"})
    deadline = time.monotonic() + 120
    while not (staged.directory / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
    (child,) = (int(word) for word in children.stdout.split())
    # A shell waits for its child before it acts on a signal: its sleep gets it as well, as from a terminal.
    sleeps = subprocess.run(["ps", "-o", "pid=", "--ppid", str(child)], capture_output=True, text=True).stdout.split()
    process.send_signal(number)
    for sleep in sleeps:
        os.kill(int(sleep), number)
    assert process.wait(timeout=300) == -number
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_parallel_builds_write_whole_lines(staged: Staged):
    command = [staged.directory / "native" / "bin" / "cc-agent", "-O-agent", "-c", "unit.c", "-DX=" + "y" * 3000]
    settings = {**staged.settings, "CC_AGENT_MODE": "record"}
    for _ in range(4):
        running = [subprocess.Popen(command, cwd=staged.work, env=settings, stderr=subprocess.DEVNULL) for _ in "12345"]
        assert [process.wait() for process in running] == [0] * 5
    assert len(staged.log()) == 20
    lines = (staged.directory / "cache" / "cc-agent" / "record.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 20


def test_missing_clang_is_told(staged: Staged):
    done = staged.run("-O-agent", "-c", "unit.c", CC_AGENT_LLVM="/no/such/llvm")
    assert done.returncode == 127
    assert "/no/such/llvm/bin/clang" in done.stderr
    assert "CC_AGENT_LLVM" in done.stderr
