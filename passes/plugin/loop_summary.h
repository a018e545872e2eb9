// What LLVM's analyses say of one loop, as JSON.
#pragma once
#include "llvm/IR/PassManager.h"
#include "llvm/Support/JSON.h"

namespace llvm {
class DebugLoc;
class Loop;
} // namespace llvm

namespace cc_agent {

/// The line, in the function's own file, of what may have been inlined into it; 0: unknown.
int64_t lineOf(const llvm::DebugLoc &location);

/// Writes the attributes of the JSON object of `loop`, which is one of `function`, into the object that `out` has open:
/// trip counts, exits, values that go round, accesses with their strides, dependences, calls.
void writeLoop(llvm::json::OStream &out, llvm::Loop &loop, llvm::Function &function, llvm::FunctionAnalysisManager &functions);

} // namespace cc_agent
