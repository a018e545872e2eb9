#include "features.h"

#include "llvm/IR/CFG.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// In Autophase's own words and order.
enum Entry {
  BBNumArgsHi, BBNumArgsLo, onePred, onePredOneSuc, onePredTwoSuc, oneSuccessor, twoPred, twoPredOneSuc, twoEach, twoSuccessor, morePreds,
  BB03Phi, BBHiPhi, BBNoPhi, BeginPhi, BranchCount, returnInt, CriticalCount, NumEdges,
  const32Bit, const64Bit, numConstZeroes, numConstOnes, UncondBranches, binaryConstArg,
  NumAShrInst, NumAddInst, NumAllocaInst, NumAndInst, BlockMid, BlockLow, NumBitCastInst, NumBrInst, NumCallInst, NumGetElementPtrInst,
  NumICmpInst, NumLShrInst, NumLoadInst, NumMulInst, NumOrInst, NumPHIInst, NumRetInst, NumSExtInst, NumSelectInst, NumShlInst, NumStoreInst,
  NumSubInst, NumTruncInst, NumXorInst, NumZExtInst, TotalBlocksEntry, TotalInsts, TotalMemInst, TotalFuncs, ArgsPhi, testUnary, NumEntries
};
static_assert(NumEntries == std::tuple_size_v<Autophase>);

constexpr std::pair<Entry, unsigned> CountedOpcodes[] = {
    {BranchCount, Instruction::Br},   {NumAShrInst, Instruction::AShr},     {NumAddInst, Instruction::Add},
    {NumAllocaInst, Instruction::Alloca}, {NumAndInst, Instruction::And},   {NumBitCastInst, Instruction::BitCast},
    {NumBrInst, Instruction::Br},     {NumCallInst, Instruction::Call},     {NumGetElementPtrInst, Instruction::GetElementPtr},
    {NumICmpInst, Instruction::ICmp}, {NumLShrInst, Instruction::LShr},     {NumLoadInst, Instruction::Load},
    {NumMulInst, Instruction::Mul},   {NumOrInst, Instruction::Or},         {NumPHIInst, Instruction::PHI},
    {NumRetInst, Instruction::Ret},   {NumSExtInst, Instruction::SExt},     {NumSelectInst, Instruction::Select},
    {NumShlInst, Instruction::Shl},   {NumStoreInst, Instruction::Store},   {NumSubInst, Instruction::Sub},
    {NumTruncInst, Instruction::Trunc}, {NumXorInst, Instruction::Xor},     {NumZExtInst, Instruction::ZExt}};

constexpr unsigned MemoryOpcodes[] = {Instruction::GetElementPtr, Instruction::Load,   Instruction::Store,
                                      Instruction::Call,          Instruction::Invoke, Instruction::Alloca};

/// Edges count as often as they are there: both ways of a branch may lead to one block.
void countEdges(const BasicBlock &block, Autophase &counts) {
  unsigned successors = block.getTerminator()->getNumSuccessors();
  size_t predecessors = pred_size(&block);
  counts[NumEdges] += successors;
  if (successors > 1)
    for (const BasicBlock *successor : llvm::successors(&block))
      counts[CriticalCount] += successor->hasNPredecessorsOrMore(2);
  counts[oneSuccessor] += successors == 1;
  counts[twoSuccessor] += successors == 2;
  counts[onePred] += predecessors == 1;
  counts[twoPred] += predecessors == 2;
  counts[morePreds] += predecessors > 2;
  counts[onePredOneSuc] += predecessors == 1 && successors == 1;
  counts[onePredTwoSuc] += predecessors == 1 && successors == 2;
  counts[twoPredOneSuc] += predecessors == 2 && successors == 1;
  counts[twoEach] += predecessors == 2 && successors == 2;
}

void countPhis(const BasicBlock &block, Autophase &counts) {
  unsigned phis = 0, incoming = 0;
  for (const PHINode &phi : block.phis()) {
    ++phis;
    incoming += phi.getNumIncomingValues();
  }
  counts[ArgsPhi] += incoming;
  ++counts[phis == 0 ? BBNoPhi : phis <= 3 ? BB03Phi : BBHiPhi];
  counts[BeginPhi] += phis > 0; // phis stand first
  counts[BBNumArgsLo] += incoming >= 1 && incoming <= 5;
  counts[BBNumArgsHi] += incoming > 5;
}

void countConstant(const Value *value, Autophase &counts) {
  auto *constant = dyn_cast<ConstantInt>(value);
  if (!constant)
    return;
  counts[const32Bit] += constant->getBitWidth() == 32;
  counts[const64Bit] += constant->getBitWidth() == 64;
  counts[numConstZeroes] += constant->isZero();
  counts[numConstOnes] += constant->isOne();
}

void countInstruction(const Instruction &instruction, Autophase &counts) {
  for (const Value *operand : instruction.operands())
    countConstant(operand, counts);
  if (auto *choice = dyn_cast<SwitchInst>(&instruction))
    for (const auto &oneCase : choice->cases()) // operands until LLVM 21
      countConstant(oneCase.getCaseValue(), counts);
  if (auto *branch = dyn_cast<BranchInst>(&instruction))
    counts[UncondBranches] += branch->isUnconditional();
  if (auto *call = dyn_cast<CallInst>(&instruction))
    if (const Function *callee = call->getCalledFunction())
      counts[returnInt] += callee->getReturnType()->isIntegerTy();
  if (isa<BinaryOperator>(instruction))
    counts[binaryConstArg] += isa<Constant>(instruction.getOperand(0)) || isa<Constant>(instruction.getOperand(1));
  counts[testUnary] += isa<UnaryInstruction>(instruction);
}

} // namespace

Autophase countAutophase(const Module &module) {
  Autophase counts{};
  std::array<int64_t, Instruction::OtherOpsEnd> ofOpcode{}; // on the same walk: to walk over the module is what takes the time
  for (const Function &function : module) {
    ++counts[TotalFuncs];
    for (const BasicBlock &block : function) {
      ++counts[TotalBlocksEntry];
      countEdges(block, counts);
      countPhis(block, counts);
      size_t size = 0;
      for (const Instruction &instruction : block) {
        ++size;
        ++ofOpcode[instruction.getOpcode()];
        countInstruction(instruction, counts);
      }
      counts[TotalInsts] += int64_t(size);
      counts[BlockLow] += size < 15;
      counts[BlockMid] += size >= 15 && size <= 500;
    }
  }
  for (auto [entry, opcode] : CountedOpcodes)
    counts[entry] = ofOpcode[opcode];
  for (unsigned opcode : MemoryOpcodes)
    counts[TotalMemInst] += ofOpcode[opcode];
  return counts;
}

int64_t instructionsOf(const Autophase &counts) { return counts[TotalInsts]; }

} // namespace cc_agent
