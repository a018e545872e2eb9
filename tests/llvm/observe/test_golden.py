"""The packets of eight real functions, as a person has read and accepted them: tests/golden/observe/update.py."""

import importlib.util
from pathlib import Path

import pytest

from compiler_agent.llvm.observe.packet import tokens
from compiler_agent.llvm.toolchain import discover

_UPDATE = Path(__file__).parents[2] / "golden" / "observe" / "update.py"
_specification = importlib.util.spec_from_file_location("update_observations", _UPDATE)
assert _specification is not None
assert _specification.loader is not None
update = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(update)


@pytest.mark.parametrize("source", update.sources(), ids=lambda source: source.stem)
def test_the_packet_is_the_one_that_was_read(source: Path) -> None:
    if (version := discover().version) != update.LLVM_VERSION:
        pytest.skip(f"the packets were read with LLVM {update.LLVM_VERSION}, this is {version}")
    packet = update.observed(source).packet(update.TOKEN_BUDGET)
    assert tokens(packet) <= update.TOKEN_BUDGET
    assert packet == source.with_suffix(".txt").read_text()
