"""What sessions began with is judged from their raw times."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler_agent.app.bench_measurement_sessions import of_samples
from compiler_agent.app.cli_bench_speed import bench_measurement
from compiler_agent.base.errors import FileError
from compiler_agent.evaluation.machine import this_machine
from compiler_agent.evaluation.samples import Pair, SampleFile, Times


def pairs(*ratios: float) -> list[Pair]:
    def times(seconds: float) -> Times:
        return Times(seconds, seconds, seconds, layout=0, environment_bytes=0)

    return [Pair(times(ratio), times(1.0), candidate_first=False) for ratio in ratios]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two sessions that found nothing, one that did, and comparisons that are not of a program with itself."""
    written = SampleFile(tmp_path / "a b.samples.jsonl", this_machine())
    written.note("lu evolve against -O3/itself", "not-shown", pairs(*[1.01, 0.99] * 10))
    written.note("lu evolve against -O3/-passes=x", "faster", pairs(*[1.5] * 20))
    written.note("aes evolve against -O3/itself", "slower", pairs(*[0.9] * 20))
    written.note("fft evolve against -O3/itself", "not-shown", pairs(*[0.98, 1.02] * 10))
    written.note("hangs evolve against -O3/itself", "hung", [])
    return tmp_path / "a b.samples.jsonl"


def test_programs_that_were_called_different_from_themselves_are_counted_and_named(file: Path):
    found = of_samples([file], this_machine())
    assert (found.n, found.different) == (3, (f"{file}: aes evolve against -O3/itself",))


def test_a_difference_that_was_shown_after_some_pairs_counts(tmp_path: Path):
    SampleFile(tmp_path / "s", this_machine()).note("x/itself", "not-shown", pairs(*[1.1] * 10, *[0.9] * 10))
    assert of_samples([tmp_path / "s"], this_machine()).different


def test_the_command_says_so_and_fails_where_it_is_asked_to(file: Path, tmp_path: Path):
    said = CliRunner().invoke(bench_measurement, ["--samples", str(file)])
    assert said.exit_code == 0
    assert "1 of 3 programs (33.3%) were called different from themselves; at most 5% may be" in said.output
    assert CliRunner().invoke(bench_measurement, ["--samples", str(file), "--check"]).exit_code == 1
    (tmp_path / "text").write_text("no journal\n")
    with pytest.raises(FileError, match="is no journal"):
        of_samples([tmp_path / "text"], this_machine())
