"""LLVM 22 in this process, by `ctypes` over the native component (`passes/plugin/library.h`).

For tools, tests and feature extraction. A crash in a pass is an `EngineError` here too, but a hang or exhausted memory
is not survived: candidates of a search are judged by the fork server inside clang instead.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

from compiler_agent.base.config import native_directory
from compiler_agent.base.errors import EngineError, PlanError
from compiler_agent.llvm.decidable import DecidableFunction, read_decidable
from compiler_agent.llvm.features import AUTOPHASE_NAMES, INST_COUNT_NAMES

if TYPE_CHECKING:  # imported where an array is made: the launcher's miss pays for each import
    import numpy as np
    from numpy.typing import NDArray

_ABI = 1
_OK, _PLAN_ERROR = 0, 1


@dataclass(frozen=True, slots=True)
class Target:
    """What clang knows about code generation that is not written in the IR."""

    cpu: str = ""
    """As in `llc -mcpu=`; functions that carry their own `target-cpu` keep it."""
    features: str = ""
    """As in `llc -mattr=`."""
    optimization_level: int = 2
    """Of code generation, 0 to 3."""
    function_sections: bool = False
    """As by -ffunction-sections."""
    data_sections: bool = False
    """As by -fdata-sections."""


DEFAULT_TARGET = Target()


@dataclass(frozen=True, slots=True)
class Emission:
    """An object that was emitted in memory."""

    text_bytes: int
    """Executable sections: what the size objective counts."""
    data_bytes: int
    """Other loaded sections, unwind tables apart."""
    unwind_bytes: int
    """Unwind tables and tables of exception handlers."""
    object_bytes: int
    """The whole file."""
    sections: Mapping[str, int]
    """Bytes by section name; sections of one name are summed."""
    functions: Mapping[str, int]
    """Bytes by function symbol."""
    content: bytes
    """The object itself; empty if it was not asked for."""


class _TargetStruct(ctypes.Structure):
    _fields_ = (
        ("cpu", ctypes.c_char_p),
        ("features", ctypes.c_char_p),
        ("optimization_level", ctypes.c_int32),
        ("function_sections", ctypes.c_int32),
        ("data_sections", ctypes.c_int32),
    )


_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_OUT = ctypes.POINTER(ctypes.c_void_p)
_TARGET = ctypes.POINTER(_TargetStruct)

# name: (result, arguments). Text that is ours to free is a void pointer: c_char_p would lose the address.
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "cca_version": (_TEXT, ()),
    "cca_free": (None, (_POINTER,)),
    "cca_context_new": (_POINTER, ()),
    "cca_context_free": (None, (_POINTER,)),
    "cca_module_parse": (_POINTER, (_POINTER, _TEXT, ctypes.c_size_t, _TEXT, _OUT)),
    "cca_module_clone": (_POINTER, (_POINTER, _OUT)),
    "cca_module_free": (None, (_POINTER,)),
    "cca_module_count_instructions": (ctypes.c_int64, (_POINTER, _OUT)),
    "cca_module_fingerprint": (_POINTER, (_POINTER, _OUT)),
    "cca_module_print": (_POINTER, (_POINTER, _OUT)),
    "cca_module_json": (_POINTER, (_POINTER, _OUT)),
    "cca_module_run": (ctypes.c_int, (_POINTER, _TEXT, _TARGET, _OUT)),
    "cca_module_emit": (
        ctypes.c_int,
        (_POINTER, _TEXT, _TARGET, _OUT, _OUT, ctypes.POINTER(ctypes.c_size_t), _OUT),
    ),
    "cca_check_pipeline": (_POINTER, (_TEXT,)),
}

# Bound when they are used: a build from before them serves everything else.
_OBSERVING: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "cca_module_decidable": (_POINTER, (_POINTER, _OUT)),
    "cca_module_summary": (_POINTER, (_POINTER, _OUT)),
    "cca_module_inst_count": (ctypes.c_int, (_POINTER, _POINTER, _OUT)),
    "cca_module_autophase": (ctypes.c_int, (_POINTER, _POINTER, _OUT)),
    "cca_module_embedding": (_POINTER, (_POINTER, _TEXT, _OUT)),
    "cca_module_run_counting": (ctypes.c_int, (_POINTER, _TEXT, _TARGET, _OUT, _OUT)),
}
_BUILD = "build it with `make setup`"


class Library:
    """The loaded native component.

    Args:
        path: The shared library; by default the one of `base.config.native_directory()`.

    Raises:
        EngineError: It cannot be loaded, or is of another version than this package.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = native_directory() / "lib" / "cc-agent.so" if path is None else path
        try:
            self._native = ctypes.CDLL(str(self.path))
            self._bind(_SIGNATURES)
        except (OSError, AttributeError) as error:
            raise EngineError(f"{self.path}: cannot be loaded: {error}", hint=_BUILD) from None
        version = json.loads(self._native.cca_version())
        if version["abi"] != _ABI:
            raise EngineError(f"{self.path}: has version {version['abi']} of the interface, not {_ABI}", hint=_BUILD)
        self.version: str = version["cc_agent"]
        self.llvm_version: str = version["llvm"]

    def parse(self, content: bytes | str, name: str = "module") -> Module:
        """Parses and verifies a module, in a context of its own.

        Args:
            content: Bitcode, or textual IR.
            name: What messages call it.

        Raises:
            EngineError: LLVM does not accept it.
        """
        data = content.encode() if isinstance(content, str) else bytes(content)
        context = self._native.cca_context_new()
        error = ctypes.c_void_p()
        try:
            handle = self._native.cca_module_parse(context, data, len(data), name.encode(), ctypes.byref(error))
        finally:
            self._native.cca_context_free(context)  # modules keep what they need of it
        if not handle:
            raise EngineError(self._take(error))
        return Module(self, handle)

    def check_pipeline(self, pipeline: str) -> str | None:
        """LLVM's complaint about a pipeline's text; None if it can parse it."""
        complaint = self._native.cca_check_pipeline(_encode(pipeline))
        return self._take(ctypes.c_void_p(complaint)) if complaint else None

    def bind_observing(self) -> None:
        """Makes the functions of `Module` that came later usable.

        Raises:
            EngineError: The library was built before there was such a thing.
        """
        try:
            self._bind(_OBSERVING)
        except AttributeError as error:
            raise EngineError(f"{self.path}: is too old to observe a module: {error}", hint=_BUILD) from None

    def _bind(self, signatures: dict[str, tuple[Any, tuple[Any, ...]]]) -> None:
        for name, (result, arguments) in signatures.items():
            function = getattr(self._native, name)
            function.restype, function.argtypes = result, arguments

    def _take(self, pointer: ctypes.c_void_p) -> str:
        """The text at a pointer that is ours to free."""
        try:
            return ctypes.string_at(pointer).decode("utf-8", "replace") if pointer else ""
        finally:
            self._native.cca_free(pointer)


