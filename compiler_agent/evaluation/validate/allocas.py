"""How each alloca is kept: as a register, as memory of its own, or in the memory that others see.

This is the validator's own promotion of locals. LLVM's would put LLVM's passes among what has to be trusted.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from compiler_agent.evaluation.validate.ir import Function, Instruction
from compiler_agent.evaluation.validate.values import Unsupported, store_bytes, width_of


class Kept(enum.Enum):
    """Where the contents of an alloca are."""

    SLOT = "slot"
    """It is only loaded and stored as a whole: a register."""
    PRIVATE = "private"
    """Nobody else can know its address: memory of its own."""
    SHARED = "shared"
    """Its address gets out: in the memory that calls see."""


_LIFETIME = ("llvm.lifetime.start", "llvm.lifetime.end")
_TRANSFERS = ("llvm.memcpy", "llvm.memmove", "llvm.memset", "llvm.memcpy.inline", "llvm.memset.inline")


def classify(function: Function) -> Mapping[int, Kept]:
    """By the number of each alloca of a function."""
    users: dict[int, list[tuple[Instruction, int]]] = {}
    for one in function.instructions.values():
        for index, operand in enumerate(one.operands):
            if operand[0] == "v":
                users.setdefault(operand[1], []).append((one, index))
    return {one.number: _kept(one, users) for one in function.instructions.values() if one.op == "alloca"}


def _kept(slot: Instruction, users: Mapping[int, list[tuple[Instruction, int]]]) -> Kept:
    if _is_slot(slot, users.get(slot.number, [])):
        return Kept.SLOT
    waiting, seen = [slot.number], {slot.number}
    while waiting:
        for user, index in users.get(waiting.pop(), []):
            if user.op == "getelementptr" and index == 0 and user.type == "ptr":
                if user.number not in seen:
                    seen.add(user.number)
                    waiting.append(user.number)
            elif not _only_accesses(user, index):
                return Kept.SHARED
    return Kept.PRIVATE


def _is_slot(slot: Instruction, uses: list[tuple[Instruction, int]]) -> bool:
    allocated = slot.details["allocated"]
    try:
        size = store_bytes(allocated)
    except Unsupported:
        return False
    if size != slot.details["bytes"]:
        return False
    tags = set()
    for user, index in uses:
        if user.op == "call" and user.details.get("intrinsic") in _LIFETIME:
            continue
        if user.op == "load":
            type_ = user.type
        elif user.op == "store" and index == 1:
            type_ = "ptr" if allocated == "ptr" else user.details["stored"]
            if user.details["stored"] != "ptr" and allocated == "ptr":
                return False
        else:
            return False
        if user.details.get("volatile") or user.details.get("atomic"):
            return False
        if type_ != allocated and (type_ == "ptr" or allocated == "ptr" or not _same_width(type_, allocated)):
            return False
        tags.add(tuple(user.metadata.get(kind) for kind in ("tbaa", "alias.scope", "noalias")))
    return len(tags) <= 1  # contradictory claims of who may alias whom are looked at with the memory accesses


def _same_width(left: object, right: object) -> bool:
    try:
        return width_of(left) == width_of(right)
    except Unsupported:
        return False


def _only_accesses(user: Instruction, index: int) -> bool:
    if user.op == "load":
        return True
    if user.op == "store":
        return index == 1
    intrinsic = user.details.get("intrinsic") if user.op == "call" else None
    return intrinsic in _LIFETIME or (intrinsic in _TRANSFERS and index < 2)
