"""docs/environment.md names what there is, and its first example runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from compiler_agent.search.env.actions import ACTION_SPACES
from compiler_agent.search.env.datasets import DATASETS
from compiler_agent.search.env.gcc import environment as gcc
from compiler_agent.search.env.gcc.observations import observations
from compiler_agent.search.env.gcc.served import GccBaseline, GccMetric
from compiler_agent.search.env.observations import NOT_BUILT, OBSERVATIONS
from compiler_agent.search.env.served import Baseline

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "environment.md").read_text()


def test_every_space_and_dataset_is_documented() -> None:
    endings = "|".join(one.value for one in Baseline)
    names = {
        re.sub(f"^(IrInstructionCount|TextSizeBytes|ObjectSizeBytes)({endings})$", r"\1", one) for one in OBSERVATIONS
    }
    for name in (*names, *ACTION_SPACES):
        assert f"`{name}`" in TEXT or f'"{name}"' in TEXT, name
    for dataset in DATASETS:
        assert f"`{dataset.uri}/" in TEXT
    assert not any(name in TEXT[TEXT.index("## Observations") :] for name in NOT_BUILT)


@pytest.mark.skipif(not (shutil.which("gcc") and shutil.which("csmith")), reason="GCC or Csmith is not installed")
def test_gccs_spaces_are_documented_and_its_example_runs() -> None:
    text = TEXT[TEXT.index("## GCC") :]
    endings = "|".join(one.value for one in GccBaseline)
    metrics = "|".join(one.value for one in GccMetric)
    names = {re.sub(f"^({metrics})({endings})$", r"\1", name) for name in observations(())}
    for name in (*names, *gcc.ACTION_SPACES, *gcc.OPTION_SETS):
        assert f"`{name}`" in text or f'"{name}"' in text, name
    example = re.search(r"\n((?:    .*\n)*    env = gymnasium.make\((?:.*\n)(?:    .*\n)*)", text)
    assert example is not None
    names_there: dict[str, Any] = {"gymnasium": gymnasium}
    exec("\n".join(line[4:] for line in example[1].splitlines()), names_there)
    env = names_there["gcc"]
    assert f"# '{env.commandline()}'" in text
    assert env.state.reward == pytest.approx(1.0, abs=0.5)
    env.close()


def test_the_first_example_runs(zlib_sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"\n((?:    .*\n|\n)*    import gymnasium\n(?:    .*\n|\n)*)", TEXT)
    assert example is not None
    code = "\n".join(line[4:] for line in example[1].splitlines() if "make setup" not in line)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["env"].unwrapped.state.benchmark == "benchmark://libs-v0/zlib/adler32.c"  # type: ignore[attr-defined]
    names["env"].close()  # type: ignore[attr-defined]
