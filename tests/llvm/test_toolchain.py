"""The installed LLVM is found and identified; made-up ones are refused with what to do."""

import os
import shutil
from pathlib import Path

import pytest

from compiler_agent.base.errors import ToolchainError, ToolError
from compiler_agent.llvm import toolchain


def fake_llvm(prefix: Path, *, version: str = "22.1.8", without: tuple[str, ...] = ()) -> Path:
    """An LLVM of shell scripts that knows its version and its target."""
    (prefix / "bin").mkdir(parents=True)
    for name in toolchain.REQUIRED_TOOLS:
        if name not in without:
            program = prefix / "bin" / name
            program.write_text(
                '#!/bin/sh\ncase "$1" in\n'
                f"--version) echo 'clang version {version} (fake)';;\n"
                "-print-target-triple) echo riscv64-unknown-linux-gnu;;\n"
                "*) exit 9;;\nesac\n"
            )
            program.chmod(0o755)
    return prefix


def commands(directory: Path, **targets: Path) -> str:
    """A PATH with a few commands and the shell."""
    directory.mkdir()
    for name, target in {**targets, "sh": Path(shutil.which("sh") or "")}.items():
        (directory / name.replace("_", "-")).symlink_to(target)
    return str(directory)


def llvm_config(directory: Path, prefix: Path) -> Path:
    program = directory / "the-llvm-config"
    program.write_text(f"#!/bin/sh\necho '{prefix}'\n")
    program.chmod(0o755)
    return program


def test_the_installed_one():
    found = toolchain.discover()
    assert found.version.startswith("22.")
    assert found.target.count("-") >= 2
    assert not found.missing()
    for program in (found.clang, found.clangxx, found.opt, found.llc, found.llvm_size, found.llvm_mca):
        assert os.access(program, os.X_OK)
    assert len(found.digest) == 64
    assert toolchain.discover() == found


def test_named_prefix_comes_first(tmp_path):
    prefix = fake_llvm(tmp_path / "with space")
    found = toolchain.discover({"CC_AGENT_LLVM": str(prefix), "PATH": os.environ["PATH"]})
    assert (found.prefix, found.version, found.target) == (prefix, "22.1.8", "riscv64-unknown-linux-gnu")
    assert found.clang == prefix / "bin" / "clang"


def test_llvm_config_comes_before_clang(tmp_path):
    first = fake_llvm(tmp_path / "first")
    second = fake_llvm(tmp_path / "second")
    path = commands(tmp_path / "path", llvm_config_22=llvm_config(tmp_path, first), clang_22=second / "bin" / "clang")
    assert toolchain.discover({"PATH": path}).prefix == first
    # Headers alone are not an LLVM: the search goes on.
    (first / "bin" / "clang").unlink()
    assert toolchain.discover({"PATH": path}).prefix == second


def test_nothing_found_says_what_to_install(tmp_path):
    old = fake_llvm(tmp_path / "old", version="14.0.6")
    with pytest.raises(ToolchainError, match=r"LLVM 22 was not found.*/clang is LLVM 14") as caught:
        toolchain.discover({"PATH": commands(tmp_path / "path", clang=old / "bin" / "clang")})
    assert "apt-get install -y clang-22 llvm-22 llvm-22-dev" in caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("version", ["14.0.6", "21.1.0", "23.0.0"])
def test_another_version_is_refused(tmp_path, version):
    prefix = fake_llvm(tmp_path / "llvm", version=version)
    with pytest.raises(ToolchainError, match=f"is LLVM {version}; only LLVM 22 is supported") as caught:
        toolchain.discover({"CC_AGENT_LLVM": str(prefix)})
    assert "CC_AGENT_LLVM" in caught.value.message
    assert "apt-get" in caught.value.hint


def test_missing_programs_are_named(tmp_path):
    prefix = fake_llvm(tmp_path / "llvm", without=("opt", "llvm-mca"))
    with pytest.raises(ToolchainError, match="lacks opt, llvm-mca"):
        toolchain.discover({"CC_AGENT_LLVM": str(prefix)})


def test_named_prefix_without_clang(tmp_path):
    with pytest.raises(ToolchainError, match="there is no program") as caught:
        toolchain.discover({"CC_AGENT_LLVM": str(tmp_path)})
    assert "/usr/lib/llvm-22" in caught.value.hint


def test_clang_that_does_not_run(tmp_path):
    prefix = fake_llvm(tmp_path / "llvm")
    (prefix / "bin" / "clang").write_text("#!/bin/sh\necho broken installation >&2\nexit 5\n")
    with pytest.raises(ToolError, match="broken installation"):
        toolchain.discover({"CC_AGENT_LLVM": str(prefix)})


def test_clang_without_a_version(tmp_path):
    with pytest.raises(ToolchainError, match="does not say a version"):
        toolchain.inspect(fake_llvm(tmp_path / "llvm", version="next"), "a test")


def test_identity_depends_on_the_build_and_not_on_the_place(tmp_path):
    first = toolchain.inspect(fake_llvm(tmp_path / "first"), "a test")
    second = toolchain.inspect(fake_llvm(tmp_path / "second"), "a test")
    patched = toolchain.inspect(fake_llvm(tmp_path / "third", version="22.1.8 (Debian 2)"), "a test")
    assert first.digest == second.digest
    assert first.version == patched.version
    assert first.digest != patched.digest
