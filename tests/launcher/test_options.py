"""The launcher's option table against clang's own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

SOURCES = ROOT / "passes" / "launcher"
ROWS = re.findall(r'^OPTION\("(.*)", (\w+), (\w+)\)$', (SOURCES / "options.def").read_text(), re.MULTILINE)
N_VALUES = {"Separate": 1, "JoinedOrSeparate": 1, "JoinedAndSeparate": 1, "MultiArg2": 2, "MultiArg3": 3}
PRINTS_AND_ENDS = {"--print-file-name", "--print-prog-name"}


def role(spelling: str) -> str:
    return next(role for known, _, role in ROWS if known == spelling)


def test_table_is_what_the_generator_writes():
    done = subprocess.run([sys.executable, SOURCES / "generate_options.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_table_is_sorted_for_the_binary_search():
    spellings = [spelling.encode() for spelling, _, _ in ROWS]
    assert spellings == sorted(spellings)
    assert len(ROWS) > 2500


def inputs_of(clang: str, directory: Path, *arguments: str) -> set[str] | None:
    """The inputs that clang sees in a command line; None when it stops before it looks at them."""
    command = [clang, "-ccc-print-phases", "-fsyntax-only", "first.c", *arguments]
    text = subprocess.run(command, cwd=directory, capture_output=True, text=True).stderr
    inputs = set(re.findall(r'input, "([^"]*)"', text))
    return inputs if "first.c" in inputs else None


@pytest.fixture
def two_sources(tmp_path: Path) -> Path:
    (tmp_path / "first.c").write_text("int first;\n")
    (tmp_path / "value.c").write_text("int value;\n")
    return tmp_path


def test_clang_takes_the_next_argument_where_the_table_says_so(clang: str, two_sources: Path):
    with_value = [(spelling, N_VALUES[kind]) for spelling, kind, _ in ROWS if kind in N_VALUES]
    assert len(with_value) > 150
    unseen = set()
    for spelling, n_values in with_value:
        inputs = inputs_of(clang, two_sources, spelling, *["value.c"] * n_values)
        if inputs is None:
            unseen.add(spelling)
        else:
            assert "value.c" not in inputs, spelling
    assert unseen <= PRINTS_AND_ENDS


def test_clang_leaves_the_next_argument_alone_where_the_table_says_so(clang: str, two_sources: Path):
    flags = [spelling for spelling, kind, role in ROWS if kind in ("Flag", "Joined") and role in ("None", "Linker")]
    seen = 0
    for spelling in flags[::20]:
        inputs = inputs_of(clang, two_sources, spelling, "value.c")
        if inputs is not None:
            seen += 1
            assert "value.c" in inputs, spelling
    assert seen > 50


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("-o", "Output"),
        ("--output=", "Output"),
        ("--optimize=", "Optimize"),
        ("-Ofast", "Optimize"),
        ("--language", "Language"),
        ("--compile", "Compile"),
        ("--assemble", "Assembly"),
        ("--user-dependencies", "Preprocess"),
        ("--write-dependencies", "Dependency"),
        ("-MF", "Dependency"),
        ("-MJ", "RecordsCommand"),
        ("-frecord-gcc-switches", "RecordsCommand"),
        ("-gno-record-gcc-switches", "None"),
        ("-flto=", "LinkTime"),
        ("-fno-lto", "None"),
        ("-fsanitize=", "Sanitizer"),
        ("-fno-sanitize=", "None"),
        ("--coverage", "Profile"),
        ("-fopenmp=", "Offload"),
        ("-fopenmp-simd", "None"),
        ("--cuda-gpu-arch=", "Offload"),
        ("-fno-integrated-as", "ExternalAssembler"),
        ("-no-integrated-as", "ExternalAssembler"),
        ("-static", "None"),
        ("-undef", "None"),
        ("-Wl,", "Linker"),
        ("-T", "Linker"),
        ("-target", "None"),
        ("-include", "None"),
        ("-gsplit-dwarf", "SideOutput"),
    ],
)
def test_role(spelling: str, expected: str):
    assert role(spelling) == expected


EXTENSIONS = (
    "c i C cc cp cpp CPP cxx CXX c++ C++ ii s S asm h H hh hpp hxx m mm ll bc cu cl clii cppm iih pcm f F90 adb "
    "o obj a so txt"
)


@pytest.mark.parametrize("program", ["cc-agent", "cc-agent++"])
def test_languages_of_files_are_clangs(describe, clang: str, tmp_path: Path, program: str):
    compiler = clang + ("++" if program.endswith("++") else "")
    for extension in [*EXTENSIONS.split(), ""]:
        name = f"file.{extension}" if extension else "file"
        (tmp_path / name).touch()
        command = [compiler, "-ccc-print-phases", "-c", name]
        printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stderr
        known = re.search(rf'input, "{re.escape(name)}", ([-+a-z0-9]+)', printed)
        sources = describe("-c", name, program=program)["sources"]
        language = sources[0]["language"] if sources else None
        expected = known.group(1) if known and known.group(1) != "object" else None
        assert language == expected, name
