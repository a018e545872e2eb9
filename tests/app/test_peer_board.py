"""`bench pass-order` and `env replay` with a peer, and agents that ask a model, as a user calls them."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.search.env.state import State, append_state
from compiler_agent.search.fakes.scripted import calls, proposes, write_script

from .programs import call

ROOT = Path(__file__).parents[2]
FAKE = f"{sys.executable} {ROOT}/tests/search/peer/fake_peer.py"
GYM = ROOT / "build" / "compiler-gym"
REAL = f"{GYM}/bin/python {ROOT}/benchmarks/compiler_gym/adapter.py"
LONG = "600"
"""More than agents take that end by themselves."""
ENOUGH = calls("propose_plans", {"plans": []}, identifier="toolu_2")


def board(uri: str, output: Path, *more: str, seconds: str = "0.3") -> tuple[str, ...]:
    return ("bench", "pass-order", "--seconds", seconds, "--benchmarks", uri, "--output", str(output), "--json", *more)


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


def test_our_strategies_run_in_a_peer_and_replay_there(uri: str, tmp_path: Path) -> None:
    output, script = tmp_path / "states", tmp_path / "script.jsonl"
    write_script(script, [proposes({"pipeline": "gvn,sroa,simplifycfg,early-cse-memssa"}), ENOUGH])
    asking = ("--peer", FAKE, "--model", f"script:{script}")
    arguments = board(uri, output, *asking, "--agents", "baseline,llm", seconds=LONG)
    done = call(*arguments)
    assert "fake 1 runs flat lists of its 12 passes: of our " in done.stderr
    standings = json.loads(done.stdout)
    assert [one["agent"] for one in standings] == ["baseline", "llm"]
    assert standings[0]["rewards"] == [pytest.approx((30 - 7) / 30)]
    assert standings[0]["ratios"] == [pytest.approx(168 / 177)]
    assert standings[1]["rewards"] == [pytest.approx((30 + 20 + 10 + 8) / 30)]
    assert rows(output / "llm.csv")[1][3] == "opt -gvn -sroa -simplifycfg -early-cse-memssa input.bc -o output.bc"
    assert rows(output / "baseline.csv")[1][::3] == [uri, "opt -sroa -inline input.bc -o output.bc"]

    assert json.loads(call("env", "replay", str(output / "llm.csv"), "--peer", FAKE, "--json").output)[0][
        "verdict"
    ] == ("okay")
    (hybrid,) = json.loads(call(*board(uri, tmp_path / "more", *asking, "--agents", "hybrid")).stdout)
    assert hybrid["rewards"][0] >= (30 - 7) / 30
    (output / "baseline.csv").unlink()
    append_state(output / "baseline.csv", State(uri, 9.0, 0.0, "opt -sroa input.bc -o output.bc"))
    with pytest.raises(CompilerAgentError, match="is not what its plan gives"):
        call(*arguments)


def test_a_state_that_a_peer_comes_to_no_more_is_wrong(uri: str, tmp_path: Path) -> None:
    path = tmp_path / "states.csv"
    for reward, passes in ((9.0, "-sroa"), (1.0, "-crash"), (1.0, "-sroa"), (1.0, "-nonsense")):
        append_state(path, State(uri, reward, 0.0, f"opt {passes} input.bc -o output.bc"))
    append_state(path, State(uri, 1.0, 0.0, "-passes=sroa"))
    done = call("env", "replay", str(path), "--peer", FAKE, "--json")
    assert done.exit_code == 1
    found = [row["verdict"] for row in json.loads(done.output)]
    assert found == ["wrong", "wrong", "okay", "wrong", "not-established"]


def test_a_peers_programs_are_run(uri: str, tmp_path: Path) -> None:
    path, program = tmp_path / "states.csv", "benchmark://programs-v0/crc32/crc32.c"
    append_state(path, State(program, 1.0, 0.0, "opt -sroa input.bc -o output.bc"))
    append_state(path, State(program, 23 / 30, 0.0, "opt -sroa -inline input.bc -o output.bc"))
    append_state(path, State(uri, 1.0, 0.0, "opt -sroa input.bc -o output.bc"))
    append_state(path, State(uri, 2.0, 0.0, "opt -sroa input.bc -o output.bc"))
    done = call("env", "validate", str(path), "--peer", FAKE, "--json")
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert [row["verdict"] for row in found] == ["okay", "wrong", "not-established", "wrong"]
    assert "does not link" in found[1]["because"]


def test_states_of_a_peer_are_not_mixed_with_ours(uri: str, tmp_path: Path) -> None:
    call(*board(uri, tmp_path / "states", "--agents", "baseline"))
    with pytest.raises(UsageError, match="the states there are of"):
        call(*board(uri, tmp_path / "states", "--agents", "baseline", "--peer", FAKE))


def test_a_fault_of_the_peer_is_not_the_boards(uri: str, tmp_path: Path) -> None:
    (tmp_path / "bad.cpp").write_text("int f() { return 1; }\n")
    both = f"file://{tmp_path}/bad.cpp,{uri}"
    done = call(*board(both, tmp_path / "states", "--agents", "baseline", "--peer", FAKE))
    assert "is no C source" in done.stderr
    assert len(json.loads(done.stdout)[0]["rewards"]) == 1


def test_a_model_is_asked_on_our_own_board_and_its_recording_replays(uri: str, tmp_path: Path) -> None:
    script, recording = tmp_path / "script.jsonl", tmp_path / "recording.jsonl"
    write_script(script, [proposes({"pipeline": "function(sroa,early-cse<memssa>,instcombine,simplifycfg)"}), ENOUGH])
    live = ("--agents", "llm", "--model", f"script:{script}", "--record", str(recording))
    replayed = ("--agents", "llm", "--model", f"replay:{recording}")
    found = [
        json.loads(call(*board(uri, tmp_path / name, *asking, seconds=LONG)).stdout)[0]["rewards"]
        for name, asking in (("a", live), ("b", replayed))
    ]
    assert found[0] == found[1]
    assert found[0][0] > 0.5
    other = f"replay:{without_conversations(tmp_path, recording)}"
    with pytest.raises(CompilerAgentError, match="no benchmark was finished"):
        call(*board(uri, tmp_path / "c", "--agents", "llm", "--model", other, seconds=LONG))
    (hybrid,) = json.loads(
        call(*board(uri, tmp_path / "d", "--agents", "hybrid", "--model", f"script:{script}")).stdout
    )
    assert len(hybrid["rewards"]) == 1


def without_conversations(directory: Path, recording: Path) -> Path:
    """The head of a recording alone."""
    path = directory / "empty.jsonl"
    path.write_text(recording.read_text().splitlines()[0] + "\n")
    return path


@pytest.mark.nightly
@pytest.mark.skipif(not (GYM / "installed.stamp").exists(), reason="needs `make compiler-gym`")
def test_the_old_compiler_gym_is_such_a_peer(uri: str, tmp_path: Path) -> None:
    arguments = board(uri, tmp_path / "states", "--peer", REAL, "--agents", "baseline,random,greedy,evolve")
    standings = json.loads(call(*arguments).stdout)
    assert len(standings) == 4
    for one in standings:
        path = tmp_path / "states" / f"{one['agent']}.csv"
        assert call("env", "replay", str(path), "--peer", REAL).exit_code == 0
