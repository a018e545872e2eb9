// A plan as the native side sees it: one pipeline text and LLVM options with explicit values.
#pragma once
#include "llvm/Support/Error.h"
#include <string>
#include <utility>
#include <vector>

namespace cc_agent {

struct Plan {
  std::string pipeline;
  std::vector<std::pair<std::string, std::string>> options;

  /// The options as they stand in the plan's text: equal for plans that generate code alike.
  std::string optionsText() const;
};

/// Parses the canonical text `-passes=PIPELINE -name=value …`.
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
