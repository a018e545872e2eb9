// Code generation without clang: the target that a module names, and objects made for it.
#pragma once
#include "library.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace cc_agent {

/// The machine of the module's triple, or of this computer where it has none. `wanted` may be null.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeTargetMachine(const llvm::Module &module, const cca_target *wanted);

/// IR written by hand often has no data layout: the target's is meant.
void adoptDataLayout(llvm::Module &module, const llvm::TargetMachine &machine);

/// Appends an object of `module`, which stays as it is, to `bytes`.
llvm::Error emitObject(const llvm::Module &module, llvm::TargetMachine &machine, llvm::SmallVectorImpl<char> &bytes);

} // namespace cc_agent
