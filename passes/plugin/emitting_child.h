// A child that is forked off to go on into clang and emit its object, and what it left.
#pragma once
#include "limits.h"
#include "memory_file.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace cc_agent {

class EmittingChild {
public:
  MemoryFile object;     ///< what clang wrote; empty where the child ended before code generation
  MemoryFile complaints; ///< its standard error
  Ending ending;
  std::string said; ///< what it wrote to the pipe

  /// Forks. True in a child for which `work` gave true: it is to return into clang. In the parent false, once the child has ended.
  /// `work` is called in the child with a pipe to the parent; `unneeded` is a descriptor that the child does not keep.
  bool run(const Limits &limits, int unneeded, llvm::function_ref<bool(int pipe)> work);

  /// The ending in words, with the last of what was complained about.
  std::string message() const;
};

} // namespace cc_agent
