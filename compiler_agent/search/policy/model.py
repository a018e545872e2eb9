"""The trained policy as a file: measured numbers and a few settings; the rest is derived when it is read."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compiler_agent.base.errors import FileError, PlanError
from compiler_agent.base.files import file_error, write_atomically
from compiler_agent.evaluation.evaluate import Objective
from compiler_agent.llvm.features import AUTOPHASE_NAMES, INST_COUNT_NAMES
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.policy.expectation import Array, Expectation, descriptors, shares_of
from compiler_agent.search.policy.table import OBJECTIVES, Figures, group_of

FORMAT, VERSION = "cc-agent-policy", 1
N_FEATURES = len(INST_COUNT_NAMES) + len(AUTOPHASE_NAMES)
"""InstCount's 70 and Autophase's 56."""
MODEL_FILE = Path(__file__).with_name("size.json")
"""The one that is shipped."""
_MOST_LOSS, _MOST_GAIN = -0.2, 0.5
"""Gains beyond these, in logarithms, count as these: units of a few hundred bytes must not decide for all."""


@dataclass(frozen=True, slots=True)
class TrainedUnit:
    """A unit that was learned from."""

    uri: str
    """As the environment takes it."""
    digest: str
    """SHA-256 of its source."""
    features: tuple[int, ...]
    """InstCount and Autophase before optimization, 126 counts."""
    baseline: Figures
    """Of clang -Oz."""
    outcomes: tuple[Figures | None, ...]
    """Of the model's plans; None where one failed."""


@dataclass(frozen=True, slots=True)
class Model:
    """A portfolio of plans, and what is known of when each is worth trying."""

    llvm: str
    """Digest of the toolchain that the figures were measured with."""
    command: str
    """That trained it."""
    plans: tuple[Plan, ...]
    """The portfolio, in the order in which each adds most to those before it on the training units."""
    units: tuple[TrainedUnit, ...]
    """What was learned from."""
    length: float | None
    """Of the kernel over units; None: features say nothing that helps, and are not looked at."""
    spread: float
    """Of the kernel over gains: units with differences far below it behave alike."""
    patience: float
    """What `evolve` gains with one evaluation, in logarithms: where no plan is expected to add more, it takes over."""
    edits: Mapping[str, float]
    """What edits are worth: see `edits.edit_values`."""

    def gains(self, objective: Objective) -> Array:
        """Logarithms of baseline ÷ plan, shape (units, plans); 0 where a plan failed."""
        return np.array([[gain(one, unit.baseline, objective) for one in unit.outcomes] for unit in self.units])

    def expectation(self, features: Sequence[int], objective: Objective) -> Expectation:
        """What is expected of the plans on a unit; without features, on the average of all."""
        distances: Array | None = None
        if features and self.length is not None:
            *points, point = descriptors([*(unit.features for unit in self.units), features])
            distances = np.linalg.norm(np.array(points) - point, axis=1)
        shares = shares_of([group_of(unit.uri) for unit in self.units])
        return Expectation(self.gains(objective), shares, distances, self.length or 1.0, self.spread)

    def write(self, path: Path) -> None:
        """Writes the file.

        Raises:
            FileError: It cannot be written.
        """
        write_atomically(path, self.text().encode())

    def text(self) -> str:
        """The file's content, a plan and a unit a line: equal models have equal text."""
        head = {
            "format": FORMAT,
            "version": VERSION,
            "llvm": self.llvm,
            "command": self.command,
            "length": self.length,
            "spread": self.spread,
            "patience": self.patience,
            "edits": dict(self.edits),
        }
        units = [[one.uri, one.digest, one.features, one.baseline, one.outcomes] for one in self.units]
        lines = [f" {json.dumps(key)}: {_compact(value)}" for key, value in head.items()]
        lines.append(f' "plans": {_listed(map(str, self.plans))}')
        lines.append(f' "units": {_listed(units)}')
        return "{\n" + ",\n".join(lines) + "\n}\n"


def gain(outcome: Figures | None, baseline: Figures, objective: Objective) -> float:
    """The logarithm of baseline ÷ outcome, within bounds; 0 for a plan that failed, as the baseline is shipped then."""
    if outcome is None:
        return 0.0
    at = OBJECTIVES.index(objective)
    return bounded(baseline[at], outcome[at])


def bounded(baseline: float, value: float) -> float:
    """The logarithm of baseline ÷ value, within bounds."""
    return min(max(math.log(baseline / value), _MOST_LOSS), _MOST_GAIN)


@functools.cache
def read(path: Path = MODEL_FILE) -> Model:
    """Reads a model.

    Raises:
        FileError: There is none, it is of a later version, or it is damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise FileError(
                f"{path} is not a policy of version {VERSION}", hint="train one with `compiler-agent env train`"
            )
        return _model(document)
    except OSError as error:
        raise file_error("read", path, error) from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, PlanError) as error:
        raise FileError(f"{path} is damaged: {error!r}", hint="train it again: `compiler-agent env train`") from error


def _model(document: Mapping[str, Any]) -> Model:
    units = [
        TrainedUnit(uri, digest, tuple(features), _figures(baseline), tuple(one and _figures(one) for one in outcomes))
        for uri, digest, features, baseline, outcomes in document["units"]
    ]
    plans = tuple(Plan.parse(text) for text in document["plans"])
    length, spread = document["length"], float(document["spread"])
    if not units or not plans or any(len(unit.outcomes) != len(plans) for unit in units):
        raise ValueError("not an outcome of each plan on each unit")
    if any([*map(type, unit.features)] != [int] * N_FEATURES or not isinstance(unit.uri, str) for unit in units):
        raise ValueError(f"not {N_FEATURES} counts and a name of each unit")
    if spread <= 0 or (length is not None and float(length) <= 0):
        raise ValueError("a kernel without a width")
    edits = {word: float(value) for word, value in document["edits"].items()}
    if any(value <= 0 for value in edits.values()):
        raise ValueError("an edit that is worth nothing")
    patience = float(document["patience"])
    return Model(document["llvm"], document["command"], plans, tuple(units), length, spread, patience, edits)


def _figures(values: Sequence[int]) -> Figures:
    first, second, third = values
    if min(first, second, third) <= 0:
        raise ValueError(f"{values} are no sizes")
    return first, second, third


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _listed(values: Any) -> str:
    return "[\n" + ",\n".join(_compact(value) for value in values) + "\n ]"
