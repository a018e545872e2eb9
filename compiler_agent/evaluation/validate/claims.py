"""Attributes that only the optimized function has: claims that nobody made before.

Those about values (noundef, nonnull, range, align, dereferenceable) become part of what is proved. Of the others, those
that LLVM finds out by itself are looked after here by reading the body; what cannot be confirmed refuses the proof.
"""

from __future__ import annotations

from compiler_agent.evaluation.validate.effects import effects_of
from compiler_agent.evaluation.validate.flow import flow_of
from compiler_agent.evaluation.validate.ir import Function, Instruction, Module

_VALUE = ("noundef", "nonnull", "align", "dereferenceable", "dereferenceable_or_null", "range")
"""Modelled on values."""
_ABOUT_POINTERS = ("captures", "readonly", "readnone", "writeonly", "nofree", "initializes", "nosync")
_UNUSED = (
    "norecurse",
    "nosync",
    "nofree",
    "nocallback",
    "mustprogress",
    "memory",
    "willreturn",
    "nounwind",
    "noreturn",
)


def new_claims(before: Function, after: Function, module: Module) -> str:
    """Why the target's own attributes cannot be accepted; empty if they can."""
    old, new = before.attributes, after.attributes
    for index in range(len(after.arguments)):
        for text in sorted(new.argument(index).texts - old.argument(index).texts):
            if _name(text) not in _VALUE + _ABOUT_POINTERS:
                return f"new attribute {text} of argument {index}"
        if any(_name(text) == "noalias" for text in new.argument(index).texts):
            return "a noalias argument"
        gone = [text for text in old.argument(index).texts - new.argument(index).texts if _abi(text)]
        if gone:
            return f"argument {index} lost {gone[0]}"
    for text in sorted(new.result.texts - old.result.texts):
        if _name(text) not in _VALUE:
            return f"new attribute {text} of the result"
    for text in sorted(new.function.texts - old.function.texts):
        name = _name(text)
        if text.startswith('"') or name not in _UNUSED:
            return f"new attribute {text}"
        if name in ("nounwind", "noreturn", "willreturn", "memory", "mustprogress") and not _holds(text, after, module):
            return f"new attribute {text}, which was not confirmed"
    if before.details["convention"] != after.details["convention"]:
        return "the calling convention was changed"
    return ""


def _name(text: str) -> str:
    return text.split("(")[0].split(" ")[0]


def _abi(text: str) -> bool:
    return _name(text) in ("zeroext", "signext", "inreg", "byval", "sret", "byref", "nest", "swiftself", "inalloca")


def _calls(function: Function) -> list[Instruction]:
    return [one for one in function.instructions.values() if one.op in ("call", "invoke", "callbr")]


def _holds(text: str, function: Function, module: Module) -> bool:
    name = _name(text)
    others = [one for one in _calls(function) if "intrinsic" not in one.details]
    if name == "nounwind":
        return all(_calm(one, module) for one in others) and not _has(function, "resume")
    if name == "mustprogress":
        return not flow_of(function).heads and not others
    if name == "willreturn":
        return not flow_of(function).heads and all("willreturn" in one.attributes.function for one in others)
    if name == "noreturn":
        return not _has(function, "ret")
    return effects_of(function, module).within(text)


def _calm(call: Instruction, module: Module) -> bool:
    """Whether a call is known not to unwind: it says so, or its callee does, which is checked with the callee."""
    callee = call.details.get("callee", [""])
    function = module.functions.get(callee[1]) if callee[0] == "g" else None
    return "nounwind" in call.attributes.function or (
        function is not None and "nounwind" in function.attributes.function
    )


def _has(function: Function, op: str) -> bool:
    return any(one.op == op for one in function.instructions.values())


def value_claim(text: str) -> bool:
    """Whether an attribute is about a value, and modelled on it."""
    return _name(text) in _VALUE
