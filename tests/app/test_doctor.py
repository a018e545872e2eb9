"""Each thing that can be missing is found missing, with the command that puts it right."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from compiler_agent.app import doctor
from compiler_agent.app.doctor import Finding
from compiler_agent.llvm import toolchain


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, **changes}


def finding(name: str, **changes: str) -> Finding:
    found = [one for one in doctor.diagnose(environment(**changes)) if one.name == name]
    assert len(found) == 1, name
    return found[0]


def native(directory: Path, script: str = "#!/bin/sh\necho cc-agent 9.9\n") -> Path:
    (directory / "bin").mkdir(parents=True)
    for name in ("cc-agent", "cc-agent++"):
        (directory / "bin" / name).write_text(script)
        (directory / "bin" / name).chmod(0o755)
    return directory


def test_this_machine_has_what_does_not_need_our_build():
    findings = {one.name: one for one in doctor.diagnose()}
    for name in (
        "LLVM 22",
        *toolchain.REQUIRED_TOOLS,
        "LLVM headers",
        "cmake",
        "python",
        "click",
        "processes can be ended",
    ):
        assert findings[name].ok, findings[name]
        assert findings[name].found
        assert findings[name].fix == ""
    assert len(findings) == len(doctor.diagnose())


def test_no_llvm_gives_the_command(tmp_path):
    one = finding("LLVM 22", PATH=str(tmp_path))
    assert not one.ok
    assert one.fix == toolchain.INSTALL_COMMAND


def test_missing_headers_and_tools(tmp_path):
    real = toolchain.discover()
    (tmp_path / "bin").mkdir()
    for name in toolchain.REQUIRED_TOOLS:
        if name != "llvm-mca":
            (tmp_path / "bin" / name).symlink_to(real.tool(name))
    (tmp_path / "lib").symlink_to(real.prefix / "lib")
    assert not finding("LLVM headers", CC_AGENT_LLVM=str(tmp_path)).ok
    assert not finding("llvm-mca", CC_AGENT_LLVM=str(tmp_path)).ok
    assert finding("opt", CC_AGENT_LLVM=str(tmp_path)).ok


def test_launcher(tmp_path):
    one = finding("cc-agent", CC_AGENT_NATIVE=str(tmp_path))
    assert not one.ok
    assert one.fix == "make setup"
    good = native(tmp_path / "good")
    assert finding("cc-agent++", CC_AGENT_NATIVE=str(good)).found.endswith("cc-agent 9.9")
    bad = native(tmp_path / "bad", "#!/bin/sh\necho cannot >&2\nexit 1\n")
    assert "cannot" in finding("cc-agent", CC_AGENT_NATIVE=str(bad)).found


def test_plugin_that_is_not_there_or_does_not_load(tmp_path):
    one = finding("plugin", CC_AGENT_NATIVE=str(tmp_path))
    assert (one.ok, one.fix) == (False, "make setup")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "cc-agent.so").write_bytes(b"not a library")
    one = finding("plugin", CC_AGENT_NATIVE=str(tmp_path))
    assert (one.ok, one.fix) == (False, "make clean setup")
    assert "cc-agent.so" in one.found


def test_build_tools(tmp_path):
    one = finding("ninja", PATH=str(tmp_path))
    assert (one.ok, one.fix) == (False, "sudo apt-get install -y ninja-build")


def test_settings():
    assert finding("settings (CC_AGENT_*)", CC_AGENT_BUDGET="2m").found == "mode tune, budget 120s"


def test_nonsense_in_the_environment_is_a_finding_and_not_a_crash():
    for name in ("settings (CC_AGENT_*)", "LLVM 22"):
        one = finding(name, CC_AGENT_MODE="fast")
        assert not one.ok
        assert "one of: tune" in one.fix


def test_store_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    one = finding("store of evaluations", CC_AGENT_CACHE=str(tmp_path / "file"))
    assert not one.ok
    assert "CC_AGENT_CACHE" in one.fix
    assert finding("store of evaluations", CC_AGENT_CACHE=str(tmp_path / "new")).ok


def test_damaged_lock(tmp_path):
    path = tmp_path / "cc-agent.lock"
    assert finding("lock for this directory", CC_AGENT_LOCK=str(path)).ok
    path.write_text("<<<<<<< HEAD\n")
    one = finding("lock for this directory", CC_AGENT_LOCK=str(path))
    assert not one.ok
    assert "merge conflict" in one.found


def test_missing_python_package(monkeypatch):
    monkeypatch.setattr(doctor, "PYTHON_PACKAGES", ("no-such-package-anywhere",))
    assert not finding("no-such-package-anywhere").ok


GOOD = Finding("one", True, "1.0", "")
BAD = Finding("two", False, "[not] there", "sudo apt-get install -y " + "a-long-package-name " * 10 + "end")


@pytest.mark.parametrize(("findings", "status"), [([], 0), ([GOOD], 0), ([GOOD, BAD], 3)])
def test_exit_code_and_json(findings, status):
    assert doctor.exit_code(findings) == status
    content = json.loads(doctor.to_json(findings))
    assert content["ok"] == (status == 0)
    assert [Finding(**one) for one in content["findings"]] == findings


def test_table():
    stream = io.StringIO()
    doctor.render([GOOD, BAD, BAD], Console(file=stream, width=60))
    text = stream.getvalue()
    assert text.count(BAD.fix) == 1
    assert "[not] there" in text
    assert "Everything is there" not in text
    stream = io.StringIO()
    doctor.render([GOOD], Console(file=stream, width=60))
    assert "Everything is there" in stream.getvalue()


def test_it_runs_where_sigchld_is_ignored() -> None:
    # A parent can pass that on through exec; the ends of the programs that are started would then be unknown.
    code = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", code, sys.executable, "-m", "compiler_agent.app.cli", "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)
