"""llvm-stress's modules, made to behave in a defined way (`campaign_defined`), with a driver that calls them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.blame_ir import IrUnit
from compiler_agent.app.blame_program import Program, Unit
from compiler_agent.app.campaign_defined import OBJECT_BYTES, defined
from compiler_agent.app.campaign_lively import INPUT_BYTES, SINK_BYTES
from compiler_agent.app.campaign_plans import LEVELS
from compiler_agent.app.records import Record
from compiler_agent.base.process import check
from compiler_agent.evaluation.difftest import ProgramVerdict, Workload
from compiler_agent.evaluation.generated import stress_module
from compiler_agent.llvm import catalog
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import Toolchain

_DRIVER = """
#include <stdint.h>
#include <stdio.h>
void autogen_SD@SEED@(void *, void *, void *, int32_t, int64_t, int8_t);
static _Alignas(4096) unsigned char objects[3][@BYTES@];
_Alignas(256) unsigned char inputs[@INPUTS@], sink[@SINK@];
static uint64_t state = @SEED@ + 1, sum;
static void fill(unsigned char *bytes, unsigned n, unsigned turn) {
  for (unsigned i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = turn == 0 ? 0 : turn == 1 ? 0xff : turn % 3 == 0 && i % 4 ? 0 : state >> 56;
  }
}
static void add(const unsigned char *bytes, unsigned n) {
  for (unsigned i = 0; i < n; ++i)
    sum = (sum ^ bytes[i]) * 1099511628211u;
}
static const int64_t numbers[] = {0, 1, -1, 7, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, 0x123456789abcdef};
int main(void) {
  for (unsigned turn = 0; turn < 24; ++turn) {
    fill((unsigned char *)objects, sizeof objects, turn);
    fill(inputs, sizeof inputs, turn);
    int64_t a = numbers[turn % 9], b = numbers[turn / 2 % 9], c = numbers[(turn + 5) % 9];
    autogen_SD@SEED@(objects[0], objects[1], objects[2], (int32_t)a, b, (int8_t)c);
    sum = 14695981039346656037u;
    add((unsigned char *)objects, sizeof objects);
    add(sink, sizeof sink);
    printf("%u %016llx\\n", turn, (unsigned long long)sum);
  }
  return 0;
}
"""
_CONTROLS = tuple(Plan.parse(f"-passes=default<{level}>") for level in ("O1", "O2", "O3", "Oz"))


@dataclass(frozen=True)
class StressCase:
    """One module of llvm-stress's."""

    seed: int
    """llvm-stress's seed."""
    toolchain: Toolchain
    """LLVM."""

    @property
    def name(self) -> str:
        """As in `stress-17`."""
        return f"stress-{self.seed}"

    @property
    def level(self) -> str:
        """Drawn by the seed."""
        return random.Random(self.seed).choice(LEVELS)

    def make(self, directory: Path) -> Program:
        """Generates, rewrites and runs it at -O0; see `campaign.Case`."""
        generated = stress_module(self.seed, self.toolchain)
        (directory / "module.ll").write_text(defined(generated, self.seed))
        driver = _DRIVER.replace("@SEED@", str(self.seed)).replace("@BYTES@", str(OBJECT_BYTES))
        driver = driver.replace("@INPUTS@", str(INPUT_BYTES)).replace("@SINK@", str(SINK_BYTES))
        (directory / "driver.c").write_text(driver)
        clang = str(self.toolchain.clang)
        check([clang, "-O1", "-c", "driver.c", "-o", "driver.o"], cwd=directory, timeout_s=60)
        compile_module = (clang, self.level, "-Wno-override-module", "-c", "-o", "-", "module.ll")
        link = (clang, "-fuse-ld=lld", "driver.o", "module.ll", "-lm")
        unit = Unit(Record(str(directory), "module.ll", "size", compile_module), "program", link)
        workload = Workload("./program", timeout_s=10, slack_s=3, n_reference_runs=2)
        return Program.with_reference(unit, [workload])

    def check_defined(self, directory: Path, program: Program) -> tuple[bool, str]:
        """Whether clang's own pipelines all agree with -O0: the rules of the rewriting are ours, and may lack one."""
        unit = IrUnit(program, self.toolchain, catalog.load())
        module = (directory / "module.ll").read_text()
        for control in _CONTROLS:
            after = unit.optimise(module, control)
            if after is None or unit.judge(after[0], control).verdict is not ProgramVerdict.SAME:
                return False, f"{control.pipeline} does not agree with -O0 either"
        return True, "defined by the rules it was rewritten by, and -O0, O1, O2, O3 and Oz all agree"
