"""Parsing of command lines, seen through --cc-agent-describe."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import clean_environment


def levels(description: dict) -> list[str]:
    return [word for word in description["translated"] if word.startswith("-O")]


@pytest.mark.parametrize(
    ("arguments", "objective", "expected"),
    [
        (["-O-agent"], "size", ["-Oz"]),
        (["-O-agent=size"], "size", ["-Oz"]),
        (["-O-agent=speed"], "speed", ["-O3"]),
        (["-O2", "-O-agent"], "size", ["-O2", "-Oz"]),
        (["-O-agent", "-O2"], None, ["-O2"]),
        (["-O-agent", "-O2", "-O-agent=speed"], "speed", ["-Oz", "-O2", "-O3"]),
        (["-O-agent", "--optimize=1"], None, []),
        (["-O-agent", "-Ofast"], None, ["-Ofast"]),
        (["-O1"], None, ["-O1"]),
        ([], None, []),
    ],
)
def test_last_level_wins(describe, arguments, objective, expected):
    description = describe(*arguments, "-c", "a.c")
    assert description["objective"] == objective
    assert levels(description) == expected


def test_level_that_is_another_options_value_is_left_alone(describe):
    description = describe("-c", "a.c", "-o", "-O-agent", "-D", "-O-agent=speed", "-Xclang", "-O-agent")
    assert description["objective"] is None
    assert description["output"] == "-O-agent"
    assert description["translated"][1:] == [
        *["-c", "a.c", "-o", "-O-agent", "-D", "-O-agent=speed", "-Xclang", "-O-agent"],
    ]


def test_order_of_everything_else_is_kept(describe):
    arguments = ["-Iz", "a.c", "-O-agent", "-Ia", "-Wall", "-o", "b c.o", "-c"]
    assert describe(*arguments)["translated"][1:] == ["-Iz", "a.c", "-Oz", "-Ia", "-Wall", "-o", "b c.o", "-c"]


@pytest.mark.parametrize("value", ["foo", "", "Size", "size,speed"])
def test_unknown_objective_is_an_error_that_names_the_two(launcher: Path, tmp_path: Path, value: str):
    done = subprocess.run([launcher, f"-O-agent={value}", "-c", "a.c"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"-O-agent={value}" in done.stderr
    assert "-O-agent=size" in done.stderr
    assert "-O-agent=speed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "phase"),
    [
        (["-c", "a.c"], "compile"),
        (["a.c", "-o", "a"], "compile"),
        (["-S", "a.c"], "compile"),
        (["a.c", "b.o", "-lm"], "compile"),
        (["a.o", "-o", "a"], "link"),
        (["-c", "a.s"], "assemble"),
        (["-c", "a.S"], "assemble"),
        (["-x", "assembler", "-c", "a.c"], "assemble"),
        (["-E", "a.c"], "preprocess"),
        (["-M", "a.c"], "preprocess"),
        (["--user-dependencies", "a.c"], "preprocess"),
        (["-MD", "-c", "a.c"], "compile"),
        (["-fsyntax-only", "a.c"], "other"),
        (["-###", "-c", "a.c"], "other"),
        (["--version"], "other"),
        (["-v"], "other"),
        ([], "other"),
    ],
)
def test_phase(describe, arguments, phase):
    assert describe("-O-agent", *arguments)["phase"] == phase


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-flto"], "-flto: optimization continues at link time"),
        (["-flto=thin"], "-flto=thin"),
        (["-fsanitize=address"], "sanitizer"),
        (["-fprofile-generate"], "profiling"),
        (["--coverage"], "coverage"),
        (["-fembed-bitcode"], "machine code"),
        (["-emit-llvm"], "machine code"),
        (["-save-temps=obj"], "intermediate"),
        (["-fmodules"], "modules"),
        (["--precompile"], "modules"),
        (["-x", "c-header"], "c-header"),
        (["-x", "cuda"], "cuda"),
        (["-fopenmp"], "OpenMP"),
        (["--driver-mode=cl"], "driver mode"),
        (["-arch", "x86_64", "-arch", "arm64"], "several architectures"),
        (["-fpass-plugin=x.so"], "another compiler plugin"),
        (["-Xclang", "-load", "-Xclang", "x.so"], "another compiler plugin"),
        (["-Xclang", "-emit-pch"], "-Xclang -emit-pch"),
        (["-Xclang=-emit-pch"], "-Xclang"),
        (["-MJ", "x.json"], "command line"),
        (["-grecord-command-line"], "command line"),
        (["-fno-integrated-as"], "external assembler"),
        (["-working-directory", "/"], "another directory"),
        (["--config=x.cfg"], "configuration"),
        (["-fsuch-an-option-does-not-exist"], "unknown option"),
        (["-"], "standard input: its language is not given"),
        (["b.m"], "objective-c"),
        (["b.ll"], "ir"),
        (["-o"], "its value is missing"),
    ],
)
def test_calls_without_plans_say_why(describe, arguments, told):
    description = describe("-O-agent", "-c", *arguments[:-1], *(["a.c"] if arguments != ["-o"] else []), arguments[-1])
    if len(arguments) > 1:
        description = describe("-O-agent", "-c", *arguments, "a.c")
    assert description["supported"] is False
    assert told in description["reason"]
    assert all(source["tune_argv"] is None for source in description["sources"])
    assert "-Oz" in description["translated"]


@pytest.mark.parametrize(
    "argument",
    ["-fno-lto", "-fno-sanitize=all", "-fopenmp-simd", "-g", "-fPIC", "-arch", "-v", "-fprofile-instr-use=p.profdata"],
)
def test_calls_that_look_similar_are_supported(describe, argument):
    arguments = [argument, "x86_64"] if argument == "-arch" else [argument]
    assert describe("-O-agent", "-c", *arguments, "a.c")["reason"] is None


def test_tune_command_keeps_what_the_compiler_reads_and_nothing_else(describe):
    description = describe(
        *["-MD", "-MF", "a.d", "-Wp,-MD,b.d", "-Wp,-DX", "-Xpreprocessor", "-DY", "-save-stats", "-gsplit-dwarf"],
        *["-I", "in c", "-O-agent", "-std=c++17", "-fPIC", "-lm", "-Lx", "-Wl,-z,now", "-z", "now", "-T", "x.ld"],
        *["-static", "-pthread", "a.cc", "-x", "c", "b.cc", "b.o", "-o", "prog", "-march=x86-64-v3", "-Wall"],
        program="cc-agent++",
    )
    kept = ["-Qunused-arguments", "-Wp,-DX", "-Xpreprocessor", "-DY", "-I", "in c", "-Oz", "-std=c++17", "-fPIC"]
    kept += ["-static", "-pthread", "-march=x86-64-v3", "-Wall"]
    first, second, *others = description["sources"]
    # After "-x c" even b.o is C, to clang as to us.
    assert [source["path"] for source in others] == ["b.o"]
    assert first["tune_argv"] == [description["clang"], *kept, "-c", "-o", "-", "a.cc"]
    assert second["tune_argv"] == [description["clang"], *kept, "-x", "c", "-c", "-o", "-", "b.cc"]
    assert description["clang"].endswith("clang++")
    assert first["language"] == "c++"
    assert second["language"] == "c"


def test_tune_command_works(describe, tmp_path: Path):
    (tmp_path / "in c").mkdir()
    (tmp_path / "in c" / "three.h").write_text("#define THREE 3\n")
    (tmp_path / "-a.c").write_text('#include "three.h"\nint f(int x) { return x * THREE; }\n')
    description = describe("-Werror", "-Wall", "-O-agent", "-Iin c", "-lm", "-static", "-MMD", "--", "-a.c")
    done = subprocess.run(description["sources"][0]["tune_argv"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert done.stdout.startswith(b"\x7fELF")


def test_language_follows_the_inputs_order(describe):
    sources = describe("a.c", "-x", "c++", "b.c", "-x", "none", "c.c", "-")["sources"]
    assert [(source["path"], source["language"]) for source in sources[:3]] == [
        ("a.c", "c"),
        ("b.c", "c++"),
        ("c.c", "c"),
    ]


def test_bytes_that_are_not_utf8_survive(describe):
    name = b'caf\xe9 \xc3\xa9"\\\n\x01.c'
    description = describe(b"-O-agent", b"-c", name)
    assert os.fsencode(description["sources"][0]["path"]) == name
    assert os.fsencode(description["translated"][-1]) == name


def test_objective_is_not_needed_to_describe(describe):
    description = describe("-O2", "-c", "a.c")
    assert description["supported"] is True
    assert "-O2" in description["sources"][0]["tune_argv"]


def test_version_and_help(launcher: Path, tmp_path: Path):
    (tmp_path / "cc-agent.lock").touch()
    version = subprocess.run([launcher, "--cc-agent-version"], cwd=tmp_path, capture_output=True, text=True).stdout
    assert version.startswith("cc-agent 0.1.0\n")
    assert f"lock: {tmp_path}/cc-agent.lock\n" in version
    text = subprocess.run([launcher, "--cc-agent-help"], capture_output=True, text=True, check=True).stdout
    for word in ("CC_AGENT_MODE", "CC_AGENT_LOCK", "CC_AGENT_BUDGET", "CC_AGENT_LOG", "CC_AGENT_DISABLE", "Examples"):
        assert word in text


def test_description_is_one_line(launcher: Path):
    command = [launcher, "--cc-agent-describe", "-c", "a.c"]
    text = subprocess.run(command, capture_output=True, text=True, env=clean_environment()).stdout
    assert text.count("\n") == 1
    assert set(json.loads(text)) == {
        *["supported", "reason", "objective", "clang", "phase", "sources", "output", "translated"],
    }


# "@" begins a response file, "-O-agent" is what we replace; NUL cannot be in an argument, and empty ones are ignored.
WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            ["-o", "-x", "c", "-Xclang", "--", "-MF", "-Wp,-MD,x", "-", "a.c", "-sectcreate", "-O2", "-arch"]
        ),
        st.binary(min_size=1, max_size=12).map(os.fsdecode),
    ).filter(lambda word: "\0" not in word and not word.startswith(("@", "-O-agent"))),
    max_size=12,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_no_word_is_lost_or_moved(describe, words: list[str]):
    assert describe(*words)["translated"][1:] == words
