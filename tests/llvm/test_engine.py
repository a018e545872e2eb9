"""The serving clang: outcomes, sizes, what is remembered, and that nothing of it is left."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm.engine import Engine, Outcome
from compiler_agent.llvm.toolchain import Toolchain, discover

SOURCE = """
static const int table[] = {3, 1, 4, 1, 5, 9, 2, 6};
int sum(int count, const int *values) {
  int total = 0;
  for (int i = 0; i < count; i++)
    total += values[i] * table[i & 7];
  return total;
}
int main(void) { return sum(8, table) == 173 ? 0 : 1; }
"""
STOCK = "-passes=default<O2>"


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return discover()


def serving(toolchain: Toolchain, source: str = "unit.c", *flags: str) -> list[str]:
    return [str(toolchain.clang), "-Oz", *flags, "-c", "-o", "-", source]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    (tmp_path / "unit.c").write_text(SOURCE)
    return tmp_path


@pytest.fixture
def engine(unit: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    with Engine(serving(toolchain), unit) as engine:
        yield engine


def descendants(pid: int) -> list[int]:
    """The processes below one, by what the kernel says of each process's parent."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        below = [child for child, its_parent in parents.items() if its_parent == parent]
        found += below
        waiting += below
    return found


def eventually(condition: Callable[[], bool], seconds: float = 100) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("crash", Outcome.CRASH, "Segmentation fault"),
        ("abort", Outcome.CRASH, "Aborted"),
        ("hang", Outcome.TIMEOUT, "longer than 1 s"),
        ("eat-memory", Outcome.MEMORY, "more than 256 MiB"),
        ("fatal-error", Outcome.CRASH, "cc-agent-test-fatal-error"),
        ("invalid", Outcome.INVALID, "does not have terminator"),
    ],
)
def test_a_misbehaving_pass_is_a_named_outcome_and_costs_nothing_else(
    engine: Engine, name: str, outcome: Outcome, words: str
) -> None:
    timeout_s = 1 if name == "hang" else 60  # a slow machine needs more than a second to fill its memory
    bad = engine.measure(f"-passes=cc-agent-test-{name}", timeout_s=timeout_s, memory_bytes=256 << 20)
    assert bad.outcome is outcome
    assert words in bad.message
    assert bad.text_bytes is None
    good = engine.measure(STOCK)
    assert good.outcome is Outcome.OK
    assert good.text_bytes == engine.measure("").text_bytes


def test_a_hang_ends_and_leaves_no_process(engine: Engine) -> None:
    before = descendants(os.getpid())
    assert engine.measure("-passes=cc-agent-test-hang", timeout_s=1).outcome is Outcome.TIMEOUT
    assert descendants(os.getpid()) == before


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("-passes=no-such-pass", "unknown pass name 'no-such-pass'"),
        ("-passes=function(simplifycfg<unheard-of>)", "unheard-of"),
        ("-passes=function(sroa", "invalid pipeline"),
        ("-passes=default<O2> -inline-threshold=many", "many"),
        ("-passes=default<O2> -no-such-option=1", "no-such-option"),
        ("nonsense", "nonsense"),
        (f"-passes={'module(' * 100_000}verify{')' * 100_000}", "nested more than 64 deep"),
    ],
)
def test_a_plan_that_llvm_does_not_take_is_rejected_in_its_words(engine: Engine, plan: str, words: str) -> None:
    measured = engine.measure(plan)
    assert measured.outcome is Outcome.REJECTED
    assert words in measured.message
    assert measured.text_bytes is None
    assert measured.object_sha256 == ""
    assert engine.measure(STOCK).outcome is Outcome.OK


def test_a_source_that_does_not_compile_says_what_clang_says(tmp_path: Path, toolchain: Toolchain) -> None:
    (tmp_path / "unit.c").write_text("int main(void) { return undeclared; }\n")
    before = descendants(os.getpid())
    with pytest.raises(EngineError, match="use of undeclared identifier 'undeclared'"):
        Engine(serving(toolchain), tmp_path)
    assert descendants(os.getpid()) == before


def test_a_source_that_is_missing_says_so(tmp_path: Path, toolchain: Toolchain) -> None:
    with pytest.raises(EngineError, match=r"no such file or directory: 'unit\.c'"):
        Engine(serving(toolchain), tmp_path)


def test_a_plugin_that_is_not_built_says_how_to_build_it(unit: Path, toolchain: Toolchain) -> None:
    with pytest.raises(EngineError, match="is not built") as caught:
        Engine(serving(toolchain), unit, plugin=unit / "cc-agent.so")
    assert "make setup" in caught.value.hint


def test_an_equal_module_is_not_emitted_again(engine: Engine) -> None:
    first = engine.measure(STOCK)
    again = engine.measure(STOCK)
    assert first.emitted
    assert not again.emitted
    sizes = (
        "text_bytes",
        "data_bytes",
        "unwind_bytes",
        "object_bytes",
        "object_sha256",
        "fingerprint",
        "ir_instructions",
    )
    assert [getattr(again, name) for name in sizes] == [getattr(first, name) for name in sizes]
    assert first.text_bytes


