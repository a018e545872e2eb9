"""The demonstration: what counts as kept, and the whole way through the real launcher with a search that is given."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from rich.console import Console

from compiler_agent.app import demo
from compiler_agent.app.demo import Row, broken_promises, compare, demonstrate, sizes_by_object
from compiler_agent.app.library_judge import Outcome, Replay, Result
from compiler_agent.base import process
from compiler_agent.base.config import native_directory
from compiler_agent.base.errors import CompilerAgentError, ToolError
from compiler_agent.base.lock import Evidence, LockEntry, update
from compiler_agent.evaluation import library_fetch
from compiler_agent.evaluation.libraries import Library, load

# Printed by llvm-size-22 -A for an archive and for an object of its own, shortened.
SIZES = """blocksort.o   (ex /some where/libbz2.a):
section             size   addr
.text               6540      0
.text.unlikely        10      0
.comment              41      0
Total               7484


crctable.o   (ex /some where/libbz2.a):
section             size   addr
.data               1024      0
Total               1440


bzip2.o  :
section       size   addr
.text         7000      0
.init            8      0
Total        12000


"""

# Clang -Oz replaces the loop by a polynomial in n, which is more code.
SOURCE = """unsigned one(unsigned n) {
  unsigned sum = 0;
  for (unsigned i = 0; i < n; ++i)
    sum += i * i * i;
  return sum;
}
"""


def _result(outcome: Outcome = Outcome.PASSED, n_hits: int | None = 1) -> Result:
    return Result(
        library="tiny",
        version="1",
        outcome=outcome,
        n_objects=1,
        build_time_s=0.0,
        build_cpu_time_s=0.0,
        test_time_s=0.0,
        text_bytes=1,
        replay=None if n_hits is None else Replay(n_hits=n_hits, n_misses=1 - n_hits),
        test_replay=None,
        tests="none",
        message="" if outcome is Outcome.PASSED else "why it failed",
    )


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library of one file in an archive of our own that is already in the cache."""
    if not (native_directory() / "lib" / "cc-agent.so").is_file():
        pytest.skip("the native component is not built")
    cache = tmp_path / "cache"
    monkeypatch.setenv("CC_AGENT_CACHE", str(cache))
    archive = cache / "libraries" / "archives" / "tiny.tar.gz"
    archive.parent.mkdir(parents=True)
    main = "unsigned one(unsigned); int main(void) { return one(4) == 36 ? 0 : 1; }\n"
    with tarfile.open(archive, "w:gz") as bundle:
        for name, text in {"one.c": SOURCE, "main.c": main}.items():
            member = tarfile.TarInfo(f"tiny-1/{name}")
            member.size = len(text)
            bundle.addfile(member, io.BytesIO(text.encode()))
    return replace(
        load()[0],
        name="tiny",
        version="1",
        file=archive.name,
        sha256=library_fetch.sha256_of(archive),
        root=PurePosixPath("tiny-1"),
        flags=(),
        requires=(),
        configure=(),
        build=("$CC $CFLAGS -c one.c",),
        test=("$CC $CFLAGS main.c one.o -o main", "./main"),
        artifacts=("one.o",),
        sources=("one.c",),
        exclude=(),
        timeout_s=60.0,
    )


def _keep(plan: str, records: Path, lock: Path) -> None:
    record = json.loads(records.read_text())
    evidence = Evidence(
        baseline_text_bytes=2, plan_text_bytes=1, n_evaluations=1, strategy="given", seed=0, llvm_verifier="passed"
    )
    entry = LockEntry(
        plan=plan, source=record["source"], llvm="22.1.8", target="x86_64-pc-linux-gnu", evidence=evidence
    )
    update(lock, {_key(record): entry})


def _key(record: dict[str, str]) -> str:
    assert record["key"], "the record lacks the key"
    return record["key"]


def test_sizes_are_read_per_object() -> None:
    assert sizes_by_object(SIZES) == [("blocksort.o", 6550), ("crctable.o", 0), ("bzip2.o", 7008)]


