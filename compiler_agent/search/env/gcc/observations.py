"""What an agent can see of an episode with GCC, under CompilerGym's names where it is CompilerGym's.

What both compilers have is called as it is with LLVM: TextSizeBytes, ObjectSizeBytes, Runtime, Buildtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from gymnasium import Space
from gymnasium.spaces import Box
from numpy.typing import NDArray

from compiler_agent.base.files import file_error
from compiler_agent.search.env.gcc.compiler import Form
from compiler_agent.search.env.gcc.episode import NO_CHOICE, GccEpisode
from compiler_agent.search.env.gcc.options import Option
from compiler_agent.search.env.gcc.served import GccBaseline, GccMetric, instruction_counts
from compiler_agent.search.env.linking import N_SAMPLES, runtime_samples
from compiler_agent.search.env.spaces import Instances, Observation, figures, observation_of, seconds

ALIASES = {"obj_size": GccMetric.OBJECT_BYTES.value}
"""CompilerGym's names of what has another one here."""
NOT_BUILT = {
    "Autophase": "it is a feature of LLVM IR: instruction_counts are GCC's",
    "InstCount": "it is a feature of LLVM IR: instruction_counts are GCC's",
    "IrInstructionCount": "GCC has no LLVM IR: InstructionCount counts those of its assembly text",
}
"""What users of LLVM's environment may look for, and why it is not there."""


def observations(options: tuple[Option, ...]) -> dict[str, Observation]:
    """All of them by name, for an environment with these options."""
    found = [
        Observation("choices", _choices(options), f"by option the number of its choice, {NO_CHOICE}: none", _chosen),
        Observation("command_line", Instances(str), "options", lambda e: e.plan_text),
        Observation("instruction_counts", Instances(dict), "instructions of the assembly text by mnemonic", _counts),
        Observation("source", Instances(str), "the source file", _source),
        Observation("asm", Instances(str), "assembly text", lambda e: _text(e, Form.ASSEMBLY)),
        Observation("asm_hash", Instances(str), "SHA-256 of asm", lambda e: e.digest(Form.ASSEMBLY)),
        Observation("obj", Instances(bytes), "the object file", lambda e: e.content(Form.OBJECT)),
        Observation("obj_hash", Instances(str), "SHA-256 of obj", lambda e: e.digest(Form.OBJECT)),
        Observation("rtl", Instances(str), "GCC's register transfer language at the end", lambda e: _text(e, Form.RTL)),
        Observation("Buildtime", seconds(1), "seconds on the clock: the whole compilation, once", _build_time),
        Observation("Runtime", seconds(N_SAMPLES), "seconds of processor time of runs of the program", _runtime),
        *figures(GccMetric.TEXT_BYTES, GccBaseline, "bytes of executable sections"),
        *figures(GccMetric.OBJECT_BYTES, GccBaseline, "bytes of the object file"),
        *figures(GccMetric.INSTRUCTIONS, GccBaseline, "instructions of the assembly text"),
        *figures(GccMetric.ASSEMBLY_BYTES, GccBaseline, "bytes of the assembly text"),
    ]
    return {one.name: one for one in found}


def observation(name: str, known: Mapping[str, Observation]) -> Observation:
    """One of `observations` by name or by its name of CompilerGym's; errors as for `spaces.observation_of`."""
    return observation_of(ALIASES.get(name, name), known, NOT_BUILT)


def _choices(options: tuple[Option, ...]) -> Space[Any]:
    most = numpy.array([len(option.choices) - 1 for option in options], numpy.int64)
    return Box(NO_CHOICE, most, (len(options),), numpy.int64)


def _chosen(episode: GccEpisode) -> NDArray[numpy.int64]:
    return numpy.array(episode.choices, numpy.int64)


def _counts(episode: GccEpisode) -> dict[str, int]:
    return dict(instruction_counts(episode.content(Form.ASSEMBLY)))


def _text(episode: GccEpisode, form: Form) -> str:
    return episode.content(form).decode(errors="replace")


def _source(episode: GccEpisode) -> str:
    path = episode.benchmark.directory / Path(episode.benchmark.argv[-1])
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise file_error("read", path, error) from error


def _build_time(episode: GccEpisode) -> NDArray[numpy.float64]:
    return numpy.array([episode.served.made(episode.words, Form.OBJECT, fresh=True).wall_time_s])


def _runtime(episode: GccEpisode) -> NDArray[numpy.float64]:
    return numpy.array(runtime_samples(episode))
