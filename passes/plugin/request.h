// What a serving process is asked for.
#pragma once
#include "limits.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <string>

namespace cc_agent {

struct Request {
  std::string plan;         ///< empty: clang's own pipeline
  std::string late;         ///< those of the plan's options that code generation alone reads
  bool wantsObject = true;
  bool wantsFingerprint = true; ///< of the module after the pipeline; objects are known by it
  bool wantsFeatures = false; ///< of the module after the pipeline
  bool fresh = false;       ///< emit an object even where an equal module's is known
  bool share = true;        ///< start where an earlier plan with the same beginning was
  Limits limits{};

  // To the first server only:
  bool isSession = false; ///< make a process that applies passes in place; it answers on the descriptor that came along
  int endedSession = 0;   ///< the process of a session that is to end; 0: none

  // To a snapshot only:
  std::string rest;         ///< the elements of the pipeline that it has not run yet
  bool isStart = false;     ///< make another snapshot by running `rest`; it answers on the descriptor that came along
  bool isComplete = false;  ///< of a start: nothing of the pipeline is left after `rest`
};

llvm::Expected<Request> parseRequest(llvm::StringRef line);

/// Time and memory that a request grants.
Limits limitsOf(const llvm::json::Object &fields);

} // namespace cc_agent
