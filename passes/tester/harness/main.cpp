// cc-agent-harness UNIT.bc HARNESS.bc DESCRIPTION SYMBOLS
//
// UNIT.bc is the unit before optimization, with debug info. Writes the harness module, the description of functions and
// types that the controller reads, and the list of symbols to rename (llvm-objcopy --redefine-syms) in each object.
#include "knowledge.h"
#include "library_functions.h"
#include "module.h"

#include "../shared/layout.h"

#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Operator.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <set>

using namespace llvm;
using namespace cct;

namespace {

// Why a function cannot be judged, by what it or its callees contain.
std::string obstacle(const std::set<const Function *> &Reached) {
  for (const Function *F : Reached) {
    if (F->hasAvailableExternallyLinkage() && providerOf(F->getName()) == Provider::Stub)
      return "it calls " + F->getName().str() + ", an inline function whose definition is in another unit";
    for (const Instruction &I : instructions(*F)) {
      if (I.hasMetadata(LLVMContext::MD_access_group))
        return "it has a loop that is promised to be parallel (omp simd, assume_safety), and whether an input keeps that nobody sees";
      if (const auto *Math = dyn_cast<FPMathOperator>(&I))
        if (Math->hasAllowReassoc() || Math->hasNoNaNs() || Math->hasNoInfs() || Math->hasApproxFunc() || Math->hasAllowReciprocal())
          return "it is compiled with -ffast-math or a part of it: any rounding is right";
    }
  }
  return "";
}

const char *kindName(Piece::Way Kind) {
  switch (Kind) {
  case Piece::Way::Direct:
    return "direct";
  case Piece::Way::ByValue:
    return "byvalue";
  case Piece::Way::Indirect:
    return "indirect";
  case Piece::Way::Result:
    return "result";
  }
  return "direct";
}

bool isTestable(const GlobalValue &G) {
  return !G.isDeclaration() && !G.hasLocalLinkage() && !G.hasAvailableExternallyLinkage() && !G.getName().starts_with("llvm.");
}

struct Harness {
  const Module &Unit;
  HarnessModule Code;
  TypeTable Types;
  std::vector<std::string> Lines, Renames;

  std::map<const Function *, unsigned> StubNumbers, LocalNumbers;

  explicit Harness(const Module &M) : Unit(M), Code(M) {
    for (const Function &F : Unit)
      if (!F.isIntrinsic() && (F.isDeclaration() || F.hasAvailableExternallyLinkage()) && !F.use_empty() &&
          providerOf(F.getName()) == Provider::Stub)
        StubNumbers.emplace(&F, StubNumbers.size());
  }

  void rename(StringRef Name, const std::string &To) { Renames.push_back(Name.str() + " " + To); }

  unsigned localNumber(const Function &F) {
    auto [Known, New] = LocalNumbers.try_emplace(&F, LocalNumbers.size());
    if (New) {
      rename(F.getName(), localName(F.getName()));
      Code.addLocal(F);
    }
    return Known->second;
  }

