"""The benchmarks as they are described: what the loader accepts, what it refuses, and that the split is whole."""

import hashlib
import shutil
from pathlib import Path

import pytest

from compiler_agent.base.errors import FileError, UsageError
from compiler_agent.evaluation.benchmark import SIZES, Part, load, load_all

GOOD = """
format = "cc-agent-benchmark"
version = 1
class = "text"
stresses = "nothing"
licence = "MIT"
language = "c"
sources = ["one.c"]
link_flags = ["-lm"]
[inputs.small]
arguments = ["1", "a b"]
stdin = "x'y"
expected = "1\\n"
[inputs.medium]
arguments = ["2"]
expected = "2\\n"
[inputs.large]
arguments = ["3"]
expected = "3\\n"
"""
SPLIT = 'format = "cc-agent-split"\nversion = 1\ntraining = []\nheld-out = ["one"]\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "programs" / "one"
    folder.mkdir(parents=True)
    (folder / "benchmark.toml").write_text(GOOD)
    (folder / "one.c").write_text("int main(void) { return 0; }\n")
    (tmp_path / "split.toml").write_text(SPLIT)
    return tmp_path


def test_what_is_read(root: Path) -> None:
    (benchmark,) = load_all(root)
    assert benchmark == load(root / "programs" / "one")
    assert (benchmark.name, benchmark.kind, benchmark.part) == ("one", "text", Part.HELD_OUT)
    assert [one.name for one in benchmark.inputs] == list(SIZES)
    assert (benchmark.flags, benchmark.link_flags, benchmark.library) == ((), ("-lm",), "")
    assert benchmark.input("large").arguments == ("3",)
    (unit,) = benchmark.units()
    assert (unit.directory / unit.source).is_file()
    with pytest.raises(UsageError, match="has no input 'huge'"):
        benchmark.input("huge")


def test_a_workload_is_a_command_that_a_shell_understands(root: Path) -> None:
    (benchmark,) = load_all(root)
    assert benchmark.workload(benchmark.input("medium")).command == "./one 2"
    assert benchmark.workload(benchmark.input("small")).command == """printf %s 'x'"'"'y' | ./one 1 'a b'"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1", "version = 2", "format and version"),
        ('class = "text"', "", "class is missing"),
        ('class = "text"', 'class = ""', "class has the wrong type"),
        ('sources = ["one.c"]', "sources = []", "sources is empty"),
        ('sources = ["one.c"]', 'sources = ["two.c"]', "sources names two.c, which is not there"),
        ('language = "c"', 'language = "rust"', "language = 'rust' is not known"),
        ('link_flags = ["-lm"]', 'link_flag = ["-lm"]', "link_flag is not known"),
        ("[inputs.large]", "[inputs.huge]", r"inputs\.large is missing"),
        ('arguments = ["2"]', "arguments = [2]", r"inputs\.medium\.arguments has the wrong type"),
        ('expected = "2\\n"', "", r"inputs\.medium\.expected is missing"),
        ('arguments = ["3"]', 'arguments = ["3"]\nseed = 1', r"inputs\.large\.seed is not known"),
        ("[inputs.small]", "[inputs.small", "not TOML"),
    ],
)
def test_what_is_refused(root: Path, old: str, new: str, message: str) -> None:
    path = root / "programs" / "one" / "benchmark.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UsageError, match=message) as caught:
        load_all(root)
    assert str(path) in caught.value.message
    assert caught.value.hint or "write" in caught.value.message


def test_a_folder_without_a_description_is_refused(root: Path) -> None:
    (root / "programs" / "two").mkdir()
    with pytest.raises(FileError, match=r"two/benchmark\.toml"):
        load_all(root)


def test_two_of_one_name_are_refused(root: Path) -> None:
    shutil.copytree(root / "programs", root / "drivers")
    with pytest.raises(UsageError, match="there are two folders one"):
        load_all(root)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (SPLIT.replace('["one"]', "[]"), "one is missing"),
        (SPLIT.replace("training = []", 'training = ["one"]'), "one is named twice"),
        (SPLIT.replace("training = []", 'training = ["gone"]'), "names gone, which has no folder"),
        (SPLIT.replace("training = []", ""), "training is missing"),
    ],
)
def test_a_split_that_is_not_whole_is_refused(root: Path, split: str, message: str) -> None:
    (root / "split.toml").write_text(split)
    with pytest.raises(UsageError, match=message):
        load_all(root)


def test_the_split_follows_its_rule() -> None:
    for benchmark in load_all():
        even = int(hashlib.sha256(benchmark.name.encode()).hexdigest()[0], 16) % 2 == 0
        if not benchmark.library:
            assert benchmark.part is (Part.HELD_OUT if even else Part.TRAINING), benchmark.name


def test_enough_dense_loops_are_held_out() -> None:
    kinds = [benchmark.kind for benchmark in load_all() if benchmark.part is Part.HELD_OUT]
    assert kinds.count("dense-loop") >= 5
