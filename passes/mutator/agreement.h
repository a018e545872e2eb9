// Whether a mistake changes nothing: it is asked of LLVM's own optimizer, as a call that would have to be dead.
//
// The function as it was is run along with what the mistake made of it: where an instruction that both have gets another operand, a
// check compares the two and calls `cc_agent_different` if they are not equal. If the optimizer removes all these calls, no execution
// that has a meaning makes one, so the mutant does what the function did, step by step. docs/planted-faults.md has the argument.
#pragma once

#include "mutation.h"

#include "llvm/IR/Module.h"
#include "llvm/IR/ValueHandle.h"
#include "llvm/Transforms/Utils/ValueMapper.h"
#include <memory>
#include <string>

namespace cc_agent {

/// A module's copy with what was where, taken before the mistake is made.
class Snapshot {
  llvm::ValueToValueMapTy all; // filled and emptied by the constructor: it would follow what the mistake does

public:
  Snapshot(llvm::Module &module, llvm::Function &function);

  std::unique_ptr<llvm::Module> module;
  /// Of globals and arguments; what the mistake does to instructions is not followed.
  llvm::ValueToValueMapTy outer;
  llvm::Function &function;
  std::vector<std::pair<llvm::WeakVH, llvm::Instruction *>> instructions;
  std::vector<std::pair<llvm::WeakVH, llvm::BasicBlock *>> blocks;
};

/// Isolates the snapshot's function and puts the checks into it. Empty: done; else why it cannot be done.
std::string addChecks(Snapshot &snapshot, llvm::Function &mutant);

/// Leaves the function alone in its module, with nothing in it that the optimizer may choose: undef becomes something unknown.
void isolate(llvm::Module &module, llvm::Function &function);

/// Whether a value is never poison, if calls return none, and with `memory`, if memory holds none.
bool isSolid(const llvm::Value &value, bool memory);

/// Whether memory never holds poison, if it holds none when the function begins.
bool storesSolid(const llvm::Function &function);

/// Optimizes the module; whether no call of `cc_agent_different` is left.
bool checksVanish(llvm::Module &module);

/// The function that is called where the two differ.
llvm::FunctionCallee different(llvm::Module &module);

} // namespace cc_agent
