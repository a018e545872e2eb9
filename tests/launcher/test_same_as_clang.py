"""cc-agent beside clang: the same objects, the same words, the same status."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import NATIVE, clean_environment

SHAPES = [
    "-c a.c",
    "-c a.c -o dir/with\\space.o",
    "-c -g a.c",
    "-c -fPIC -ffunction-sections -fdata-sections a.c",
    "-c -Wall -Wextra -Weverything -Wno-unsafe-buffer-usage a.c",
    "-c -Werror -Weverything a.c",
    "-S a.c -o -",
    "-E a.c",
    "-E -dM a.c",
    "-M a.c",
    "-MM a.c",
    "-c -MMD -MF deps.d a.c",
    "-c -Wp,-MD,deps.d a.c",
    "-c a.c b.c",
    "a.c b.c main.c -o prog",
    "a.o main.o -o linked -Werror -Weverything",
    "-shared -fPIC a.c -o liba.so",
    "-c asm.s -Werror",
    "-c asmcpp.S -Werror",
    "-x assembler -c asm.s -o x.o -Werror",
    "-c broken.c",
    "-c missing.c",
    "-c a.c -lm",
    "-c -Werror a.c -lm",
    "-c a.c -fno-such-option",
    "-fsyntax-only -Wall a.c",
    "-### -c a.c",
    "-flto -c a.c",
    "-save-temps -c a.c",
    "-gsplit-dwarf -g -c a.c -o split.o",
    "-std=c++17 -c d.cc",
    "-x c++ -c a.c",
    "-c @words",
    "-c -o -x a.c",
    "-c --",
    "-x c-header a.h -o a.pch",
    "-c -include a.h a.c",
    "-pipe -c a.c -march=x86-64-v3",
    "-c -O-agent=speed a.c",
    "-c -fsanitize=undefined a.c",
    "--version",
    "-print-search-dirs",
    "-dumpmachine",
    "",
]

FILES = {
    "a.h": "#define SCALE 3\n",
    "a.c": '#include "a.h"\nint a(int x) { int unused; return x * SCALE; }\n',
    "b.c": "int b(int *p, int n) { int s = 0; for (int i = 0; i < n; ++i) s += p[i]; return s; }\n",
    "main.c": "int main(void) { return 0; }\n",
    "asm.s": ".text\nnop\n",
    "asmcpp.S": "#define OP nop\n.text\nOP\n",
    "broken.c": "int f( { return 1 }\n",
    "d.cc": "template <class T> T twice(T x) { return x + x; }\nint d(int x) { return twice(x); }\n",
    "words": "-DX='1 2' a.c\n",
}


@pytest.fixture(params=["with plugin", "without plugin"])
def program(request: pytest.FixtureRequest, launcher: Path, tmp_path: Path) -> Path:
    """A launcher beside the real plugin, and one beside none."""
    native = tmp_path / "native"
    for directory in ("bin", "lib"):
        (native / directory).mkdir(parents=True)
    shutil.copy(launcher, native / "bin" / "cc-agent")
    if request.param == "with plugin":
        plugin = NATIVE / "lib" / "cc-agent.so"
        if not plugin.exists():
            pytest.skip(f"{plugin} is not built")
        (native / "lib" / "cc-agent.so").symlink_to(plugin)
    return native / "bin" / "cc-agent"


def results(program: str, words: list[str], directory: Path, stdin: str | None = None) -> tuple:
    """Status, output and files of one call in a fresh directory."""
    if directory.exists():
        shutil.rmtree(directory)
    (directory / "dir").mkdir(parents=True)
    for name, text in FILES.items():
        (directory / name).write_text(text)
        os.utime(directory / name, (1_000_000_000, 1_000_000_000))  # a precompiled header holds its sources' times
    environment = clean_environment(
        CC_AGENT_MODE="replay", CC_AGENT_LOCK=str(directory / "none.lock"), PATH="/usr/bin:/bin", HOME=str(directory)
    )
    done = subprocess.run(
        [program, *words], cwd=directory, capture_output=True, env=environment, input=stdin, text=True
    )
    files = {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }
    return done.returncode, done.stdout, done.stderr, files


def without_temporary_names(result: tuple) -> tuple:
    """Object files that a link makes on the way have random names, which -### prints."""
    status, stdout, stderr, files = result
    return status, stdout, re.sub(r"/tmp/[a-z]+-[0-9a-f]{6}", "/tmp/NAME", stderr), files


@pytest.mark.parametrize("shape", SHAPES)
def test_same_result(program: Path, clang: str, tmp_path: Path, shape: str):
    words = [word.replace("\\", " ") for word in shape.split()]
    # One directory for both, since its name is in debug information.
    place = tmp_path / "a place"
    ours = results(str(program), ["-O-agent", *words], place)
    level = "-O3" if "-O-agent=speed" in words else "-Oz"
    theirs = results(clang, [level, *(word for word in words if not word.startswith("-O-agent"))], place)
    if shape.startswith("-c -O-agent"):
        assert ours[3]["a.o"] == theirs[3]["a.o"]
    assert without_temporary_names(ours) == without_temporary_names(theirs)


@pytest.mark.parametrize("words", [["-c", "-x", "c", "-", "-o", "stdin.o"], ["-S", "-x", "c++", "-", "-o", "-"], ["-"]])
def test_same_result_from_standard_input(program: Path, clang: str, tmp_path: Path, words: list[str]):
    place = tmp_path / "a place"
    source = "int f(int x) { return x * 7; }\n"
    ours = results(str(program), ["-O-agent", *words], place, source)
    assert ours == results(clang, ["-Oz", *words], place, source)


@pytest.mark.parametrize("words", ["-v", "-v main.c -o prog", "-v -c a.c", "-Wl,-v main.c -o prog"])
def test_what_configure_scripts_read_of_v_is_clangs(program: Path, clang: str, tmp_path: Path, words: str):
    """Version, target and the link command; only the call of the compiler proper shows the plugin."""

    def read(command: str, level: str) -> tuple[int, str, list[str]]:
        status, stdout, stderr, _ = without_temporary_names(results(command, [level, *words.split()], tmp_path / "v"))
        return status, stdout, [line for line in stderr.splitlines() if '" -cc1 ' not in line]

    ours, theirs = read(str(program), "-O-agent"), read(clang, "-Oz")
    assert ours == theirs
    assert words != "-v" or any(line.startswith("Target: ") for line in ours[2])


def test_clangs_own_crash_ends_as_with_clang(program: Path, clang: str, tmp_path: Path):
    (tmp_path / "a.c").write_text("#pragma clang __debug crash\n")
    environment = clean_environment(CC_AGENT_MODE="replay", TMPDIR=str(tmp_path))
    command = [str(program), "-O-agent", "-c", "a.c"]
    ours = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment)
    theirs = subprocess.run([clang, "-Oz", "-c", "a.c"], cwd=tmp_path, capture_output=True, env=environment)
    assert ours.returncode == theirs.returncode != 0
    # clang writes one reproducer; a crash with the plugin writes none.
    assert len(list(tmp_path.glob("*.sh"))) == 2
