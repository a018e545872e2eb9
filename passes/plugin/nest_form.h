// The form that llvm::UnrollAndJamLoop() takes.
#pragma once

namespace llvm {
class DominatorTree;
class Loop;
} // namespace llvm

namespace cc_agent {

/// Whether a loop with one innermost loop within is built as LLVM's unroll-and-jam needs it, whatever its accesses and trip counts are.
///
/// LLVM's own test, isSafeToUnrollAndJam(), asks for dependences, too, and that the outer loop runs equally often in each iteration of a
/// loop around it, which matters to nobody.
bool hasFormToJam(llvm::Loop &outer, llvm::DominatorTree &dominators);

} // namespace cc_agent
