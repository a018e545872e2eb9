"""The env commands and the two benchmarks of the environment, as a user calls them."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler_agent.app.cli import cli
from compiler_agent.base.errors import CompilerAgentError, FileError, UsageError
from compiler_agent.search.env.rewards import Reward
from compiler_agent.search.env.state import State, append_state

from .programs import call

PEER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    with open(sys.argv[1], "a") as log:
        print(json.dumps(asked.get("passes", "which?")), file=log)
    if asked["what"] == "passes":
        print(json.dumps({"passes": ["gvn", "functionattrs", "nobody-has-this"]}), flush=True)
    elif asked["what"] == "fork":
        print(json.dumps({"error": "no forks here"}), flush=True)
    else:
        print(json.dumps({"seconds": 10.0 * asked["count"], "cpu_seconds": 1.0}), flush=True)
"""


def test_datasets_and_spaces_are_listed() -> None:
    assert "benchmark://kernels-v0" in call("env", "list").output
    rows = json.loads(call("env", "list", "generator://csmith-v0", "--limit", "3", "--json").output)
    assert [row["name"] for row in rows] == [f"generator://csmith-v0/{seed}" for seed in range(3)]
    spaces = call("env", "list", "--spaces").output
    assert "Autophase  observation, int64 (56,)" in spaces
    assert "TextSizeBytesOz  reward" in spaces


def test_baselines_are_described(uri: str) -> None:
    found = json.loads(call("env", "describe", uri, "--json").output)
    figures = found["baselines"]["TextSizeBytes"]
    assert set(figures) == {"O0", "O3", "Oz", "OzPlain"}
    assert figures["Oz"] < figures["O3"]
    assert figures["Oz"] <= figures["OzPlain"]
    assert "OzPlain ÷ Oz" in call("env", "describe", uri).output


def test_what_an_agent_found_is_replayed_and_validated(uri: str, tmp_path: Path) -> None:
    reward = ("--reward", "TextSizeBytesOz")
    output = call("env", "run", uri, "--agent", "random", "--seconds", "0.5", *reward).output
    path = tmp_path / "states.csv"
    path.write_text(output)
    assert call("env", "replay", str(path), *reward).exit_code == 0
    done = call("env", "validate", str(path), "--test-seconds", "0.3", "--json", *reward)
    (row,) = json.loads(done.output)
    assert row["benchmark"] == uri
    assert (done.exit_code == 0) == (row["verdict"] == "okay")
    rows = list(csv.reader(output.splitlines()))
    rows[1][1] = str(float(rows[1][1]) + 0.5)
    path.write_text("\n".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows) + "\n")
    wrong = call("env", "replay", str(path), *reward)
    assert wrong.exit_code == 1
    assert "its reward is" in wrong.output


@pytest.mark.skipif(shutil.which("gcc") is None, reason="GCC is not installed")
def test_gcc_is_described_run_and_replayed(uri: str, tmp_path: Path) -> None:
    gcc = ("--compiler", "gcc")
    spaces = call("env", "list", "--spaces", *gcc).output
    assert "instruction_counts  observation" in spaces
    assert "TextSizeBytesOs  reward" in spaces
    found = json.loads(call("env", "describe", uri, "--json", *gcc).output)
    assert found["command"][0].endswith("gcc")
    figures = found["baselines"]["TextSizeBytes"]
    assert set(figures) == {"O0", "O2", "O3", "Os", "Oz"}
    assert figures["Os"] < figures["O0"]
    assert "nothing can be established" in call("env", "describe", uri, *gcc).output
    path = tmp_path / "states.csv"
    append_state(path, State(uri, 1.0, 0.0, "-Os"))
    with pytest.raises(UsageError, match="compiler of its own"):
        call("env", "replay", str(path), "--peer", "false", *gcc)
    assert call("env", "replay", str(path), *gcc).exit_code == 0
    assert call("env", "replay", str(path), "--reward", "ObjectSizeBytesO3", *gcc).exit_code == 1
    (row,) = json.loads(call("env", "validate", str(path), "--json", *gcc).output)
    assert row["verdict"] == "not-established"
    rows = list(csv.reader(call("env", "run", uri, "--seconds", "0.2", *gcc).output.splitlines()))
    assert [row[0] for row in rows] == ["benchmark", uri]


def test_what_was_found_before_an_error_is_there(uri: str) -> None:
    done = CliRunner().invoke(cli, ["env", "run", uri, "kernels-v0/none", "--agent", "baseline"])
    assert done.exit_code != 0
    assert [row[0] for row in csv.reader(done.stdout.splitlines())] == ["benchmark", uri]


