// What can be said about loops can be said of a module in which values are no longer in memory. This makes such a copy, and
// keeps in it which loop was which in the IR that clang gave.
#pragma once
#include "llvm/IR/PassManager.h"
#include <memory>
#include <optional>
#include <string>

namespace llvm {
class Function;
class Loop;
class LoopInfo;
class Module;
class PassBuilder;
} // namespace llvm

namespace cc_agent {

/// The loop's position among those of its function in the IR before optimization (see tagLoops), if it is one of them.
std::optional<unsigned> positionOf(const llvm::Loop &loop);

/// Writes each loop's position, its index in preorder, into its metadata.
void tagLoops(llvm::Function &function, const llvm::LoopInfo &loops);

/// A function without loops that has at most so many instructions is inlined into the copy: an access through it is an access.
constexpr unsigned inlinedInstructions = 20;

/// Promotes memory to values, simplifies, inlines small functions without loops, rotates loops and hoists out of them.
/// Every value has a name then.
void simplify(llvm::Module &module, llvm::PassBuilder &builder, llvm::ModuleAnalysisManager &modules);

/// Removes what a loop's analyses need and a reader does not: empty blocks, conditions that are known.
void tidy(llvm::Module &module, llvm::PassBuilder &builder, llvm::ModuleAnalysisManager &modules);

} // namespace cc_agent
