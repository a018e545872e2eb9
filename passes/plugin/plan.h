// A plan as the native side sees it: one pipeline text, LLVM options with explicit values, and decisions.
#pragma once
#include "decisions.h"
#include "llvm/Support/Error.h"
#include <string>
#include <utility>
#include <vector>

namespace cc_agent {

struct Plan {
  std::string pipeline;
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<Decision> decisions;

  /// The options as they stand in the plan's text: equal for plans that generate code alike.
  std::string optionsText() const;
  std::string decisionsText() const;
};

/// Parses the canonical text `-passes=PIPELINE -name=value … call:…`. A plan that forces vectorization gets an option
/// that it need not name: vectorizing must not reorder floating-point arithmetic.
llvm::Expected<Plan> parsePlan(llvm::StringRef text);

/// Parses options alone: `-name=value …`, or nothing.
llvm::Expected<Plan> parseOptions(llvm::StringRef text);

/// Sets LLVM's command-line options for the rest of this process. An unknown option, a value it does not take, or one
/// that the user's own `-mllvm` has already set is an error, and then none is set.
llvm::Error applyOptions(const Plan &plan);

/// Puts the plan's options back to LLVM's defaults, as if applyOptions() had never run.
void resetOptions(const Plan &plan);

/// The pipeline's top-level elements, in order: `a,function(b,c)` gives `a` and `function(b,c)`.
std::vector<llvm::StringRef> topLevelElements(llvm::StringRef pipeline);

} // namespace cc_agent