def test_a_back_end_option_is_not_taken_for_the_same_code(engine: Engine) -> None:
    first = engine.measure(STOCK)
    other = engine.measure(f"{STOCK} -x86-asm-syntax=att")
    assert other.outcome is Outcome.OK
    assert other.fingerprint == first.fingerprint
    assert other.emitted


def test_without_an_object_only_instructions_are_counted(engine: Engine) -> None:
    measured = engine.measure(STOCK, emit=False)
    assert measured.outcome is Outcome.OK
    assert measured.text_bytes is None
    assert not measured.emitted
    assert measured.ir_instructions == engine.measure(STOCK).ir_instructions
    assert 0 < measured.ir_instructions < engine.ir_instructions


def test_one_plan_leaves_nothing_behind_for_the_next(engine: Engine) -> None:
    before = engine.measure(STOCK)
    assert engine.measure("-passes=default<O0> -enable-machine-outliner=always").object_sha256 != before.object_sha256
    assert engine.measure("").object_sha256 == before.object_sha256


@pytest.mark.parametrize("flags", [(), ("-fPIC", "-ffunction-sections"), ("-g",)], ids=["plain", "pic", "g"])
def test_clangs_own_object_and_sizes_are_what_is_measured(
    unit: Path, toolchain: Toolchain, flags: tuple[str, ...]
) -> None:
    plain = unit / "plain.o"
    subprocess.run([toolchain.clang, "-Oz", *flags, "-c", "-o", plain, "unit.c"], cwd=unit, check=True)
    with Engine(serving(toolchain, "unit.c", *flags), unit) as engine:
        baseline, stock = engine.measure(""), engine.measure(STOCK)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    assert baseline.object_sha256 == digest
    assert stock.object_sha256 == digest
    assert baseline.object_bytes == plain.stat().st_size
    lines = subprocess.run(["llvm-size-22", "-A", plain], capture_output=True, text=True, check=True).stdout
    sections = {
        row[0]: int(row[1]) for line in lines.splitlines() if len(row := line.split()) == 3 and row[1].isdigit()
    }
    assert baseline.text_bytes == sum(size for name, size in sections.items() if name.startswith(".text"))
    assert baseline.unwind_bytes == sections.get(".eh_frame", 0)
    assert baseline.data_bytes == sum(size for name, size in sections.items() if name.startswith((".rodata", ".data")))
    assert baseline.text_bytes
    assert baseline.data_bytes


def test_nothing_is_left_after_close(unit: Path, toolchain: Toolchain) -> None:
    before, open_before = descendants(os.getpid()), len(os.listdir("/proc/self/fd"))
    engine = Engine(serving(toolchain), unit)
    assert len(descendants(os.getpid())) > len(before)
    engine.close()
    engine.close()
    assert descendants(os.getpid()) == before
    assert len(os.listdir("/proc/self/fd")) == open_before


OWNER = """
import sys
from compiler_agent.llvm.engine import Engine
engine = Engine(sys.argv[1:-1], ".")
print("ready", flush=True)
engine.measure(sys.argv[-1], timeout_s=60)
sys.stdin.read()
"""


@pytest.mark.parametrize("plan", [STOCK, "-passes=cc-agent-test-hang"], ids=["idle", "evaluating"])
def test_nothing_is_left_when_the_owner_is_killed(
    unit: Path, toolchain: Toolchain, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC_AGENT_TEST_PASSES", "1")
    command = [sys.executable, "-c", OWNER, *serving(toolchain), plan]
    with subprocess.Popen(command, cwd=unit, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        if "hang" in plan:
            assert eventually(lambda: len(descendants(owner.pid)) >= 2)
        clangs = descendants(owner.pid)
        assert clangs
        owner.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(is_running(pid) for pid in clangs))


def is_running(pid: int) -> bool:
    """Whether a process is there and is not just waiting to be reaped by whoever runs the tests."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_clang_that_was_killed_is_an_error_that_says_so(engine: Engine) -> None:
    for pid in descendants(os.getpid()):
        if b"CC_AGENT_PLUGIN_SERVE" in Path(f"/proc/{pid}/environ").read_bytes():
            os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="cannot serve this translation unit"):
        engine.measure(STOCK)


def test_outcomes_are_known_where_sigchld_is_ignored(unit: Path, toolchain: Toolchain) -> None:
    # A parent can pass that on through exec; the kernel then forgets how a child ended.
    argv = serving(toolchain)
    program = unit / "clang"
    program.write_text(f"#!{sys.executable}\nimport os, signal, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n")
    with program.open("a") as script:
        script.write(f"os.execv({argv[0]!r}, [{argv[0]!r}, *sys.argv[1:]])\n")
    program.chmod(0o755)
    environment = {**os.environ, "CC_AGENT_TEST_PASSES": "1"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", environment)
        with Engine([str(program), *argv[1:]], unit) as engine:
            bad = engine.measure("-passes=cc-agent-test-crash", emit=False)
            good = engine.measure(STOCK)
    assert bad.outcome is Outcome.CRASH
    assert good.text_bytes
