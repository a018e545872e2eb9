"""Benchmarks by URI: what the repository has, what is generated, and what users bring."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.evaluation import benchmark
from compiler_agent.evaluation.libraries import Part, TranslationUnit
from compiler_agent.search.env.datasets import DATASETS, find, find_dataset, whole
from compiler_agent.search.env.datasets.generators import prune
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.state import State, append_state, read_states, write_states

OPTIONAL = ("generator://csmith-v0", "benchmark://libs-v0", "benchmark://whole-v0")
"""What needs more than a compiler: tested by themselves."""
needs_csmith = pytest.mark.skipif(shutil.which("csmith") is None, reason="csmith is not installed")


@pytest.mark.parametrize("dataset", [one.uri for one in DATASETS if one.uri not in OPTIONAL])
def test_the_first_benchmark_of_each_dataset_is_an_episode(dataset: str) -> None:
    (name,) = itertools.islice(find_dataset(dataset).names(), 1)
    env = LlvmEnv(f"{dataset}/{name}", observation_space="IrInstructionCount")
    try:
        seen, info = env.reset()
    finally:
        env.close()
    assert seen[0] > 0
    assert info["benchmark"] == f"{dataset}/{name}"


@needs_csmith
def test_a_seed_is_a_program() -> None:
    one, again, other = (find(f"generator://csmith-v0/{seed}") for seed in (3, 3, 4))
    assert one == again
    assert one.digest != other.digest
    assert one.program is not None
    with pytest.raises(UsageError, match="no seed"):
        find("generator://csmith-v0/three")


def test_programs_that_were_not_used_for_longest_go(tmp_path: Path) -> None:
    hour_s = 3600.0
    for name, age_h in (("csmith-1/a.c", 9), ("csmith-2/b.c", 7), ("csmith-2/c.c", 8), ("csmith-2/d.c", 6)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (time.time() - age_h * hour_s, 0))

    def left() -> list[str]:
        return sorted(path.name for path in tmp_path.rglob("*.c"))

    prune(tmp_path, most_bytes=400)
    assert left() == ["a.c", "b.c", "c.c", "d.c"]
    prune(tmp_path, most_bytes=399)
    assert left() == ["b.c", "d.c"]
    prune(tmp_path, most_bytes=100, in_use_s=6.5 * hour_s)
    assert left() == ["d.c"]
    prune(tmp_path, most_bytes=50, in_use_s=6.5 * hour_s)
    assert left() == ["d.c"]  # somebody may be compiling it


@needs_csmith
def test_a_program_that_is_asked_for_again_is_in_use() -> None:
    env = LlvmEnv("generator://csmith-v0/3", observation_space="IrInstructionCount")
    env.reset()
    served = env.episode.served
    source = Path(served.benchmark.argv[-1])
    os.utime(source, ns=(0, source.stat().st_mtime_ns))
    env.reset()
    assert source.stat().st_atime > 0
    assert env.episode.served is served  # which is no change of it
    env.close()


def test_a_library_is_configured_once(zlib_sources: Path) -> None:
    uri = "benchmark://libs-v0/zlib/adler32.c"
    found = find(uri)
    assert found == find(uri)
    env = LlvmEnv(uri, observation_space="IrInstructionCount")
    try:
        assert env.reset()[0][0] > 500
    finally:
        env.close()
    with pytest.raises(UsageError, match="no unit"):
        find("benchmark://libs-v0/zlib/nothing.c")


def test_the_scheme_benchmark_need_not_be_written() -> None:
    assert find("kernels-v0/adler") == find("benchmark://kernels-v0/adler")


def test_another_content_is_another_benchmark(tmp_path: Path) -> None:
    source = tmp_path / "unit.c"
    env = LlvmEnv(f"file://{source}", observation_space="IrInstructionCount")
    try:
        source.write_text("int f(int x) { return x; }")
        before, _ = env.reset()
        source.write_text("int f(int x) { return x + x * x; }")
        after, _ = env.reset()
    finally:
        env.close()
    assert after[0] > before[0]


def test_a_module_for_another_system_is_refused(tmp_path: Path) -> None:
    env = LlvmEnv(observation_space="IrInstructionCount")
    for triple, is_ours in (("", True), ("x86_64-unknown-linux-gnu", True), ("aarch64-unknown-linux-gnu", False)):
        (tmp_path / "unit.ll").write_text(f'target triple = "{triple}"\ndefine void @f() {{ ret void }}')
        if is_ours:
            assert env.reset(options={"benchmark": f"file://{tmp_path}/unit.ll"})[0] == 1
        else:
            with pytest.raises(UsageError, match="aarch64-unknown-linux-gnu, and clang compiles for x86_64"):
                env.reset(options={"benchmark": f"file://{tmp_path}/unit.ll"})
    env.close()


def test_a_directory_is_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "with space").mkdir()
    (tmp_path / "with space" / "a.c").write_text("int f(void) { return 1; }")
    (tmp_path / "b.ll").write_text("define i32 @g() {\n  ret i32 2\n}\n")
    (tmp_path / "notes.txt").write_text("no source")
    dataset = find_dataset(f"file://{tmp_path}")
    assert list(dataset.names()) == ["b.ll", "with%20space/a.c"]
    env = LlvmEnv(observation_space="IrInstructionCount")
    counts = [env.reset(options={"benchmark": f"{dataset.uri}/{name}"})[0][0] for name in dataset.names()]
    env.close()
    assert counts == [1, 1]


def test_a_compilation_database_is_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text("int f(void) { return EXTRA; }")
    database = tmp_path / "compile_commands.json"
    row = {"directory": str(tmp_path), "file": "src/a.c", "command": "gcc -O2 -DEXTRA=g() -Dg()=7 -c src/a.c -o a.o"}
    database.write_text(json.dumps([row]))
    dataset = find_dataset(f"file://{database}")
    assert list(dataset.names()) == ["src/a.c"]
    env = LlvmEnv(f"file://{database}#src/a.c", observation_space="Ir")
    text, _ = env.reset()
    env.close()
    assert "ret i32 7" in text
    assert "minsize" in text  # -Oz, although the project says -O2
    for content in ("{}", "not JSON", "[{}]"):
        database.write_text(content)
        with pytest.raises(CompilerAgentError, match=r"compile_commands\.json"):
            find(f"file://{database}#src/a.c")


def test_states_round_trip_as_csv(tmp_path: Path) -> None:
    states = [
        State("file:///a,b.c", 0.5, 1.25, '-passes=function(sroa<modify-cfg>),globaldce call:"x",y:0:inline=never')
    ]
    path = tmp_path / "states.csv"
    with path.open("w") as file:
        write_states(states, file)
    assert read_states(path) == states
    assert path.read_text().startswith("benchmark,reward,walltime,commandline\n")
    whole = path.read_text()
    for line in ("one,two\n", "file:///a.c,nan,1,-passes=sroa\n"):  # a reward that equals none is no reward
        path.write_text(whole + line)
        with pytest.raises(UsageError, match="line 3"):
            read_states(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"states\.csv"):
        read_states(path)


def test_the_plan_of_a_long_episode_is_read(tmp_path: Path) -> None:
    state = State("file:///a.c", 0.5, 1.25, f"-passes={','.join(['function(sroa)'] * 20_000)}")
    append_state(tmp_path / "states.csv", state)
    assert read_states(tmp_path / "states.csv") == [state]


def test_a_reset_does_not_read_every_description_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find("programs-v0/queens/queens.c")
    monkeypatch.setattr(benchmark, "load_all", lambda: [])
    assert find("programs-v0/queens/queens.c") == found


def test_a_folder_has_nothing_but_its_benchmarks() -> None:
    for name in ("driver", "../programs/json/parse"):
        with pytest.raises(UsageError, match="there is no"):
            find(f"benchmark://kernels-v0/{name}")


def test_a_library_stands_in_one_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unit = TranslationUnit("lua", Part.TRAINING, "c", "a.c", tmp_path / "lua-5", ("-DLUA", "a.c"))
    units = [unit, replace(unit, source="lua.c"), replace(unit, source="b.c")]
    monkeypatch.setattr(whole, "library_units", lambda name: units)
    monkeypatch.setattr(whole, "user_cache_directory", lambda: tmp_path)
    found = find("benchmark://whole-v0/lua")
    assert Path(found.argv[-1]).read_text() == f'#include "{tmp_path}/lua-5/a.c"\n#include "{tmp_path}/lua-5/b.c"\n'
    assert "-DLUA" in found.argv
    with pytest.raises(UsageError, match="one of: lua"):
        find("benchmark://whole-v0/zlib")
