// Mistakes in which of several values is taken: selects, phis, lanes, results, initial values of globals.
#include "mutation.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/PatternMatch.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace cc_agent {
namespace {

void selectInverted(Instruction &instruction, Context &, Sites &sites) {
  if (auto *select = dyn_cast<SelectInst>(&instruction); select && select->getTrueValue() != select->getFalseValue())
    sites.push_back({select, [=] { select->swapValues(); }});
}

void selectFolded(Instruction &instruction, Context &, Sites &sites) {
  auto *select = dyn_cast<SelectInst>(&instruction);
  if (!select || select->getTrueValue() == select->getFalseValue())
    return;
  sites.push_back({select, [=] { replace(*select, select->getTrueValue()); }});
  sites.push_back({select, [=] { replace(*select, select->getFalseValue()); }});
}

void wrongEdge(Instruction &instruction, Context &context, Sites &sites) {
  auto *phi = dyn_cast<PHINode>(&instruction);
  if (!phi)
    return;
  for (unsigned i = 0; i + 1 < phi->getNumIncomingValues(); ++i) {
    unsigned j = i + 1;
    Value *first = phi->getIncomingValue(i), *second = phi->getIncomingValue(j);
    if (first == second || phi->getIncomingBlock(i) == phi->getIncomingBlock(j))
      continue;
    // The two edges' values swapped where both are there; else one of them on both edges.
    bool secondThere = second != phi && availableAt(*second, *phi->getIncomingBlock(i)->getTerminator(), context);
    bool firstThere = first != phi && availableAt(*first, *phi->getIncomingBlock(j)->getTerminator(), context);
    bool repeated = count(phi->blocks(), phi->getIncomingBlock(i)) > 1 || count(phi->blocks(), phi->getIncomingBlock(j)) > 1;
    if ((!firstThere && !secondThere) || repeated)
      continue;
    sites.push_back({phi, [=] {
                       if (secondThere)
                         phi->setIncomingValue(i, second);
                       if (firstThere)
                         phi->setIncomingValue(j, first);
                     }});
  }
}

void returnValue(Instruction &instruction, Context &, Sites &sites) {
  auto *result = dyn_cast<ReturnInst>(&instruction);
  Value *value = result ? result->getReturnValue() : nullptr;
  if (!value || value->getType()->isAggregateType() || value->getType()->isX86_AMXTy())
    return;
  if (auto *constant = dyn_cast<ConstantInt>(value)) {
    sites.push_back({result, [=] { result->setOperand(0, ConstantInt::get(constant->getType(), constant->getValue() ^ 1)); }});
  } else if (auto *phi = dyn_cast<PHINode>(value); phi && phi->getParent() == result->getParent()) {
    // One edge into the common return brings the wrong constant.
    for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
      if (auto *constant = dyn_cast<ConstantInt>(phi->getIncomingValue(i)); constant && count(phi->blocks(), phi->getIncomingBlock(i)) == 1)
        sites.push_back({phi, [=] { phi->setIncomingValue(i, ConstantInt::get(constant->getType(), constant->getValue() ^ 1)); }});
  } else if (!isa<Constant>(value)) {
    sites.push_back({result, [=] { result->setOperand(0, Constant::getNullValue(value->getType())); }});
  }
}

void wrongLane(Instruction &instruction, Context &, Sites &sites) {
  unsigned index = isa<ExtractElementInst>(instruction) ? 1 : isa<InsertElementInst>(instruction) ? 2 : 0;
  if (auto *lane = index ? dyn_cast<ConstantInt>(instruction.getOperand(index)) : nullptr) {
    auto *type = dyn_cast<FixedVectorType>(instruction.getOperand(0)->getType());
    if (type && type->getNumElements() > 1 && !isa<PoisonValue>(instruction.getOperand(0)))
      sites.push_back({&instruction, [=, &instruction] {
                         uint64_t wrong = (lane->getZExtValue() + 1) % type->getNumElements();
                         instruction.setOperand(index, ConstantInt::get(lane->getType(), wrong));
                       }});
  } else if (auto *shuffle = dyn_cast<ShuffleVectorInst>(&instruction)) {
    SmallVector<int> mask(shuffle->getShuffleMask());
    for (size_t i = 0; i + 1 < mask.size(); ++i)
      if (mask[i] >= 0 && mask[i + 1] >= 0 && mask[i] != mask[i + 1]) {
        std::swap(mask[i], mask[i + 1]);
        sites.push_back({shuffle, [=] { shuffle->setShuffleMask(mask); }});
        return;
      }
  }
}

void globalAssumedConstant(Instruction &instruction, Context &, Sites &sites) {
  auto *load = dyn_cast<LoadInst>(&instruction);
  auto *global = load ? dyn_cast<GlobalVariable>(load->getPointerOperand()) : nullptr;
  if (!global || global->isConstant() || !global->hasInitializer() || global->getInitializer()->getType() != load->getType())
    return;
  sites.push_back({load, [=] { replace(*load, global->getInitializer()); }});
}

void argumentTaken(Instruction &instruction, Context &context, Sites &sites) {
  // The use of one argument becomes the use of the next of its type: an inliner's or argument promoter's mistake.
  for (Use &use : instruction.operands())
    if (auto *argument = dyn_cast<Argument>(use.get()))
      for (Argument &other : context.function.args())
        if (&other != argument && other.getType() == argument->getType() && other.getArgNo() > argument->getArgNo() &&
            !other.hasByValAttr() && !argument->hasByValAttr()) {
          sites.push_back({&instruction, [use = &use, other = &other] { use->set(other); }});
          break;
        }
}

const Kind kinds[] = {
    {"select-inverted", "takes the other value", selectInverted},
    {"select-folded", "takes the same value whatever the condition says", selectFolded},
    {"phi-wrong-edge", "takes a value from the wrong incoming edge", wrongEdge},
    {"return-value", "returns another constant, or zero", returnValue},
    {"vector-wrong-lane", "takes or sets the wrong lane of a vector", wrongLane},
    {"global-assumed-constant", "takes a variable to have its initial value still", globalAssumedConstant},
    {"wrong-argument", "takes another argument of the same type", argumentTaken},
};

} // namespace

ArrayRef<Kind> valueKinds() { return kinds; }

} // namespace cc_agent
