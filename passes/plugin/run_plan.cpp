#include "run_plan.h"

#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace cc_agent {

Expected<ModulePassManager> parsePipeline(PassBuilder &builder, StringRef pipeline) {
  ModulePassManager manager;
  if (Error error = builder.parsePassPipeline(manager, pipeline))
    return Expected<ModulePassManager>(std::move(error));
  return manager;
}

Error verify(const Module &module) {
  std::string complaint;
  raw_string_ostream stream(complaint);
  if (verifyModule(module, &stream))
    return createStringError(inconvertibleErrorCode(), "the LLVM verifier rejects the module after the pipeline: " + complaint);
  return Error::success();
}

} // namespace cc_agent
