"""`compiler-agent tune --strategy llm`, with the real SDK over real HTTP to a server on loopback."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler_agent.app import cli, llm
from compiler_agent.search.fakes.scripted import calls, proposes
from compiler_agent.search.fakes.server import FakeServer

from .programs import Project

KEY = "sk-ant-not-a-real-key"
SINK = {"options": [{"name": "enable-machine-outliner", "value": "always"}], "rationale": "repeated cases"}
NO_LSR = {"options": [{"name": "disable-lsr", "value": "true"}], "rationale": "short loops"}
DONE = calls("propose_plans", {"plans": []}, identifier="toolu_9")


class FixedObserver:
    """Shows the same text for everything."""

    def __init__(self, text: str = "define i32 @weigh(ptr)") -> None:
        self.text = text

    def packet(self, token_budget: int) -> str:
        return f"{self.text}, in {token_budget} tokens"

    def show_function(self, name: str) -> str:
        return f"{self.text} {name}"

    def show_loop(self, function: str, loop: int) -> str:
        return f"loop {loop} of {function}"

    def show_mca(self, function: str) -> str:
        return "IPC 2.0"

    def show_remarks(self, function: str) -> str:
        return "not vectorized"

    def try_pass_effect(self, pipeline: str) -> str:
        return f"{pipeline}: 3 instructions less"


Tune = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tune(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tune:
    """Runs `tune --strategy llm` in this process, against a server."""
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.chdir(project.directory)
    monkeypatch.setattr(llm, "observer_of", lambda record, redact: (FixedObserver(), None))

    def run(server: FakeServer | None, *arguments: str | Path) -> tuple[int, str, str]:
        if server is not None:
            monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        status = 0
        try:
            cli.main(["tune", "--strategy", "llm", "--budget", "8", *map(str, arguments), "weigh.c"])
        except SystemExit as end:
            status = int(end.code or 0)
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


def test_proposals_are_measured_answered_and_kept_with_rationale_and_cost(project: Project, tune: Tune) -> None:
    steps = [
        calls("show_function", {"name": "weigh"}),
        proposes(SINK, {"pipeline": "function(sroa,no-such-pass)"}),
        proposes(NO_LSR, identifier="toolu_2"),
        DONE,
    ]
    with FakeServer(steps) as server:
        status, out, err = tune(server, "--json")
    assert status == 0, err
    (unit,) = json.loads(out)["units"]
    assert unit["verdict"] == "established"
    assert unit["n_evaluations"] == 2
    first, second, third, fourth = server.requests
    assert "define i32 @weigh(ptr), in 8000 tokens" in first["messages"][0]["content"][0]["text"]
    (looked,) = second["messages"][-1]["content"]
    assert "define i32 @weigh(ptr) weigh" in looked["content"][0]["text"]
    (table,) = third["messages"][-1]["content"]
    assert "entry 2 is refused: plan: unknown pass 'no-such-pass'" in table["content"][0]["text"]
    assert "plan  figure  change  verdict" in table["content"][0]["text"]
    assert fourth["messages"][: len(third["messages"]) - 1] == third["messages"][:-1]
    (entry,) = project.plans().values()
    planner = entry["evidence"]["planner"]
    assert planner["proposed_by"] == "model"
    assert planner["rationale"] in ("repeated cases", "short loops")
    assert planner["calls"] == 4
    assert 0 < planner["cost_usd"] < 0.1
