// What the handles of the C ABI hold, and the guard around whatever runs LLVM on them.
#pragma once
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <mutex>
#include <string>

namespace cc_agent {

/// A context, the error diagnostics it was sent, and whether a crash left it in a state that must not be destroyed.
struct ContextState {
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::string diagnostics;
  bool broken = false;
  ContextState();
  ~ContextState() {
    if (broken)
      (void)context.release();
  }
};

} // namespace cc_agent

struct cca_context {
  std::shared_ptr<cc_agent::ContextState> state = std::make_shared<cc_agent::ContextState>();
};

struct cca_module {
  std::shared_ptr<cc_agent::ContextState> state; // first: outlives the module
  std::unique_ptr<llvm::Module> module;
  std::string spoiled; ///< why the module cannot be used any more, or empty
  ~cca_module() {
    if (state->broken)
      (void)module.release();
  }
};

namespace cc_agent {

llvm::Error fault(const llvm::Twine &message);

/// LLVM's options, its fatal error handler and the signal handlers are the process's: one at a time.
std::mutex &turn();

/// Runs `work`; a crash, an abort or a fatal error in it breaks the context and is an error. Errors that LLVM sends to the
/// context are errors, too. The caller holds turn().
llvm::Error guard(ContextState &state, llvm::function_ref<llvm::Error()> work);

/// An error that says why nothing can be done with the module any more, if that is so.
llvm::Error checkUsable(const cca_module &module);

/// Passes `error` on, and remembers it where the module did not survive.
llvm::Error spoilIfBroken(cca_module &module, llvm::Error error);

/// guard() for work that reads or changes `module`.
llvm::Error guardModule(cca_module &module, llvm::function_ref<llvm::Error()> work);

} // namespace cc_agent
