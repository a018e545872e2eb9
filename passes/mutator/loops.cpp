// Mistakes in loops: how often they run, where they start, what is taken out of them.
#include "mutation.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// The comparison that ends a loop, if a bound that stays the same is one side of it: the index of that operand, or -1.
int boundOf(Instruction &instruction, const Context &context) {
  auto *compare = dyn_cast<ICmpInst>(&instruction);
  Loop *loop = compare ? context.loops.getLoopFor(compare->getParent()) : nullptr;
  auto *branch = loop ? dyn_cast<BranchInst>(compare->getParent()->getTerminator()) : nullptr;
  if (!branch || !branch->isConditional() || branch->getCondition() != compare || !loop->isLoopExiting(branch->getParent()))
    return -1;
  for (int i : {1, 0})
    if (loop->isLoopInvariant(compare->getOperand(i)) && !loop->isLoopInvariant(compare->getOperand(1 - i)) &&
        !isa<ConstantPointerNull>(compare->getOperand(i)))
      return i;
  return -1;
}

/// What the loop's counter advances by; one where that is not seen.
int64_t stepOf(ICmpInst &compare, int bound) {
  Value *counter = compare.getOperand(1 - bound);
  if (auto *phi = dyn_cast<PHINode>(counter))
    for (Value *incoming : phi->incoming_values())
      if (auto *next = dyn_cast<Instruction>(incoming); next && is_contained(next->operands(), phi))
        counter = next;
  if (auto *next = dyn_cast<Instruction>(counter); next && next->getNumOperands() == 2)
    if (const APInt *step = constantOf(next->getOperand(1)); step && step->getSignificantBits() <= 64)
      return next->getOpcode() == Instruction::Sub ? -step->getSExtValue() : step->getSExtValue();
  return 1;
}

Value *moved(ICmpInst &compare, int bound, int iterations) {
  IRBuilder<> builder(&compare);
  Value *value = compare.getOperand(bound);
  int64_t distance = iterations * stepOf(compare, bound);
  if (value->getType()->isPointerTy()) {
    auto *next = dyn_cast<GetElementPtrInst>(compare.getOperand(1 - bound));
    Type *element = next ? next->getSourceElementType() : builder.getInt8Ty();
    return builder.CreateGEP(element, value, builder.getInt64(distance));
  }
  return builder.CreateAdd(value, ConstantInt::getSigned(value->getType(), distance));
}

template <int iterations> void bound(Instruction &instruction, Context &context, Sites &sites) {
  int index = boundOf(instruction, context);
  if (index < 0 || instruction.getOperand(index)->getType()->isVectorTy())
    return;
  sites.push_back({&instruction, [index, &instruction] {
                     instruction.setOperand(index, moved(cast<ICmpInst>(instruction), index, iterations));
                   }});
}

void firstSkipped(Instruction &instruction, Context &context, Sites &sites) {
  auto *phi = dyn_cast<PHINode>(&instruction);
  Loop *loop = phi ? context.loops.getLoopFor(phi->getParent()) : nullptr;
  if (!loop || loop->getHeader() != phi->getParent() || !loop->getLoopPreheader() || !phi->getType()->isIntegerTy())
    return;
  int entry = phi->getBasicBlockIndex(loop->getLoopPreheader());
  const APInt *start = constantOf(phi->getIncomingValue(entry));
  if (!start || phi->getType()->isIntegerTy(1))
    return;
  sites.push_back({phi, [=] { phi->setIncomingValue(entry, ConstantInt::get(phi->getType(), *start + 1)); }});
}

void accumulatorStale(Instruction &instruction, Context &context, Sites &sites) {
  // What leaves the loop is the value before the last iteration: a phi after the loop takes the loop's phi, not its next value.
  auto *phi = dyn_cast<PHINode>(&instruction);
  Loop *loop = phi ? context.loops.getLoopFor(phi->getParent()) : nullptr;
  if (!loop || loop->getHeader() != phi->getParent() || !loop->getLoopLatch())
    return;
  auto *next = dyn_cast<Instruction>(phi->getIncomingValueForBlock(loop->getLoopLatch()));
  if (!next || next == phi)
    return;
  for (Use &use : next->uses()) {
    auto *user = cast<Instruction>(use.getUser());
    if (!loop->contains(user))
      sites.push_back({phi, [phi, use = &use] { use->set(phi); }});
  }
}

void loadTakenOut(Instruction &instruction, Context &context, Sites &sites) {
  auto *load = dyn_cast<LoadInst>(&instruction);
  Loop *loop = load ? context.loops.getLoopFor(load->getParent()) : nullptr;
  if (!loop || !load->isSimple() || !loop->getLoopPreheader() || !loop->isLoopInvariant(load->getPointerOperand()))
    return;
  bool written = any_of(loop->blocks(), [&](BasicBlock *block) {
    return any_of(*block, [&](Instruction &other) {
      return other.mayWriteToMemory() && isModSet(context.aliases.getModRefInfo(&other, MemoryLocation::get(load)));
    });
  });
  if (written)
    sites.push_back({load, [=] { load->moveBefore(loop->getLoopPreheader()->getTerminator()->getIterator()); }});
}

const Kind kinds[] = {
    {"loop-bound-more", "runs a loop once more", bound<1>},
    {"loop-bound-less", "skips a loop's last iteration", bound<-1>},
    {"loop-first-skipped", "starts a loop's counter one later", firstSkipped},
    {"loop-result-stale", "takes a loop's result from before its last iteration", accumulatorStale},
    {"load-hoisted-out-of-loop", "loads once what the loop itself overwrites", loadTakenOut},
};

} // namespace

ArrayRef<Kind> loopKinds() { return kinds; }

} // namespace cc_agent
