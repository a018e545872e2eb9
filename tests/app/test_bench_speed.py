"""What `bench speed` says of figures, how it goes on after an interrupt, and how two runs are compared."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from compiler_agent.app import bench_speed
from compiler_agent.app import bench_speed_report as report
from compiler_agent.app.bench_speed_figures import ProgramFigures, Summary, groups, replicated
from compiler_agent.app.guard import Guard
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import UsageError

from .programs import Project

PLAN = "-passes=default<O3> -polly=true"
LU = ProgramFigures(
    "lu", "dense-loop", "held-out", "evolve", "-O3", {"-O3": 1.0}, 2.0, 1.9, 2.1, PLAN, front=((1.0, 1.0), (0.5, 2.0))
)
AES = ProgramFigures("aes", "crypto", "training", "evolve", "-O2")
SLOW = ProgramFigures("slow", "crypto", "held-out", "evolve", "-O3", {}, 0.5, 0.4, 0.6, PLAN)
HANGS = ProgramFigures("hangs", "crypto", "held-out", "evolve", reason="it hangs")


def test_all_programs_count_wins_ties_and_losses_alike():
    summary = Summary.of([LU, AES, SLOW, HANGS])
    assert summary is not None
    assert summary.geomean == pytest.approx(1.0)
    assert (summary.n_programs, summary.n_wins, summary.n_slower) == (4, 1, 1)
    assert summary.fast_p[0] == pytest.approx(0.25)  # faster than 1: lu alone
    assert Summary.of([]) is None
    assert {name: len(rows) for name, rows in groups([LU, AES]).items()} == {"all": 2, "dense loops": 1, "the rest": 1}


def test_figures_are_read_as_they_were_written():
    assert ProgramFigures.from_json(json.loads(json.dumps(LU.to_json()))) == LU


def test_training_and_held_out_programs_are_apart(tmp_path: Path):
    text = report.markdown([LU, AES, HANGS], {"held-out": "plot.svg"})
    training, held_out = text.split("### Held-out programs")
    assert "| aes |" in training
    assert "| lu |" not in training
    assert "2.000 [1.900, 2.100]" in held_out
    assert "not timed" in held_out
    assert "plot.svg" in held_out
    report.draw([LU, AES], tmp_path / "plot.svg", "title")
    first = (tmp_path / "plot.svg").read_bytes()
    report.draw([LU, AES], tmp_path / "plot.svg", "title")
    assert first == (tmp_path / "plot.svg").read_bytes()
    assert b"<svg" in first


def test_a_second_run_agrees_where_intervals_overlap():
    near = dataclasses.replace(LU, speedup=2.05, low=2.0, high=2.2)
    far = dataclasses.replace(LU, speedup=1.5, low=1.4, high=1.6)
    assert replicated([LU, AES], [near, AES]).share == 1.0
    apart = replicated([LU, AES], [far, SLOW])
    assert (apart.n_kept, apart.n_overlapping) == (1, 0)
    assert apart.apart == ((LU, far),)
    assert replicated([AES], [LU]).share == 1.0


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    measured: list[str] = []

    def measure(benchmark, strategy, settings, samples, earlier):
        if len(measured) == 1:
            raise KeyboardInterrupt
        measured.append(benchmark.name)
        return dataclasses.replace(AES, program=benchmark.name, strategy=strategy)

    monkeypatch.setattr(bench_speed, "_measured", measure)
    settings = bench_speed.Settings(Budget(n_evaluations=3))
    programs = bench_speed.chosen(["aes", "base64"])
    with pytest.raises(KeyboardInterrupt):
        bench_speed.run_bench(programs, ["evolve"], settings, tmp_path)
    assert [row.program for row in bench_speed.run_bench(programs, ["evolve"], settings, tmp_path, measure=False)] == [
        "aes"
    ]
    measured.clear()
    figures = bench_speed.run_bench(programs, ["evolve"], settings, tmp_path)
    assert [row.program for row in figures] == ["aes", "base64"]
    assert measured == ["base64"]
    other = dataclasses.replace(settings, seed=1, pgo=True, march="native")
    assert bench_speed.run_bench(programs, ["evolve"], other, tmp_path, measure=False) == []
    assert {path.name for path in tmp_path.iterdir()} >= {"budget-3-seed-0.jsonl", "budget-3-seed-1-native-pgo.jsonl"}


def test_again_measures_what_an_earlier_run_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def measure(benchmark, strategy, settings, samples, earlier):
        return dataclasses.replace(AES, program=benchmark.name, strategy=strategy, plan=earlier.plan)

    monkeypatch.setattr(bench_speed, "_measured", measure)
    again = bench_speed.Settings(Budget(n_evaluations=3), seed=5, again=True)
    earlier = [dataclasses.replace(LU, program="base64"), AES]
    figures = bench_speed.run_bench(
        bench_speed.chosen(["aes", "base64"]), ["evolve", "random"], again, tmp_path, earlier=earlier
    )
    assert [(row.program, row.strategy, row.plan) for row in figures] == [("base64", "evolve", PLAN)]


def test_again_does_not_take_the_figures_of_other_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def measure(benchmark, strategy, settings, samples, earlier):
        asked.append(earlier.plan)
        return dataclasses.replace(AES, baseline="-O3")  # refuted: there is no plan in its row

    monkeypatch.setattr(bench_speed, "_measured", measure)
    settings = bench_speed.Settings(Budget(n_evaluations=3), seed=5, again=True)

    def again(plan: str, **how: bool) -> int:
        earlier = [dataclasses.replace(LU, program="aes", plan=plan)]
        return len(
            bench_speed.run_bench(bench_speed.chosen(["aes"]), ["evolve"], settings, tmp_path, earlier=earlier, **how)
        )

    assert again(PLAN) == again(PLAN) == 1
    assert asked == [PLAN]
    assert again("-passes=default<O3>", measure=False) == 0
    assert again("-passes=default<O3>") == 1
    assert asked == [PLAN, "-passes=default<O3>"]


def test_what_there_is_not_is_said(tmp_path: Path):
    with pytest.raises(UsageError, match="there is no benchmark no-such-program"):
        bench_speed.chosen(["no-such-program"])
    with pytest.raises(UsageError, match="strategy 'llm' is not there for speed"):
        bench_speed.run_bench([], ["llm"], bench_speed.Settings(Budget(n_evaluations=1)), tmp_path)
    assert {one.part.value for one in bench_speed.chosen(part="training")} == {"training"}


def test_two_files_are_compared_from_the_command_line(project: Project):
    for name, rows in (("a.json", [LU]), ("b.json", [dataclasses.replace(LU, low=2.2, high=2.4)]), ("c.json", "text")):
        (project.directory / name).write_text(json.dumps([row.to_json() for row in rows] if rows != "text" else rows))
    same = project.agent("bench", "speed", "--compare", "a.json", "a.json")
    assert (same.returncode, same.stdout) == (0, "1 of 1 kept plans (100%) have overlapping intervals\n")
    apart = project.agent("bench", "speed", "--compare", "a.json", "b.json")
    assert apart.returncode == 1
    assert "apart: lu evolve" in apart.stdout
    wrong = project.agent("bench", "speed", "--compare", "a.json", "c.json")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "c.json is not what `bench speed --json` writes" in wrong.stderr


def test_runs_on_different_programs_are_printed_as_one(project: Project):
    for name, row in (("a.json", LU), ("b.json", AES)):
        (project.directory / name).write_text(json.dumps([row.to_json()]))
    both = ["bench", "speed", "--report", "a.json", "--report", "b.json"]
    assert "2.000" in project.agent(*both, "--json", "both.json").stdout
    assert [row["program"] for row in json.loads((project.directory / "both.json").read_text())] == ["aes", "lu"]
    for choice in (["--program", "lu"], ["--part", "held-out"]):
        assert "aes" not in project.agent(*both, *choice).stdout
    assert "lu" not in project.agent(*both, "--strategies", "random").stdout
    twice = project.agent("bench", "speed", "--report", "a.json", "--report", "a.json")
    assert twice.returncode == 2
    assert "two runs have figures for lu with evolve" in twice.stderr
    mixed = project.agent(*both, "--again", "a.json")
    assert (mixed.returncode, mixed.stdout) == (2, "")
    assert "exclude each other" in mixed.stderr


@pytest.mark.parametrize(
    ("text", "objective", "limit"), [("size<=1.05", "speed", 1.05), ("speed >= 0.99", "size", 0.99)]
)
def test_guards_are_read(text: str, objective: str, limit: float):
    assert Guard.parse(text, objective) == Guard(limit)


@pytest.mark.parametrize("text", ["size<=1.05", "speed>0.9", "speed>=fast", ""])
def test_a_guard_of_the_objective_itself_is_refused(text: str):
    with pytest.raises(UsageError, match="does not go with --objective size"):
        Guard.parse(text, "size")
