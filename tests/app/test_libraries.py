"""The list of libraries, how it is fetched, built and judged. What needs the network is marked nightly."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.app import library_judge
from compiler_agent.app.library_judge import Outcome
from compiler_agent.base.errors import CompilerAgentError, ToolchainError, UsageError
from compiler_agent.evaluation import debian_sources, library_fetch
from compiler_agent.evaluation.debian_sources import ask_for_sources, parse_sources
from compiler_agent.evaluation.libraries import LIBRARIES_FILE, Library, Part, load, select, translation_units
from compiler_agent.evaluation.library_build import Compiler, build, check_requirements, configure, measure, parse_sizes
from compiler_agent.evaluation.library_fetch import fetch, prepare, unpack

# Printed by apt-cache showsrc of apt 2.6, shortened: md5 sums first, two versions, one archive.
SHOWSRC = """Package: expat
Binary: libexpat1-dev, libexpat1
Version: 2.5.0-1+deb12u2
Files:
 3ef1bf2ab0b7cb5a4b1b5ff4ab6d1f10 2049 expat_2.5.0-1+deb12u2.dsc
 d375fa3571c0abb945873f5061a8f2e2 8320988 expat_2.5.0.orig.tar.gz
Checksums-Sha256:
 0a2b1c34ab00ee05c7067fd10a35c5d2a4922ebba746ddd50ff83b79c828da17 2049 expat_2.5.0-1+deb12u2.dsc
 ab00ee05c7067fd10a35c5d2a4922ebba746ddd50ff83b79c828da17bbdf1757 8320988 expat_2.5.0.orig.tar.gz
Package-List:
 expat deb text optional arch=any

Package: expat
Version: 2.5.0-1+deb12u5
Checksums-Sha256:
 ab00ee05c7067fd10a35c5d2a4922ebba746ddd50ff83b79c828da17bbdf1757 8320988 expat_2.5.0.orig.tar.gz
"""

# Printed by llvm-size-22 -A libbz2.a, shortened.
SIZES = """blocksort.o   (ex /some where/libbz2.a):
section             size   addr
.text               6540      0
.rodata.str1.1       327      0
.comment              41      0
Total               7484


huffman.o   (ex /some where/libbz2.a):
section             size   addr
.text               1024      0
.text.startup         16      0
.init                  8      0
.data               4096      0
Total               1440


