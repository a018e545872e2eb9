"""What an agent can see of an episode: each observation by name, with its gymnasium space, shape and unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import networkx
import numpy
from gymnasium import spaces
from numpy.typing import NDArray

from compiler_agent.base.errors import EngineError
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.features import AUTOPHASE_NAMES, INST_COUNT_NAMES, inst_count_norm
from compiler_agent.llvm.ir2vec import N_DIMENSIONS, vocabulary
from compiler_agent.llvm.observe.capture import compiled_with
from compiler_agent.llvm.observe.remarks import Remark
from compiler_agent.search.env.effects import CompilationFailed
from compiler_agent.search.env.episode import NO_PASS, Episode
from compiler_agent.search.env.graphs import control_flow, parsed, programl
from compiler_agent.search.env.linking import N_SAMPLES, runtime_samples
from compiler_agent.search.env.served import LEVEL, Baseline, Metric
from compiler_agent.search.env.spaces import Instances, Observation, figures, numbers, observation_of, seconds

_COUNTS = "instructions, blocks and functions"


def _features(
    name: str, wire: str, names: Sequence[str], unit: str, form: Callable[[Any], Any] | None = None
) -> list[Observation]:
    """A vector of features and the same by name."""
    dtype = numpy.float32 if form else numpy.int64

    def read(episode: Episode) -> NDArray[Any]:
        counts = episode.value(wire)
        return form(counts) if form else numpy.array(counts, dtype)

    def read_named(episode: Episode) -> dict[str, NDArray[Any]]:
        return {key: numpy.array(number) for key, number in zip(names, read(episode), strict=True)}

    by_name = spaces.Dict({key: numbers((), dtype) for key in names})
    return [
        Observation(name, numbers((len(names),), dtype), unit, read, (wire,)),
        Observation(f"{name}Dict", by_name, unit, read_named, (wire,)),
    ]


def _others() -> list[Observation]:
    return [
        Observation("Ir", Instances(str), "LLVM IR as text", lambda e: e.session.print("ir").decode(errors="replace")),
        Observation("Bitcode", Instances(bytes), "LLVM bitcode", lambda e: e.session.print("bitcode")),
        Observation(
            "Fingerprint",
            Instances(str),
            "32 hexadecimal digits, equal for modules of equal code",
            lambda episode: episode.value("fingerprint"),
            ("fingerprint",),
        ),
        Observation(
            "Cfg", Instances(networkx.MultiDiGraph), "control flow graphs, see `graphs.control_flow`", control_flow
        ),
        Observation(
            "Programl", Instances(networkx.MultiDiGraph), "ProGraML's graph, see `llvm.program_graph`", programl
        ),
        Observation(
            "IR2Vec",
            spaces.Box(-numpy.inf, numpy.inf, (N_DIMENSIONS,), numpy.float64),
            "IR2Vec's symbolic embedding, without a unit; needs `make ir2vec`",
            _embedding,
        ),
        Observation("Remarks", Instances(tuple), "what the optimizer says of the plan: `Remark` values", _remarks),
        Observation("Buildtime", seconds(1), "seconds on the clock: plan and code generation, once", _build_time),
        Observation("Runtime", seconds(N_SAMPLES), "seconds of processor time of runs of the program", _runtime),
    ]


def _embedding(episode: Episode) -> NDArray[numpy.float64]:
    with parsed(episode) as module:
        return module.embedding(vocabulary())


def _remarks(episode: Episode) -> tuple[Remark, ...]:
    benchmark = episode.served.benchmark
    if not episode.plan_text:
        return ()
    try:
        return compiled_with(benchmark.command(LEVEL), benchmark.directory, episode.plan_text).remarks
    except EngineError as error:
        raise CompilationFailed(Outcome.ERROR, error.message) from error


def _build_time(episode: Episode) -> NDArray[numpy.float64]:
    measured = episode.served.engine.measure(episode.plan_text or NO_PASS, fresh=True, share=False)
    if measured.outcome is not Outcome.OK:
        raise CompilationFailed(measured.outcome, measured.message)
    return numpy.array([measured.wall_time_s])


def _runtime(episode: Episode) -> NDArray[numpy.float64]:
    return numpy.array(runtime_samples(episode))


OBSERVATIONS: dict[str, Observation] = {
    one.name: one
    for one in (
        *_features("InstCount", "inst_count", [f"{name}Count" for name in INST_COUNT_NAMES], _COUNTS),
        *_features(
            "InstCountNorm",
            "inst_count",
            [f"{name}Density" for name in INST_COUNT_NAMES[1:]],
            "each of InstCount but the first, by instruction",
            inst_count_norm,
        ),
        *_features("Autophase", "autophase", AUTOPHASE_NAMES, "blocks, edges, instructions and operands"),
        *_others(),
        *figures(Metric.IR_INSTRUCTIONS, Baseline, "IR instructions", Metric.IR_INSTRUCTIONS.wire),
        *figures(Metric.TEXT_BYTES, Baseline, "bytes of executable sections", Metric.TEXT_BYTES.wire),
        *figures(Metric.OBJECT_BYTES, Baseline, "bytes of the object file", Metric.OBJECT_BYTES.wire),
    )
}
"""By name."""

NOT_BUILT = {
    "Inst2vec": "IR2Vec is the embedding here",
    "CpuInfo": "it tells nothing about a program: `compiler-agent doctor` says what machine this is",
    "IsBuildable": "every state is built by clang: a state without an object ends the episode",
    "IsRunnable": "use validate(), which says what was shown and what was not",
}
"""What CompilerGym's users may look for, and why it is not there."""


def observation(name: str) -> Observation:
    """An observation space of LLVM's by name; errors as for `spaces.observation_of`."""
    return observation_of(name, OBSERVATIONS, NOT_BUILT)
