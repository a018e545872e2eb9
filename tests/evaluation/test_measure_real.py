"""Real programs in real layouts through the real executor. Nothing here depends on what takes how long."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from compiler_agent.base.errors import NotEstablished, ToolError, UsageError
from compiler_agent.base.process import Completed, run
from compiler_agent.evaluation.cautions import CautionKind, of_noise, of_pairs
from compiler_agent.evaluation.counters import find_counter
from compiler_agent.evaluation.difftest import Behaviour, Workload
from compiler_agent.evaluation.executor import ProcessExecutor, Run, shell_argv
from compiler_agent.evaluation.layout import LinkedLayouts
from compiler_agent.evaluation.machine import Load, load_now, this_machine
from compiler_agent.evaluation.measure import Rule, Stopping, compare
from compiler_agent.evaluation.pairing import Baseline, Outcome, Settings
from compiler_agent.evaluation.samples import Pair, Times
from compiler_agent.llvm.toolchain import Toolchain, discover

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
long numbers[100]; const char words[] = "some"; int counter;
__attribute__((noinline)) int first(int x) { return x + counter; }
__attribute__((noinline)) int second(int x) { counter++; return 3 * x; }
int main(int count, char **arguments) {
  int c, sum = 0;
  while ((c = getchar()) != EOF) sum += first(c) + second(c);
  if (count > 1) { FILE *file = fopen(arguments[1], "a"); fputs("more\n", file); fclose(file); }
  printf("%d %s\n", sum + ANSWER, getenv("SAID") ? getenv("SAID") : "");
  return 0;
}
"""


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return discover()


