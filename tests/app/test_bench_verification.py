"""The benchmark of verification: one real unit, the sums, and a state that goes on where it was left."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from compiler_agent.app import bench_verification as bench
from compiler_agent.app.bench_verification import Settings
from compiler_agent.app.cli import cli
from compiler_agent.base.journal import Journal
from compiler_agent.evaluation.libraries import Part, TranslationUnit

from .programs import WEIGH_C


def figures(verdict: str, search_s: float, verification_s: float, refuted: list[str], **functions: int) -> dict:
    return {
        "error": "",
        "verdict": verdict,
        "search_s": search_s,
        "verification_s": verification_s,
        "better": verdict != "not-better",
        "functions": {name.replace("_", "-"): count for name, count in functions.items()},
        "reasons": {"N of N edges reached, N wanted": functions.get("not_established", 0)},
        "refuted_functions": refuted,
    }


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "journal.jsonl", {})
    made.note("unit", "a/x.c", library="a", **figures("established", 6, 2, [], tested=3, unchanged=1, proved=2))
    made.note("unit", "a/y.c", library="a", **figures("not-better", 10, 0, []))
    made.note("unit", "b/z.c", library="b", **figures("not-established", 2, 8, ["f", "g"], not_established=5, tested=1))
    made.note("unit", "b/w.c", library="b", error="it does not compile", verdict="")
    return made


def test_the_sums(journal: Journal) -> None:
    a, b, whole = bench.rows_of(journal)
    assert (a.name, a.n_units, a.n_kept, a.n_better, a.tuning_s, a.verification_s) == ("a", 2, 1, 1, 18, 2)
    assert (b.share, b.n_refuted, b.functions) == (0.8, 2, {"not-established": 5, "tested": 1})
    assert (whole.name, whole.n_units, whole.functions["tested"]) == ("all", 3, 4)
    assert whole.share == pytest.approx(10 / 28)
    assert bench.cells(b) == ["b", "1", "0", "1", "10", "8", "80%", "0", "1", "0", "5", "2"]
    assert len(bench.cells(b)) == len(bench.titles())
    page = bench.to_markdown(journal, Settings())
    assert "| b | 1 | 0 | 1 | 10 | 8 | 80% | 0 | 1 | 0 | 5 | 2 |" in page
    assert "* 5: N of N edges reached, N wanted" in page
    assert "* b/w.c: it does not compile" in page
    console = Console(width=180, record=True)
    bench.render(journal, console)
    assert "not tuned: b/w.c" in console.export_text()
    assert bench.to_json(journal)["libraries"][1]["share"] == 0.8


def test_a_real_unit_and_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "weigh.c").write_text(WEIGH_C)
    (tmp_path / "broken.c").write_text("int f(void) { return nothing; }")
    units = [TranslationUnit("tiny", Part.TRAINING, "c", n, tmp_path, (n,)) for n in ("weigh.c", "broken.c")]
    settings = Settings(budget="6", test_seconds=2, jobs=1)
    row, broken = [bench.tune(unit, settings, tmp_path) for unit in units]
    assert (row["error"], row["verdict"], row["functions"]) == ("", "established", {"tested": 1})
    assert row["value"] < row["baseline"]
    assert row["verification_s"] > 2
    assert "undeclared identifier" in broken["error"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.c", "tiny.lock", "weigh.c"]


def test_it_goes_on_where_it_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = [TranslationUnit("tiny", Part.TRAINING, "c", n, tmp_path, (n,)) for n in ("a.c", "b.c", "c.c")]
    tuned: list[str] = []

    def tune(unit: TranslationUnit, settings: Settings, directory: Path) -> dict:
        if unit.source == "b.c" and "b.c" not in tuned:
            tuned.append(unit.source)
            raise KeyboardInterrupt
        tuned.append(unit.source)
        return figures("established", 1, 1, [], tested=1)

    monkeypatch.setattr(bench, "configured_units", lambda names, directory: units)
    monkeypatch.setattr(bench, "tune", tune)
    command = ["bench", "verification", "--state", str(tmp_path / "state"), "--jobs", "1", "--json"]
    CliRunner().invoke(cli, [*command, str(tmp_path / "json")])
    done = CliRunner().invoke(cli, [*command, str(tmp_path / "json"), "--page", str(tmp_path / "page.md")])
    assert done.exit_code == 0, done.output
    assert sorted(tuned) == ["a.c", "b.c", "b.c", "c.c"] or tuned.count("a.c") == 1
    assert len(json.loads((tmp_path / "json").read_text())["units"]) == 3
    assert "| all | 3 |" in (tmp_path / "page.md").read_text()
