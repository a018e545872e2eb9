"""Upstream archives from Debian source packages, by apt, without touching the machine's apt and without privileges.

The machine's own apt sources name the registry; a private copy of them asks for source packages. Which Debian revision
has the pinned archive is looked up, so that a security update of the packaging does not break the pin.
"""

from __future__ import annotations

import re
import shlex
import shutil
import time
from pathlib import Path

from compiler_agent.base.config import child_environment, search_path
from compiler_agent.base.errors import CompilerAgentError, ToolchainError
from compiler_agent.base.process import Completed, check, run
from compiler_agent.evaluation.libraries import Library

_TIMEOUT_S = 600.0
# A list younger than this is used as it is; an older one is read anew, once, where it does not have what we want.
_FRESH_S = 600.0


def download(library: Library, state: Path, directory: Path) -> None:
    """Downloads the library's archive, unchecked, to `directory`; one run at a time for one `state`.

    Args:
        library: What to download; `package` and `sha256` are looked for.
        state: Directory for apt's lists, made if it is not there.
        directory: Where the archive goes.

    Raises:
        ToolchainError: There is no apt, or it has no sources.
        CompilerAgentError: No source package has the pinned archive any more.
    """
    if shutil.which("apt-get", path=search_path()) is None:
        raise ToolchainError(
            f"{library.name} is fetched as a Debian source package, and this machine has no apt-get",
            hint=f"put {library.file} into the cache's libraries/archives directory yourself",
        )
    options = _options(state)
    stamp = state / "updated"
    failure: Completed | None = None
    while True:
        fresh = stamp.exists() and time.time() - stamp.stat().st_mtime < _FRESH_S
        if not stamp.exists():
            update = _update(state, options)
            fresh, failure = True, update if update.status != 0 else None
        # Not checked: apt fails for a package that it does not know, and the answer is then empty.
        shown = _apt("apt-cache", [*options, "showsrc", "--only-source", library.package])
        packages = parse_sources(shown.stdout.decode("utf-8", "replace"))
        for version, digests in packages.items():
            if library.sha256 in digests:
                what = f"{library.package}={version}"
                got = _apt(
                    "apt-get", [*options, "source", "--download-only", "--tar-only", "--only-source", what], directory
                )
                if got.status == 0:
                    return
                failure = got
        if fresh:
            break
        stamp.unlink(missing_ok=True)
    offered = ", ".join(packages) or "no version of it"
    message = (
        f"{library.name} {library.version}: no apt source has {library.file} with the pinned SHA-256 "
        f"{library.sha256} any more; package {library.package}: {offered}"
    )
    if failure is not None:
        message += "\n" + failure.stderr.decode("utf-8", "replace").strip()[-2000:]
    raise CompilerAgentError(
        message, hint="check the network and apt's sources, or pin what is offered in libraries.toml"
    )


def parse_sources(text: str) -> dict[str, frozenset[str]]:
    """Reads what `apt-cache showsrc` prints: each version with the SHA-256 digests of its files."""
    found: dict[str, frozenset[str]] = {}
    for paragraph in re.split(r"\n\s*\n", text):
        version = re.search(r"^Version: *(\S+)", paragraph, re.MULTILINE)
        files = re.search(r"^Checksums-Sha256: *\n((?: .*\n?)*)", paragraph, re.MULTILINE)
        if version and files:
            digests = {line.split()[0] for line in files[1].splitlines() if line.split()}
            found[version[1]] = found.get(version[1], frozenset()) | digests
    return found


def ask_for_sources(text: str, *, deb822: bool) -> str:
    """Rewrites one file of apt's sources so that it names source packages.

    Args:
        text: The file's text.
        deb822: True for the format of `.sources` files, False for that of `.list` files.
    """
    if deb822:
        return re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.MULTILINE | re.IGNORECASE)
    lines = [line.strip() for line in text.splitlines()]
    wanted = [
        re.sub(r"^deb(-src)?(?=[\s\[])", "deb-src", line) for line in lines if re.match(r"deb(-src)?[\s\[]", line)
    ]
    # A file that listed packages and sources apart would now list the same thing twice.
    return "".join(f"{line}\n" for line in dict.fromkeys(wanted))


def _options(state: Path) -> list[str]:
    parts = state / "parts"
    for directory in (parts, state / "lists" / "partial", state / "cache" / "archives" / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": parts,
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        # As root apt would step down to a user who may not write into our cache.
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "3",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _update(state: Path, options: list[str]) -> Completed:
    shutil.rmtree(state / "parts")
    (state / "parts").mkdir()
    n_files = 0
    for path in _machine_sources():
        text = ask_for_sources(path.read_text(encoding="utf-8", errors="replace"), deb822=path.suffix == ".sources")
        if "deb-src" in text:
            (state / "parts" / path.name).write_text(text, encoding="utf-8")
            n_files += 1
    if n_files == 0:
        raise ToolchainError("apt has no sources on this machine", hint="set up /etc/apt/sources.list first")
    # Not checked: one third-party source without source packages fails the whole, and need not concern us.
    update = _apt("apt-get", [*options, "-q", "update"])
    if any("_Sources" in path.name for path in (state / "lists").iterdir()):
        (state / "updated").touch()
    return update


def _machine_sources() -> list[Path]:
    names = ["FILE", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"]
    answer = check(["apt-config", "shell", *names], timeout_s=60)
    places = dict(word.split("=", 1) for word in shlex.split(answer.stdout.decode()))
    found = [Path(places["FILE"])] if Path(places.get("FILE", "")).is_file() else []
    if "PARTS" in places and Path(places["PARTS"]).is_dir():
        found += sorted(path for path in Path(places["PARTS"]).iterdir() if path.suffix in (".list", ".sources"))
    return found


def _apt(program: str, arguments: list[str], directory: Path | None = None) -> Completed:
    return run([program, *arguments], cwd=directory, env=child_environment(LC_ALL="C"), timeout_s=_TIMEOUT_S)