@pytest.fixture(scope="session")
def programs(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> dict[str, LinkedLayouts]:
    """One that prints the sum of its input, and one that prints another."""
    directory = tmp_path_factory.mktemp("layouts")
    (directory / "program.c").write_text(PROGRAM)
    found = {}
    for name, answer in (("right", 0), ("wrong", 1)):
        thing = directory / f"{name}.o"
        command = [toolchain.clang, "-O2", "-ffunction-sections", f"-DANSWER={answer}", "-c", directory / "program.c"]
        subprocess.run([*command, "-o", thing], check=True)
        found[name] = LinkedLayouts([toolchain.clang, thing, "-lm"], directory / name, toolchain, n_layouts=6)
    return found


def addresses(toolchain: Toolchain, executable: Path) -> dict[str, int]:
    listing = subprocess.run([toolchain.tool("llvm-nm"), executable], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in listing.splitlines() if len(line.split()) == 3]
    return {name: int(address, 16) for address, _, name in rows}


def test_layouts_differ_in_order_and_place_of_code_and_data_and_repeat(
    toolchain: Toolchain, programs: dict[str, LinkedLayouts], tmp_path: Path
) -> None:
    places = [addresses(toolchain, programs["right"].executable(n)) for n in range(3)]
    for name in ("first", "second", "numbers", "words"):
        assert len({place[name] % 4096 for place in places}) > 1, name
    assert len({tuple(sorted(("first", "second", "main"), key=place.__getitem__)) for place in places}) > 1
    executable = programs["right"].executable(0)
    again = LinkedLayouts(programs["right"]._link, tmp_path, toolchain, n_layouts=3)
    assert again.executable(0).read_bytes() == executable.read_bytes()
    other = LinkedLayouts(programs["right"]._link, tmp_path / "other", toolchain, n_layouts=3, seed=1)
    assert other.executable(0).read_bytes() != executable.read_bytes()


def test_what_does_not_link_says_so(toolchain: Toolchain, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no such file"):
        LinkedLayouts([toolchain.clang, tmp_path / "missing.o"], tmp_path, toolchain).executable(0)


@pytest.mark.parametrize("command", ["./bin/program log", "SAID=yes ./bin/program log < input.txt"])
def test_input_files_environment_and_directory(
    programs: dict[str, LinkedLayouts], tmp_path: Path, command: str
) -> None:
    (tmp_path / "input.txt").write_text("abc")
    (tmp_path / "log").write_text("begun\n")
    with ProcessExecutor(Workload(command), tmp_path, "bin/program") as executor:
        runs = [
            executor.run(programs["right"].executable(n), environment_bytes=1000 * n, timeout_s=100) for n in range(2)
        ]
    shell = "<" in command
    assert runs[0].behaviour.stdout == (b"1179 yes\n" if shell else b"0 \n")
    assert runs[0].behaviour.files["log"].content == b"begun\nmore\n"
    assert runs[1].behaviour.files == runs[0].behaviour.files, "each run finds the directory as it was"
    assert (runs[0].transferred is not None) == Path("/proc/self/io").exists()
    assert sorted(os.listdir(tmp_path)) == ["input.txt", "log"], "the user's own directory is as it was"


def test_a_run_has_the_figures_of_its_process() -> None:
    done = Completed(("true",), 3, b"out", b"err", 0.25, 0.5, 2.0, 1 << 20, (10, 20), True, True)
    assert Run.of(done, {}) == Run(Behaviour(3, b"out", b"err", {}, True, True, 2.0, 0.75), 0.25, (10, 20))


def test_a_program_against_itself_and_against_a_wrong_one(
    programs: dict[str, LinkedLayouts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(self: ProcessExecutor, executable: Path, *, environment_bytes: int, timeout_s: float) -> Run:
        done = real(self, executable, environment_bytes=environment_bytes, timeout_s=timeout_s)
        return replace(done, behaviour=replace(done.behaviour, cpu_time_s=0.002))  # a clock that ticks may stand still

    real = ProcessExecutor.run
    monkeypatch.setattr(ProcessExecutor, "run", run)
    settings = Settings(n_pairs=6, sample_s=0.0)
    with ProcessExecutor(Workload("./program"), tmp_path, "program") as executor:
        baseline = Baseline.establish(programs["right"], executor, settings)
        itself = compare(baseline, programs["right"], Rule(stopping=Stopping.NEVER), seed=0)
        wrong = compare(baseline, programs["wrong"], Rule(), seed=0)
    assert itself.outcome is Outcome.NOT_SHOWN, "six pairs are never enough for a claim"
    assert len(itself.pairs) == 6
    assert CautionKind.TOO_SHORT in {one.kind for one in itself.cautions}
    assert (wrong.outcome, wrong.pairs) == (Outcome.WRONG_OUTPUT, ())


def test_a_baseline_that_does_not_end_is_killed(tmp_path: Path, programs: dict[str, LinkedLayouts]) -> None:
    with (
        ProcessExecutor(Workload("sleep 60; ./program", timeout_s=0.3), tmp_path, "program") as executor,
        pytest.raises(NotEstablished, match="did not end within"),
    ):
        Baseline.establish(programs["right"], executor)


def test_instructions_are_counted_where_a_tool_is(programs: dict[str, LinkedLayouts], tmp_path: Path) -> None:
    counter = find_counter()
    if counter is None:
        pytest.skip("neither perf's counters nor valgrind work here")
    (tmp_path / "input.txt").write_text("a" * 1000)
    counts = {}
    for command in ("./program", "./program < input.txt", "./program nowhere/log"):
        with ProcessExecutor(Workload(command), tmp_path, "program", under=counter.under) as executor:
            if "nowhere" in command:
                with pytest.raises(NotEstablished, match="could not count"):
                    counter.instructions(executor, programs["right"].executable(0))
            else:
                counts[command] = [counter.instructions(executor, programs["right"].executable(n)) for n in (0, 0, 1)]
    few, many = counts.values()
    assert max(few) - min(few) < 0.01 * few[0], "layouts change nothing, and it is the same each time"
    assert many[0] - few[0] > 5 * 1000, "some for each character"


def test_a_program_outside_of_its_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absolute"):
        ProcessExecutor(Workload("/bin/true"), tmp_path, "/bin/true")


def test_the_machine_is_described_by_what_linux_says(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast 9000\nflags\t\t: fpu hypervisor\n")
    (tmp_path / "proc/stat").write_text("cpu  10 0 10 70 0 0 0 10 0 0\ncpu0 1 2\n")
    (tmp_path / "proc/loadavg").write_text("1.50 1.00 0.50 1/100 12345\n")
    machine = this_machine(tmp_path)
    assert (machine.cpu, machine.governor, machine.hypervisor) == ("Fast 9000", "unknown", "unknown")
    assert load_now(tmp_path) == Load(10, 100, 1.5)
    assert load_now(tmp_path / "nowhere") == Load(0, 0, 0.0)
    assert this_machine() == this_machine() != machine


def test_cautions_say_what_disturbs() -> None:
    def pairs(wall_s: float, cpu_s=lambda n: 1.0) -> list[Pair]:
        times = [Times(cpu_s(n), cpu_s(n), wall_s * cpu_s(n), 0, 0) for n in range(20)]
        return [Pair(one, one, False) for one in times]

    idle, busy = Load(0, 0, 0.5), Load(50, 1000, 6.0)

    def kinds(of: list[Pair], after: Load) -> list[CautionKind]:
        return [one.kind for one in of_pairs(of, idle, after, n_cores=2)]

    assert kinds(pairs(1.01), Load(1, 1000, 0.5)) == []
    assert kinds(pairs(2.0), busy) == [CautionKind.BUSY, CautionKind.STOLEN]
    assert kinds(pairs(0.5), idle) == [CautionKind.THREADS]
    assert kinds(pairs(1.01, lambda n: 1.0 + 0.01 * n), idle) == [CautionKind.DRIFT]
    assert [one.kind for one in of_noise(0.05)] == [CautionKind.NOISY]
    assert of_noise(0.01) == []


def test_a_shell_becomes_its_program_and_each_line_is_a_command(programs: dict[str, LinkedLayouts], tmp_path: Path):
    # Field 4 of stat is the parent: a program that is not ours is not ended with us.
    for command in ("/bin/cat /proc/self/stat", "/bin/cat < /proc/self/stat"):
        assert run(shell_argv(command), timeout_s=100).stdout.split()[3] == str(os.getpid()).encode()
    assert run(shell_argv("cd / && /bin/pwd; true"), timeout_s=100).stdout == b"/\n"
    with ProcessExecutor(Workload("echo one\necho two"), tmp_path, "program") as executor:
        ran = executor.run(programs["right"].executable(0), environment_bytes=0, timeout_s=100)
    assert ran.behaviour.stdout == b"one\ntwo\n"
