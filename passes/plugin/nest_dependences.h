// Whether iterations of a loop may be interleaved over the loop within it, and what has to hold at run time for that.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Instruction.h"
#include <optional>
#include <utility>
#include <vector>

namespace llvm {
class AAResults;
class DominatorTree;
class Loop;
class ScalarEvolution;
class SCEV;
} // namespace llvm

namespace cc_agent {

/// Loads and stores of a nest whose addresses differ by constants, in all iterations.
struct AccessGroup {
  std::vector<llvm::Instruction *> members;
  const llvm::SCEV *low = nullptr; ///< the first byte that one execution of the nest touches
  const llvm::SCEV *end = nullptr; ///< behind the last one
};

/// What an execution of a nest has to look up before it may run interleaved.
struct NestConditions {
  std::vector<AccessGroup> groups;
  std::vector<std::pair<unsigned, unsigned>> disjoint;                       ///< these groups' bytes do not overlap
  std::vector<std::pair<const llvm::SCEV *, const llvm::SCEV *>> notSmaller; ///< the first is the second or more, as signed numbers

  bool holdAlways() const { return disjoint.empty() && notSmaller.empty(); }
};

/// What must hold for `count` iterations of `outer` in a row to be run together: what comes before its inner loop for all of them, then each
/// iteration of the inner loop for all of them, then what comes after it. Nothing: it may not, or it is not known. The order of accesses
/// alone is looked at; llvm::isSafeToUnrollAndJam() knows the rest. Where it says no, `whyNot` says why.
///
/// LLVM's own test asks in which directions dependences go in all loops around, and so has to take addresses apart into subscripts,
/// which it can do for few parametric shapes. Here all loops around `outer` stand still.
std::optional<NestConditions> conditionsToJam(llvm::Loop &outer, unsigned count, llvm::ScalarEvolution &scev, llvm::AAResults &aliases,
                                              llvm::DominatorTree &dominators, llvm::StringRef &whyNot);

} // namespace cc_agent
