#include "mutation.h"

#include "llvm/IR/PatternMatch.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;

namespace cc_agent {

std::vector<const Kind *> allKinds() {
  std::vector<const Kind *> all;
  for (ArrayRef<Kind> group : {integerKinds(), flagKinds(), floatKinds(), comparisonKinds(), valueKinds(), branchKinds(), loopKinds(),
                               loadKinds(), storeKinds(), copyKinds(), callKinds(), addressKinds()})
    for (const Kind &kind : group)
      all.push_back(&kind);
  return all;
}

void replace(Instruction &old, Value *with) {
  if (isa<Instruction>(with) && !with->hasName())
    with->takeName(&old);
  old.replaceAllUsesWith(with);
  SmallVector<WeakTrackingVH, 4> operands;
  for (Value *operand : old.operands())
    if (isa<Instruction>(operand))
      operands.push_back(operand);
  old.eraseFromParent();
  RecursivelyDeleteTriviallyDeadInstructionsPermissive(operands);
}

void wrap(Instruction &old, function_ref<Value *(IRBuilder<> &)> make) {
  SmallVector<Use *, 8> uses;
  for (Use &use : old.uses())
    uses.push_back(&use);
  IRBuilder<> builder(old.getParent(), *old.getInsertionPointAfterDef());
  builder.SetCurrentDebugLocation(old.getDebugLoc());
  Value *value = make(builder);
  for (Use *use : uses)
    use->set(value);
}

void rebuild(Instruction &old, function_ref<Value *(IRBuilder<> &)> make) {
  IRBuilder<> builder(&old);
  replace(old, make(builder));
}

BranchInst *guardOf(Instruction &instruction, const Context &context) {
  BasicBlock *before = instruction.getParent()->getSinglePredecessor();
  auto *branch = before ? dyn_cast<BranchInst>(before->getTerminator()) : nullptr;
  if (!branch || !branch->isConditional() || branch->getSuccessor(0) == branch->getSuccessor(1))
    return nullptr;
  for (Value *operand : instruction.operands())
    if (!availableAt(*operand, *branch, context))
      return nullptr;
  return branch;
}

bool availableAt(const Value &value, const Instruction &at, const Context &context) {
  auto *instruction = dyn_cast<Instruction>(&value);
  return !instruction || context.dominators.dominates(instruction, &at);
}

void takeOnly(BranchInst &branch, unsigned kept) {
  BasicBlock *block = branch.getParent(), *lost = branch.getSuccessor(1 - kept);
  auto *condition = dyn_cast<Instruction>(branch.getCondition());
  lost->removePredecessor(block, /*KeepOneInputPHIs=*/true);
  IRBuilder<>(&branch).CreateBr(branch.getSuccessor(kept));
  branch.eraseFromParent();
  if (condition)
    RecursivelyDeleteTriviallyDeadInstructions(condition);
}

const APInt *constantOf(const Value *value) {
  const APInt *constant;
  return PatternMatch::match(value, PatternMatch::m_APInt(constant)) ? constant : nullptr;
}

bool isPlain(const Instruction &instruction) {
  if (auto *load = dyn_cast<LoadInst>(&instruction))
    return load->isSimple();
  auto *store = dyn_cast<StoreInst>(&instruction);
  return store && store->isSimple();
}

bool isRealCall(const Instruction &instruction) {
  auto *call = dyn_cast<CallInst>(&instruction);
  return call && !isa<IntrinsicInst>(call) && !call->isInlineAsm() && !call->isMustTailCall() && !call->hasFnAttr(Attribute::ReturnsTwice);
}

} // namespace cc_agent
