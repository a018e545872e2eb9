"""Which of GCC's options are no optimizations that a build could use without a change of what it promises.

Reviewed by hand for GCC 12: GCC lists them among the optimizations, and a search for small objects would find them
first. `options="all"` has them nevertheless. Source: "Options That Control Optimization", "Options for Code Generation
Conventions" and "Program Instrumentation Options" of GCC 12's manual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from compiler_agent.search.env.gcc.options import Option

_FLOATING_POINT = """
associative-math cx-fortran-rules cx-limited-range excess-precision fast-math finite-math-only float-store fp-contract
fp-int-builtin-inexact math-errno reciprocal-math rounding-math signaling-nans signed-zeros single-precision-constant
trapping-math unsafe-math-optimizations
"""
_LANGUAGE = """
allow-store-data-races delete-null-pointer-checks exceptions finite-loops non-call-exceptions delete-dead-exceptions
nothrow-opt rtti strict-enums strict-volatile-bitfields threadsafe-statics trapv wrapv wrapv-pointer
unconstrained-commons
"""
_INTERFACE = """
inline-atomics pack-struct patchable-function-entry plt reg-struct-return semantic-interposition short-enums short-wchar
asynchronous-unwind-tables unwind-tables live-patching keep-gc-roots-live
"""
_PROTECTION = """
harden-compares harden-conditional-branches stack-check stack-clash-protection stack-protector stack-protector-all
stack-protector-explicit stack-protector-strong trivial-auto-var-init
"""
_NO_OPTIMIZATION = """
opt-info save-optimization-record var-tracking var-tracking-assignments var-tracking-assignments-toggle
var-tracking-uninit branch-probabilities profile-partial-training profile-reorder-functions vpt
loop-parallelize-all tree-parallelize-loops sched-spec-load-dangerous
"""
LEFT_OUT = {
    "it changes what floating-point arithmetic gives": _FLOATING_POINT.split(),
    "it changes what the language promises, or what may throw": _LANGUAGE.split(),
    "it changes what other objects, debuggers and unwinders rely on": _INTERFACE.split(),
    "it takes or gives protection against attacks": _PROTECTION.split(),
    "it prints, profiles, starts threads or speculates dangerously": _NO_OPTIMIZATION.split(),
}
"""Flags, without -f, by reason."""
_PARAMETERS = re.compile(
    r"(asan-|hwasan-|analyzer-|parloops-|tm-|stack-clash-|uninit-|use-after-scope-|ggc-|lto-).*|ssp-buffer-size"
    r"|.*-debug|(con|de)structive-interference-size|max-vartrack-.*|max-debug-.*|min-pagesize"
)
"""Parameters of sanitizers, of the analyzer, of debug information, and of interfaces."""
_LEVELS = ("-Ofast", "-Og")
"""Levels that are not among the choices: fast-math, and debugging."""


def production(options: Iterable[Option]) -> tuple[Option, ...]:
    """The options that keep what a build promises."""
    out = {f"-f{name}" for names in LEFT_OUT.values() for name in names}
    kept = (one for one in options if one.name not in out and not _PARAMETERS.fullmatch(one.name[len("--param=") :]))
    return tuple(replace(one, choices=tuple(word for word in one.choices if word not in _LEVELS)) for one in kept)
