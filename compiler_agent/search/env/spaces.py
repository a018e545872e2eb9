"""What observations are made of, whatever the compiler: spaces, shapes, and figures with their baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import numpy
from gymnasium import Space, spaces

from compiler_agent.base.errors import UsageError

_Value = TypeVar("_Value")
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
    read: Callable[[Any], Any]
    """Its value in an episode."""
    wire: tuple[str, ...] = ()
    """What a session of LLVM is asked for with each step, so that `read` need not ask."""


def numbers(shape: tuple[int, ...], dtype: Any = numpy.int64) -> spaces.Box:
    """Counts, or (float32) shares of them."""
    most = _MOST if dtype is numpy.int64 else numpy.inf
    return spaces.Box(0, most, shape, dtype)


def seconds(length: int) -> spaces.Box:
    """A vector of times, in seconds."""
    return spaces.Box(0.0, numpy.inf, (length,), numpy.float64)


def scalar(name: str, unit: str, read: Callable[[Any], int], wire: tuple[str, ...] = ()) -> Observation:
    """One count, as an array of one."""
    return Observation(name, numbers((1,)), unit, lambda episode: numpy.array([read(episode)], numpy.int64), wire)


def figures(metric: StrEnum, baselines: Iterable[StrEnum], unit: str, wire: tuple[str, ...] = ()) -> list[Observation]:
    """A metric, and the same of each baseline."""
    own = scalar(metric.value, unit, lambda episode: episode.figure(metric), wire)
    return [own, *(_baseline(metric, baseline, unit) for baseline in baselines)]


def _baseline(metric: StrEnum, baseline: StrEnum, unit: str) -> Observation:
    name = f"{metric.value}{baseline.value}"
    return scalar(name, f"{unit}, of the baseline", lambda episode: episode.served.figure(metric, baseline))


def observation_of(name: str, table: Mapping[str, Observation], not_built: Mapping[str, str]) -> Observation:
    """An observation space by name.

    Args:
        name: Of the space.
        table: All that there are, by name.
        not_built: What users may look for, and why it is not there.

    Raises:
        UsageError: There is none of that name, or it is not built.
    """
    if name in not_built:
        raise UsageError(f"the observation space '{name}' is not built", hint=not_built[name])
    if name not in table:
        raise UsageError(f"there is no observation space '{name}'", hint=f"one of: {', '.join(table)}")
    return table[name]
