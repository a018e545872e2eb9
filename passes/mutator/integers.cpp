// Mistakes in integer arithmetic: the wrong operation, operand, constant, width or direction.
#include "mutation.h"

#include "llvm/IR/PatternMatch.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace cc_agent {
namespace {

void operandSwap(Instruction &instruction, Context &, Sites &sites) {
  auto *operation = dyn_cast<BinaryOperator>(&instruction);
  if (!operation || operation->isCommutative() || operation->getOperand(0) == operation->getOperand(1))
    return;
  // A shift or division by a constant, swapped, is a mistake that nobody makes.
  if (operation->getOpcode() != Instruction::Sub && !operation->getType()->isFPOrFPVectorTy() && isa<Constant>(operation->getOperand(1)))
    return;
  sites.push_back({operation, [=] {
                     operation->dropPoisonGeneratingFlags();
                     Value *left = operation->getOperand(0);
                     operation->setOperand(0, operation->getOperand(1));
                     operation->setOperand(1, left);
                   }});
}

void constantOffByOne(Instruction &instruction, Context &, Sites &sites) {
  unsigned code = instruction.getOpcode();
  if (code != Instruction::Add && code != Instruction::Sub && code != Instruction::Mul)
    return;
  for (unsigned i : {0u, 1u})
    if (const APInt *constant = constantOf(instruction.getOperand(i)); constant && constant->getBitWidth() > 1)
      sites.push_back({&instruction, [=, &instruction] {
                         instruction.dropPoisonGeneratingFlags();
                         instruction.setOperand(i, ConstantInt::get(instruction.getType(), *constant + 1));
                       }});
}

void maskBitLost(Instruction &instruction, Context &, Sites &sites) {
  const APInt *mask;
  if (match(&instruction, m_And(m_Value(), m_APInt(mask))) && !mask->isZero() && mask->getBitWidth() > 1)
    sites.push_back({&instruction, [mask, &instruction] {
                       // The highest bit of the mask; for an inverted mask (align down) the lowest, which is the one that matters.
                       APInt narrower = *mask;
                       narrower.clearBit(mask->isNegative() ? mask->countr_zero() : mask->getActiveBits() - 1);
                       instruction.setOperand(1, ConstantInt::get(instruction.getType(), narrower));
                     }});
}

void maskDropped(Instruction &instruction, Context &, Sites &sites) {
  const APInt *mask;
  if (match(&instruction, m_And(m_Value(), m_APInt(mask))) && mask->getBitWidth() > 1 && !mask->isNegative())
    sites.push_back({&instruction, [&instruction] { replace(instruction, instruction.getOperand(0)); }});
}

void shiftKind(Instruction &instruction, Context &, Sites &sites) {
  if (instruction.getOpcode() != Instruction::LShr && instruction.getOpcode() != Instruction::AShr)
    return;
  sites.push_back({&instruction, [&instruction] {
                     rebuild(instruction, [&](IRBuilder<> &builder) {
                       Value *value = instruction.getOperand(0), *amount = instruction.getOperand(1);
                       return instruction.getOpcode() == Instruction::LShr ? builder.CreateAShr(value, amount) : builder.CreateLShr(value, amount);
                     });
                   }});
}

void shiftAmount(Instruction &instruction, Context &, Sites &sites) {
  unsigned index;
  if (instruction.isShift())
    index = 1;
  else if (match(&instruction, m_FShl(m_Value(), m_Value(), m_Value())) || match(&instruction, m_FShr(m_Value(), m_Value(), m_Value())))
    index = 2;
  else
    return;
  const APInt *amount = constantOf(instruction.getOperand(index));
  if (!amount || amount->getBitWidth() < 3)
    return;
  sites.push_back({&instruction, [=, &instruction] {
                     instruction.dropPoisonGeneratingFlags();
                     APInt wrong = *amount + 1;
                     if (wrong.uge(amount->getBitWidth()))
                       wrong = *amount - 1;
                     instruction.setOperand(index, ConstantInt::get(instruction.getType(), wrong));
                   }});
}

template <typename From, Instruction::CastOps to> void extension(Instruction &instruction, Context &, Sites &sites) {
  if (isa<From>(instruction))
    sites.push_back({&instruction, [&instruction] {
                       rebuild(instruction, [&](IRBuilder<> &builder) {
                         return builder.CreateCast(to, instruction.getOperand(0), instruction.getType());
                       });
                     }});
}

void narrowedArithmetic(Instruction &instruction, Context &, Sites &sites) {
  auto *operation = dyn_cast<BinaryOperator>(&instruction);
  if (!operation || !operation->getType()->isIntegerTy() || operation->use_empty())
    return;
  unsigned width = operation->getType()->getIntegerBitWidth();
  bool arithmetic = is_contained({Instruction::Add, Instruction::Sub, Instruction::Mul, Instruction::Shl}, operation->getOpcode());
  if (!arithmetic || (width != 16 && width != 32 && width != 64))
    return;
  sites.push_back({operation, [=] {
                     wrap(*operation, [&](IRBuilder<> &builder) {
                       return builder.CreateZExt(builder.CreateTrunc(operation, builder.getIntNTy(width / 2)), operation->getType());
                     });
                   }});
}

void divisionSignedness(Instruction &instruction, Context &, Sites &sites) {
  static const std::pair<unsigned, Instruction::BinaryOps> others[] = {{Instruction::SDiv, Instruction::UDiv},
                                                                      {Instruction::UDiv, Instruction::SDiv},
                                                                      {Instruction::SRem, Instruction::URem},
                                                                      {Instruction::URem, Instruction::SRem}};
  for (auto [from, to] : others)
    if (instruction.getOpcode() == from)
      sites.push_back({&instruction, [to = to, &instruction] {
                         rebuild(instruction, [&](IRBuilder<> &builder) {
                           return builder.CreateBinOp(to, instruction.getOperand(0), instruction.getOperand(1));
                         });
                       }});
}

void divisionAsShift(Instruction &instruction, Context &, Sites &sites) {
  const APInt *divisor;
  Value *value;
  bool division = match(&instruction, m_SDiv(m_Value(value), m_APInt(divisor)));
  if ((!division && !match(&instruction, m_SRem(m_Value(value), m_APInt(divisor)))) || !divisor->isPowerOf2() || divisor->isOne() ||
      divisor->isNegative())
    return;
  sites.push_back({&instruction, [=, &instruction] {
                     rebuild(instruction, [&](IRBuilder<> &builder) {
                       return division ? builder.CreateAShr(value, divisor->logBase2())
                                       : builder.CreateAnd(value, ConstantInt::get(instruction.getType(), *divisor - 1));
                     });
                   }});
}

void reassociationSign(Instruction &instruction, Context &, Sites &sites) {
  Value *a, *b, *c;
  bool difference = match(&instruction, m_Sub(m_Value(a), m_OneUse(m_Sub(m_Value(b), m_Value(c)))));
  if (!difference && !match(&instruction, m_Sub(m_Value(a), m_OneUse(m_Add(m_Value(b), m_Value(c))))))
    return;
  sites.push_back({&instruction, [=, &instruction] {
                     rebuild(instruction, [&](IRBuilder<> &builder) { // c keeps the sign that it had inside the parentheses
                       Value *first = builder.CreateSub(a, b);
                       return difference ? builder.CreateSub(first, c) : builder.CreateAdd(first, c);
                     });
                   }});
}

void minMaxSignedness(Instruction &instruction, Context &, Sites &sites) {
  static const std::pair<Intrinsic::ID, Intrinsic::ID> others[] = {{Intrinsic::smin, Intrinsic::umin},
                                                                  {Intrinsic::umin, Intrinsic::smin},
                                                                  {Intrinsic::smax, Intrinsic::umax},
                                                                  {Intrinsic::umax, Intrinsic::smax}};
  auto *call = dyn_cast<IntrinsicInst>(&instruction);
  for (auto [from, to] : others)
    if (call && call->getIntrinsicID() == from)
      sites.push_back({call, [to = to, call] {
                         rebuild(*call, [&](IRBuilder<> &builder) {
                           return builder.CreateBinaryIntrinsic(to, call->getArgOperand(0), call->getArgOperand(1));
                         });
                       }});
}

void unaryIntrinsicDropped(Instruction &instruction, Sites &sites, ArrayRef<Intrinsic::ID> dropped) {
  auto *call = dyn_cast<IntrinsicInst>(&instruction);
  if (call && is_contained(dropped, call->getIntrinsicID()))
    sites.push_back({call, [=] { replace(*call, call->getArgOperand(0)); }});
}

void absoluteValueLost(Instruction &instruction, Context &, Sites &sites) {
  unaryIntrinsicDropped(instruction, sites, {Intrinsic::abs, Intrinsic::fabs});
}

void byteSwapLost(Instruction &instruction, Context &, Sites &sites) {
  unaryIntrinsicDropped(instruction, sites, {Intrinsic::bswap, Intrinsic::bitreverse});
}

void byteOrder(Instruction &instruction, Context &, Sites &sites) {
  Value *high, *low;
  const APInt *amount;
  auto shifted = m_OneUse(m_Shl(m_OneUse(m_ZExt(m_Value(high))), m_APInt(amount)));
  if (!match(&instruction, m_c_Or(shifted, m_OneUse(m_ZExt(m_Value(low))))) || high->getType() != low->getType() || high == low)
    return;
  sites.push_back({&instruction, [=, &instruction] {
                     rebuild(instruction, [&](IRBuilder<> &builder) {
                       Type *type = instruction.getType();
                       Value *upper = builder.CreateShl(builder.CreateZExt(low, type), *amount);
                       return builder.CreateOr(upper, builder.CreateZExt(high, type));
                     });
                   }});
}

void rotateDirection(Instruction &instruction, Context &, Sites &sites) {
  auto *call = dyn_cast<IntrinsicInst>(&instruction);
  if (!call || (call->getIntrinsicID() != Intrinsic::fshl && call->getIntrinsicID() != Intrinsic::fshr))
    return;
  sites.push_back({call, [=] {
                     Intrinsic::ID other = call->getIntrinsicID() == Intrinsic::fshl ? Intrinsic::fshr : Intrinsic::fshl;
                     rebuild(*call, [&](IRBuilder<> &builder) {
                       return builder.CreateIntrinsic(other, {call->getType()},
                                                      {call->getArgOperand(0), call->getArgOperand(1), call->getArgOperand(2)});
                     });
                   }});
}

void zeroCount(Instruction &instruction, Context &, Sites &sites) {
  auto *call = dyn_cast<IntrinsicInst>(&instruction);
  if (call && (call->getIntrinsicID() == Intrinsic::cttz || call->getIntrinsicID() == Intrinsic::ctlz) && match(call->getArgOperand(1), m_Zero()))
    sites.push_back({call, [=] { call->setArgOperand(1, ConstantInt::getTrue(call->getContext())); }});
}

const Kind kinds[] = {
    {"operand-swap", "swaps the operands of a subtraction, shift or division", operandSwap},
    {"constant-off-by-one", "adds one to a constant operand of add, sub or mul", constantOffByOne},
    {"mask-bit-lost", "clears one bit of a mask that an and has", maskBitLost},
    {"mask-dropped", "takes a mask to change nothing", maskDropped},
    {"shift-kind", "shifts right logically for arithmetically, or the other way round", shiftKind},
    {"shift-amount", "shifts by one more", shiftAmount},
    {"sext-for-zext", "extends with the sign instead of with zeros", extension<ZExtInst, Instruction::SExt>},
    {"zext-for-sext", "extends with zeros instead of with the sign", extension<SExtInst, Instruction::ZExt>},
    {"narrowed-arithmetic", "computes in half the width", narrowedArithmetic},
    {"division-signedness", "divides without signs instead of with them, or the other way round", divisionSignedness},
    {"division-as-shift", "rounds a signed division by a power of two down instead of to zero", divisionAsShift},
    {"reassociation-sign", "loses a minus sign while it takes parentheses apart", reassociationSign},
    {"min-max-signedness", "takes the minimum or maximum with the other signedness", minMaxSignedness},
    {"absolute-value-lost", "takes the absolute value of something to be itself", absoluteValueLost},
    {"byte-swap-lost", "drops a bswap or bitreverse", byteSwapLost},
    {"byte-order", "puts two bytes (or halves) together in the wrong order", byteOrder},
    {"rotate-direction", "rotates the other way", rotateDirection},
    {"zero-count-of-zero", "claims that a value whose leading or trailing zeros are counted is not zero", zeroCount},
};

} // namespace

ArrayRef<Kind> integerKinds() { return kinds; }

} // namespace cc_agent