class Module:
    """An IR module; a context manager that frees it. Not to be used from two threads at once, nor are its clones."""

    def __init__(self, library: Library, handle: int) -> None:
        self._library = library
        self._native = library._native
        self._handle: int | None = handle

    def __enter__(self) -> Module:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Frees the module; a second call does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._native.cca_module_free(handle)

    def clone(self) -> Module:
        """A copy in the same context: a crash in one spoils both."""
        error = ctypes.c_void_p()
        handle = self._native.cca_module_clone(self._open(), ctypes.byref(error))
        if not handle:
            raise EngineError(self._library._take(error))
        return Module(self._library, handle)

    def n_instructions(self) -> int:
        """The number of IR instructions."""
        error = ctypes.c_void_p()
        count: int = self._native.cca_module_count_instructions(self._open(), ctypes.byref(error))
        if count < 0:
            raise EngineError(self._library._take(error))
        return count

    def inst_count(self) -> NDArray[np.int64]:
        """CompilerGym's InstCount: counts, shape (70,), named by `features.INST_COUNT_NAMES`."""
        return self._counts("cca_module_inst_count", len(INST_COUNT_NAMES))

    def autophase(self) -> NDArray[np.int64]:
        """CompilerGym's Autophase: counts, shape (56,), named by `features.AUTOPHASE_NAMES`."""
        return self._counts("cca_module_autophase", len(AUTOPHASE_NAMES))

    def embedding(self, vocabulary: Path) -> NDArray[np.float64]:
        """IR2Vec's symbolic embedding: the sum of its functions', of shape (dimensions of the vocabulary,).

        Args:
            vocabulary: A file of LLVM's form; `ir2vec.vocabulary()` is the one of IR2Vec's authors.

        Raises:
            EngineError: It is no such file.
        """
        import numpy as np

        self._library.bind_observing()
        return np.array(json.loads(self._text("cca_module_embedding", os.fsencode(vocabulary))), dtype=np.float64)

    def fingerprint(self) -> str:
        """32 hexadecimal digits; equal for modules that compile to the same code, whatever debug info and paths."""
        return self._text("cca_module_fingerprint")

    def print(self) -> str:
        """The module as textual IR."""
        return self._text("cca_module_print")

    def json(self) -> str:
        """The module as JSON, for the translation validator; `docs/validation.md` describes it."""
        return self._text("cca_module_json")

    def decidable(self) -> tuple[DecidableFunction, ...]:
        """What decisions of a plan can be about; to be asked before any pass has run."""
        self._library.bind_observing()
        return read_decidable(self._text("cca_module_decidable"))

    def summary(self) -> str:
        """What is known of a module that was not optimized yet, as JSON; `llvm/observe/facts_json.py` reads it."""
        self._library.bind_observing()
        return self._text("cca_module_summary")

    def run(self, plan: str, target: Target = DEFAULT_TARGET) -> None:
        """Runs a plan on the module and verifies what it leaves.

        Args:
            plan: `-passes=PIPELINE -name=value … loop:…`; the options hold during the run only.
            target: What the IR does not say about the code to generate.

        Raises:
            PlanError: LLVM does not accept the plan; the module is as it was.
            EngineError: A pass crashed or left an invalid module, which can then not be used any more.
        """
        error = ctypes.c_void_p()
        outcome = self._native.cca_module_run(
            self._open(), _encode(plan), ctypes.byref(_struct(target)), ctypes.byref(error)
        )
        self._check(outcome, error)

    def run_counting(self, plan: str, target: Target = DEFAULT_TARGET) -> str:
        """Does what `run` does; gives what each pass changed, as JSON of the form in `passes/plugin/pass_effects.h`."""
        self._library.bind_observing()
        effects, error = ctypes.c_void_p(), ctypes.c_void_p()
        outcome = self._native.cca_module_run_counting(
            self._open(), _encode(plan), ctypes.byref(_struct(target)), ctypes.byref(effects), ctypes.byref(error)
        )
        self._check(outcome, error)
        return self._library._take(effects)

    def emit(self, plan: str | None = None, target: Target = DEFAULT_TARGET, *, keep: bool = False) -> Emission:
        """Emits an object in memory; the module stays as it was.

        Args:
            plan: Whose options hold meanwhile; its pipeline is not run.
            target: What the IR does not say about the code to generate.
            keep: Whether the object's bytes are wanted, too.

        Raises:
            PlanError: LLVM does not accept the plan's options.
            EngineError: LLVM cannot emit the module.
        """
        sizes, content, error = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        n_bytes = ctypes.c_size_t()
        outcome = self._native.cca_module_emit(
            self._open(),
            None if plan is None else _encode(plan),
            ctypes.byref(_struct(target)),
            ctypes.byref(sizes),
            ctypes.byref(content) if keep else None,
            ctypes.byref(n_bytes),
            ctypes.byref(error),
        )
        self._check(outcome, error)
        fields = json.loads(self._library._take(sizes))
        kept = b""
        if keep:
            kept = ctypes.string_at(content, n_bytes.value)
            self._native.cca_free(content)
        return Emission(
            text_bytes=fields["text_bytes"],
            data_bytes=fields["data_bytes"],
            unwind_bytes=fields["unwind_bytes"],
            object_bytes=fields["object_bytes"],
            sections=MappingProxyType(fields["sections"]),
            functions=MappingProxyType(fields["functions"]),
            content=kept,
        )

    def _open(self) -> int:
        if self._handle is None:
            raise EngineError("the module has been closed")
        return self._handle

    def _text(self, function: str, *arguments: bytes) -> str:
        error = ctypes.c_void_p()
        text = getattr(self._native, function)(self._open(), *arguments, ctypes.byref(error))
        if not text:
            raise EngineError(self._library._take(error))
        return self._library._take(ctypes.c_void_p(text))

    def _counts(self, function: str, n_entries: int) -> NDArray[np.int64]:
        self._library.bind_observing()
        import numpy as np

        counts = np.zeros(n_entries, dtype=np.int64)
        error = ctypes.c_void_p()
        self._check(getattr(self._native, function)(self._open(), counts.ctypes.data, ctypes.byref(error)), error)
        return counts

    def _check(self, outcome: int, error: ctypes.c_void_p) -> None:
        if outcome != _OK:
            text = self._library._take(error)
            raise PlanError(text) if outcome == _PLAN_ERROR else EngineError(text)


def _encode(text: str) -> bytes:
    if "\0" in text:
        raise PlanError("a plan has no NUL characters")
    return text.encode()


def _struct(target: Target) -> _TargetStruct:
    return _TargetStruct(
        cpu=target.cpu.encode(),
        features=target.features.encode(),
        optimization_level=target.optimization_level,
        function_sections=int(target.function_sections),
        data_sections=int(target.data_sections),
    )
