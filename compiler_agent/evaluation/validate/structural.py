"""Whether two functions are the same up to the names of their registers and blocks."""

from __future__ import annotations

import json

from compiler_agent.evaluation.validate.ir import Function, Instruction, Module, reachable_symbols

_IGNORED = ("name",)


def same_function(source: Module, target: Module, name: str) -> tuple[str, ...] | None:
    """The functions of the module that both call, if the bodies are equal; None if they are not."""
    before, after = source.functions[name], target.functions[name]
    if _text(before) != _text(after):
        return None
    for symbol in reachable_symbols(source, before.symbols):
        one, two = source.globals.get(symbol), target.globals.get(symbol)
        if (one is None) != (two is None):
            return None
        if (
            one is not None
            and two is not None
            and (one.content, one.n_bytes, one.constant, one.local, one.align)
            != (two.content, two.n_bytes, two.constant, two.local, two.align)
        ):
            return None
        callee, other = source.functions.get(symbol), target.functions.get(symbol)
        if (callee is None) != (other is None):
            return None
        if callee is not None and other is not None and callee.attributes != other.attributes and not callee.defined:
            return None
    return tuple(sorted(call for call in before.callees if source.functions[call].defined))


def _text(function: Function) -> str:
    """Everything that has a meaning; registers and blocks are numbered in the order of the body already."""
    head = {key: value for key, value in function.details.items() if key not in ("exact", "arguments")}
    attributes = [
        sorted(function.attributes.function.texts),
        sorted(function.attributes.result.texts),
        [sorted(one.texts) for one in function.attributes.arguments],
    ]
    body = [[_line(one) for one in block] for block in function.blocks]
    return json.dumps([head, function.arguments, attributes, body], sort_keys=True)


def _line(one: Instruction) -> list[object]:
    details = {key: value for key, value in one.details.items() if key not in _IGNORED}
    if "attributes" in details:
        details["attributes"] = {
            "function": sorted(details["attributes"]["function"]),
            "result": sorted(details["attributes"]["result"]),
            "arguments": [sorted(entry) for entry in details["attributes"]["arguments"]],
        }
    return [one.number, one.op, one.type, one.operands, sorted(one.flags), one.successors, dict(one.metadata), details]