  void functions() {
    unsigned Index = 0;
    std::set<std::string> Own;
    for (const GlobalAlias &A : Unit.aliases())
      if (isTestable(A) && !A.isWeakForLinker())
        rename(A.getName(), unitName(A.getName()));
    for (const Function &F : Unit) {
      if (!isTestable(F))
        continue;
      bool MayBeMissing = F.isWeakForLinker();
      if (!MayBeMissing)
        rename(F.getName(), unitName(F.getName()));
      auto Reached = reachable(F);
      Signature S = signatureOf(F, Types);
      if (S.Unsupported.empty() && S.ResultSize > MaxResultSize)
        S.Unsupported = "its result is larger than " + std::to_string(MaxResultSize) + " bytes";
      if (S.Unsupported.empty())
        S.Unsupported = obstacle(Reached);
      auto restricts = [](const Function *Of) {
        return any_of(Of->args(), [](const Argument &A) { return A.hasNoAliasAttr() && !A.hasStructRetAttr(); });
      };
      // A callee's counts as its own: it may be inlined, and lets stores be late for whoever looks at memory from within.
      const bool Restricts = any_of(Reached, restricts);
      const bool NoAlias = Restricts || any_of(Reached, [](const Function *Of) { return forbidsOverlap(Of->getName()); });
      Code.addFunction(F, S, MayBeMissing, Restricts);
      Lines.push_back("function " + std::to_string(Index) + " " + encoded(F.getName()) + " " + encoded(S.Unsupported) + " " +
                      std::to_string(S.BufferSize) + " " + std::to_string(S.ResultType) + " " + std::to_string(S.ResultSize) +
                      (NoAlias ? " 1 " : " 0 ") + (MayBeMissing ? "1" : "0"));
      for (const Parameter &P : S.Parameters)
        Lines.push_back("parameter " + std::to_string(P.Type) + " " + encoded(P.Name));
      for (const Piece &P : S.Pieces)
        Lines.push_back(std::string("piece ") + kindName(P.Kind) + " " + std::to_string(P.Slot) + " " + std::to_string(P.Size) +
                        " " + std::to_string(P.Source) + " " + std::to_string(P.Offset));
      std::set<uint64_t> Numbers;
      std::set<std::string> Strings;
      std::set<unsigned> Stubs;
      constantsOf(Reached, Numbers, Strings);
      unsigned Left = 200;
      for (uint64_t Number : Numbers)
        if (Left-- > 0)
          Lines.push_back("constant " + std::to_string(Number));
        else
          break;
      Left = 50;
      for (const std::string &String : Strings)
        if (Left-- > 0)
          Lines.push_back("string " + encoded(String));
        else
          break;
      for (const Function *Callee : Reached)
        if (auto Stub = StubNumbers.find(Callee); Stub != StubNumbers.end())
          Stubs.insert(Stub->second);
      for (unsigned Stub : Stubs)
        Lines.push_back("calls " + std::to_string(Stub));
      std::set<unsigned> Locals;
      const auto Callees = localCallees(F);
      for (const Function &Callee : Unit) // in an order that does not depend on addresses
        if (Callees.count(&Callee))
          Locals.insert(localNumber(Callee));
      for (unsigned Local : Locals)
        Lines.push_back("local " + std::to_string(Local));
      for (const DIType *Structure : structuresOf(Reached))
        Lines.push_back("structure " + std::to_string(Types.add(Structure)));
      ++Index;
    }
  }

  void globals() {
    unsigned Index = 0;
    for (const GlobalVariable &G : Unit.globals()) {
      bool Defined = isTestable(G);
      if (Defined && G.isWeakForLinker())
        continue; // C++ inline variables, tables of virtual functions: not always there
      if (!Defined && !(G.isDeclaration() && !G.use_empty() && providerOf(G.getName()) == Provider::Stub))
        continue;
      if (G.getName().starts_with("llvm."))
        continue;
      rename(G.getName(), Defined ? unitName(G.getName()) : stubName(G.getName()));
      SmallVector<DIGlobalVariableExpression *, 1> Expressions;
      G.getDebugInfo(Expressions);
      unsigned Described = Expressions.empty() ? 0 : Types.add(Expressions[0]->getVariable()->getType());
      Type *Laid = Code.addGlobal(G, !Defined);
      // What another unit declares has no debug info. Tables of virtual functions and the like are left as they are.
      if (!Defined && !Described && !G.getName().starts_with("_Z"))
        Described = Types.add(Laid, Unit.getDataLayout());
      uint64_t Size = Unit.getDataLayout().getTypeAllocSize(Laid).getFixedValue();
      Lines.push_back("global " + std::to_string(Index++) + " " + encoded(G.getName()) + " " + std::to_string(Size) + " " +
                      std::to_string(Described) + (Defined ? " 1" : " 0") + (G.isConstant() ? " 1" : " 0"));
    }
  }

