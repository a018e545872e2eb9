"""The lock's key as clang's own pipeline hands it to the plugin, not only as the library computes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import discover

SOURCES = {
    "loops.c": "int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) { int t = a[i] * 3; s += t; }"
    " return s; }\n",
    "assert.c": "#include <assert.h>\nint half(int x) { assert(x > 0); int y = x / 2; return y; }\n",
    "range.cpp": "#include <vector>\n"
    "int sum(const std::vector<int> &v) { int s = 0; for (int x : v) { int t = x; s += t; }"
    " return s; }\n",
}


def key_of(source: Path, *flags: str, cwd: Path) -> str:
    toolchain = discover()
    clang = toolchain.clangxx if source.suffix == ".cpp" else toolchain.clang
    with Engine([str(clang), "-Oz", *flags, "-c", "-o", "-", str(source)], cwd) as engine:
        return engine.key


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("flags", [("-g",), ("-g", "-gdwarf-4"), ("-gline-tables-only",), ("-g3",)])
def test_debug_information_leaves_the_key(tmp_path: Path, name: str, flags: tuple[str, ...]) -> None:
    (tmp_path / name).write_text(SOURCES[name])
    assert key_of(Path(name), *flags, cwd=tmp_path) == key_of(Path(name), cwd=tmp_path)


@pytest.mark.parametrize("name", SOURCES)
def test_directory_and_file_name_leave_the_key(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "else where" / f"another{Path(name).suffix}"
    elsewhere.parent.mkdir()
    for path in (tmp_path / name, elsewhere):
        path.write_text(SOURCES[name])
    keys = {key_of(Path(name), cwd=tmp_path), key_of(tmp_path / name, cwd=tmp_path), key_of(elsewhere, cwd=tmp_path)}
    assert len(keys) == 1


@pytest.mark.parametrize("flags", [("-O2",), ("-march=haswell",), ("-fno-pic",), ("-fstack-protector-all",)])
def test_what_changes_code_changes_the_key(tmp_path: Path, flags: tuple[str, ...]) -> None:
    (tmp_path / "loops.c").write_text(SOURCES["loops.c"])
    assert key_of(Path("loops.c"), *flags, cwd=tmp_path) != key_of(Path("loops.c"), cwd=tmp_path)
