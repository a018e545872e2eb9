// Mistakes in comparisons of integers and pointers.
#include "mutation.h"

#include "llvm/IR/PatternMatch.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace cc_agent {
namespace {

void strictness(Instruction &instruction, Context &, Sites &sites) {
  auto *compare = dyn_cast<CmpInst>(&instruction);
  if (!compare || compare->isEquality() || (!compare->isRelational() && !isa<FCmpInst>(compare)))
    return;
  CmpInst::Predicate predicate = compare->getPredicate();
  if (compare->isRelational())
    sites.push_back({compare, [=] { compare->setPredicate(CmpInst::getFlippedStrictnessPredicate(predicate)); }});
}

void signedness(Instruction &instruction, Context &, Sites &sites) {
  auto *compare = dyn_cast<ICmpInst>(&instruction);
  if (compare && compare->isRelational())
    sites.push_back({compare, [=] {
                       compare->dropPoisonGeneratingFlags();
                       compare->setPredicate(ICmpInst::getFlippedSignednessPredicate(compare->getPredicate()));
                     }});
}

void direction(Instruction &instruction, Context &, Sites &sites) {
  auto *compare = dyn_cast<ICmpInst>(&instruction);
  if (compare && compare->isRelational()) // the operands were swapped, the predicate was not
    sites.push_back({compare, [=] { compare->setPredicate(compare->getSwappedPredicate()); }});
}

void constant(Instruction &instruction, Context &, Sites &sites) {
  auto *compare = dyn_cast<ICmpInst>(&instruction);
  const APInt *bound = compare ? constantOf(compare->getOperand(1)) : nullptr;
  if (bound && bound->getBitWidth() > 1)
    sites.push_back({compare, [=] { compare->setOperand(1, ConstantInt::get(compare->getOperand(1)->getType(), *bound + 1)); }});
}

void narrowed(Instruction &instruction, Context &, Sites &sites) {
  auto *compare = dyn_cast<ICmpInst>(&instruction);
  if (!compare || !compare->getOperand(0)->getType()->isIntegerTy())
    return;
  unsigned width = compare->getOperand(0)->getType()->getIntegerBitWidth();
  if (width != 16 && width != 32 && width != 64)
    return;
  sites.push_back({compare, [=] {
                     rebuild(*compare, [&](IRBuilder<> &builder) {
                       Type *type = builder.getIntNTy(width / 2);
                       Value *left = builder.CreateTrunc(compare->getOperand(0), type);
                       return builder.CreateICmp(compare->getPredicate(), left, builder.CreateTrunc(compare->getOperand(1), type));
                     });
                   }});
}

void nullCheck(Instruction &instruction, Context &, Sites &sites) {
  CmpPredicate predicate;
  Value *pointer;
  if (match(&instruction, m_ICmp(predicate, m_Value(pointer), m_Zero())) && pointer->getType()->isPointerTy() && ICmpInst::isEquality(predicate))
    sites.push_back({&instruction, [=, &instruction] {
                       replace(instruction, ConstantInt::getBool(instruction.getType(), predicate == ICmpInst::ICMP_NE));
                     }});
}

void pointersEqual(Instruction &instruction, Context &, Sites &sites) {
  auto *compare = dyn_cast<ICmpInst>(&instruction);
  if (!compare || !compare->isEquality() || !compare->getOperand(0)->getType()->isPointerTy() || isa<ConstantPointerNull>(compare->getOperand(1)))
    return;
  sites.push_back({compare, [=] {
                     replace(*compare, ConstantInt::getBool(compare->getType(), compare->getPredicate() == ICmpInst::ICMP_NE));
                   }});
}

const Kind kinds[] = {
    {"compare-strictness", "turns < into <=, or the other way round", strictness},
    {"compare-signedness", "compares with the other signedness", signedness},
    {"compare-direction", "turns < into >, or the other way round", direction},
    {"compare-constant", "compares with a constant that is one too large", constant},
    {"compare-narrowed", "compares the lower halves only", narrowed},
    {"null-check-removed", "takes a pointer not to be null", nullCheck},
    {"pointers-assumed-different", "takes two pointers not to be equal", pointersEqual},
};

} // namespace

ArrayRef<Kind> comparisonKinds() { return kinds; }

} // namespace cc_agent
