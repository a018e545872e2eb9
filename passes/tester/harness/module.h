// The harness module: one thunk for each function under test, a stub for each external that nobody defines, and the tables
// of shared/layout.h that let the runtime find them.
#pragma once

#include "arguments.h"

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Module.h"

#include <map>
#include <memory>

namespace cct {

class HarnessModule {
public:
  explicit HarnessModule(const llvm::Module &Unit);

  // NoAlias: it, or what it calls, has restrict parameters.
  void addFunction(const llvm::Function &F, const Signature &S, bool MayBeMissing, bool NoAlias);
  // Returns the type that it has, which is not what is declared where no size is.
  llvm::Type *addGlobal(const llvm::GlobalVariable &G, bool DefinedHere);
  // A stub with the name's definition; Program (its declaration's debug info) may be null.
  void addStub(const llvm::Function &F);
  // A function that may be passed where this type is pointed to; returns false where it cannot be written as IR.
  bool addCallback(const llvm::DISubroutineType *Type);
  // A function that only the unit itself sees: where it is, the reference tells.
  void addLocal(const llvm::Function &F);
  std::unique_ptr<llvm::Module> finish();

  unsigned stubs() const { return Stubs.size(); }

private:
  llvm::Constant *text(llvm::StringRef Text);
  void fillStub(llvm::Function &Stub, llvm::StringRef Name, const llvm::DISubroutineType *Type, unsigned Flags);
  // What numbers and pointers there are in what a stub is given the address of: one table for each type.
  struct Fields {
    llvm::Constant *Table;
    unsigned Count;
    bool All; // there is nothing else in it
  };
  Fields fields(const llvm::DIType *Pointee);
  llvm::Constant *table(llvm::StringRef Name, llvm::Type *Entry, llvm::ArrayRef<llvm::Constant *> Entries);

  const llvm::Module &Unit;
  std::unique_ptr<llvm::Module> M;
  llvm::LLVMContext &C;
  const llvm::DataLayout &Layout;
  llvm::PointerType *Pointer;
  llvm::IntegerType *I8, *I32, *I64;
  llvm::StructType *FunctionEntry, *GlobalEntry, *FieldEntry, *StubArgument, *StubEntry;
  std::vector<llvm::Constant *> Functions, Globals, Stubs, Callbacks, Locals;
  llvm::AttrBuilder TargetAttributes;
  const llvm::TargetLibraryInfoImpl LibraryFunctions;
  const llvm::TargetLibraryInfo Library{LibraryFunctions};
  bool Exceptions;
  bool IndirectCallsMayWrite = true; // none is declared pure: which callback it would be, nobody knows
  std::map<const llvm::DIType *, Fields> KnownFields;
  uint32_t MaskOffset = 0;
  unsigned GlobalsKeptApart = 0;
};

// The name under which the variants' objects and the harness know what the unit defines, or an external that is a stub.
std::string unitName(llvm::StringRef Name);
std::string stubName(llvm::StringRef Name);
std::string localName(llvm::StringRef Name);

} // namespace cct
