"""What the code under test may do to the machine: nothing. It is compiled here, and tries."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.evaluation import function_test
from compiler_agent.evaluation.function_test import FunctionOutcome
from compiler_agent.llvm import toolchain

# System calls by the instruction itself: no library function that the tester could have replaced is involved.
HEAD = """
static long call3(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
"""
ATTEMPTS = {
    "opens_a_file": 'return (int)call3(2, (long)"MARK", 0101 /* O_CREAT | O_WRONLY */, 0600);',
    "makes_a_socket": "return (int)call3(41, 2, 1, 0);",
    "starts_a_process": "return (int)call3(57, 0, 0, 0);",
    "kills_its_parent": "return (int)call3(62, call3(110, 0, 0, 0), 9, 0);",
    "reads_the_clock_chip": "return (int)call3(201, 0, 0, 0);",
    "runs_a_program": 'const char *words[] = {"/bin/true", 0}; return (int)call3(59, (long)words[0], (long)words, 0);',
}


def compiled(body: str, directory: Path) -> tuple[list[str], bytes]:
    (directory / "unit.c").write_text(body)
    argv = [str(toolchain.discover().clang), "-O1", "-w", "-c", "-o", "-", "unit.c"]
    done = subprocess.run(argv, cwd=directory, capture_output=True, check=True)
    return argv, done.stdout


@pytest.mark.skipif(
    not Path("/proc/self/ns").exists() or "x86" not in __import__("platform").machine(), reason="x86-64"
)
def test_no_system_call_is_made(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    bodies = "".join(
        f"int {name}(int never) {{ {code.replace('MARK', str(mark))} }}\n" for name, code in ATTEMPTS.items()
    )
    argv, candidate = compiled(HEAD + bodies + "int computes(int x) { return x / 3; }\n", tmp_path)
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=5, max_executions=60)
    evidence = {function.function: function for function in report.functions}
    assert not mark.exists()
    for name in ATTEMPTS:
        assert evidence[name].outcome is FunctionOutcome.NOT_ESTABLISHED, evidence[name]
        assert evidence[name].n_inputs == 0
    assert evidence["computes"].outcome is FunctionOutcome.TESTED


def test_a_candidate_that_hangs_or_eats_memory_is_stopped(tmp_path: Path) -> None:
    right = "int hangs(int x) { return x; }\nint recurses(int x) { return x; }\nint fine(int x) { return x + 1; }\n"
    wrong = """
    int hangs(int x) { while (x == 5) __asm__ volatile(""); return x; }
    int recurses(int x) { volatile char big[4096]; big[0] = x; return big[0] == x ? recurses(x) + big[0] : 0; }
    int fine(int x) { return x + 1; }
    """
    (tmp_path / "wrong").mkdir()
    _, candidate = compiled(wrong, tmp_path / "wrong")
    argv, _ = compiled(right, tmp_path)
    report = function_test.test_functions(argv, tmp_path, candidate, seconds_per_function=20, max_executions=3000)
    outcomes = {function.function: function.outcome for function in report.functions}
    assert outcomes["hangs"] is FunctionOutcome.REFUTED
    assert outcomes["recurses"] is FunctionOutcome.REFUTED
    assert outcomes["fine"] is FunctionOutcome.TESTED
    assert "does not end" in next(f.counterexample for f in report.functions if f.function == "hangs")
