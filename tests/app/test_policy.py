"""The policy from training to a build: what the environment says of its plan is what cc-agent ships."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from compiler_agent.app.cli import cli
from compiler_agent.search.env.environment import LlvmEnv
from compiler_agent.search.env.state import State
from compiler_agent.search.policy import collect, table
from compiler_agent.search.policy import model as models

from .programs import Project, call, text_bytes

ROOT = Path(__file__).resolve().parents[2]
PPO = ROOT / "benchmarks" / "policy" / "ppo.py"


def environment_says(source: Path, plan: str) -> int:
    env = LlvmEnv(f"file://{quote(str(source))}", reward_space="TextSizeBytesOz")
    try:
        *_, truncated, info = env.apply(State(f"file://{quote(str(source))}", 0.0, 0.0, plan))
        assert not truncated, info
        return int(env.observe("TextSizeBytes")[0])
    finally:
        env.close()


def test_a_plan_of_the_policy_replays_to_the_bytes_that_the_environment_reports(project: Project) -> None:
    done = project.agent("tune", "--strategy", "policy", "--budget", "10", "--json", "weigh.c")
    assert done.returncode == 0, done.stderr
    (unit,) = json.loads(done.stdout)["units"]
    assert unit["verdict"] == "established"
    (entry,) = project.plans().values()
    assert entry["evidence"]["strategy"] == "policy"
    assert project.compile("-O-agent=size", "-c", "weigh.c", "-o", "ours.o").returncode == 0
    project.clang("-Oz", "-c", "weigh.c", "-o", "plain.o")
    shipped = text_bytes(project.directory / "ours.o")
    assert shipped == environment_says(project.directory / "weigh.c", entry["plan"]) == unit["value"]
    assert shipped < text_bytes(project.directory / "plain.o")
    project.clang("ours.o", "main.c", "-o", "ours")
    project.clang("plain.o", "main.c", "-o", "plain")
    assert project.run("ours") == project.run("plain") != b""


@pytest.mark.parametrize("reward", ["TextSizeBytesOz", "IrInstructionCountOz"])
def test_the_agent_is_the_strategy(project: Project, tmp_path: Path, reward: str) -> None:
    uri = f"file://{quote(str(project.directory / 'weigh.c'))}"
    done = call("env", "run", uri, "--agent", "policy", "--seconds", "0.5", "--reward", reward)
    (state,) = list(csv.DictReader(done.stdout.splitlines()))
    assert state["commandline"].startswith("-passes=")
    assert float(state["reward"]) >= 1.0, "clang's own plan is the first that it tries"
    (tmp_path / "states.csv").write_text(done.stdout)
    assert call("env", "replay", str(tmp_path / "states.csv"), "--reward", reward).exit_code == 0


def test_training_goes_on_where_it_was_and_measures_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = [f"{table.PROGRAMS}{name}" for name in ("matrix-chain/multiply.c", "lz-huffman/bits.c", "sha256/main.c")]
    monkeypatch.setattr(collect, "training_uris", lambda: iter(units))
    path, output = tmp_path / "table.jsonl", tmp_path / "policy.json"
    arguments = ("env", "train", "--budget", "20", "--table", str(path), "--output", str(output))
    early = CliRunner().invoke(cli, (*arguments, "--seconds", "0"))
    assert early.exit_code == 1
    assert "run again" in early.stderr
    assert not output.exists()

    figures = json.loads(call(*arguments, "--json").stdout)
    assert {one["chooser"] for one in figures} == {"policy", "in-order", "coreset"}
    trained, journal = output.read_bytes(), path.read_bytes()
    assert [unit.uri for unit in models.read(output).units] == units
    output.unlink()
    assert "policy" in call(*arguments).stdout
    assert output.read_bytes() == trained
    assert path.read_bytes() == journal


@pytest.mark.nightly
@pytest.mark.skipif(
    importlib.util.find_spec("stable_baselines3") is None, reason="needs the extra: pip install '.[rl]'"
)
def test_the_example_with_a_library_for_reinforcement_learning_runs() -> None:
    done = subprocess.run(
        [sys.executable, PPO, "--steps", "128", "--reward", "IrInstructionCountOz"],
        capture_output=True,
        text=True,
        timeout=1800,
        check=True,
    )
    figures = json.loads(done.stdout)
    assert figures["steps"] >= 128
    assert set(figures["mean"]) == {"training", "held-out"}
    assert all(set(part) == {"ppo", "random"} for part in figures["mean"].values())


def test_the_example_keeps_to_the_split() -> None:
    spec = importlib.util.spec_from_file_location("ppo", PPO)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    groups = table.training_groups()
    assert {name.partition("/")[0] in groups for name in example.TRAINING} == {True}
    assert {name.partition("/")[0] in groups for name in example.HELD_OUT} == {False}
    env = example.make(example.TRAINING, "IrInstructionCountOz")
    try:
        first, second = env.reset(seed=0), env.reset()
        assert env.observation_space.contains(first[0])
        assert first[1]["benchmark"] != second[1]["benchmark"]
        assert example.best_reward(env, example.HELD_OUT[0], lambda seen: len(example.ACTIONS) - 1) > 0.999
    finally:
        env.close()
