// The types of parameters and globals, from debug info, as lines of the description.
#pragma once

#include "llvm/IR/DataLayout.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/DerivedTypes.h"

#include <map>
#include <string>
#include <vector>

namespace cct {

std::string encoded(llvm::StringRef Text);

class TypeTable {
public:
  TypeTable();
  // The number of a type, qualifiers and typedefs stripped; null is void.
  unsigned add(const llvm::DIType *Type);
  // Numbers for types that have no debug info.
  unsigned addInteger(unsigned Bytes);
  unsigned addFloat(unsigned Bytes);
  unsigned addUntypedPointer();
  // The number of a type as the compiler sees it; 0 where inputs cannot be made of it.
  unsigned add(llvm::Type *Type, const llvm::DataLayout &Layout);

  const std::vector<std::string> &lines() const { return Lines; }
  // The subroutine types met so far, and the type's number, in order.
  const std::vector<std::pair<const llvm::DISubroutineType *, unsigned>> &functions() const { return Functions; }

private:
  std::string describe(const llvm::DIType *Type, unsigned Number);
  std::string describeComposite(const llvm::DICompositeType *Type);
  std::string describePointer(const llvm::DIDerivedType *Type, bool Restrict);

  std::vector<std::string> Lines;
  std::map<std::pair<const llvm::DIType *, bool>, unsigned> Known;
  std::map<unsigned, unsigned> Integers, Floats;
  std::vector<std::pair<const llvm::DISubroutineType *, unsigned>> Functions;
};

struct Qualified {
  const llvm::DIType *Type;
  bool Const = false, Volatile = false, Restrict = false;
};
Qualified stripped(const llvm::DIType *Type);
uint64_t sizeOf(const llvm::DIType *Type);
bool isCharacter(const llvm::DIType *Type);

} // namespace cct
