"""Brings the pinned sources of a library from the package registries this machine is already set up for.

Everything is kept in the user's cache under `libraries/`: `archives/` as they came, `sources/` unpacked and never
written to again, `apt/` a private state of apt's that leaves the machine's own alone and needs no privileges. Files
appear whole, by a rename, so that runs in parallel do not disturb each other; apt itself is kept to one run at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from compiler_agent.base.config import user_cache_directory
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.files import file_error
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import debian_sources
from compiler_agent.evaluation.libraries import Library, Origin

_TIMEOUT_S = 600.0


def fetch(library: Library, cache: Path | None = None) -> Path:
    """Returns the library's pristine sources, fetching them if they are not in the cache; do not write there.

    Args:
        library: What to fetch.
        cache: Directory to keep it in; None: the user's cache.

    Raises:
        CompilerAgentError: The registry does not have the pinned archive, or gave another one.
        ToolError: apt or pip failed.
        FileError: The cache cannot be written.
    """
    place = (cache or user_cache_directory()) / "libraries"
    target = place / "sources" / f"{library.name}-{library.version}-{library.sha256[:16]}"
    try:
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            archive = _archive(library, place)
            with _scratch(target.parent) as scratch:
                unpack(archive, library.root, scratch / "tree")
                _move(scratch / "tree", target)
    except OSError as error:
        raise file_error("write", error.filename or place, error) from error
    return target


def prepare(library: Library, directory: Path, cache: Path | None = None) -> Path:
    """Copies the library's sources, times of the files included, to a directory that does not exist yet."""
    source = fetch(library, cache)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, directory, symlinks=True)
    except (OSError, shutil.Error) as error:
        problem = error if isinstance(error, OSError) and error.errno else OSError(str(error))
        raise file_error("write", directory, problem) from error
    return directory


def unpack(archive: Path, root: PurePosixPath, directory: Path) -> None:
    """Unpacks what is below `root` in a tar archive; members that lead out of `directory` are refused.

    Raises:
        CompilerAgentError: The archive is broken, or has no such directory.
    """
    directory.mkdir()
    found = False
    try:
        with tarfile.open(archive) as bundle:
            for member in bundle:
                path = PurePosixPath(member.name)
                if path != root and path.is_relative_to(root):
                    _extract(bundle, member, directory, directory / path.relative_to(root))
                    found = True
    except (tarfile.TarError, EOFError) as error:
        raise CompilerAgentError(f"{archive}: cannot be unpacked: {error}", hint="remove it and try again") from error
    if not found:
        raise CompilerAgentError(f"{archive}: has nothing below {root}", hint="correct `root` in libraries.toml")


def _extract(bundle: tarfile.TarFile, member: tarfile.TarInfo, top: Path, target: Path) -> None:
    # By hand, because tarfile's own safe extraction is missing from Python 3.11.0 to 3.11.3.
    inside = target.parent.resolve().is_relative_to(top.resolve()) and ".." not in target.parts
    if member.issym():
        inside = inside and (target.parent / member.linkname).resolve().is_relative_to(top.resolve())
    if not inside or not (member.isdir() or member.isfile() or member.issym()):
        raise tarfile.ExtractError(f"{member.name} leads out of the archive, or is no file, directory or link")
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        target.mkdir(exist_ok=True)
    elif member.issym():
        target.symlink_to(member.linkname)
    else:
        content = bundle.extractfile(member)
        assert content is not None
        with content, target.open("xb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
        # Build systems compare times: a generated file must stay newer than what it was made from.
        os.utime(target, (member.mtime, member.mtime))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _archive(library: Library, place: Path) -> Path:
    directory = place / "archives"
    directory.mkdir(parents=True, exist_ok=True)
    archive = directory / library.file
    # Checked also when it was there already: it is what the build trusts.
    if archive.is_file() and sha256_of(archive) == library.sha256:
        return archive
    with _scratch(directory) as scratch:
        if library.origin is Origin.DEBIAN:
            with _one_at_a_time(place / "apt.lock"):
                debian_sources.download(library, place / "apt", scratch)
        else:
            _download_pypi(library, scratch)
        fetched = scratch / library.file
        if not fetched.is_file():
            there = ", ".join(sorted(os.listdir(scratch))) or "nothing"
            raise CompilerAgentError(
                f"{library.name} {library.version}: package {library.package} gave {there} and not {library.file}"
            )
        digest = sha256_of(fetched)
        if digest != library.sha256:
            raise CompilerAgentError(
                f"{library.name} {library.version}: {library.file} has SHA-256 {digest}, pinned is {library.sha256}",
                hint="the registry's file was changed or damaged on the way; try again, and do not trust it otherwise",
            )
        os.replace(fetched, archive)
    return archive


def _download_pypi(library: Library, directory: Path) -> None:
    requirements = directory / "requirements.txt"
    # pip checks the digest before it runs anything of the package.
    requirements.write_text(f"{library.package}=={library.package_version} --hash=sha256:{library.sha256}\n")
    options = ["--no-deps", "--no-binary", library.package, "--require-hashes", "--dest", str(directory)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-r", str(requirements)]
    hint = f"{library.name} {library.version} is pinned to {library.package} {library.package_version} ({library.file})"
    check([*command, *options], timeout_s=_TIMEOUT_S, hint=hint)


def _move(tree: Path, target: Path) -> None:
    try:
        os.rename(tree, target)
    except OSError:
        # Another run was first; what it put there is the same.
        if not target.is_dir():
            raise


@contextlib.contextmanager
def _scratch(directory: Path) -> Iterator[Path]:
    # In the directory of the target, so that the rename at the end stays in one file system.
    with ScratchDirectory(prefix=".fetch-", dir=directory) as scratch:
        yield Path(scratch)


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
