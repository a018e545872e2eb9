#include "arguments.h"

#include "llvm/IR/DataLayout.h"
#include "llvm/IR/DebugProgramInstruction.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

#include <map>

using namespace llvm;

namespace cct {
namespace {

// Which declared parameter each alloca (or argument) is the home of, by the debug records.
std::map<const Value *, const DILocalVariable *> homes(const Function &F) {
  std::map<const Value *, const DILocalVariable *> Result;
  for (const Instruction &I : instructions(F))
    for (const DbgVariableRecord &Record : filterDbgVars(I.getDbgRecordRange()))
      if (Record.isDbgDeclare() && Record.getVariable()->getArg() && Record.getNumVariableLocationOps() == 1 &&
          !Record.getDebugLoc()->getInlinedAt())
        if (const Value *Where = Record.getVariableLocationOp(0))
          Result[Where] = Record.getVariable();
  return Result;
}

struct Home {
  const DILocalVariable *Variable = nullptr;
  int64_t Offset = 0;
};

// Follows an argument to the memory that clang spills it into: directly, or through a temporary of another type.
Home findHome(const Argument &A, const std::map<const Value *, const DILocalVariable *> &Homes, const DataLayout &Layout) {
  if (auto Found = Homes.find(&A); Found != Homes.end())
    return {Found->second, 0};
  for (const User *U : A.users()) {
    const Value *Stored = &A;
    if (const auto *Cast = dyn_cast<CastInst>(U); Cast && Cast->hasOneUse()) { // bool: zext i1 to i8
      Stored = Cast;
      U = *Cast->user_begin();
    }
    const auto *Store = dyn_cast<StoreInst>(U);
    if (!Store || Store->getValueOperand() != Stored)
      continue;
    APInt Offset(64, 0);
    const Value *Base = Store->getPointerOperand()->stripAndAccumulateConstantOffsets(Layout, Offset, true);
    if (auto Found = Homes.find(Base); Found != Homes.end())
      return {Found->second, Offset.getSExtValue()};
    for (const User *Other : Base->users())
      if (const auto *Copy = dyn_cast<MemCpyInst>(Other); Copy && Copy->getRawSource() == Base) {
        APInt Target(64, 0);
        const Value *Destination = Copy->getRawDest()->stripAndAccumulateConstantOffsets(Layout, Target, true);
        if (auto Found = Homes.find(Destination); Found != Homes.end())
          return {Found->second, Offset.getSExtValue() + Target.getSExtValue()};
      }
  }
  return {};
}

unsigned typeWithoutDebugInfo(const Type *T, const DataLayout &Layout, TypeTable &Types) {
  if (T->isPointerTy())
    return Types.addUntypedPointer();
  unsigned Bytes = Layout.getTypeStoreSize(const_cast<Type *>(T)).getFixedValue();
  if (T->isFloatTy() || T->isDoubleTy() || T->isX86_FP80Ty())
    return Types.addFloat(T->isX86_FP80Ty() ? 16 : Bytes);
  return Types.addInteger(std::max(1u, Bytes));
}

} // namespace

Signature signatureOf(const Function &F, TypeTable &Types) {
  const DataLayout &Layout = F.getParent()->getDataLayout();
  Signature Result;
  if (F.isVarArg())
    Result.Unsupported = "it takes a variable number of arguments";
  const DISubprogram *Program = F.getSubprogram();
  auto Homes = homes(F);

  // What the source declares. Artificial parameters (this) are there like all others.
  std::map<unsigned, unsigned> NumberOf; // DILocalVariable's argument number -> ours
  std::map<unsigned, const DILocalVariable *> Declared;
  for (const auto &[Where, Variable] : Homes)
    Declared[Variable->getArg()] = Variable;
  for (const auto &[Number, Variable] : Declared) {
    NumberOf[Number] = Result.Parameters.size();
    Result.Parameters.push_back({Types.add(Variable->getType()), Variable->getName().str()});
  }

  unsigned Slot = 0;
  for (const Argument &A : F.args()) {
    Piece P;
    if (A.hasInAllocaAttr() || A.hasSwiftErrorAttr() || A.hasAttribute(Attribute::Nest))
      Result.Unsupported = "it has a parameter of a calling convention that is not C's";
    if (A.hasStructRetAttr()) {
      P.Kind = Piece::Way::Result;
      Result.ResultSize = Layout.getTypeAllocSize(A.getParamStructRetType());
      Result.Pieces.push_back(P);
      continue;
    }
    Home Where = findHome(A, Homes, Layout);
    Type *Passed = A.getType();
    if (A.hasByValAttr()) {
      P.Kind = Piece::Way::ByValue;
      Passed = A.getParamByValType();
    } else if (Passed->isPointerTy() && Where.Variable && Homes.count(&A)) {
      // The variable lives where the pointer points: a structure that the caller has copied.
      P.Kind = Piece::Way::Indirect;
    }
    P.Size = Layout.getTypeStoreSize(Passed);
    if (P.Kind == Piece::Way::Indirect)
      P.Size = sizeOf(Where.Variable->getType());
    if (Where.Variable) {
      P.Source = NumberOf.at(Where.Variable->getArg());
      P.Offset = Where.Offset;
    } else if (A.use_empty()) {
      P.Source = Result.Parameters.size();
      Result.Parameters.push_back({typeWithoutDebugInfo(Passed, Layout, Types), ""});
    } else {
      P.Source = Result.Parameters.size();
      Result.Parameters.push_back({typeWithoutDebugInfo(Passed, Layout, Types), A.getName().str()});
    }
    unsigned Alignment = std::max<unsigned>(16, A.getParamAlign().valueOrOne().value());
    Slot = (Slot + Alignment - 1) / Alignment * Alignment;
    P.Slot = Slot;
    Slot += std::max(16u, P.Size);
    Result.Pieces.push_back(P);
  }
  Result.BufferSize = Slot + 64;

  if (Result.ResultSize == 0 && !F.getReturnType()->isVoidTy())
    Result.ResultSize = Layout.getTypeAllocSize(F.getReturnType());
  if (Program && Program->getType() && Program->getType()->getTypeArray().size() > 0)
    Result.ResultType = Types.add(Program->getType()->getTypeArray()[0]);
  if (Result.ResultType == 0 && Result.ResultSize > 0)
    Result.ResultType = typeWithoutDebugInfo(F.getReturnType(), Layout, Types);
  return Result;
}

} // namespace cct
