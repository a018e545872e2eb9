"""Files are replaced whole or not at all."""

import os
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.base.errors import FileError
from compiler_agent.base.files import (
    MemoryFile,
    directory_turn,
    labelled_digest,
    remove_temporaries,
    remove_tree,
    temporary_prefix,
    write_atomically,
)


def test_a_file_in_memory_is_read_and_appended_to_by_others_and_gone_afterwards(tmp_path):
    with MemoryFile(b"first\n") as file:
        done = subprocess.run(["sh", "-c", 'cat "$0"; echo second >> "$0"; echo third >> "$0"', file.path], stdout=-1)
        assert (done.returncode, done.stdout) == (0, b"first\n")
        assert file.read() == b"first\nsecond\nthird\n"
    assert not file.path.exists()


def test_a_tree_is_removed_and_what_cannot_be_is_named(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("text")
    remove_tree(tmp_path / "a")
    assert os.listdir(tmp_path) == []
    remove_tree(tmp_path / "a")
    (tmp_path / "file").write_text("text")
    with pytest.raises(FileError, match=r"cannot remove .*file: Not a directory"):
        remove_tree(tmp_path / "file")


def test_new_file_has_the_usual_permissions(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"content")
    finally:
        os.umask(mask)
    assert (tmp_path / "new").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["new"]


def test_replaced_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o600)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_atomically(path, b"new", mode=0o644)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_symbolic_link_stays(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/file")
    write_atomically(tmp_path / "link", b"1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "file").read_bytes() == b"1"


def test_missing_directory(tmp_path):
    with pytest.raises(FileError, match="nowhere/file") as caught:
        write_atomically(tmp_path / "nowhere" / "file", b"")
    assert "create it" in caught.value.hint


def test_directory_in_the_way(tmp_path):
    (tmp_path / "name").mkdir()
    with pytest.raises(FileError, match="name: Is a directory"):
        write_atomically(tmp_path / "name", b"")
    assert os.listdir(tmp_path) == ["name"]


def test_full_disk_leaves_the_old_file_and_nothing_else(small_disk):
    path = small_disk / "file"
    write_atomically(path, b"old")
    with pytest.raises(FileError, match="No space left on device") as caught:
        write_atomically(path, b"x" * 500_000)
    assert str(path) in caught.value.message
    assert "free some space" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert os.listdir(small_disk) == ["file"]


def test_read_only_file_system(small_disk):
    path = small_disk / "file"
    write_atomically(path, b"old")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(FileError, match="Read-only file system") as caught:
        write_atomically(path, b"new")
    assert "name a file elsewhere" in caught.value.hint
    assert path.read_bytes() == b"old"


def test_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"content")
    assert os.listdir(tmp_path) == []


def test_remains_of_killed_writers_are_removed(tmp_path):
    (tmp_path / f"{temporary_prefix('file')}123").touch()
    (tmp_path / f"{temporary_prefix('other')}123").touch()
    remove_temporaries(tmp_path / "file")
    assert os.listdir(tmp_path) == [f"{temporary_prefix('other')}123"]


def test_one_turn_at_a_time(tmp_path):
    inside: list[int] = []
    most: list[int] = []

    def take_turns() -> None:
        for _ in range(10):
            with directory_turn(tmp_path):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=take_turns) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 40
    assert os.listdir(tmp_path) == []


def test_turn_that_never_comes(tmp_path):
    with (
        directory_turn(tmp_path),
        pytest.raises(FileError, match="another process") as caught,
        directory_turn(tmp_path, timeout_s=0.05),
    ):
        pass
    assert str(tmp_path) in caught.value.hint


def test_turn_in_a_missing_directory(tmp_path):
    with pytest.raises(FileError, match="missing"), directory_turn(Path(tmp_path, "missing")):
        pass


values = st.one_of(st.none(), st.integers(), st.text(), st.binary())
field_sets = st.dictionaries(st.sampled_from(["a", "b", "ab", "c"]), values)


@given(field_sets, field_sets)
def test_digests_differ_exactly_when_fields_differ(first, second):
    same = {name: (type(value), value) for name, value in first.items()} == {
        name: (type(value), value) for name, value in second.items()
    }
    assert (labelled_digest("x", **first) == labelled_digest("x", **second)) == same
    assert labelled_digest("x", **first) != labelled_digest("y", **first)


def test_digest_is_stable():
    digest = labelled_digest("test-v1", name="é", count=3, data=b"\0", nothing=None)
    assert digest == "6f70ae5aba6b8519ed91dc887b5118ce494379c21b31068017877b74c51cefaa"
