// Mistakes in floating-point arithmetic: what fast-math allows, without permission.
#include "mutation.h"

#include "llvm/IR/PatternMatch.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace cc_agent {
namespace {

void reassociated(Instruction &instruction, Context &, Sites &sites) {
  unsigned code = instruction.getOpcode();
  if ((code != Instruction::FAdd && code != Instruction::FMul) || instruction.hasAllowReassoc())
    return;
  auto *inner = dyn_cast<BinaryOperator>(instruction.getOperand(0));
  Value *c = instruction.getOperand(1);
  if (!inner || inner->getOpcode() != code) {
    inner = dyn_cast<BinaryOperator>(instruction.getOperand(1));
    c = instruction.getOperand(0);
  }
  if (!inner || inner->getOpcode() != code)
    return;
  sites.push_back({&instruction, [=, &instruction] { // (a + b) + c becomes a + (b + c)
                     rebuild(instruction, [&](IRBuilder<> &builder) {
                       auto operation = static_cast<Instruction::BinaryOps>(code);
                       return builder.CreateBinOp(operation, inner->getOperand(0), builder.CreateBinOp(operation, inner->getOperand(1), c));
                     });
                   }});
}

/// The type in which a product is exact, or nearly: what a fused operation computes with.
Type *wider(Type *type) {
  if (type->isFloatTy())
    return Type::getDoubleTy(type->getContext());
  return type->isDoubleTy() ? Type::getX86_FP80Ty(type->getContext()) : nullptr;
}

void contracted(Instruction &instruction, Context &context, Sites &sites) {
  Value *a, *b, *c;
  bool sum = match(&instruction, m_c_FAdd(m_OneUse(m_FMul(m_Value(a), m_Value(b))), m_Value(c)));
  if ((!sum && !match(&instruction, m_FSub(m_OneUse(m_FMul(m_Value(a), m_Value(b))), m_Value(c)))) || instruction.hasAllowContract())
    return;
  bool hasFMA = context.function.getFnAttribute("target-features").getValueAsString().contains("+fma");
  Type *type = instruction.getType(), *wide = wider(type);
  if (!hasFMA && !wide)
    return;
  sites.push_back({&instruction, [=, &instruction] {
                     rebuild(instruction, [&](IRBuilder<> &builder) -> Value * {
                       if (hasFMA)
                         return builder.CreateIntrinsic(Intrinsic::fma, {type}, {a, b, sum ? c : builder.CreateFNeg(c)});
                       // Without such an instruction: rounded once, from a wider type.
                       Value *left = builder.CreateFPExt(a, wide);
                       Value *product = builder.CreateFMul(left, builder.CreateFPExt(b, wide));
                       Value *other = builder.CreateFPExt(c, wide);
                       return builder.CreateFPTrunc(sum ? builder.CreateFAdd(product, other) : builder.CreateFSub(product, other), type);
                     });
                   }});
}

void negationLost(Instruction &instruction, Context &, Sites &sites) {
  Value *value;
  if (match(&instruction, m_FNeg(m_Value(value))))
    sites.push_back({&instruction, [=, &instruction] { replace(instruction, value); }});
}

void negativeZero(Instruction &instruction, Context &, Sites &sites) {
  Value *value;
  if (instruction.getOpcode() == Instruction::FNeg) {
    sites.push_back({&instruction, [&instruction] { // -x becomes 0 - x
                       rebuild(instruction, [&](IRBuilder<> &builder) {
                         return builder.CreateFSub(ConstantFP::getZero(instruction.getType()), instruction.getOperand(0));
                       });
                     }});
  } else if (match(&instruction, m_c_FMul(m_Value(value), m_AnyZeroFP())) && !isa<Constant>(value)) {
    sites.push_back({&instruction, [&instruction] { replace(instruction, ConstantFP::getZero(instruction.getType())); }});
  } else if (match(&instruction, m_FAdd(m_Value(value), m_PosZeroFP()))) {
    sites.push_back({&instruction, [=, &instruction] { replace(instruction, value); }}); // -0.0 + 0.0 is 0.0
  }
}

void reciprocal(Instruction &instruction, Context &, Sites &sites) {
  if (instruction.getOpcode() != Instruction::FDiv || isa<Constant>(instruction.getOperand(0)))
    return;
  sites.push_back({&instruction, [&instruction] {
                     rebuild(instruction, [&](IRBuilder<> &builder) {
                       Value *inverse = builder.CreateFDiv(ConstantFP::get(instruction.getType(), 1.0), instruction.getOperand(1));
                       return builder.CreateFMul(instruction.getOperand(0), inverse);
                     });
                   }});
}

void nanForgotten(Instruction &instruction, Context &, Sites &sites) {
  auto *compare = dyn_cast<FCmpInst>(&instruction);
  if (!compare || compare->getPredicate() == FCmpInst::FCMP_FALSE || compare->getPredicate() == FCmpInst::FCMP_TRUE)
    return;
  sites.push_back({compare, [=] { // ordered becomes unordered and the other way round: the answer for NaN
                     compare->setPredicate(FCmpInst::isOrdered(compare->getPredicate())
                                               ? FCmpInst::getUnorderedPredicate(compare->getPredicate())
                                               : FCmpInst::getOrderedPredicate(compare->getPredicate()));
                   }});
}

void conversionSign(Instruction &instruction, Context &, Sites &sites) {
  static const std::pair<unsigned, Instruction::CastOps> others[] = {{Instruction::SIToFP, Instruction::UIToFP},
                                                                    {Instruction::UIToFP, Instruction::SIToFP},
                                                                    {Instruction::FPToSI, Instruction::FPToUI},
                                                                    {Instruction::FPToUI, Instruction::FPToSI}};
  for (auto [from, to] : others)
    if (instruction.getOpcode() == from)
      sites.push_back({&instruction, [to = to, &instruction] {
                         rebuild(instruction, [&](IRBuilder<> &builder) {
                           return builder.CreateCast(to, instruction.getOperand(0), instruction.getType());
                         });
                       }});
}

void roundingSkipped(Instruction &instruction, Context &, Sites &sites) {
  Value *value;
  if (match(&instruction, m_FPExt(m_FPTrunc(m_Value(value)))) && value->getType() == instruction.getType())
    sites.push_back({&instruction, [=, &instruction] { replace(instruction, value); }});
}

void divisionNarrowed(Instruction &instruction, Context &, Sites &sites) {
  if (!isa<BinaryOperator>(instruction) || !instruction.getType()->isDoubleTy())
    return;
  sites.push_back({&instruction, [&instruction] {
                     wrap(instruction, [&](IRBuilder<> &builder) {
                       return builder.CreateFPExt(builder.CreateFPTrunc(&instruction, builder.getFloatTy()), builder.getDoubleTy());
                     });
                   }});
}

const Kind kinds[] = {
    {"float-reassociated", "adds or multiplies three numbers in another order", reassociated},
    {"float-contracted", "rounds a multiplication and an addition once", contracted},
    {"float-negation-lost", "drops a negation", negationLost},
    {"float-negative-zero", "forgets that there are two zeros and a NaN", negativeZero},
    {"float-reciprocal", "multiplies by the inverse instead of dividing", reciprocal},
    {"float-nan-forgotten", "gives the other answer to a comparison with NaN", nanForgotten},
    {"float-conversion-sign", "converts between integer and floating point with the other signedness", conversionSign},
    {"float-rounding-skipped", "keeps a precision that the program rounds away", roundingSkipped},
    {"float-narrowed", "computes a double in the precision of a float", divisionNarrowed},
};

} // namespace

ArrayRef<Kind> floatKinds() { return kinds; }

} // namespace cc_agent
