// Decisions of a plan: what a pragma or an attribute in the source would say of one call, function or loop.
#pragma once
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace llvm {
class CallBase;
class Function;
class Module;
} // namespace llvm

namespace cc_agent {

struct Decision {
  enum Kind { Call, Function, Loop } kind;
  std::string function;  ///< the name in the IR
  unsigned position = 0; ///< of the call or loop, as decidableCalls() and getLoopsInPreorder() count
  std::string key, value;
  std::string text; ///< as it stands in the plan

  bool is(llvm::StringRef otherKey, llvm::StringRef otherValue) const { return key == otherKey && value == otherValue; }
  /// Clang's vectorizer takes such a wish as leave to reorder floating-point arithmetic, which no decision may give.
  bool forcesVectorization() const;
};

/// Parses `call:FUNCTION:POSITION:KEY=VALUE`, `function:FUNCTION:KEY=VALUE` or `loop:FUNCTION:POSITION:KEY=VALUE`.
llvm::Expected<Decision> parseDecision(llvm::StringRef word);

/// Checks all decisions, then changes the module, before any pass, as clang would have written it with the pragmas and
/// attributes in its source. An unknown function or position, or two wishes that exclude each other, is an error, and nothing is changed.
llvm::Error applyDecisions(llvm::ArrayRef<Decision> decisions, llvm::Module &module);

/// The calls that decisions count: direct ones of functions that are no intrinsics, in the order of instructions.
std::vector<llvm::CallBase *> decidableCalls(llvm::Function &function);

} // namespace cc_agent
