// What a module is made of, in numbers that can be compared with those of other modules.
#pragma once
#include <array>
#include <cstdint>

namespace llvm {
class Module;
}

namespace cc_agent {

/// Instructions, basic blocks, functions (declarations too), then the count of each of the 67 opcodes of LLVM 10 in its order.
/// Source: InstCount of CompilerGym 0.2.5, third_party/llvm/InstCount.cc. What LLVM 22 has besides, PtrToAddr, counts as PtrToInt.
using Features = std::array<int64_t, 70>;

Features countFeatures(const llvm::Module &module);

} // namespace cc_agent
