"""The miscompile that a size search walks into: zlib 1.2.13's trees.c, by zlib's own minigzip and example."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compiler_agent.llvm.toolchain import discover

PLAN = "-passes=attributor,default<Oz>"
RUN = "make -s minigzip && ./minigzip < trees.c | sha256sum && ./minigzip < deflate.c | ./minigzip -d | cmp - deflate.c"


@pytest.fixture(scope="module")
def zlib(zlib_sources: Path) -> Path:
    flags = {"CC": str(discover().clang), "CFLAGS": "-Oz -D_LARGEFILE64_SOURCE=1"}
    for command in (["./configure", "--static"], ["make", "libz.a", "minigzip"]):
        subprocess.run(command, cwd=zlib_sources, env={**os.environ, **flags}, capture_output=True, check=True)
    return zlib_sources


def agent(zlib: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "compiler_agent.app.cli", *arguments, "--plan", PLAN, "--run", RUN, "--json", "--"]
    compile_command = ["clang", "-D_LARGEFILE64_SOURCE=1", "-c", "trees.c", "-o", "trees.o"]
    return subprocess.run([*command, *compile_command], cwd=zlib, capture_output=True, text=True, check=False)


@pytest.mark.nightly
def test_the_plan_is_refused(zlib: Path) -> None:
    done = agent(zlib, "judge")
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "miscompiled"


@pytest.mark.nightly
def test_the_plan_is_refused_without_any_program(zlib: Path) -> None:
    command = [sys.executable, "-m", "compiler_agent.app.cli", "judge", "--plan", PLAN, "--json", "--", "clang"]
    command += ["-D_LARGEFILE64_SOURCE=1", "-c", "trees.c"]
    done = subprocess.run(command, cwd=zlib, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["verdict"] == "miscompiled"
    assert set(found["refuted_functions"]) & {"_tr_stored_block", "_tr_flush_block", "_tr_align", "_tr_tally"}
    assert found["refuted_functions"][0] in found["reason"]
    assert found["trust"] is None


@pytest.mark.nightly
def test_the_attributor_is_blamed(zlib: Path, tmp_path: Path) -> None:
    done = agent(zlib, "blame", "--reduce", "0", "--output", str(tmp_path / "report"))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["culprits"] == ["attributor"]
    assert found["functions"] == ["build_tree"]
    assert found["step"].startswith("-passes=attributor")
    assert "[attributor]" in (tmp_path / "report" / "report.md").read_text()


@pytest.mark.nightly
def test_the_attributor_is_blamed_without_any_program(zlib: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "compiler_agent.app.cli", "blame", "--plan", PLAN, "--json", "--reduce", "0"]
    command += ["--output", str(tmp_path / "report"), "--", "clang", "-D_LARGEFILE64_SOURCE=1", "-c", "trees.c"]
    done = subprocess.run(command, cwd=zlib, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["culprits"] == ["attributor"]
    assert found["step"].startswith("-passes=attributor")
    report = (tmp_path / "report" / "report.md").read_text()
    assert "[attributor]" in report
    assert "called in this way" in report
