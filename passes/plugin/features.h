// What a module is made of, in numbers that can be compared with those of other modules; see docs/features.md.
#pragma once
#include <array>
#include <cstdint>

namespace llvm {
class Module;
}

namespace cc_agent {

/// Instructions, basic blocks, functions (declarations too), then the count of each of the 67 opcodes of LLVM 10 in its order.
/// Source: InstCount of CompilerGym 0.2.5, third_party/llvm/InstCount.cc. What LLVM 22 has besides, PtrToAddr, counts as PtrToInt.
using InstCount = std::array<int64_t, 70>;

/// Shapes of the control flow graph, phis, constant operands and some opcodes.
/// Source: Autophase as in CompilerGym 0.2.5, third_party/autophase/InstCount.cc.
using Autophase = std::array<int64_t, 56>;

InstCount countInstructions(const llvm::Module &module);
Autophase countAutophase(const llvm::Module &module);

/// The number of instructions among the 56.
int64_t instructionsOf(const Autophase &counts);

/// Where InstCount has its three totals, and an opcode of LLVM 22.
enum { TotalInstructions, TotalBlocks, TotalFunctions, FirstOpcode };
size_t placeOfOpcode(unsigned opcode);

} // namespace cc_agent
