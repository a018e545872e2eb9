"""Response files: expanded as clang expands them."""

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from .conftest import clean_environment

QUOTINGS = [
    "-DA=1 -DB=2\n-DC=3\t-DD\r\n",
    r"""-DA="a b" '-DB=c d' -DC=\"e\" -DD=f\ g""",
    r"""-DA='x\'y' -DB="x\"y" -DC='a"b' -DD=a"b c"d'e f'""",
    '"" \'\' -DA="" -DB',
    "-DA=1\\\n-DB=2 -DC=trailing\\",
    '-DA="not closed ',
    "\xef\xbb\xbf-DA=1",
    "   \n\t ",
]


@pytest.mark.parametrize("text", QUOTINGS)
def test_words_are_those_that_clang_reads(describe, clang: str, tmp_path: Path, text: str):
    (tmp_path / "words").write_bytes(text.encode("latin-1"))
    # clang writes the arguments it has read into its compilation database, "-DX" as two words.
    (tmp_path / "a.c").write_text("")
    subprocess.run([clang, "-c", "a.c", "@words", "-MJ", "db.json"], cwd=tmp_path, capture_output=True, check=True)
    read = json.loads((tmp_path / "db.json").read_text().strip().rstrip(","))["arguments"]
    expected = [following for word, following in itertools.pairwise(read) if word == "-D"]
    words = describe("-c", "a.c", "@words")["translated"][3:]
    assert [word.removeprefix("-D") for word in words] == expected


def test_nested_and_missing(describe, tmp_path: Path):
    (tmp_path / "outer").write_text("-DA @inner -DC @missing")
    (tmp_path / "inner").write_text("-DB -O-agent")
    description = describe("-c", "@outer", "a.c")
    assert description["translated"][1:] == ["-c", "-DA", "-DB", "-Oz", "-DC", "@missing", "a.c"]
    assert description["objective"] == "size"


def test_cycle_is_left_to_clang(describe, tmp_path: Path):
    (tmp_path / "loop").write_text("-DA @loop")
    description = describe("-O-agent", "-c", "@loop", "a.c")
    assert description["translated"][1:] == ["-Oz", "-c", "-DA", "@loop", "a.c"]
    assert "response file" in description["reason"]


@pytest.mark.parametrize("level", ["-O-agent", "-O1"])
def test_a_hundred_thousand_arguments(launcher: Path, clang: str, tmp_path: Path, level: str):
    (tmp_path / "a.c").write_text("int f(void) { return X99999; }\n")
    words = [f"-DX{number}={number}0" for number in range(100_000)]
    words += ["-DPADDING=" + "x" * 1000] * 2_000
    (tmp_path / "words").write_text("\n".join([*words, level, "-w"]))
    command = [launcher, "-c", "a.c", "@words", "-o", "a b.o"]
    environment = clean_environment(CC_AGENT_MODE="replay")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    base = "-Oz" if level == "-O-agent" else level
    subprocess.run([clang, "-c", "a.c", base, "-DX99999=999990", "-o", "b.o"], cwd=tmp_path, check=True)
    assert (tmp_path / "a b.o").read_bytes() == (tmp_path / "b.o").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a b.o", "a.c", "b.o", "words"]
