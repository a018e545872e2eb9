"""The drop-in check: what it finds wanting, what it prints, and the whole way with a library of our own."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from click.testing import CliRunner

from compiler_agent.app import dropin
from compiler_agent.app.dropin import DropIn, drop_in, exit_status, searching, shortcomings, table
from compiler_agent.app.library_judge import Outcome, Replay, Result
from compiler_agent.base.config import Budget, native_directory
from compiler_agent.base.lock import Lock
from compiler_agent.evaluation import library_fetch
from compiler_agent.evaluation.libraries import Library, load

from .programs import WEIGH_C

MAIN = 'int weigh(const char *); int main(void) { return weigh("abcdabcd") == 62 ? 0 : 1; }\n'


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library of one file in an archive of our own that is already in the cache."""
    if not (native_directory() / "lib" / "cc-agent.so").is_file():
        pytest.skip("the native component is not built")
    cache = tmp_path / "cache"
    monkeypatch.setenv("CC_AGENT_CACHE", str(cache))
    archive = cache / "libraries" / "archives" / "tiny.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as bundle:
        for name, text in {"one.c": WEIGH_C, "two.c": "int two;\n", "main.c": MAIN}.items():
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
        build=("$CC $CFLAGS -c one.c two.c",),
        test=("$CC $CFLAGS main.c one.o -o main", "./main"),
        artifacts=("one.o", "two.o"),
        timeout_s=60.0,
        evaluations=3,
    )


def _result(**changes: object) -> Result:
    fixed: dict[str, object] = {
        "library": "tiny",
        "version": "1",
        "outcome": Outcome.PASSED,
        "n_objects": 2,
        "build_time_s": 1.0,
        "build_cpu_time_s": 1.0,
        "test_time_s": 1.0,
        "text_bytes": 1000,
        "replay": None,
        "test_replay": None,
        "tests": "main",
        "message": "",
    }
    return Result(**{**fixed, **changes})  # type: ignore[arg-type]


def test_a_library_is_built_from_the_lock_in_a_path_with_spaces(tiny: Library, tmp_path: Path) -> None:
    row = drop_in(tiny, tmp_path / "here", searching(Budget(n_evaluations=12), "evolve", 1))
    assert row.problems == ()
    assert row.spaces
    assert row.agent is not None
    assert row.agent.replay is not None
    assert (row.agent.replay.n_hits, row.agent.replay.n_units) == (row.n_plans, 2)
    assert row.n_plans >= 1
    assert row.size_ratio is not None
    assert row.size_ratio > 1
    evidence = [entry.evidence for entry in Lock.load(next(tmp_path.rglob("cc-agent.lock"))).plans.values()]
    assert {entry.n_evaluations for entry in evidence} == {3}  # the library's own limit, not the 12
    assert exit_status([row]) == 0
    assert table([row]).splitlines()[-1] == "1 of 1 libraries build from the lock and pass their own tests"


def test_a_build_that_refuses_spaces_is_shown_without_them(tiny: Library, tmp_path: Path) -> None:
    picky = replace(tiny, configure=('case "$PWD" in *" "*) exit 1;; esac',))
    row = drop_in(picky, tmp_path, searching(Budget(n_evaluations=3), "evolve", 1))
    assert (row.problems, row.spaces) == ((), False)


def test_a_source_that_its_build_removed_is_not_missed(tiny: Library, tmp_path: Path) -> None:
    asking = ('echo "int q;" > question.c', "$CC $CFLAGS -c question.c -o question.o", "rm question.c")
    row = drop_in(
        replace(tiny, build=(*asking, *tiny.build)), tmp_path, searching(Budget(n_evaluations=3), "evolve", 1)
    )
    assert (row.problems, row.spaces) == ((), True)


def test_what_plain_clang_cannot_do_shows_nothing(tiny: Library, tmp_path: Path) -> None:
    row = drop_in(replace(tiny, build=("false",)), tmp_path, lambda library, records, lock: pytest.fail("no search"))
    assert row.not_run
    assert "build failed" in row.problems[0]
    assert exit_status([row]) == 3


@pytest.mark.parametrize(
    ("changes", "keys", "sentence"),
    [
        ({"outcome": Outcome.TESTS_FAILED, "message": "log"}, "a", "with cc-agent: tests failed: log"),
        ({"replay": Replay(n_misses=3)}, "", "the search found no plan"),
        ({"replay": Replay(n_hits=1, keys=frozenset("a"))}, "abc", "2 of 3 plans were not replayed"),
        ({"replay": None}, "a", "1 of 1 plans were not replayed"),
        ({"replay": Replay(1, 0, 2, frozenset("a"))}, "a", "reported an error for 2 units"),
        ({"replay": Replay(1, 0, 0, frozenset("a"), ("x.c: fallback",))}, "a", "x.c: fallback"),
        ({"test_replay": Replay(surprises=("t.c: error",))}, "a", "t.c: error"),
        ({"text_bytes": 1001}, "a", "1001 bytes are more"),
        ({"n_objects": 1}, "a", "1 objects, and plain clang"),
    ],
)
def test_shortcomings(changes: dict[str, object], keys: str, sentence: str) -> None:
    good = {"replay": Replay(n_hits=1, keys=frozenset("a"))}
    assert shortcomings(_result(), _result(**good), frozenset("a")) == []
    found = shortcomings(_result(), _result(**{**good, **changes}), frozenset(keys))
    assert len(found) == 1
    assert sentence in found[0]


def test_table_and_status(tiny: Library) -> None:
    replay = Replay(n_hits=3, n_misses=1)
    agent = _result(text_bytes=800, replay=replay, test_replay=Replay(n_hits=1, n_misses=4))
    good = DropIn(tiny, True, _result(), agent, 3, 12.0, ())
    bad = replace(good, agent=replace(agent, outcome=Outcome.TESTS_FAILED), problems=("with cc-agent: tests failed",))
    text = table([good, bad]).splitlines()
    assert " ".join(text[1].split()) == "tiny 1 configure yes 4 3 1 1 of 5 1,000 800 1.250 12 passed passed"
    assert text[-2:] == [
        "tiny: with cc-agent: tests failed",
        "1 of 2 libraries build from the lock and pass their own tests",
    ]
    assert exit_status([good, bad]) == 1
    unrun = replace(good, plain=_result(outcome=Outcome.NOT_RUN), agent=None, problems=("no network",))
    assert [exit_status([good]), exit_status([good, unrun]), exit_status([unrun, bad])] == [0, 3, 1]


def test_command_prints_json(tiny: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropin.catalog, "load", lambda: (tiny,))
    done = CliRunner().invoke(dropin.command, ["--library", "tiny", "--jobs", "1", "--json"])
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert row["agent"]["replay"]["n_hits"] == row["n_plans"] > 0
    assert row["plain"]["outcome"] == row["agent"]["outcome"] == "passed"
    assert CliRunner().invoke(dropin.command, ["--library", "no-such"]).exit_code == 2
