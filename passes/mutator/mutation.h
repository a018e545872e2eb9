// What a mutation is: a kind of mistake that an optimizer could make, and the places in a function where it could.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include <functional>
#include <vector>

namespace cc_agent {

/// One place where a kind of mistake can be made. `apply` makes it; it is called at most once, on the module as it was listed.
struct Site {
  llvm::Instruction *instruction;
  std::function<void()> apply;
};

/// What is known about the function whose sites are being found.
struct Context {
  llvm::Function &function;
  llvm::DominatorTree &dominators;
  llvm::LoopInfo &loops;
  llvm::AAResults &aliases;
  llvm::TargetTransformInfo &target;
};

using Sites = std::vector<Site>;

/// A kind of mistake. `find` looks at one instruction, changes nothing, and appends the sites that the instruction offers.
struct Kind {
  llvm::StringRef name;
  llvm::StringRef summary;
  void (*find)(llvm::Instruction &instruction, Context &context, Sites &sites);
};

llvm::ArrayRef<Kind> integerKinds();
llvm::ArrayRef<Kind> flagKinds();
llvm::ArrayRef<Kind> floatKinds();
llvm::ArrayRef<Kind> comparisonKinds();
llvm::ArrayRef<Kind> branchKinds();
llvm::ArrayRef<Kind> loopKinds();
llvm::ArrayRef<Kind> loadKinds();
llvm::ArrayRef<Kind> storeKinds();
llvm::ArrayRef<Kind> copyKinds();
llvm::ArrayRef<Kind> callKinds();
llvm::ArrayRef<Kind> addressKinds();
llvm::ArrayRef<Kind> valueKinds();
/// All of them, in an order that does not change.
std::vector<const Kind *> allKinds();

/// Replaces all uses of `old` by `with`, and removes `old` and what only it used.
void replace(llvm::Instruction &old, llvm::Value *with);

/// Replaces the uses that `old` has now by what `make` builds right after it, which may itself use `old`.
void wrap(llvm::Instruction &old, llvm::function_ref<llvm::Value *(llvm::IRBuilder<> &)> make);

/// Replaces `old` by what `make` builds right before it.
void rebuild(llvm::Instruction &old, llvm::function_ref<llvm::Value *(llvm::IRBuilder<> &)> make);

/// The conditional branch that decides whether the block of `instruction` runs, if it alone decides and the instruction could be
/// computed before it: its operands are there already. Null otherwise.
llvm::BranchInst *guardOf(llvm::Instruction &instruction, const Context &context);

/// Whether the value is available where `at` is.
bool availableAt(const llvm::Value &value, const llvm::Instruction &at, const Context &context);

/// The block jumps to `kept` only: the other edge of its conditional branch is taken away.
void takeOnly(llvm::BranchInst &branch, unsigned kept);

/// An integer constant (or the constant that all lanes have), or null.
const llvm::APInt *constantOf(const llvm::Value *value);

/// Whether the instruction is a load or store that is neither volatile nor atomic.
bool isPlain(const llvm::Instruction &instruction);

/// Whether the instruction is a call that the program asked for: no debug or lifetime marker, no assumption, no intrinsic.
bool isRealCall(const llvm::Instruction &instruction);

} // namespace cc_agent
