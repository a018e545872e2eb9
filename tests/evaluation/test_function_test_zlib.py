"""zlib 1.2.13's trees.c after the attributor: refuted function by function, without zlib's tests."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.evaluation import function_test
from compiler_agent.llvm.toolchain import discover

FLAGS = ["-Oz", "-w", "-D_LARGEFILE64_SOURCE=1"]


def candidate(sources: Path, pipeline: str) -> bytes:
    clang = discover()
    before = subprocess.run(
        [clang.clang, *FLAGS, "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", "-o", "-", "trees.c"],
        cwd=sources,
        capture_output=True,
        check=True,
    ).stdout
    return subprocess.run([clang.opt, f"-passes={pipeline}"], input=before, capture_output=True, check=True).stdout


@pytest.mark.nightly
@pytest.mark.parametrize("pipeline", ["attributor,default<Oz>", "default<Oz>", "default<O2>"])
def test_the_attributor_is_refuted_and_the_stock_pipelines_are_not(zlib_sources: Path, pipeline: str) -> None:
    argv = [str(discover().clang), *FLAGS, "-c", "-o", "-", "trees.c"]
    report = function_test.test_functions(argv, zlib_sources, candidate(zlib_sources, pipeline), seconds_per_function=3)
    assert len(report.functions) == 6
    if "attributor" in pipeline:
        assert "_tr_flush_block" in {function.function for function in report.refuted}
    else:
        assert report.refuted == ()
