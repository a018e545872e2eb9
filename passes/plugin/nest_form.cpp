#include "nest_form.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/MustExecute.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace cc_agent {
namespace {

using Blocks = SmallPtrSet<const BasicBlock *, 4>;

bool isPlain(const Loop &loop) {
  return loop.isLoopSimplifyForm() && loop.isRotatedForm() && loop.getExitBlock() && loop.getExitingBlock() == loop.getLoopLatch() &&
         !loop.getHeader()->hasAddressTaken();
}

/// Whether what the next iteration of the outer loop begins with can be computed before this one's inner loop: neither of what that gives, nor
/// by anything that touches memory.
bool canBeginEarly(const Loop &outer, const BasicBlock &after, const Loop &inner) {
  SmallVector<const Instruction *> waiting;
  SmallPtrSet<const Instruction *, 8> seen;
  auto need = [&](const Value *value) {
    if (auto *instruction = dyn_cast<Instruction>(value); instruction && seen.insert(instruction).second)
      waiting.push_back(instruction);
  };
  for (const PHINode &merged : outer.getHeader()->phis())
    need(merged.getIncomingValueForBlock(outer.getLoopLatch()));
  while (!waiting.empty()) {
    const Instruction *instruction = waiting.pop_back_val();
    if (inner.contains(instruction))
      return false;
    if (instruction->getParent() != &after)
      continue;
    if (isa<PHINode>(instruction) || instruction->mayHaveSideEffects() || instruction->mayReadOrWriteMemory())
      return false;
    for (const Value *operand : instruction->operands())
      need(operand);
  }
  return true;
}

} // namespace

// Source: llvm/lib/Transforms/Utils/LoopUnrollAndJam.cpp, what isSafeToUnrollAndJam() asks before it asks for dependences.
bool hasFormToJam(Loop &outer, DominatorTree &dominators) {
  if (outer.getSubLoops().size() != 1 || !outer.getSubLoops().front()->isInnermost())
    return false;
  Loop &inner = *outer.getSubLoops().front();
  if (!isPlain(outer) || !isPlain(inner))
    return false;
  Blocks before;
  unsigned nAfter = 0;
  for (BasicBlock *block : outer.blocks())
    if (!inner.contains(block)) {
      if (dominators.dominates(inner.getLoopLatch(), block))
        ++nAfter;
      else
        before.insert(block);
    }
  // What comes before leads to the inner loop and nowhere else.
  auto isStraight = [&](const BasicBlock *block) {
    return block == inner.getLoopPreheader() || all_of(successors(block), [&](const BasicBlock *next) { return before.contains(next); });
  };
  if (nAfter != 1 || !all_of(before, isStraight))
    return false;
  SimpleLoopSafetyInfo safety;
  safety.computeLoopSafetyInfo(&outer);
  return !safety.anyBlockMayThrow() && canBeginEarly(outer, *outer.getLoopLatch(), inner);
}

} // namespace cc_agent
