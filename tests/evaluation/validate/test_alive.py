"""The adapter for alive-tv, with a program that prints what alive-tv prints.

The texts are alive-tv's own, as its users quote them: the summary of four lines is from its main program, the bodies
from reports in its issue tracker.
"""

import stat
from pathlib import Path

import pytest

from compiler_agent.evaluation.validate.alive import find, validate_with_alive
from compiler_agent.evaluation.validate.verdict import FunctionVerdict, Outcome
from compiler_agent.llvm.library import Library

MODULE = b"define i32 @f(i32 %x) {\n ret i32 %x\n}\n"
LOOP = b"define void @f(i1 %x) {\n br label %a\na:\n br i1 %x, label %a, label %b\nb:\n ret void\n}\n"
BODY = """
----------------------------------------
define i32 @f(i32 %x) {
%0:
  ret i32 %x
}
=>
define i32 @f(i32 %x) {
%0:
  ret i32 %x
}
"""
WRONG = """Transformation doesn't verify!

ERROR: Value mismatch

Example:
i32 %x = #xfffffffb (4294967291, -5)

Source:
Source value: #xfffffffb (4294967291, -5)
Target value: #x00000000 (0)

"""


def summary(correct: int = 0, incorrect: int = 0, failed: int = 0, errors: int = 0) -> str:
    return (
        f"\nSummary:\n  {correct} correct transformations\n  {incorrect} incorrect transformations\n"
        f"  {failed} failed-to-prove transformations\n  {errors} Alive2 errors\n"
    )


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def ask(directory: Path, script: str, library: Library, module: bytes = MODULE, **limits: float) -> FunctionVerdict:
    program = directory / "alive-tv"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return validate_with_alive(program, module, module, "f", library=library, **limits)  # type: ignore[arg-type]


def saying(text: str, status: int = 0) -> str:
    return f"cat <<'END'\n{text}\nEND\nexit {status}\n"


def test_correct(tmp_path: Path, library: Library) -> None:
    verdict = ask(tmp_path, saying(BODY + "Transformation seems to be correct!\n" + summary(correct=1)), library)
    assert (verdict.outcome, verdict.checker) == (Outcome.PROVED, "alive2")


def test_correct_in_the_first_rounds_of_a_loop_is_no_proof(tmp_path: Path, library: Library) -> None:
    script = saying(BODY + "Transformation seems to be correct!\n" + summary(correct=1))
    assert ask(tmp_path, script, library, LOOP).outcome is Outcome.NOT_ESTABLISHED


def test_incorrect_although_the_status_is_zero(tmp_path: Path, library: Library) -> None:
    verdict = ask(tmp_path, saying(BODY + WRONG + summary(incorrect=1), 0), library)
    assert verdict.outcome is Outcome.REFUTED
    assert "Value mismatch" in verdict.reason
    assert verdict.counterexample == (("i32 %x", "#xfffffffb (4294967291, -5)"),)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("ERROR: Timeout\n" + summary(failed=1), 0),
        (
            "ERROR: Unsupported instruction:   %r = invoke i32 @g()\nERROR: Could not translate 'f' to Alive IR\n"
            + summary(errors=1),
            1,
        ),
        (summary(), 0),
        (summary(correct=2), 0),
        (summary(correct=1) + summary(incorrect=1), 0),
        ("Transformation seems to be correct!\n", 0),
        ("Transformation seems to be correct!\n\nSummary:\n  1 correct transformations\n", 0),
        ("", 0),
    ],
)
def test_everything_else_is_not_established(text: str, status: int, tmp_path: Path, library: Library) -> None:
    verdict = ask(tmp_path, saying(text, status), library)
    assert verdict.outcome is Outcome.NOT_ESTABLISHED, verdict


def test_the_reason_names_what_alive_says(tmp_path: Path, library: Library) -> None:
    verdict = ask(tmp_path, saying("ERROR: Timeout\n" + summary(failed=1)), library)
    assert "failed to prove it: Timeout" in verdict.reason


def test_it_is_killed_by_a_signal_after_its_summary(tmp_path: Path, library: Library) -> None:
    script = f"cat <<'END'\n{summary(correct=1)}\nEND\nkill -SEGV $$\n"
    assert ask(tmp_path, script, library).outcome is Outcome.NOT_ESTABLISHED


def test_it_never_ends(tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compiler_agent.evaluation.validate.alive._GRACE_S", 0.1)
    verdict = ask(tmp_path, "sleep 1000\n", library, seconds=0.2)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_ESTABLISHED, "alive-tv did not end in time")
    assert verdict.time_s < 500


def test_it_takes_too_much_memory(tmp_path: Path, library: Library) -> None:
    hungry = "exec python3 -c 'x = bytearray(1 << 30); print(1)'\n"
    assert ask(tmp_path, hungry, library, memory_bytes=256 << 20).outcome is Outcome.NOT_ESTABLISHED


def test_it_is_looked_for_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find() is None
    program = tmp_path / "alive-tv"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find() == program
