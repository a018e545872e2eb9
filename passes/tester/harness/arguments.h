// How a function's IR arguments make up the parameters that its source declares.
#pragma once

#include "types.h"

#include "llvm/IR/Function.h"

#include <optional>
#include <string>
#include <vector>

namespace cct {

struct Parameter {
  unsigned Type = 0;
  std::string Name;
};

// One IR argument: Size bytes of parameter Source from Offset on, put at Slot of the argument buffer.
struct Piece {
  enum class Way { Direct, ByValue, Indirect, Result };
  Way Kind = Way::Direct;
  unsigned Slot = 0, Size = 0;
  unsigned Source = 0, Offset = 0;
};

struct Signature {
  std::vector<Parameter> Parameters;
  std::vector<Piece> Pieces; // one for each IR argument
  unsigned ResultType = 0;
  unsigned ResultSize = 0;   // bytes that the thunk writes
  unsigned BufferSize = 0;   // bytes of the argument buffer
  std::string Unsupported;   // why the function cannot be called from a thunk; empty: it can
};

Signature signatureOf(const llvm::Function &F, TypeTable &Types);

} // namespace cct
