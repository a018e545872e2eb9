"""What clang itself runs: asked of clang, never assumed."""

from __future__ import annotations

import functools

from compiler_agent.base.process import check
from compiler_agent.llvm import pipeline_edit
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.pipeline import Pipeline, parse, walk
from compiler_agent.llvm.toolchain import Toolchain


def speed_levels(with_profile: bool = False) -> tuple[str, ...]:
    """The stock configurations that a plan for speed is compared with, as options of clang between spaces.

    Args:
        with_profile: Whether the unit's own command uses a profile: it is then with and without it.
    """
    levels = ("-O3", "-O2")
    return (*levels, *(f"{level} -fno-profile-instr-use" for level in levels)) if with_profile else levels


@functools.cache
def printed_pipeline(toolchain: Toolchain, level: str = "-Oz") -> Pipeline:
    """The pipeline that clang prints for an optimization level, every pass spelled out."""
    done = check(
        [toolchain.clang, level, "-mllvm", "-print-pipeline-passes", "-x", "c", "-c", "-o", "/dev/null", "/dev/null"],
        timeout_s=60,
    )
    return parse(done.stdout.decode().strip())


def editable_pipeline(toolchain: Toolchain, catalog: Catalog, level: str = "-Oz") -> Pipeline:
    """`printed_pipeline` without what is no optimization, such as debug information: search starts here."""
    pipeline = printed_pipeline(toolchain, level)
    for path, node, _ in sorted(walk(pipeline), key=lambda place: place[0], reverse=True):
        if node.name in catalog.excluded:
            pipeline = pipeline_edit.delete(pipeline, path)
    return pipeline_edit.normalise(pipeline)
