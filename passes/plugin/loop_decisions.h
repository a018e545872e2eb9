// Decisions for a loop, written as clang writes `#pragma clang loop`.
#pragma once
#include "decisions.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"

namespace cc_agent {

/// The loops of a function; decisions count them in preorder.
class LoopsOf {
public:
  explicit LoopsOf(llvm::Function &function) : tree(function), loops(tree), preorder(loops.getLoopsInPreorder()) {}
  llvm::ArrayRef<llvm::Loop *> inPreorder() const { return preorder; }

private:
  llvm::DominatorTree tree;
  llvm::LoopInfo loops;
  llvm::SmallVector<llvm::Loop *, 4> preorder;
};

/// Puts the decisions into the loop's metadata, in the place of what the source asks for the same transformations. What else stands there stays.
void decideLoop(llvm::Loop &loop, llvm::ArrayRef<const Decision *> decisions);

} // namespace cc_agent
