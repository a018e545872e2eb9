"""What is learned for speed is learned from training programs, by their own output, and said in a table."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "passes" / "catalog" / "screen_speed.py"


def screen(raw: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--raw", str(raw), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_plans_are_measured_on_a_training_program(tmp_path: Path) -> None:
    raw, plans = tmp_path / "raw.jsonl", tmp_path / "plans.txt"
    plans.write_text("-passes=default<O3> -vectorize-loops=false\n-passes=default<O3> -enable-histogram=true\n")
    folder = ROOT / "benchmarks" / "programs" / "sha256"
    done = screen(raw, "--plans", plans, "--pairs", "2", "--table", folder)
    assert done.returncode == 0, done.stderr
    first, second = [json.loads(line) for line in raw.read_text().splitlines()]
    assert len(first["ratios"]) in (0, 2)
    assert "enable-histogram" in second["fault"]
    assert done.stdout.splitlines()[0].startswith("plan\tprograms\tchanged")
    assert screen(raw, "--plans", plans, folder).returncode == 0
    assert len(raw.read_text().splitlines()) == 2  # nothing is measured twice


def test_held_out_programs_are_refused(tmp_path: Path) -> None:
    done = screen(tmp_path / "raw.jsonl", ROOT / "benchmarks" / "programs" / "lu")
    assert done.returncode == 2
    assert "held out" in done.stderr
    assert not (tmp_path / "raw.jsonl").exists()
