"""What a command leaves behind in its working directory: a copy to run in, and what is different there afterwards."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.files import file_error
from compiler_agent.evaluation.difftest_compare import Difference, compare_texts

COPY_LIMIT_BYTES = 4 << 30
_KEPT_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_BUILT = (b"\x7fELF", b"!<arch>\n", b"!<thin>\n", b"BC\xc0\xde")
"""How objects, programs, archives and bitcode begin: what a plan makes of them is not behaviour."""


@dataclass(frozen=True, slots=True)
class Left:
    """What became of one file."""

    kind: str
    """file, link, directory or removed."""
    sha256: str = ""
    """Digest of a file's content, or of where a link leads."""
    content: bytes | None = None
    """The content, where it is small enough to say what differs in it."""


State = Mapping[str, tuple[int, ...]]
"""By path: what changes when a file does."""


def copy_tree(source: Path, target: Path) -> None:
    """Copies a directory with times, modes and links, so that build tools see nothing newer than it was.

    Raises:
        NotEstablished: It is too large for a copy for each run.
        FileError: Something in it cannot be read, or there is no room.
    """
    size_bytes = 0
    for _, entry in _walk(source):
        size_bytes += entry.stat(follow_symlinks=False).st_size
        if size_bytes > COPY_LIMIT_BYTES:
            raise NotEstablished(
                f"{source} has more than {COPY_LIMIT_BYTES >> 30} GiB, too much for a copy for each run",
                hint="run from a smaller directory that has all the command needs, or use --no-sandbox",
            )
    try:
        shutil.copytree(source, target, symlinks=True, ignore=_left_out)
    except (OSError, shutil.Error) as error:
        problem = error if isinstance(error, OSError) and error.errno else OSError(str(error))
        raise file_error("copy", source, problem) from error


def snapshot(directory: Path) -> State:
    """The state of everything below a directory."""
    state = {}
    for name, entry in _walk(directory):
        status = entry.stat(follow_symlinks=False)
        changing = () if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        state[name] = (stat.S_IFMT(status.st_mode), *changing)
    return state


def changes(directory: Path, before: State, ignored: Collection[str] = ()) -> dict[str, Left]:
    """What was written, made or removed below a directory since a snapshot; built files and ignored ones left out.

    Args:
        directory: Where.
        before: The snapshot.
        ignored: Shell patterns of paths that are not compared.
    """
    after = snapshot(directory)
    found: dict[str, Left] = {}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name) or any(fnmatch.fnmatch(name, pattern) for pattern in ignored):
            continue
        left = _left(directory / name, after[name][0]) if name in after else Left("removed")
        if left is not None:
            found[name] = left
    return found


def compare_files(
    expected: Mapping[str, Left], seen: Mapping[str, Left], tolerance: float, n_most: int = 5
) -> list[Difference]:
    """What differs in the files that two runs left behind, at most so many of them."""
    found = []
    for name in sorted(expected.keys() | seen.keys()):
        ours, theirs = expected.get(name), seen.get(name)
        where = f'file "{name}"'
        if ours is None or theirs is None or ours.kind != theirs.kind:
            found.append(Difference(where, ours.kind if ours else "untouched", theirs.kind if theirs else "untouched"))
        elif ours.sha256 != theirs.sha256:
            if ours.content is None or theirs.content is None:
                found.append(Difference(where, f"content {ours.sha256[:16]}", f"content {theirs.sha256[:16]}"))
            elif difference := compare_texts(where, ours.content, theirs.content, tolerance):
                found.append(difference)
    return found[:n_most]


def _left(path: Path, kind: int) -> Left | None:
    """What is there now; None where it was built."""
    try:
        if stat.S_ISLNK(kind):
            return Left("link", hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest())
        if stat.S_ISDIR(kind):
            return Left("directory")
        if not stat.S_ISREG(kind):
            return Left("special")
        with path.open("rb") as file:
            content = file.read(_KEPT_BYTES + 1)
            if content.startswith(_BUILT):
                return None
            hasher = hashlib.sha256(content)
            while chunk := file.read(_CHUNK_BYTES):
                hasher.update(chunk)
        return Left("file", hasher.hexdigest(), content if len(content) <= _KEPT_BYTES else None)
    except OSError as error:
        raise file_error("read", path, error) from error


def _walk(directory: Path, prefix: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(directory / prefix) as entries:
            for entry in entries:
                name = prefix + entry.name
                yield name, entry
                if entry.is_dir(follow_symlinks=False):
                    yield from _walk(directory, name + "/")
    except OSError as error:
        raise file_error("read", directory / prefix, error) from error


def _left_out(directory: str, names: list[str]) -> list[str]:
    """Sockets, pipes and devices, of which nothing can be copied; and where copies are: none holds itself."""
    holds_copies = os.path.realpath(directory) == os.path.realpath(tempfile.gettempdir())
    with os.scandir(directory) as entries:
        return [
            entry.name
            for entry in entries
            if (holds_copies and entry.name.startswith("cc-agent-"))
            or not (entry.is_symlink() or entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
        ]
