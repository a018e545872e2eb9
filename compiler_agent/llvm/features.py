"""What a module is made of, as vectors of counts: CompilerGym's InstCount and Autophase, counted in C++.

`Module.inst_count()` and `Module.autophase()` count a module in this process, `Engine.measure(…, features=True)` counts
one after a plan. `docs/features.md` defines each entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # the launcher's miss pays for each import, and needs the names alone
    import numpy as np
    from numpy.typing import NDArray

Counts: TypeAlias = "Sequence[int] | NDArray[np.int64]"

_TOTALS = ("TotalInsts", "TotalBlocks", "TotalFuncs")

_OPCODES = (
    *("Ret", "Br", "Switch", "IndirectBr", "Invoke", "Resume", "Unreachable", "CleanupRet", "CatchRet", "CatchSwitch"),
    *("CallBr", "FNeg", "Add", "FAdd", "Sub", "FSub", "Mul", "FMul", "UDiv", "SDiv", "FDiv", "URem", "SRem", "FRem"),
    *("Shl", "LShr", "AShr", "And", "Or", "Xor", "Alloca", "Load", "Store", "GetElementPtr", "Fence", "AtomicCmpXchg"),
    *("AtomicRMW", "Trunc", "ZExt", "SExt", "FPToUI", "FPToSI", "UIToFP", "SIToFP", "FPTrunc", "FPExt", "PtrToInt"),
    *("IntToPtr", "BitCast", "AddrSpaceCast", "CleanupPad", "CatchPad", "ICmp", "FCmp", "PHI", "Call", "Select"),
    *("UserOp1", "UserOp2", "VAArg", "ExtractElement", "InsertElement", "ShuffleVector", "ExtractValue", "InsertValue"),
    *("LandingPad", "Freeze"),
)

INST_COUNT_NAMES: tuple[str, ...] = _TOTALS + _OPCODES
"""The 70 entries of InstCount: three totals, then LLVM 10's opcodes in the order of their numbers, 1 to 67."""

AUTOPHASE_NAMES: tuple[str, ...] = (
    *("BBNumArgsHi", "BBNumArgsLo", "onePred", "onePredOneSuc", "onePredTwoSuc", "oneSuccessor", "twoPred"),
    *("twoPredOneSuc", "twoEach", "twoSuccessor", "morePreds", "BB03Phi", "BBHiPhi", "BBNoPhi", "BeginPhi"),
    *("BranchCount", "returnInt", "CriticalCount", "NumEdges", "const32Bit", "const64Bit", "numConstZeroes"),
    *("numConstOnes", "UncondBranches", "binaryConstArg", "NumAShrInst", "NumAddInst", "NumAllocaInst", "NumAndInst"),
    *("BlockMid", "BlockLow", "NumBitCastInst", "NumBrInst", "NumCallInst", "NumGetElementPtrInst", "NumICmpInst"),
    *("NumLShrInst", "NumLoadInst", "NumMulInst", "NumOrInst", "NumPHIInst", "NumRetInst", "NumSExtInst"),
    *("NumSelectInst", "NumShlInst", "NumStoreInst", "NumSubInst", "NumTruncInst", "NumXorInst", "NumZExtInst"),
    *("TotalBlocks", "TotalInsts", "TotalMemInst", "TotalFuncs", "ArgsPhi", "testUnary"),
)
"""The 56 entries of Autophase."""


def inst_count_dict(counts: Counts) -> dict[str, int]:
    """InstCount's 70 counts as CompilerGym's InstCountDict: `{"TotalInstsCount": …, "RetCount": …}`."""
    return {f"{name}Count": int(count) for name, count in zip(INST_COUNT_NAMES, counts, strict=True)}


def inst_count_norm(counts: Counts) -> NDArray[np.float32]:
    """CompilerGym's InstCountNorm: float32 of shape (69,), each entry but the first per instruction of the module.

    Opcodes' shares sum to 1; there may be more functions than instructions where most are only declared.
    """
    import numpy as np

    numbers = np.asarray(counts, dtype=np.int64)
    return (numbers[1:] / max(numbers[0], 1)).astype(np.float32)


def inst_count_norm_dict(counts: Counts) -> dict[str, float]:
    """CompilerGym's InstCountNormDict of InstCount's 70 counts: `{"TotalBlocksDensity": …, "RetDensity": …}`."""
    return {
        f"{name}Density": float(share)
        for name, share in zip(INST_COUNT_NAMES[1:], inst_count_norm(counts), strict=True)
    }


def autophase_dict(counts: Counts) -> dict[str, int]:
    """Autophase's 56 counts by their names: CompilerGym's AutophaseDict."""
    return {name: int(count) for name, count in zip(AUTOPHASE_NAMES, counts, strict=True)}