def test_what_was_measured_before_an_error_is_there(uri: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    few = ("--steps", "2", "--text-steps", "1", "--forks", "1", "--rounds", "1", "--memory-steps", "10")
    done = CliRunner().invoke(cli, ["bench", "steps", uri, "kernels-v0/none", *few, "--json", str(path)])
    assert done.exit_code != 0
    assert [one["benchmark"] for one in json.loads(path.read_text())] == [uri]


def test_what_cannot_be_written_is_one_message(uri: str, tmp_path: Path) -> None:
    few = ("--steps", "2", "--text-steps", "1", "--forks", "1", "--rounds", "1", "--memory-steps", "10")
    with pytest.raises(FileError, match="none/figures"):
        call("bench", "steps", uri, *few, "--json", str(tmp_path / "none" / "figures.json"))


@pytest.mark.parametrize(("agents", "peer"), [("baseline,nobody", ""), ("baseline,", ""), ("baseline,policy", "false")])
def test_nobody_works_where_an_agent_is_not_there(uri: str, tmp_path: Path, agents: str, peer: str) -> None:
    output = tmp_path / "states"
    with pytest.raises(UsageError, match="no agent"):
        call("bench", "pass-order", "--agents", agents, "--peer", peer, "--benchmarks", uri, "--output", str(output))
    assert not output.exists()


def test_a_plan_that_does_not_apply_is_wrong(uri: str, tmp_path: Path) -> None:
    path = tmp_path / "states.csv"
    append_state(path, State(uri, 0.0, 0.0, "-passes=nonsense"))
    for command in ("replay", "validate"):
        (row,) = json.loads(call("env", command, str(path), "--json").output)
        assert row["verdict"] == "wrong"
        assert "nonsense" in row["because"]


def test_benchmarks_are_named_as_the_environment_takes_them(uri: str, tmp_path: Path) -> None:
    arguments = ("bench", "pass-order", "--agents", "baseline", "--output", str(tmp_path / "states"), "--json")
    for word in ("kernels-v0/adler", f"file://{tmp_path}"):  # without its scheme; a directory
        (standing,) = json.loads(call(*arguments, "--benchmarks", word).stdout)
        assert len(standing["rewards"]) == 1


def test_agents_are_compared_by_what_replays(uri: str, tmp_path: Path) -> None:
    output = tmp_path / "states"
    arguments = ("bench", "pass-order", "--agents", "baseline,greedy,coreset", "--seconds", "0.7")
    arguments = (*arguments, "--benchmarks", uri, "--output", str(output))
    standings = json.loads(call(*arguments, "--json").stdout)
    assert [one["agent"] for one in standings] == ["baseline", "greedy", "coreset"]
    before = (output / "greedy.csv").read_text()
    assert float(list(csv.reader((output / "baseline.csv").read_text().splitlines()))[1][1]) == pytest.approx(1.0)
    assert "greedy" in call(*arguments).output
    assert (output / "greedy.csv").read_text() == before  # nothing is done twice
    with pytest.raises(UsageError, match="the states there are of"):
        call(*arguments, "--seed", "1")
    header, state = before.splitlines()
    (output / "greedy.csv").write_text(f"{header}\n{state.replace(',', ',9', 1)}\n")
    with pytest.raises(CompilerAgentError, match="is not what its plan gives"):
        call(*arguments)


def test_times_are_not_compared_with_those_of_another_day(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "states.csv"
    append_state(path, State(uri, 0.5, 0.0, "-passes=function(sroa)"))
    assert call("env", "replay", str(path)).exit_code == 1
    monkeypatch.setattr(Reward, "is_repeatable", property(lambda _: False))
    assert call("env", "replay", str(path)).exit_code == 0


def test_a_reward_that_is_not_the_same_twice_ranks_nobody(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the same twice"):
        call("bench", "pass-order", "--reward", "Runtime", "--output", str(tmp_path / "states"))


def test_a_peer_takes_turns(uri: str, tmp_path: Path) -> None:
    (tmp_path / "peer.py").write_text(PEER)
    arguments = ("--steps", "20", "--text-steps", "3", "--forks", "2", "--rounds", "2", "--memory-steps", "20")
    command = f"{sys.executable} {tmp_path}/peer.py {tmp_path}/asked"
    call("bench", "steps", uri, *arguments, "--peer", command, "--json", str(tmp_path / "figures.json"))
    (figures,) = json.loads((tmp_path / "figures.json").read_text())
    assert {what: len(seconds) for what, seconds in figures["ours"].items()} == {"steps": 2, "text": 2, "fork": 2}
    assert figures["peers"]["steps"] == [{"wall_time_s": 200.0, "cpu_time_s": 1.0}] * 2
    assert figures["peers"]["text"] == [{"wall_time_s": 30.0, "cpu_time_s": 1.0}] * 2
    assert "fork" not in figures["peers"]
    assert 0 < figures["ours"]["text"][0]["wall_time_s"] < 30
    which, first, text, *_ = (json.loads(line) for line in (tmp_path / "asked").read_text().splitlines())
    assert (which, len(first), len(text)) == ("which?", 20, 3)
    assert set(first) == {"gvn", "functionattrs"}  # what both have, by the peer's names
    (tmp_path / "asked").unlink()
    call("bench", "steps", uri, *arguments, "--peer", command, "--own-passes")
    assert set((tmp_path / "asked").read_text().splitlines()) == {"[]"}


def test_a_peer_with_which_we_share_no_pass_is_refused(uri: str, tmp_path: Path) -> None:
    (tmp_path / "peer.py").write_text(PEER.replace("gvn", "nor-this").replace("functionattrs", "nor-that"))
    with pytest.raises(UsageError, match="none of our passes"):
        call("bench", "steps", uri, "--peer", f"{sys.executable} {tmp_path}/peer.py {tmp_path}/asked")
