// Mistakes in control flow: branches and switches.
#include "mutation.h"

using namespace llvm;

namespace cc_agent {
namespace {

BranchInst *conditional(Instruction &instruction) {
  auto *branch = dyn_cast<BranchInst>(&instruction);
  return branch && branch->isConditional() && branch->getSuccessor(0) != branch->getSuccessor(1) ? branch : nullptr;
}

void swapped(Instruction &instruction, Context &, Sites &sites) {
  if (BranchInst *branch = conditional(instruction))
    sites.push_back({branch, [=] { branch->swapSuccessors(); }});
}

void folded(Instruction &instruction, Context &context, Sites &sites) {
  BranchInst *branch = conditional(instruction);
  if (!branch)
    return;
  for (unsigned kept : {0u, 1u}) {
    // A loop without its exit is a mistake, but one that says no more than that it hangs.
    Loop *loop = context.loops.getLoopFor(branch->getParent());
    if (!loop || loop->contains(branch->getSuccessor(1 - kept)))
      sites.push_back({branch, [=] { takeOnly(*branch, kept); }});
  }
}

void caseDropped(Instruction &instruction, Context &, Sites &sites) {
  auto *choice = dyn_cast<SwitchInst>(&instruction);
  if (!choice)
    return;
  for (auto &one : choice->cases())
    if (one.getCaseSuccessor() != choice->getDefaultDest())
      sites.push_back({choice, [choice, value = one.getCaseValue()] {
                         auto found = choice->findCaseValue(value);
                         found->getCaseSuccessor()->removePredecessor(choice->getParent(), /*KeepOneInputPHIs=*/true);
                         choice->removeCase(found);
                       }});
}

void caseValue(Instruction &instruction, Context &, Sites &sites) {
  auto *choice = dyn_cast<SwitchInst>(&instruction);
  if (!choice)
    return;
  for (auto &one : choice->cases()) {
    auto *next = ConstantInt::get(choice->getContext(), one.getCaseValue()->getValue() + 1);
    if (choice->findCaseValue(next) == choice->case_default())
      sites.push_back({choice, [choice, value = one.getCaseValue(), next] { choice->findCaseValue(value)->setValue(next); }});
  }
}

void caseTarget(Instruction &instruction, Context &, Sites &sites) {
  auto *choice = dyn_cast<SwitchInst>(&instruction);
  if (!choice)
    return;
  for (unsigned i = 0; i + 1 < choice->getNumCases(); ++i) {
    auto first = choice->case_begin() + i, second = choice->case_begin() + i + 1;
    if (first->getCaseSuccessor() != second->getCaseSuccessor())
      sites.push_back({choice, [=] {
                         auto one = choice->case_begin() + i, other = choice->case_begin() + i + 1;
                         ConstantInt *value = one->getCaseValue();
                         one->setValue(other->getCaseValue());
                         other->setValue(value);
                       }});
  }
}

void divisionSpeculated(Instruction &instruction, Context &context, Sites &sites) {
  if (!instruction.isIntDivRem() || isa<Constant>(instruction.getOperand(1)))
    return;
  if (BranchInst *guard = guardOf(instruction, context))
    sites.push_back({&instruction, [=, &instruction] { instruction.moveBefore(guard->getIterator()); }});
}

const Kind kinds[] = {
    {"branch-swapped", "jumps to the other target", swapped},
    {"branch-folded", "jumps to the same target whatever the condition says", folded},
    {"switch-case-dropped", "sends a case to the default", caseDropped},
    {"switch-case-value", "adds one to the value of a case", caseValue},
    {"switch-case-target", "exchanges the targets of two cases", caseTarget},
    {"division-speculated", "divides before the check that the division is for", divisionSpeculated},
};

} // namespace

ArrayRef<Kind> branchKinds() { return kinds; }

} // namespace cc_agent