"""


@pytest.fixture
def libraries() -> tuple[Library, ...]:
    return load()


@pytest.fixture
def tiny(libraries: tuple[Library, ...], tmp_path: Path) -> Library:
    """A library of two files in an archive of our own, already in the cache `tmp_path / "cache"`."""
    archive = tmp_path / "cache" / "libraries" / "archives" / "tiny.tar.gz"
    archive.parent.mkdir(parents=True)
    files = {
        "one.c": '#include "made.h"\n#ifndef WRONG\n#define WRONG 0\n#endif\n'
        "int one(int x) { return x * MADE + 41 + WRONG; }\n",
        "two.c": "int two(int x) { return x - 1; }\n",
        "main.c": "int one(int); int main(void) { return one(1) == 42 ? 0 : 1; }\n",
    }
    with tarfile.open(archive, "w:gz") as bundle:
        for name, text in files.items():
            _add(bundle, f"tiny-1/src/{name}", text)
        _add(bundle, "tiny-1/not-the-library.c", "#error\n")
    return replace(
        libraries[0],
        name="tiny",
        version="1",
        file=archive.name,
        sha256=library_fetch.sha256_of(archive),
        root=PurePosixPath("tiny-1/src"),
        flags=("-DONE=1",),
        requires=(),
        configure=("echo '#define MADE 1' > made.h",),
        build=("$CC $CFLAGS $FLAGS -c one.c", "$CC $CFLAGS $FLAGS -c two.c"),
        test=("$CC $CFLAGS main.c one.o -o main", "./main"),
        artifacts=("one.o", "two.o"),
        sources=("*.c",),
        exclude=("main.c",),
        timeout_s=60.0,
    )


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_AGENT_CACHE", str(tmp_path / "cache"))


def _add(bundle: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text)
    member.mtime = 1_000_000_000
    bundle.addfile(member, io.BytesIO(text.encode()))


def _plain() -> Compiler:
    if shutil.which(library_judge.CONTROL.cc) is None:
        pytest.skip("clang-22 is not installed")
    return library_judge.CONTROL


def test_list_covers_what_is_promised(libraries: tuple[Library, ...]) -> None:
    names = {library.name for library in libraries}
    assert names >= {"zlib", "lz4", "lua", "bzip2", "zstd", "sqlite", "expat", "libpng", "jsoncpp", "pugixml"}
    assert {library.system for library in libraries} >= {"autoconf", "cmake", "meson", "make"}
    assert sum(library.language == "c++" for library in libraries) >= 3
    assert Counter(library.part for library in libraries).keys() == set(Part)
    assert {library.name for library in libraries if library.part is Part.TRAINING} == {
        "zlib",
        "lua",
        "expat",
        "pugixml",
    }  # fixed once: moving one would let a figure be measured on what was learned from


def test_list_names_no_registry() -> None:
    assert "://" not in LIBRARIES_FILE.read_text()


def test_select(libraries: tuple[Library, ...]) -> None:
    assert select(libraries, []) == libraries
    assert [library.name for library in select(libraries, ["lz4", "zlib"])] == ["zlib", "lz4"]
    with pytest.raises(UsageError, match="no library 'zlip'"):
        select(libraries, ["zlip"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('part = "training"', 'part = "test"', "part = 'test' is not known"),
        ('sha256 = "7', 'sha256 = "G', "sha256 must be"),
        ('root = "zlib', 'root = "../zlib', "leads out"),
        ('file = "zlib', 'file = "a/zlib', "leads out"),
        ('origin = "debian"', 'origin = "pypi"', "package_version is missing"),
        ('test = ["make test"]', "test = []", "test must be"),
        ('language = "c"', 'langage = "c"', "missing: language; unknown: langage"),
        ("timeout_s = 300", "timeout_s = 0", "timeout_s must be"),
        ("evaluations = 4", "evaluations = 0", "evaluations must be"),
        ('name = "zlib"', 'name = "lua"', "listed twice"),
        ("[[library]]", "[[library", "not TOML"),
    ],
)
def test_wrong_entry_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = LIBRARIES_FILE.read_text()
    assert old in text
    path = tmp_path / "libraries.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError, match=message):
        load(path)


def test_showsrc_takes_sha256_of_every_version() -> None:
    found = parse_sources(SHOWSRC)
    archive = "ab00ee05c7067fd10a35c5d2a4922ebba746ddd50ff83b79c828da17bbdf1757"
    assert list(found) == ["2.5.0-1+deb12u2", "2.5.0-1+deb12u5"]
    assert all(archive in digests for digests in found.values())
    assert all(len(digest) == 64 for digests in found.values() for digest in digests)


def test_apt_sources_of_both_formats() -> None:
    deb822 = (
        "# main\nTypes: deb deb-src\nURIs: file:/srv\nSuites: stable\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: file:/b\n"
    )
    assert ask_for_sources(deb822, deb822=True).count("Types: deb-src\n") == 2
    assert "Signed-By: /k.gpg" in ask_for_sources(deb822, deb822=True)
    source = "[arch=amd64] file:/srv stable main\n"
    listed = f"# deb file:/off stable main\ndeb {source}deb-src {source}"
    assert ask_for_sources(listed, deb822=False) == f"deb-src {source}"


def test_sizes_counts_executable_sections_only() -> None:
    sizes = parse_sizes(SIZES)
    assert (sizes.n_objects, sizes.text_bytes) == (2, 6540 + 1024 + 16 + 8)


@given(st.lists(st.integers(0, 1 << 40), max_size=5))
def test_sizes_adds_up(sizes: list[int]) -> None:
    text = "".join(f"a.o :\nsection size addr\n.text.f{i}  {size}  0\n.data 7 0\n\n" for i, size in enumerate(sizes))
    assert parse_sizes(text).text_bytes == sum(sizes)


def test_fetch_unpacks_the_root_only_and_keeps_times(tiny: Library) -> None:
    source = fetch(tiny)
    assert sorted(path.name for path in source.iterdir()) == ["main.c", "one.c", "two.c"]
    assert (source / "one.c").stat().st_mtime == 1_000_000_000
    assert not list(source.parent.glob(".fetch-*"))


def test_fetches_in_parallel_agree(tiny: Library) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(fetch, [tiny] * 16))) == 1
    assert len(list(fetch(tiny).iterdir())) == 3


def test_damaged_archive_is_fetched_again_and_refused(
    tiny: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "cache" / "libraries" / "archives" / tiny.file
    archive.write_bytes(b"damaged")
    monkeypatch.setattr(
        debian_sources, "download", lambda library, state, place: (place / library.file).write_bytes(b"x")
    )
    with pytest.raises(CompilerAgentError, match=f"tiny 1: tiny.tar.gz has SHA-256 {hashlib.sha256(b'x').hexdigest()}"):
        fetch(tiny)
    assert archive.read_bytes() == b"damaged"  # nothing unverified took its place


def test_version_that_is_gone_is_named(tiny: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    machine = tmp_path / "sources.list"
    machine.write_text("deb file:/srv stable main\n")
    scripts = {
        "apt-config": f"echo \"FILE='{machine}'\"",
        "apt-get": f"mkdir -p '{tmp_path}/x'; echo update >> '{tmp_path}/calls'; echo cannot reach it >&2; exit 100",
        "apt-cache": f"cat '{tmp_path}/showsrc'",
    }
    (tmp_path / "showsrc").write_text(SHOWSRC)
    for name, script in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    with pytest.raises(CompilerAgentError) as caught:
        debian_sources.download(tiny, tmp_path / "apt", tmp_path)
    message = str(caught.value)
    assert "tiny 1" in message
    assert "2.5.0-1+deb12u2, 2.5.0-1+deb12u5" in message
    assert "cannot reach it" in message
    assert (tmp_path / "apt" / "parts" / "sources.list").read_text() == "deb-src file:/srv stable main\n"


@pytest.mark.parametrize("names", [["root/../../evil.c"], ["root/a/../../../evil.c"], ["root/up", "root/up/evil.c"]])
def test_archive_that_leads_out_is_refused(tmp_path: Path, names: list[str]) -> None:
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as bundle:
        for name in names:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, ".."
            bundle.addfile(link) if name.endswith("up") else _add(bundle, name, "int evil;\n")
    with pytest.raises(CompilerAgentError, match="cannot be unpacked"):
        unpack(archive, PurePosixPath("root"), tmp_path / "out")
    assert not list(tmp_path.rglob("evil.c"))


def test_truncated_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "half.tar.gz"
    with tarfile.open(archive, "w:gz") as bundle:
        _add(bundle, "root/a.c", "int a;\n" * 5000)
    archive.write_bytes(archive.read_bytes()[:100])
    with pytest.raises(CompilerAgentError, match=r"half.tar.gz: cannot be unpacked"):
        unpack(archive, PurePosixPath("root"), tmp_path / "out")


def test_missing_root_is_said(tiny: Library) -> None:
    with pytest.raises(CompilerAgentError, match="nothing below nowhere"):
        fetch(replace(tiny, root=PurePosixPath("nowhere")))


def test_units_have_flags_and_directory(tiny: Library, tmp_path: Path) -> None:
    directory = prepare(tiny, tmp_path / "work")
    units = translation_units(tiny, directory)
    assert [unit.name for unit in units] == ["tiny/one.c", "tiny/two.c"]
    assert units[0].argv == ("-DONE=1", "one.c")
    assert units[0].directory == directory
    with pytest.raises(CompilerAgentError, match=r"no file matches '\*\.cpp'"):
        translation_units(replace(tiny, sources=("*.cpp",)), directory)


def test_missing_program_names_its_package(tiny: Library) -> None:
    needs = (("no-such-program", "some-package"), ("/no/such/header.h", "other-dev"), ("sh", "dash"))
    with pytest.raises(ToolchainError, match=r"no-such-program, /no/such/header.h\n.*install other-dev some-package"):
        check_requirements(replace(tiny, requires=needs))


def test_build_measure_and_test(tiny: Library, tmp_path: Path) -> None:
    compiler = _plain()
    directory = prepare(tiny, tmp_path / "with spaces" / "work")
    assert configure(tiny, directory, compiler).passed
    assert build(tiny, directory, compiler).passed
    measured = measure(tiny, directory)
    assert measured.n_objects == 2
    assert 0 < measured.text_bytes < 200


def test_judge_passes_and_counts(tiny: Library, tmp_path: Path) -> None:
    result = library_judge.judge(tiny, tmp_path, _plain())
    assert result.outcome is Outcome.PASSED
    assert result.n_objects == 2


def test_judge_blames_the_compiler_only_where_plain_clang_gets_through(tiny: Library, tmp_path: Path) -> None:
    _plain()
    wrong = tmp_path / "wrong-clang"
    wrong.write_text('#!/bin/sh\ncase "$*" in *one.c*) set -- "$@" -DWRONG=1;; esac\nexec clang-22 "$@"\n')
    wrong.chmod(0o755)
    broken = Compiler(cc="false", cxx="false", cflags="")
    places = [tmp_path / name for name in "abc"]
    for place in places:
        place.mkdir()
    unbuilt = library_judge.judge(tiny, places[0], broken)
    untested = library_judge.judge(tiny, places[1], Compiler(cc=str(wrong), cxx="", cflags="-O1"))
    hopeless = library_judge.judge(replace(tiny, build=("false",)), places[2], broken)
    assert [result.outcome for result in (unbuilt, untested, hopeless)] == [
        Outcome.BUILD_FAILED,
        Outcome.TESTS_FAILED,
        Outcome.CONTROL_FAILS,
    ]
    assert "tiny 1: test failed with status 1" in untested.message


def test_replayed_compilations_are_counted(tiny: Library, tmp_path: Path) -> None:
    _plain()
    logging = tmp_path / "logging-clang"
    script = """case "$*" in *one.c*) word=replayed event=hit;; *) word=miss event=miss;; esac
    case "$*" in *-c*) echo "{\\"decision\\":\\"$word\\",\\"events\\":[{\\"event\\":\\"$event\\",\\"key\\":\\"k\\"}],\
    \\"sources\\":[\\"x.c\\"],\\"objective\\":\\"size\\",\\"status\\":0,\\"reason\\":null}" >> "$CC_AGENT_LOG";; esac
    """
    logging.write_text(f'#!/bin/sh\n{script}\nexec clang-22 "$@"\n')
    logging.chmod(0o755)
    asking = replace(tiny, configure=(*tiny.configure, "$CC -c two.c -o question.o"))
    result = library_judge.judge(asking, tmp_path, Compiler(cc=str(logging), cxx="", cflags="-Oz"))
    # What configure and the tests compile is no part of the library.
    assert (result.outcome, result.replay) == (
        Outcome.PASSED,
        library_judge.Replay(n_hits=1, n_misses=1, keys=frozenset("k")),
    )
    assert result.test_replay is None
    other = library_judge.judge(tiny, tmp_path / "other", _plain())
    assert (other.replay, other.test_replay) == (None, None)


def test_units_are_counted_by_modules_and_surprises_are_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    row = {"decision": "replayed", "reason": None, "sources": ["a.c", "b.c"], "objective": "size", "status": 0}
    events = [{"event": "hit", "key": "one"}, {"event": "miss", "key": "two"}]
    rows = [
        {**row, "events": events},
        {**row, "events": [], "decision": "plain", "sources": []},  # a link
        {**row, "events": [], "decision": "plain", "objective": None},  # without -O-agent
        {**row, "events": [], "decision": "plain", "status": 1},  # does not compile with clang either
        {**row, "events": [{"event": "error", "key": "three"}], "decision": "error", "reason": "why"},
        {**row, "events": [], "decision": "fallback", "reason": "clang crashed", "sources": ["c.c"]},
    ]
    log.write_text("".join(json.dumps(each) + "\n" for each in rows))
    found = library_judge.read_replay(log)
    assert found == library_judge.Replay(
        1, 1, 1, frozenset({"one"}), ("a.c b.c: error: why", "c.c: fallback: clang crashed")
    )
    assert found.n_units == 3
    assert library_judge.read_replay(tmp_path / "none") is None


def test_time_limit_is_said(tiny: Library, tmp_path: Path) -> None:
    slow = replace(tiny, configure=("sleep 30",), timeout_s=0.3)
    result = library_judge.build_and_test(slow, tmp_path / "work", Compiler(cc="false", cxx="false", cflags=""))
    assert result.outcome is Outcome.BUILD_FAILED
    assert "configure was not finished after 0.3 s" in result.message


@pytest.mark.nightly
def test_real_library_from_the_registry(libraries: tuple[Library, ...], tmp_path: Path) -> None:
    (zlib,) = select(libraries, ["zlib"])
    result = library_judge.judge(zlib, tmp_path, _plain())
    assert result.outcome is Outcome.PASSED, result.message
    assert result.n_objects == 15
