"""What one tune learns, the next one on a similar unit begins with, and the lock says so."""

import json
from pathlib import Path

import pytest

from compiler_agent.app import llm
from compiler_agent.app.llm import Asking, ModelRun
from compiler_agent.app.records import describe
from compiler_agent.app.tune import tune_records
from compiler_agent.app.unit import TuneOptions
from compiler_agent.app.verification import Demands
from compiler_agent.base.config import Budget
from compiler_agent.base.store import Store
from compiler_agent.base.trust import Trust
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.fakes.scripted import calls, proposes
from compiler_agent.search.fakes.server import FakeServer

from .programs import WEIGH_C, Project
from .test_llm import FixedObserver


def test_a_tune_begins_with_what_worked_on_a_similar_unit(project: Project) -> None:
    done = project.agent("tune", "--budget", "15", "weigh.c")
    assert done.returncode == 0, done.stderr
    ((learned, entry),) = project.plans().items()
    assert "neighbours" not in entry["evidence"]
    (project.directory / "similar.c").write_text(WEIGH_C.replace("j < 4", "j < 5"))
    cache = Path(project.environment["CC_AGENT_CACHE"])
    locks = []
    for name in ("first", "second"):
        done = project.agent("tune", "--strategy", "neighbours", "--budget", "4", "--lock", name, "similar.c")
        assert done.returncode == 0, done.stderr
        locks.append((project.directory / name).read_bytes())
    assert locks[0] == locks[1], "it never begins with its own plans"
    ((key, similar),) = json.loads(locks[0])["plans"].items()
    assert similar["evidence"]["neighbours"] == [learned]
    assert similar["evidence"]["strategy"] == "neighbours"
    with Store.open(cache) as store:
        tried = [row.plan for row in store.all_for(key, discover().digest)]
    assert entry["plan"] in tried


def test_a_model_is_told_what_worked_and_a_replay_tells_it_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-a-real-key")
    monkeypatch.setattr(llm, "observer_of", lambda record, redact: (FixedObserver(), None))
    monkeypatch.chdir(project.directory)
    demands = Demands(Trust.PRODUCTION, 0)
    (project.directory / "similar.c").write_text(WEIGH_C.replace("j < 4", "j < 5"))

    def tune(source: str, strategy: str, asked: ModelRun | None = None) -> bytes:
        lock = tmp_path / source / strategy / "cc-agent.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.unlink(missing_ok=True)
        options = TuneOptions(Budget(10), strategy, demands=demands, asked=asked)
        report = tune_records(describe(["-O-agent=size", "-c", source]), lock, options)
        assert report.failures == ()
        return lock.read_bytes()

    tune("weigh.c", "evolve")
    recording = tmp_path / "conversation.jsonl"
    wins = {"options": [{"name": "disable-lsr", "value": "true"}], "rationale": "short loops"}
    with FakeServer([proposes(wins), calls("propose_plans", {"plans": []})]) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        live = tune("similar.c", "hybrid", ModelRun(Asking(record=recording)))
        told = server.requests[0]["messages"][0]["content"][0]["text"]
    assert "times smaller" in told
    assert "weigh" not in told.partition("define i32")[0], "other units' names are not sent"
    ((_, entry),) = json.loads(live)["plans"].items()
    assert entry["evidence"]["strategy"] == "hybrid"
    assert entry["evidence"]["planner"]["calls"] == 2
    (project.directory / "third.c").write_text(WEIGH_C.replace("j < 4", "j < 6"))
    tune("third.c", "evolve")  # the store has learned since
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert tune("similar.c", "hybrid", ModelRun(Asking(model=f"replay:{recording}"))) == live
