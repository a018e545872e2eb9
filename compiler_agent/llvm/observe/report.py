"""An observation as data, for `observe --json`; redacted like the text."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from compiler_agent.llvm.observe.redaction import Redaction

if TYPE_CHECKING:
    from compiler_agent.llvm.observe.observer import Observer

_FILES = ("file", "source")
_SYMBOLS = ("name", "function", "callee")


def to_json(observer: Observer) -> dict[str, Any]:
    """Everything that the texts are made of."""
    redaction = observer.redaction
    effects = observer.effects
    return {
        "triple": observer.summary.triple,
        "cpu": observer.cpu,
        "stock_plan": observer.stock_plan,
        "instructions": observer.summary.instructions,
        "weighed_by": observer.measure,
        "functions": [
            {
                **_plain(function, redaction),
                "weight": observer.weights[function.name],
                "instructions_after": effects.after.get(function.name),
                "code_bytes": effects.code_bytes.get(function.name),
            }
            for function in observer.functions
        ],
        "passes": [
            {
                "name": one.name,
                "runs": one.runs,
                "changed": one.changed,
                "gained": {redaction.name(name): count for name, count in one.gained.items()},
            }
            for one in effects.passes
        ],
        "remarks": [
            {
                "kind": one.kind,
                "pass": one.pass_name,
                "name": one.name,
                "function": redaction.name(one.function),
                "line": one.line,
                "message": one.message(redaction),
            }
            for one in observer.compiled.remarks
        ],
    }


def _plain(value: Any, redaction: Redaction, name: str = "") -> Any:
    """A value as JSON can hold it; what its field is called says how it is redacted."""
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {one.name: _plain(getattr(value, one.name), redaction, one.name) for one in fields}
    if isinstance(value, tuple):
        return [_plain(one, redaction, name) for one in value]
    if not isinstance(value, str):
        return value
    if name in _FILES:
        return redaction.file(value)
    return redaction.name(value) if name in _SYMBOLS and not value.startswith("%") else redaction.ir(value)
