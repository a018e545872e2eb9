// The sites of a module, numbered and printed.
#pragma once

#include "mutation.h"

#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <string>

namespace cc_agent {

/// All sites of all kinds in a module. It holds the analyses that the sites were found with, and the module must outlive it.
class Listing {
public:
  explicit Listing(llvm::Module &module);

  /// One line of JSON for each site in the functions that are named, or in all if none is.
  void print(llvm::raw_ostream &stream, llvm::ArrayRef<std::string> functions) const;

  /// The site of that number among the kind's, or null.
  Site *find(llvm::StringRef kind, unsigned number);

private:
  llvm::Module &module;
  llvm::LoopAnalysisManager loopAnalyses;
  llvm::FunctionAnalysisManager functionAnalyses;
  llvm::CGSCCAnalysisManager callGraphAnalyses;
  llvm::ModuleAnalysisManager moduleAnalyses;
  llvm::PassBuilder builder;
  std::vector<std::pair<const Kind *, Sites>> found;
};

/// One line of JSON for each kind.
void printKinds(llvm::raw_ostream &stream);

} // namespace cc_agent
