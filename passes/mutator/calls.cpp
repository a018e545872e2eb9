// Mistakes with calls: dropped, repeated, in another order, with other arguments, with an assumed result.
#include "mutation.h"

using namespace llvm;

namespace cc_agent {
namespace {

CallInst *effective(Instruction &instruction) {
  return isRealCall(instruction) && instruction.mayHaveSideEffects() && !cast<CallInst>(instruction).doesNotReturn() ? cast<CallInst>(&instruction)
                                                                                                                : nullptr;
}

void dropped(Instruction &instruction, Context &, Sites &sites) {
  CallInst *call = effective(instruction);
  if (call && call->use_empty())
    sites.push_back({call, [=] { call->eraseFromParent(); }});
}

void repeated(Instruction &instruction, Context &, Sites &sites) {
  CallInst *call = effective(instruction);
  if (call && call->use_empty())
    sites.push_back({call, [=] { call->clone()->insertAfter(call); }});
}

/// The second call goes before the first, with what computes its arguments where that is nothing but arithmetic in between.
void reordered(Instruction &instruction, Context &context, Sites &sites) {
  CallInst *first = effective(instruction);
  if (!first)
    return;
  for (auto it = std::next(first->getIterator()); !it->isTerminator(); ++it) {
    CallInst *second = effective(*it);
    if (!second)
      continue;
    if (!second->isIdenticalTo(first) && all_of(second->operands(), [&](Value *operand) { return availableAt(*operand, *first, context); }))
      sites.push_back({first, [=] { second->moveBefore(first->getIterator()); }});
    return;
  }
}

void speculated(Instruction &instruction, Context &context, Sites &sites) {
  CallInst *call = effective(instruction);
  if (BranchInst *guard = call ? guardOf(*call, context) : nullptr)
    sites.push_back({call, [=] { call->moveBefore(guard->getIterator()); }});
}

void argumentsSwapped(Instruction &instruction, Context &, Sites &sites) {
  if (!isRealCall(instruction))
    return;
  auto *call = cast<CallInst>(&instruction);
  for (unsigned i = 0; i + 1 < call->arg_size(); ++i)
    for (unsigned j = i + 1; j < call->arg_size(); ++j)
      if (call->getArgOperand(i) != call->getArgOperand(j) && call->getArgOperand(i)->getType() == call->getArgOperand(j)->getType() &&
          call->getAttributes().getParamAttrs(i) == call->getAttributes().getParamAttrs(j)) {
        sites.push_back({call, [=] {
                           Value *first = call->getArgOperand(i);
                           call->setArgOperand(i, call->getArgOperand(j));
                           call->setArgOperand(j, first);
                         }});
        return;
      }
}

void resultAssumed(Instruction &instruction, Context &, Sites &sites) {
  if (!isRealCall(instruction) || instruction.use_empty() || instruction.getType()->isAggregateType())
    return;
  sites.push_back({&instruction, [&instruction] { instruction.replaceAllUsesWith(Constant::getNullValue(instruction.getType())); }});
}

/// Two calls of one function with the same arguments become one, as if it had no effect and read nothing that changes.
void merged(Instruction &instruction, Context &, Sites &sites) {
  CallInst *second = effective(instruction);
  if (!second)
    return;
  for (auto it = second->getReverseIterator(); ++it != second->getParent()->rend();)
    if (auto *first = dyn_cast<CallInst>(&*it); first && first->isIdenticalTo(second)) {
      sites.push_back({second, [=] {
                         second->replaceAllUsesWith(first);
                         second->eraseFromParent();
                       }});
      return;
    }
}

const Kind kinds[] = {
    {"call-dropped", "drops a call whose result is not used", dropped},
    {"call-repeated", "calls twice", repeated},
    {"call-reordered", "exchanges two calls", reordered},
    {"call-speculated", "calls before the branch that decides whether to", speculated},
    {"call-arguments-swapped", "passes two arguments in the wrong order", argumentsSwapped},
    {"call-result-assumed", "takes the result of a call to be zero", resultAssumed},
    {"call-merged", "takes a second call to change nothing", merged},
};

} // namespace

ArrayRef<Kind> callKinds() { return kinds; }

} // namespace cc_agent
