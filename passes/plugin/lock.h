// Reads one plan out of cc-agent.lock. The format is described in docs/plan-lock.md.
#pragma once
#include "llvm/Support/Error.h"
#include <optional>
#include <string>

namespace cc_agent {

/// The text of the plan that the lock at `path` keeps under `key`, or nothing when there is no such file or entry.
/// A lock that is corrupt, of a future version, or whose entry was made for another LLVM or edited by hand is an error.
llvm::Expected<std::optional<std::string>> findPlan(llvm::StringRef path, llvm::StringRef key);

} // namespace cc_agent
