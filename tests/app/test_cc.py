"""What the launcher starts on a miss: one unit is searched, the next build replays it, nothing is searched twice."""

import json
import subprocess
import sys

import pytest

from compiler_agent.app import cc
from compiler_agent.app.records import describe

from .programs import Project, text_bytes


def logged(project: Project) -> list[str]:
    return [json.loads(line)["decision"] for line in (project.directory / "log.jsonl").read_text().splitlines()]


def build(project: Project, source: str = "weigh.c", **variables: str) -> subprocess.CompletedProcess[bytes]:
    settings = {"CC_AGENT_MODE": "tune", "CC_AGENT_BUDGET": "8", "CC_AGENT_PYTHON": sys.executable}
    log = str(project.directory / "log.jsonl")
    return project.compile("-O-agent=size", "-c", source, "-o", "ours.o", CC_AGENT_LOG=log, **{**settings, **variables})


def test_a_first_build_searches_and_the_second_replays(project: Project) -> None:
    assert (build(project).returncode, build(project).returncode) == (0, 0)
    assert logged(project) == ["tuned", "replayed"]
    (lock,) = list((project.directory.parent / "cache").rglob("cc-agent.lock"))
    (entry,) = json.loads(lock.read_text())["plans"].values()
    assert text_bytes(project.directory / "ours.o") == entry["evidence"]["plan_text_bytes"]
    assert entry["evidence"]["n_evaluations"] == 8


def test_what_has_nothing_better_is_not_searched_again(project: Project) -> None:
    (project.directory / "unit.c").write_text("int add(int a, int b) { return a + b; }\n")
    assert build(project, "unit.c").returncode == 0
    (record,) = describe(["-O-agent=size", "-c", "unit.c"], project.directory)
    assert logged(project) == ["miss"]
    assert build(project, "unit.c").returncode == 0
    assert logged(project) == ["miss", "miss"]
    assert record.source == "unit.c"


@pytest.mark.parametrize("text", ["not a record", '{"format": "cc-agent-record", "version": 99}', "{}"])
def test_a_record_that_makes_no_sense_is_said(
    project: Project, text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status = cc.main(["--lock", str(project.lock), "--objective", "size", "--record-json", text])
    assert status == 3
    assert "record" in capsys.readouterr().err
    assert not project.lock.exists()


def test_a_budget_that_makes_no_sense_does_not_break_the_build(project: Project) -> None:
    done = build(project, CC_AGENT_BUDGET="many")
    assert done.returncode == 0
    project.clang("-Oz", "-c", "weigh.c", "-o", "plain.o")
    assert (project.directory / "ours.o").read_bytes() == (project.directory / "plain.o").read_bytes()


def test_what_every_miss_starts_does_not_load_numpy() -> None:
    code = "import sys, compiler_agent.app.cc; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