  void stubs() {
    for (const Function &F : Unit)
      if (StubNumbers.count(&F)) {
        rename(F.getName(), stubName(F.getName()));
        const DISubprogram *Program = F.getSubprogram();
        bool Returns = F.getReturnType()->isPointerTy() && Program && Program->getType() && Program->getType()->getTypeArray().size();
        unsigned Result = Returns ? Types.add(Program->getType()->getTypeArray()[0]) : 0;
        Lines.push_back("stub " + std::to_string(Code.stubs()) + " " + encoded(F.getName()) + " " + std::to_string(Result));
        Code.addStub(F);
      }
    for (StringRef Name : modelledNames())
      if (const GlobalValue *G = Unit.getNamedValue(Name); !G || G->isDeclaration())
        rename(Name, "cct_m_" + Name.str());
  }

  void callbacks() {
    // Types grow while callbacks are described.
    for (unsigned Index = 0; Index < Types.functions().size(); ++Index) {
      bool Made = Code.addCallback(Types.functions()[Index].first);
      Lines.push_back("callback " + std::to_string(Index) + " " + std::to_string(Types.functions()[Index].second) + (Made ? " 1" : " 0"));
    }
  }
};

bool write(const char *Path, const std::vector<std::string> &Lines) {
  std::error_code Error;
  raw_fd_ostream Out(Path, Error, sys::fs::OF_None);
  for (const std::string &Line : Lines)
    Out << Line << "\n";
  Out.flush();
  if (Error || Out.has_error()) {
    errs() << Path << ": " << (Error ? Error.message() : Out.error().message()) << "\n";
    Out.clear_error();
    return false;
  }
  return true;
}

} // namespace

int main(int Count, char **Arguments) {
  if (Count != 5) {
    errs() << "usage: cc-agent-harness UNIT.bc HARNESS.bc DESCRIPTION SYMBOLS\n";
    return 2;
  }
  LLVMContext Context;
  SMDiagnostic Complaint;
  std::unique_ptr<Module> Unit = parseIRFile(Arguments[1], Complaint, Context);
  if (!Unit) {
    Complaint.print(Arguments[0], errs());
    return 3;
  }
  Harness H(*Unit);
  H.functions();
  H.globals();
  H.stubs();
  H.callbacks();
  std::vector<std::string> Description{"cc-agent-test-description 1"};
  bool Optimizing = any_of(*Unit, [](const Function &F) { return !F.isDeclaration() && !F.hasOptNone(); });
  bool ForSize = any_of(*Unit, [](const Function &F) { return !F.isDeclaration() && (F.hasOptSize() || F.hasMinSize()); });
  Description.push_back("triple " + encoded(Unit->getTargetTriple().str()));
  bool Cxx = any_of(Unit->debug_compile_units(), [](const DICompileUnit *CU) {
    return dwarf::isCPlusPlus(static_cast<dwarf::SourceLanguage>(CU->getSourceLanguage().getUnversionedName()));
  });
  Description.push_back(Cxx ? "language c++" : "language c");
  Description.push_back(std::string("optimizing ") + (ForSize ? "2" : Optimizing ? "1" : "0"));
  Description.insert(Description.end(), H.Types.lines().begin(), H.Types.lines().end());
  Description.insert(Description.end(), H.Lines.begin(), H.Lines.end());
  std::unique_ptr<Module> Code = H.Code.finish();
  std::string Broken;
  raw_string_ostream BrokenStream(Broken);
  if (verifyModule(*Code, &BrokenStream)) {
    errs() << "the generated harness is not valid IR, which is a bug of ours:\n" << Broken;
    return 3;
  }
  std::error_code Error;
  raw_fd_ostream Out(Arguments[2], Error, sys::fs::OF_None);
  if (Error) {
    errs() << Arguments[2] << ": " << Error.message() << "\n";
    return 3;
  }
  WriteBitcodeToFile(*Code, Out);
  return write(Arguments[3], Description) && write(Arguments[4], H.Renames) ? 0 : 3;
}
