"""docs/environment.md names what there is, and its first example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler_agent.search.env.actions import ACTION_SPACES
from compiler_agent.search.env.datasets import DATASETS
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


def test_the_first_example_runs(zlib_sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"\n((?:    .*\n|\n)*    import gymnasium\n(?:    .*\n|\n)*)", TEXT)
    assert example is not None
    code = "\n".join(line[4:] for line in example[1].splitlines() if "make setup" not in line)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["env"].unwrapped.state.benchmark == "benchmark://libs-v0/zlib/adler32.c"  # type: ignore[attr-defined]
    names["env"].close()  # type: ignore[attr-defined]
