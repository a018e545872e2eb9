"""cc-agent-mutate: each kind of mistake on a function written by hand, before and after; what it says of a module."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.base.config import native_directory
from compiler_agent.llvm.toolchain import Toolchain

MUTATIONS = Path(__file__).parent / "mutations"
MUTATE = native_directory() / "bin" / "cc-agent-mutate"
_FUNCTION = re.compile(r'^define [^\n]*@"?([\w.-]+)"?(\([^\n]*\)[^\n]*\{\n.*?^\})', re.MULTILINE | re.DOTALL)


def mutate(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([MUTATE, *map(str, arguments)], check=check, capture_output=True)


def sites(module: Path, *functions: str) -> list[dict[str, object]]:
    chosen = [word for name in functions for word in ("--function", name)]
    return [json.loads(line) for line in mutate("--list", *chosen, module).stdout.splitlines()]


def functions_of(module: Path | bytes, toolchain: Toolchain) -> dict[str, str]:
    """The text of each function without the names of its values: equal for functions that differ in those alone."""
    given = module if isinstance(module, bytes) else module.read_bytes()
    done = subprocess.run([toolchain.opt, "-passes=strip", "-S"], input=given, check=True, capture_output=True)
    return {name: re.sub(r" *;[^\n]*", "", body) for name, body in _FUNCTION.findall(done.stdout.decode())}


KINDS = {json.loads(line)["kind"]: json.loads(line)["summary"] for line in mutate("--kinds").stdout.splitlines()}
EXAMPLES = {
    name: file
    for file in sorted(MUTATIONS.glob("*.ll"))
    for name in re.findall(r'^define [^\n]*@"([\w-]+)"\(', file.read_text(), re.MULTILINE)
}


@pytest.fixture(scope="module")
def originals(toolchain: Toolchain) -> dict[Path, dict[str, str]]:
    return {file: functions_of(file, toolchain) for file in set(EXAMPLES.values())}


def test_there_are_kinds_enough_and_each_has_an_example() -> None:
    assert len(KINDS) >= 25
    assert set(EXAMPLES) == set(KINDS)
    assert all(KINDS.values())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_before_and_after(kind: str, originals: dict[Path, dict[str, str]], toolchain: Toolchain) -> None:
    module = EXAMPLES[kind]
    site = next(site for site in sites(module, kind) if site["kind"] == kind)
    mutant = functions_of(mutate("--kind", kind, "--site", site["site"], module).stdout, toolchain)

    original = originals[module]
    assert original[kind] != original[f"{kind}.after"]
    assert mutant[kind] == original[f"{kind}.after"]
    assert {name: body for name, body in mutant.items() if name != kind} == {
        name: body for name, body in original.items() if name != kind
    }


def test_sites_make_modules_that_verify_and_differ(toolchain: Toolchain) -> None:
    for module in sorted(set(EXAMPLES.values())):
        original = functions_of(module, toolchain)
        for site in sites(module)[::9]:  # across all kinds and functions; all of them take half a minute
            made = mutate("--kind", site["kind"], "--site", site["site"], module).stdout
            assert functions_of(made, toolchain) != original, site


def test_a_site_says_where_it_is(to_bitcode: Callable[..., bytes], tmp_path: Path) -> None:
    source = tmp_path / "small.c"
    source.write_text(
        "static int half(int a) {\n  return a / 2;\n}\nint both(int a, int b) {\n  return half(a) - half(b);\n}\n"
    )
    module = tmp_path / "small.bc"
    module.write_bytes(to_bitcode(source, "-O1", "-gline-tables-only"))
    (site,) = [site for site in sites(module) if site["kind"] == "operand-swap"]
    assert (site["function"], site["line"], site["external"]) == ("both", 5, True)
    assert " sub " in str(site["instruction"])
    inner = [site for site in sites(module, "half") if site["kind"] == "division-as-shift"]
    assert [(site["function"], site["line"], site["external"]) for site in inner] == [("half", 2, False)]


def test_a_trap_shows_who_gets_to_a_site(toolchain: Toolchain) -> None:
    module = EXAMPLES["branch-swapped"]
    site = next(site for site in sites(module, "call-speculated") if site["kind"] == "call-speculated")
    body = functions_of(
        mutate("--kind", "call-speculated", "--site", site["site"], "--reach", module).stdout, toolchain
    )["call-speculated"]
    assert re.search(r"call void @llvm.trap\(\)\n +call void @effect", body)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ((), 2, "--list"),
        (("--kind", "no-such-kind", "--site", 0), 2, "there is no kind no-such-kind"),
        (("--kind", "store-dropped", "--site", 99999), 2, "no site 99999 of store-dropped"),
        (("--list", "--function", "nobody"), 2, "does not define the function nobody"),
        (("--kind", "store-dropped", "--site", 0, "-o", "/nowhere/out.bc"), 3, "cannot write /nowhere/out.bc"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[object, ...], status: int, says: str) -> None:
    done = mutate(*arguments, EXAMPLES["store-dropped"], check=False)
    assert done.returncode == status
    assert says in done.stderr.decode()


def test_a_file_that_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no IR")
    done = mutate("--list", tmp_path / "text", check=False)
    assert done.returncode == 3
    assert b"cc-agent-mutate: " in done.stderr
