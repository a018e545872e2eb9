"""Strategies that ask a model, in a benchmark: equal evaluations, what they cost, and a replay without network."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler_agent.app import bench_size, llm
from compiler_agent.app.bench_size import UnitFigures
from compiler_agent.app.llm import Asking, ModelRun
from compiler_agent.base.config import Budget
from compiler_agent.evaluation.libraries import Part, TranslationUnit
from compiler_agent.search.fakes.scripted import calls, proposes
from compiler_agent.search.fakes.server import FakeServer

from .programs import WEIGH_C
from .test_llm import FixedObserver

WINS = {"options": [{"name": "disable-lsr", "value": "true"}], "rationale": "short loops"}
DONE = calls("propose_plans", {"plans": []}, identifier="toolu_9")
BUDGET = 12


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TranslationUnit:
    (tmp_path / "weigh.c").write_text(WEIGH_C)
    monkeypatch.setattr(llm, "observer_of", lambda record, redact: (FixedObserver(), None))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-a-real-key")
    return TranslationUnit("tiny", Part.HELD_OUT, "c", "weigh.c", tmp_path, ("weigh.c",))


def measure(unit: TranslationUnit, asking: Asking) -> UnitFigures:
    settings = bench_size.Settings(("evolve", "llm", "hybrid"), Budget(BUDGET), asked=ModelRun(asking))
    figures = bench_size.measure_unit(unit, settings)
    assert figures is not None
    return figures


def test_a_replayed_benchmark_has_the_figures_of_the_live_one(
    unit: TranslationUnit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = tmp_path / "conversations.jsonl"
    with FakeServer([proposes(WINS), DONE, proposes(WINS), DONE]) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        live = measure(unit, Asking(record=recording))
    assert live.n_evaluations == {"evolve": BUDGET, "llm": 1, "hybrid": BUDGET}
    assert live.plans["llm"] == "-passes=default<O2> -disable-lsr=true"
    assert live.cost_usd["evolve"] == 0
    assert 0 < (live.cost_usd["llm"] or 0) < 0.1
    assert 0 < (live.cost_usd["hybrid"] or 0) < 0.1
    assert live.ratio("hybrid") >= live.ratio("llm") > 1, "it has the model's plan and goes on from there"

    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    replayed = measure(unit, Asking(model=f"replay:{recording}"))
    for name in ("text_bytes", "curves", "plans", "n_evaluations", "cost_usd"):
        assert getattr(replayed, name) == getattr(live, name)


def test_a_model_that_fails_leaves_hybrid_to_the_embedded_search(
    unit: TranslationUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = calls("no_such_tool", {})
    with FakeServer([refusal] * 40) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        settings = bench_size.Settings(("evolve", "hybrid"), Budget(BUDGET), asked=ModelRun(Asking()))
        figures = bench_size.measure_unit(unit, settings)
    assert figures is not None
    assert figures.curves["hybrid"] == figures.curves["evolve"]
