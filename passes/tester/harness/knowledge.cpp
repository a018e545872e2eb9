#include "knowledge.h"

#include "types.h"

#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugProgramInstruction.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

#include <algorithm>

using namespace llvm;

namespace cct {

std::set<const Function *> reachable(const Function &F) {
  std::set<const Function *> Seen{&F};
  std::vector<const Function *> Waiting{&F};
  while (!Waiting.empty()) {
    const Function *Current = Waiting.back();
    Waiting.pop_back();
    for (const Instruction &I : instructions(*Current))
      for (const Value *Operand : I.operands())
        if (const auto *Callee = dyn_cast<Function>(Operand->stripPointerCasts()))
          if (!Callee->isIntrinsic() && Seen.insert(Callee).second)
            Waiting.push_back(Callee);
  }
  return Seen;
}

std::set<const Function *> localCallees(const Function &F) {
  std::set<const Function *> Seen;
  std::vector<const Function *> Waiting{&F};
  while (!Waiting.empty()) {
    const Function *Current = Waiting.back();
    Waiting.pop_back();
    for (const Instruction &I : instructions(*Current))
      if (const auto *Call = dyn_cast<CallBase>(&I))
        if (const auto *Callee = dyn_cast<Function>(Call->getCalledOperand()->stripPointerCasts()))
          if (Callee->hasLocalLinkage() && !Callee->isDeclaration() && Seen.insert(Callee).second)
            Waiting.push_back(Callee);
  }
  return Seen;
}

void constantsOf(const std::set<const Function *> &Reached, std::set<uint64_t> &Numbers, std::set<std::string> &Strings) {
  auto number = [&](const Value *V) {
    if (const auto *Constant = dyn_cast<ConstantInt>(V); Constant && Constant->getBitWidth() <= 64)
      if (uint64_t Value = Constant->getSExtValue(); Value > 8 && Value != ~0ull)
        Numbers.insert(Value);
  };
  for (const Function *F : Reached)
    for (const Instruction &I : instructions(*F)) {
      if (const auto *Compare = dyn_cast<ICmpInst>(&I)) {
        number(Compare->getOperand(0));
        number(Compare->getOperand(1));
      } else if (const auto *Switch = dyn_cast<SwitchInst>(&I)) {
        for (auto Case : Switch->cases())
          number(Case.getCaseValue());
      } else if (const auto *Operation = dyn_cast<BinaryOperator>(&I)) {
        number(Operation->getOperand(1));
      }
      for (const Value *Operand : I.operands())
        if (const auto *Global = dyn_cast<GlobalVariable>(Operand->stripPointerCasts()))
          if (Global->hasInitializer() && Global->isConstant())
            if (const auto *Data = dyn_cast<ConstantDataArray>(Global->getInitializer()))
              if (Data->isCString() && Data->getAsCString().size() >= 1 && Data->getAsCString().size() <= 64)
                Strings.insert(Data->getAsCString().str());
    }
}

std::vector<const DIType *> structuresOf(const std::set<const Function *> &Reached) {
  std::vector<const DIType *> Result;
  // In the order of the module, which does not depend on addresses.
  for (const Function &F : *(*Reached.begin())->getParent())
    if (Reached.count(&F))
      for (const Instruction &I : instructions(F))
        for (const DbgVariableRecord &Record : filterDbgVars(I.getDbgRecordRange())) {
          const auto *Pointer = dyn_cast_or_null<DIDerivedType>(stripped(Record.getVariable()->getType()).Type);
          if (!Pointer || Pointer->getTag() != dwarf::DW_TAG_pointer_type)
            continue;
          const auto *Pointee = dyn_cast_or_null<DICompositeType>(stripped(Pointer->getBaseType()).Type);
          if (Pointee && !Pointee->isForwardDecl() && Pointee->getSizeInBits() &&
              (Pointee->getTag() == dwarf::DW_TAG_structure_type || Pointee->getTag() == dwarf::DW_TAG_union_type) &&
              std::find(Result.begin(), Result.end(), Pointee) == Result.end())
            Result.push_back(Pointee);
        }
  return Result;
}

} // namespace cct
