// A plan's pipeline as a pass manager, and the check of what it leaves: used alike by replay, search and the library.
#pragma once
#include "llvm/IR/PassManager.h"
#include "llvm/Support/Error.h"

namespace llvm {
class Module;
class PassBuilder;
} // namespace llvm

namespace cc_agent {

/// Parses `pipeline` with `builder`. An unknown pass or a wrong parameter is an error in LLVM's own words.
llvm::Expected<llvm::ModulePassManager> parsePipeline(llvm::PassBuilder &builder, llvm::StringRef pipeline);

/// The LLVM verifier's complaint about `module`, or success.
llvm::Error verify(const llvm::Module &module);

} // namespace cc_agent
