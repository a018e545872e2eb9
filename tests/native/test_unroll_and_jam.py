"""Our unroll-and-jam: nests over arrays that overlap in all ways give what they give without it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from compiler_agent.base.config import native_directory
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.replay import compile_plainly, key_of, replay
from compiler_agent.llvm.toolchain import Toolchain

NESTS = Path(__file__).with_name("nests.c")
JAMMED = {
    *("product", "rows_apart", "down_columns", "same_row", "backwards"),
    *("chosen", "deep", "after", "mirrored", "widths", "before", "last", "seldom", "twice"),
}
"""The others carry something from one iteration to the next, always; of these the check at run time says when."""


def results(compiler: Path, directory: Path, *flags: str) -> tuple[dict[str, str], list[int]]:
    """What each nest gives, and the lines of the loops that were jammed."""
    # Low addresses, so that there is little in front of an array.
    command = [compiler, *flags, "-ffp-contract=off", "-fno-pie", "-no-pie", NESTS, "-o", directory / "nests"]
    compiled = subprocess.run(command, check=True, capture_output=True, text=True)
    ran = subprocess.run([directory / "nests"], check=True, capture_output=True, text=True)
    lines = [int(line) for line in re.findall(r":(\d+):\d+: remark: \d+ iterations of the outer loop", compiled.stderr)]
    return dict(line.split() for line in ran.stdout.splitlines()), lines


def with_plugin(*options: str) -> list[str]:
    """What has clang load our plugin and take options of its passes."""
    plugin = str(native_directory() / "lib" / "cc-agent.so")
    loaded = [f"-fpass-plugin={plugin}", "-Xclang", "-load", "-Xclang", plugin]
    return loaded + [word for option in options for word in ("-mllvm", option)]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> dict[str, str]:
    found, _ = results(toolchain.clang, tmp_path_factory.mktemp("reference"), "-O1")
    return found


@pytest.mark.parametrize("count", [3, 8])
def test_jammed_nests_give_what_they_gave(
    tmp_path: Path, toolchain: Toolchain, expected: dict[str, str], count: int
) -> None:
    flags = with_plugin(f"-cc-agent-unroll-and-jam={count}", "-cc-agent-unroll-and-jam-threshold=3000")
    found, lines = results(toolchain.clang, tmp_path, "-O3", *flags, "-Rpass=cc-agent-unroll-and-jam")
    assert found == expected
    source = NESTS.read_text().splitlines()
    functions = {re.findall(r"HIDDEN void (\w+)", "\n".join(source[:line]))[-1] for line in lines}
    assert functions == JAMMED


def test_what_is_emitted_is_well_formed(tmp_path: Path, toolchain: Toolchain) -> None:
    emitted = tmp_path / "nests.ll"
    flags = with_plugin("-cc-agent-unroll-and-jam=4", "-cc-agent-unroll-and-jam-threshold=3000")
    subprocess.run([toolchain.clang, "-O3", *flags, "-S", "-emit-llvm", NESTS, "-o", emitted], check=True)
    assert "call void @llvm.experimental.noalias.scope.decl" in emitted.read_text()
    subprocess.run([toolchain.opt, "-passes=verify", "-disable-output", emitted], check=True)


def test_a_plan_with_it_is_replayed_as_clang_compiles_with_it(tmp_path: Path, toolchain: Toolchain) -> None:
    (tmp_path / "nests.c").write_bytes(NESTS.read_bytes())
    argv = [str(toolchain.clang), "-O3", "-c", "-o", "-", "nests.c"]
    plan = "-passes=default<O3> -cc-agent-unroll-and-jam=4"
    replayed = replay(argv, tmp_path, key_of(argv, tmp_path), plan)
    by_flags = subprocess.run([*argv, *with_plugin("-cc-agent-unroll-and-jam=4")], cwd=tmp_path, capture_output=True)
    assert replayed.outcome is Outcome.OK
    assert replayed.content == by_flags.stdout
    assert replayed.content != compile_plainly(argv, tmp_path)
