// A nest of loops twice: as it is, and for where conditions hold.
#pragma once

#include "nest_dependences.h"

namespace llvm {
class LoopInfo;
} // namespace llvm

namespace cc_agent {

/// Copies the nest. What was there is run where the conditions hold, and says in its metadata which of its accesses do not alias; the copy
/// is run where they do not. The nest has one exit and is in loop-simplify and LCSSA form, as are both afterwards. False: nothing was changed, since the conditions cannot be
/// computed in front of the nest.
bool versionNest(llvm::Loop &nest, const NestConditions &conditions, llvm::LoopInfo &loops, llvm::DominatorTree &dominators,
                 llvm::ScalarEvolution &scev);

} // namespace cc_agent