def test_objects_without_code_have_ratio_one() -> None:
    assert Row("crctable.o", 0, 0).size_ratio == 1.0
    assert Row("a.o", 110, 100).size_ratio == pytest.approx(1.1)


def test_builds_with_different_objects_are_not_compared() -> None:
    assert compare([("a.o", 2), ("b.o", 3)], [("a.o", 1), ("b.o", 3)]) == [Row("a.o", 2, 1), Row("b.o", 3, 3)]
    with pytest.raises(CompilerAgentError, match="different objects"):
        compare([("a.o", 2)], [("a.o", 2), ("b.o", 1)])


def test_kept_promise_has_no_problems() -> None:
    assert broken_promises([Row("a.o", 2, 1), Row("b.o", 3, 3)], _result(), n_plans=1) == []


@pytest.mark.parametrize(
    ("rows", "agent", "n_plans", "expected"),
    [
        ([Row("a.o", 9, 1), Row("b.o", 3, 4)], _result(), 1, "b.o is bigger: 4 bytes, clang 3"),
        ([Row("a.o", 2, 1)], _result(Outcome.TESTS_FAILED), 1, "with cc-agent: tests failed\nwhy it failed"),
        ([], _result(Outcome.BUILD_FAILED, None), 1, "with cc-agent: build failed\nwhy it failed"),
        ([Row("a.o", 2, 2)], _result(), 1, "the library did not become smaller"),
        ([Row("a.o", 2, 1)], _result(n_hits=0), 3, "3 plans are in the lock, and none was replayed"),
        ([Row("a.o", 2, 2)], _result(n_hits=0), 0, "the search found no plan"),
    ],
)
def test_each_broken_promise_is_told(rows: list[Row], agent: Result, n_plans: int, expected: str) -> None:
    assert expected in broken_promises(rows, agent, n_plans=n_plans)


def test_table_has_totals_and_tests(tiny: Library) -> None:
    console = Console(file=io.StringIO(), width=100)
    demo.render(tiny, [Row("a.o", 3000, 2000), Row("b.o", 300, 200)], _result(), _result(), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "3,300" in text
    assert "2,200" in text
    assert "1.500" in text
    assert "replayed a plan: 1 of 1" in text
    assert "clang -Oz: passed; cc-agent: passed" in text


def test_whole_way_with_a_plan_that_is_smaller(
    tiny: Library, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    plan = "-passes=function(sroa,early-cse,simplifycfg)"
    status = demonstrate(tiny, place, 5, lambda records, lock, budget: _keep(plan, records, lock))
    out, err = capfd.readouterr()
    assert (status, "not as promised" in err) == (0, False), err
    assert "one.o" in out
    assert "replayed a plan: 1 of 1" in out


def test_whole_way_without_a_plan_is_told(tiny: Library, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "place"
    place.mkdir()
    assert demonstrate(tiny, place, 5, lambda records, lock, budget: None) == 1
    assert "not as promised: the search found no plan" in capfd.readouterr().err


def test_library_that_plain_clang_fails_shows_nothing(tiny: Library, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    broken = replace(tiny, test=("exit 7",))
    with pytest.raises(CompilerAgentError, match="plain clang: tests failed"):
        demonstrate(broken, place, 5, lambda records, lock, budget: pytest.fail("must not search"))


def test_tuner_that_could_not_run_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for status, raises in ((0, False), (1, False), (3, True)):
        start = process.start
        command = ["sh", "-c", f"echo progress; exit {status}"]
        monkeypatch.setattr(process, "start", lambda argv, start=start, command=command, **more: start(command, **more))
        if raises:
            with pytest.raises(ToolError, match="exited with status 3"):
                demo._tune(tmp_path / "records", tmp_path / "lock", 1)
        else:
            demo._tune(tmp_path / "records", tmp_path / "lock", 1)
        monkeypatch.undo()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "progress\n" * 3)  # stdout is for the table
