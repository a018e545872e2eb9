"""Files that are either the old ones or the new ones, never half of each; and digests with labels."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from compiler_agent.base.errors import FileError

_HINTS = {
    errno.ENOSPC: "free some space on that file system",
    errno.EDQUOT: "your disk quota is used up: free some space",
    errno.EROFS: "the file system is mounted read-only: name a file elsewhere",
    errno.EACCES: "you may not write there: change the permissions, or name a file elsewhere",
    errno.EPERM: "you may not write there: change the permissions, or name a file elsewhere",
    errno.ENOENT: "the directory does not exist: create it",
    errno.ENOTDIR: "a part of the path is a file, not a directory",
    errno.EISDIR: "that is a directory: name a file",
}


def write_atomically(path: str | os.PathLike[str], data: bytes, *, mode: int | None = None) -> None:
    """Replaces a file whole: a reader, a crash or a full disk never sees a part of it.

    A symbolic link is followed, so the file it names is replaced and the link stays.

    Args:
        path: The file; its directory must exist.
        data: The new content.
        mode: Permission bits; None: those of the file that is replaced, or the usual ones for a new file.

    Raises:
        FileError: It could not be written; the old file is untouched and nothing else is left behind.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{temporary_prefix(target.name)}{os.getpid()}.{secrets.token_hex(4)}")
    try:
        if mode is None:
            mode = _mode_of(target)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                if mode is not None:
                    os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_directory(target.parent)
    except OSError as error:
        raise file_error("write", target, error) from error


def write_json(path: str | os.PathLike[str], value: object) -> None:
    """Writes a value as JSON that people can read, too; as `write_atomically`."""
    write_atomically(path, (json.dumps(value, indent=1) + "\n").encode())


def check_room(path: str | os.PathLike[str], n_bytes: int) -> None:
    """Finds out whether `write_atomically` could replace a file with so many bytes; nothing is left behind.

    Raises:
        FileError: It could not.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{temporary_prefix(target.name)}{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as stream:
            stream.write(b"\0" * n_bytes)
    except OSError as error:
        raise file_error("write", target, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


class MemoryFile:
    """A file that has a path while we live and none afterwards, however we end. Use as a context manager.

    Other processes of this user open it by its path; a directory in /tmp would stay behind after a SIGKILL.
    """

    def __init__(self, data: bytes = b"") -> None:
        """Makes a file with this content."""
        self._descriptor = os.memfd_create("cc-agent")
        with os.fdopen(self._descriptor, "wb", closefd=False) as stream:
            stream.write(data)
        self.path = Path(f"/proc/{os.getpid()}/fd/{self._descriptor}")

    def read(self) -> bytes:
        """What is in it now."""
        return self.path.read_bytes()

    def __enter__(self) -> MemoryFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def remove_tree(directory: str | os.PathLike[str]) -> None:
    """Removes a directory with all that is in it, if it is there.

    Raises:
        FileError: Something in it cannot be removed.
    """
    try:
        if os.path.lexists(directory):
            shutil.rmtree(directory)
    except OSError as error:
        raise file_error("remove", directory, error) from error


def temporary_prefix(name: str) -> str:
    """How the names of the temporary files begin that `write_atomically` makes beside a file of this name."""
    return f".{name}.tmp-"


def remove_temporaries(path: str | os.PathLike[str]) -> None:
    """Removes what killed writers of this file left beside it; only for one who keeps all other writers out."""
    target = Path(os.path.realpath(path))
    with contextlib.suppress(OSError):
        for name in os.listdir(target.parent):
            if name.startswith(temporary_prefix(target.name)):
                with contextlib.suppress(OSError):
                    (target.parent / name).unlink()


@contextlib.contextmanager
def directory_turn(directory: str | os.PathLike[str], *, timeout_s: float = 60.0) -> Iterator[None]:
    """Waits for its turn to change files in a directory; everybody who asks with this gets theirs alone.

    The directory itself is what is locked, so no lock file is left behind, and a killed process gives its turn back.

    Raises:
        FileError: The directory cannot be opened, or another process kept its turn for `timeout_s` seconds.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise file_error("open", directory, error) from error
    try:
        deadline_s = time.monotonic() + timeout_s
        while not _try_flock(descriptor, directory):
            if time.monotonic() > deadline_s:
                raise FileError(
                    f"another process has been changing files in {directory} for more than {timeout_s:g} s",
                    hint=f"see which: fuser -v {directory}; if it is stopped, continue it or end it",
                )
            time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)


def file_error(verb: str, path: str | os.PathLike[str], error: OSError) -> FileError:
    """Says which file, what is wrong with it, and what to do; `verb` is "read", "write", and so on."""
    reason = error.strerror or str(error)
    return FileError(f"cannot {verb} {os.fspath(path)}: {reason}", hint=_HINTS.get(error.errno or 0, ""))


def labelled_digest(label: str, **fields: str | bytes | int | None) -> str:
    """SHA-256 over named fields, in hexadecimal: 64 lower-case digits.

    Each name and value goes in with its type and length, so no two different sets of fields are the same bytes, and
    the label keeps digests of different kinds apart. The order of the fields does not matter.

    Args:
        label: What the digest is of, with a version: "toolchain-v1".
        fields: What it is over.
    """
    hasher = hashlib.sha256()
    for name, value in [("", label), *sorted(fields.items())]:
        data = value if isinstance(value, bytes) else str(value).encode()
        hasher.update(f"{len(name)}:{name}:{type(value).__name__}:{len(data)}:".encode())
        hasher.update(data)
    return hasher.hexdigest()


def _try_flock(descriptor: int, directory: str | os.PathLike[str]) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise file_error("lock", directory, error) from error
        # A file system without locks: writes stay atomic, two at the same moment may lose one.
    return True


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None


def _sync_directory(directory: Path) -> None:
    # Without it the rename itself may be lost in a power cut. Some file systems refuse; the file is whole anyway.
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
