// Unjustified claims (nuw, nsw, exact, in range, frozen), each with the fold that it would permit: a flag alone changes no object.
#include "mutation.h"

#include "llvm/IR/PatternMatch.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace cc_agent {
namespace {

/// ext(a op b) becomes ext(a) op ext(b), which is right only if `a op b` does not overflow.
template <typename Extension, bool isSigned> void widened(Instruction &instruction, Sites &sites) {
  auto *extension = dyn_cast<Extension>(&instruction);
  auto *operation = extension ? dyn_cast<OverflowingBinaryOperator>(extension->getOperand(0)) : nullptr;
  if (!operation || (isSigned ? operation->hasNoSignedWrap() : operation->hasNoUnsignedWrap()))
    return;
  auto code = static_cast<Instruction::BinaryOps>(operation->getOpcode());
  sites.push_back({extension, [=] {
                     rebuild(*extension, [&](IRBuilder<> &builder) {
                       auto extend = [&](Value *value, bool withSign) {
                         return withSign ? builder.CreateSExt(value, extension->getType()) : builder.CreateZExt(value, extension->getType());
                       };
                       // `x + 0xffffffff` is how `x - 1` is written without a sign: it is meant to be -1 in the wider type too.
                       bool negative = constantOf(operation->getOperand(1)) && constantOf(operation->getOperand(1))->isNegative();
                       bool additive = code == Instruction::Add;
                       Value *left = extend(operation->getOperand(0), isSigned);
                       return builder.CreateBinOp(code, left, extend(operation->getOperand(1), isSigned || (negative && additive)));
                     });
                   }});
}

/// (x + c1) < c2 becomes x < c2 - c1, which is right only if x + c1 does not overflow.
template <bool isSigned> void compared(Instruction &instruction, Sites &sites) {
  CmpPredicate predicate;
  Value *value, *sum;
  const APInt *added, *bound;
  if (!match(&instruction, m_ICmp(predicate, m_Value(sum), m_APInt(bound))) || !match(sum, m_Add(m_Value(value), m_APInt(added))) ||
      !(isSigned ? ICmpInst::isSigned(predicate) : ICmpInst::isUnsigned(predicate)))
    return;
  auto *operation = dyn_cast<OverflowingBinaryOperator>(sum);
  if (!operation || (isSigned ? operation->hasNoSignedWrap() : operation->hasNoUnsignedWrap()))
    return;
  sites.push_back({&instruction, [=, &instruction] {
                     rebuild(instruction, [&](IRBuilder<> &builder) -> Value * {
                       bool overflow;
                       APInt limit = isSigned ? bound->ssub_ov(*added, overflow) : bound->usub_ov(*added, overflow);
                       // Without overflow the sum is at least `added`: beyond the bound whatever x is.
                       if (overflow)
                         return ConstantInt::getBool(instruction.getType(), ICmpInst::isGT(predicate) || ICmpInst::isGE(predicate));
                       return builder.CreateICmp(predicate, value, ConstantInt::get(value->getType(), limit));
                     });
                   }});
}

void nuw(Instruction &instruction, Context &, Sites &sites) {
  widened<ZExtInst, false>(instruction, sites);
  compared<false>(instruction, sites);
}

void nsw(Instruction &instruction, Context &, Sites &sites) {
  widened<SExtInst, true>(instruction, sites);
  compared<true>(instruction, sites);
}

/// A division by a constant that is claimed to leave no remainder becomes a multiplication by the inverse.
Value *multipliedByInverse(IRBuilder<> &builder, Value *value, const APInt &divisor, bool isSigned) {
  unsigned zeros = divisor.countr_zero();
  if (zeros)
    value = isSigned ? builder.CreateAShr(value, zeros) : builder.CreateLShr(value, zeros);
  APInt odd = isSigned ? divisor.ashr(zeros) : divisor.lshr(zeros);
  return odd.isOne() ? value : builder.CreateMul(value, ConstantInt::get(value->getType(), odd.multiplicativeInverse()));
}

void exact(Instruction &instruction, Context &, Sites &sites) {
  Value *value;
  const APInt *constant;
  CmpPredicate predicate;
  bool isSigned = match(&instruction, m_SDiv(m_Value(value), m_APInt(constant)));
  if (isSigned || match(&instruction, m_UDiv(m_Value(value), m_APInt(constant)))) {
    bool changes = isSigned || !constant->isPowerOf2();
    if (!cast<PossiblyExactOperator>(instruction).isExact() && !constant->isZero() && !constant->isOne() && !constant->isAllOnes() && changes)
      sites.push_back({&instruction, [=, &instruction] {
                         rebuild(instruction, [&](IRBuilder<> &builder) { return multipliedByInverse(builder, value, *constant, isSigned); });
                       }});
  } else if (match(&instruction, m_ICmp(predicate, m_Shr(m_Value(value), m_Value()), m_Zero())) && ICmpInst::isEquality(predicate)) {
    auto *shift = dyn_cast<PossiblyExactOperator>(instruction.getOperand(0));
    if (shift && !shift->isExact())
      sites.push_back({&instruction, [=, &instruction] {
                         rebuild(instruction, [&](IRBuilder<> &builder) {
                           return builder.CreateICmp(predicate, value, Constant::getNullValue(value->getType()));
                         });
                       }});
  } else if (match(&instruction, m_And(m_Value(value), m_APInt(constant))) && constant->isNegatedPowerOf2()) {
    // (x >> c) << c, which is how x & -2^c begins; with an exact shift it is x.
    sites.push_back({&instruction, [=, &instruction] { replace(instruction, value); }});
  }
}

void overflowCheckRemoved(Instruction &instruction, Context &, Sites &sites) {
  auto *extract = dyn_cast<ExtractValueInst>(&instruction);
  Value *a, *b;
  bool check = extract && isa<WithOverflowInst>(extract->getAggregateOperand()) && extract->getIndices()[0] == 1;
  // a + b < a, and a - b > a, the way C writes the check
  check = check || match(&instruction, m_c_SpecificICmp(ICmpInst::ICMP_ULT, m_Add(m_Value(a), m_Value(b)), m_Deferred(a))) ||
          match(&instruction, m_c_SpecificICmp(ICmpInst::ICMP_ULT, m_Add(m_Value(a), m_Value(b)), m_Deferred(b)));
  if (check)
    sites.push_back({&instruction, [&instruction] { replace(instruction, ConstantInt::getFalse(instruction.getType())); }});
}

void saturationLost(Instruction &instruction, Context &, Sites &sites) {
  if (auto *call = dyn_cast<SaturatingInst>(&instruction))
    sites.push_back({call, [=] {
                       rebuild(*call, [&](IRBuilder<> &builder) { return builder.CreateBinOp(call->getBinaryOp(), call->getLHS(), call->getRHS()); });
                     }});
}

void freezeLost(Instruction &instruction, Context &, Sites &sites) {
  if (isa<FreezeInst>(instruction))
    sites.push_back({&instruction, [&instruction] { replace(instruction, instruction.getOperand(0)); }});
}

const Kind kinds[] = {
    {"nuw-unjustified", "extends or compares as if an unsigned operation could not overflow", nuw},
    {"nsw-unjustified", "extends or compares as if a signed operation could not overflow", nsw},
    {"exact-unjustified", "divides, shifts or masks as if there were no remainder", exact},
    {"overflow-check-removed", "takes the answer of an overflow check to be no", overflowCheckRemoved},
    {"saturation-lost", "adds or subtracts without saturating", saturationLost},
    {"freeze-lost", "takes a freeze away", freezeLost},
};

} // namespace

ArrayRef<Kind> flagKinds() { return kinds; }

} // namespace cc_agent
