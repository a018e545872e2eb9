"""The lock, `cc-agent.lock`, as a file that many processes read and change at the same time.

What is in it is in lock_format.py; the format's history and how to merge two locks are in docs/plan-lock.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base import lock_format
from compiler_agent.base.errors import LockCorruptError, LockError
from compiler_agent.base.files import check_room, directory_turn, file_error, remove_temporaries, write_atomically
from compiler_agent.base.lock_format import Evidence, LockEntry, is_key

__all__ = ["Evidence", "Lock", "LockEntry", "check_writable", "is_key", "remove", "update"]


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file says."""

    plans: Mapping[str, LockEntry]
    """Entries by key: `<fingerprint>-O<speed level>s<size level>`."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Lock:
        """Reads and checks a lock; a file that does not exist is an empty lock.

        Raises:
            LockCorruptError: It is not a lock, is damaged, or was edited so that a digest no longer matches.
            LockVersionError: A newer version of this project wrote it.
            FileError: It exists and cannot be read.
        """
        try:
            text = Path(path).read_bytes().decode("utf-8")
        except FileNotFoundError:
            return cls({})
        except UnicodeDecodeError as error:
            raise LockCorruptError(f"{path}: not UTF-8 at byte {error.start}", hint=lock_format.RESTORE_HINT) from error
        except OSError as error:
            raise file_error("read", path, error) from error
        return cls(lock_format.parse(text, os.fspath(path)))

    def to_text(self) -> str:
        """The file's whole text: sorted, one value per line, ASCII, and the same for equal locks."""
        return lock_format.print_text(self.plans)


def update(path: str | os.PathLike[str], entries: Mapping[str, LockEntry], *, replace: bool = False) -> Lock:
    """Puts entries into a lock file; others do the same at the same time, and nothing is lost.

    Args:
        path: The lock; it is created if need be, its directory too.
        entries: New entries by key; of two with one key the better stays, see `LockEntry.is_better_than`.
        replace: The new entry stays in any case.

    Returns:
        The lock as it is in the file now.

    Raises:
        LockError: The file is there and cannot be understood; it is left as it is. Or another process has kept it
            for too long.
        FileError: It cannot be written: the disk is full, the directory read-only.
    """
    target = Path(os.path.realpath(path))
    for key, entry in entries.items():
        problem = entry.problem() if is_key(key) else "not a key: 32 hexadecimal digits, then -O<level>s<level>"
        if problem:
            raise LockError(f"{target}: {key!r} cannot be put in: {problem}")
    _make_directory(target)
    with directory_turn(target.parent):
        remove_temporaries(target)
        old = Lock.load(target)
        plans = dict(old.plans)
        for key, entry in entries.items():
            if replace or key not in plans or entry.is_better_than(plans[key]):
                plans[key] = entry
        return _write(target, Lock(plans))


def check_writable(path: str | os.PathLike[str]) -> None:
    """Finds out whether `update` could write a lock, before hours of search are spent; the lock is not changed.

    Raises:
        LockError: It is there and cannot be understood.
        FileError: It could not be written: the disk is full, the directory read-only.
    """
    target = Path(os.path.realpath(path))
    present = Lock.load(target)
    _make_directory(target)
    with directory_turn(target.parent):
        remove_temporaries(target)
        check_room(target, len(present.to_text()))


def remove(path: str | os.PathLike[str], keys: Iterable[str]) -> Lock:
    """Takes entries out of a lock file; keys that are not in it do not matter. Errors as for `update`."""
    target = Path(os.path.realpath(path))
    if not target.exists():
        return Lock({})
    unwanted = frozenset(keys)
    with directory_turn(target.parent):
        remove_temporaries(target)
        old = Lock.load(target)
        return _write(target, Lock({key: entry for key, entry in old.plans.items() if key not in unwanted}))


def _make_directory(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error("create", target.parent, error) from error


def _write(target: Path, new: Lock) -> Lock:
    # A file that would not change keeps its time, and builds that depend on it are not run again. The text is compared,
    # not the plans: a lock that another tool has laid out differently is put back into the form the plugin reads.
    data = new.to_text().encode("ascii")
    if not target.exists() or target.read_bytes() != data:
        write_atomically(target, data)
    return new
