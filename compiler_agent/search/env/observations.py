"""What an agent can see of an episode: each observation by name, with its gymnasium space, shape and unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import networkx
import numpy
from gymnasium import Space, spaces
from numpy.typing import NDArray

from compiler_agent.base.errors import EngineError, UsageError
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.features import AUTOPHASE_NAMES, INST_COUNT_NAMES, inst_count_norm
from compiler_agent.llvm.ir2vec import N_DIMENSIONS, vocabulary
from compiler_agent.llvm.observe.capture import compiled_with
from compiler_agent.llvm.observe.remarks import Remark
from compiler_agent.search.env.episode import NO_PASS, CompilationFailed, Episode
from compiler_agent.search.env.graphs import control_flow, parsed, programl
from compiler_agent.search.env.linking import N_SAMPLES, runtime_samples
from compiler_agent.search.env.served import LEVEL, Baseline, Metric

_Value = TypeVar("_Value")
_COUNTS = "instructions, blocks and functions"
_MOST = numpy.iinfo(numpy.int64).max


class Instances(Space[_Value], Generic[_Value]):
    """All values of a type, for what is no vector: texts, bytes, graphs."""

    def __init__(self, kind: type[_Value]) -> None:
        super().__init__(None, None)
        self.kind = kind

    def contains(self, x: Any) -> bool:
        """Whether it is of the type."""
        return isinstance(x, self.kind)

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> _Value:
        """The empty value: there is no distribution over programs here."""
        return self.kind()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instances) and other.kind is self.kind

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return f"Instances({self.kind.__name__})"


def shape_of(space: Space[Any]) -> str:
    """A space in a word or two, as `int64 (56,)`."""
    if isinstance(space, spaces.Dict):
        return f"{len(space)} by name"
    return f"{space.dtype} {space.shape}" if isinstance(space, spaces.Box) else str(space)


@dataclass(frozen=True, slots=True)
class Observation:
    """One observation space."""

    name: str
    """As in `observation_space=`."""
    space: Space[Any]
    """Its gymnasium space."""
    unit: str
    """What its numbers count, or what it is."""
    read: Callable[[Episode], Any]
    """Its value in an episode."""
    wire: tuple[str, ...] = ()
    """What the session is asked for with each step, so that `read` need not ask."""


def _numbers(length: int, dtype: Any = numpy.int64) -> spaces.Box:
    most = _MOST if dtype is numpy.int64 else numpy.inf
    return spaces.Box(0, most, (length,), dtype)


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

    by_name = spaces.Dict({key: spaces.Box(0, numpy.inf if form else _MOST, (), dtype) for key in names})
    return [
        Observation(name, _numbers(len(names), dtype), unit, read, (wire,)),
        Observation(f"{name}Dict", by_name, unit, read_named, (wire,)),
    ]


def _scalar(name: str, unit: str, read: Callable[[Episode], int], wire: tuple[str, ...] = ()) -> Observation:
    return Observation(name, _numbers(1), unit, lambda episode: numpy.array([read(episode)], numpy.int64), wire)


def _figures(metric: Metric, unit: str) -> list[Observation]:
    wire = ("ir_instructions",) if metric is Metric.IR_INSTRUCTIONS else ("fingerprint",)
    own = _scalar(metric.value, unit, lambda episode: episode.figure(metric), wire)
    return [own, *(_baseline(metric, baseline, unit) for baseline in Baseline)]


def _baseline(metric: Metric, baseline: Baseline, unit: str) -> Observation:
    name = f"{metric.value}{baseline.value}"
    return _scalar(name, f"{unit}, of the baseline", lambda episode: episode.served.figure(metric, baseline))


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
        Observation("Buildtime", _seconds(1), "seconds on the clock: plan and code generation, once", _build_time),
        Observation("Runtime", _seconds(N_SAMPLES), "seconds of processor time of runs of the program", _runtime),
    ]


def _seconds(length: int) -> spaces.Box:
    return spaces.Box(0.0, numpy.inf, (length,), numpy.float64)


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
        *_figures(Metric.IR_INSTRUCTIONS, "IR instructions"),
        *_figures(Metric.TEXT_BYTES, "bytes of executable sections"),
        *_figures(Metric.OBJECT_BYTES, "bytes of the object file"),
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
    """An observation space by name.

    Raises:
        UsageError: There is none of that name, or it is not built.
    """
    if name in NOT_BUILT:
        raise UsageError(f"the observation space '{name}' is not built", hint=NOT_BUILT[name])
    if name not in OBSERVATIONS:
        raise UsageError(f"there is no observation space '{name}'", hint=f"one of: {', '.join(OBSERVATIONS)}")
    return OBSERVATIONS[name]
