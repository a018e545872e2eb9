"""The validator against brute force: random functions, optimized by LLVM or changed by hand, on every input.

What brute force tells apart must never be proved, what it does not must never be refuted.
"""

import pytest

from compiler_agent.base.errors import EngineError
from compiler_agent.evaluation.validate.check import check_function
from compiler_agent.evaluation.validate.ir import Module, read_module
from compiler_agent.evaluation.validate.verdict import Outcome
from compiler_agent.llvm.library import Library

from .brute_force import TooMany, behaviours, inputs, refines
from .random_functions import LAYOUT, Maker, Program

PIPELINES = (
    "instcombine<no-verify-fixpoint>",
    "early-cse,simplifycfg",
    "instsimplify,gvn",
    "reassociate,instcombine<no-verify-fixpoint>,simplifycfg",
)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def right(source: Module, target: Module) -> bool:
    """Whether the target refines the source, by trying everything."""
    return all(
        refines(behaviours(source, "f", values, {}), behaviours(target, "f", values, {}))
        for values in inputs(source.functions["f"])
    )


def pair(library: Library, seed: int) -> tuple[Module, Module]:
    maker = Maker(seed)
    program: Program = maker.program()
    with library.parse(LAYOUT + program.text("f")) as module:
        source = read_module(module.json())
        if seed % 3 == 0:
            module.run(f"-passes=function({PIPELINES[seed // 3 % len(PIPELINES)]})")
            return source, read_module(module.json())
    with library.parse(LAYOUT + maker.mutant(program).text("f")) as module:
        return source, read_module(module.json())


def agree(library: Library, seeds: range) -> dict[Outcome, int]:
    """Checks each pair; how often each outcome was given."""
    counts = dict.fromkeys(Outcome, 0)
    for seed in seeds:
        try:
            source, target = pair(library, seed)
        except EngineError:
            continue  # a change that LLVM's verifier refuses
        verdict = check_function(source, target, "f", seconds=5, bound=2)
        counts[verdict.outcome] += 1
        if verdict.outcome is Outcome.NOT_ESTABLISHED:
            continue
        try:
            assert right(source, target) == (verdict.outcome is Outcome.PROVED), (seed, verdict)
        except TooMany:
            continue
    return counts


def test_it_agrees_with_brute_force(library: Library) -> None:
    counts = agree(library, range(40))
    assert counts[Outcome.PROVED] > 15
    assert counts[Outcome.REFUTED] > 4


@pytest.mark.nightly
def test_it_agrees_with_brute_force_for_long(library: Library) -> None:
    counts = agree(library, range(1000, 4000))
    assert counts[Outcome.NOT_ESTABLISHED] < 300


def test_the_oracle_itself(library: Library) -> None:
    """Brute force tells apart what is known to be wrong, and accepts what is known to be right."""
    head = LAYOUT + "define i4 @f(i4 %a, i4 noundef %b) {\n"

    def module(body: str) -> Module:
        with library.parse(head + body + "\n}\n") as parsed:
            return read_module(parsed.json())

    plain, twice = module(" %r = shl i4 %b, 1\n ret i4 %r"), module(" %r = add i4 %b, %b\n ret i4 %r")
    claimed = module(" %r = add nsw i4 %b, %b\n ret i4 %r")
    assert right(plain, twice)
    assert right(claimed, twice)
    assert not right(twice, claimed)
    frozen, thawed = module(" %r = freeze i4 %a\n ret i4 %r"), module(" ret i4 %a")
    assert right(thawed, frozen)
    assert not right(frozen, thawed)
    divided = module(" %r = udiv i4 %b, %b\n ret i4 %r")
    assert right(divided, module(" ret i4 1"))
    assert not right(module(" ret i4 1"), divided)
