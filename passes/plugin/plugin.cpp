// The pass plugin: at the start of clang's pipeline it replays a plan from the lock, or serves evaluations of plans.
#include "fingerprint.h"
#include "limits.h"
#include "lock.h"
#include "plan.h"
#include "run_plan.h"
#include "serve.h"
#include "status.h"
#include "test_passes.h"
#include "unroll_and_jam.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// Where this compilation stands: clang's passes run, the plan's passes run, or clang's remaining passes are skipped.
enum class Stage { Clang, Plan, Skip };

struct Compilation {
  PassBuilder &builder; ///< clang's own: its tuning options, target and analyses are the user's command line
  Stage stage = Stage::Clang;
  bool started = false;

  explicit Compilation(PassBuilder &builder) : builder(builder) {}
};

/// Parses and runs `text` on `module` as clang's own pipeline would run: same builder, same analyses, same instrumentation.
/// All errors are found before `aboutToRun` is called; after it there is only the pipeline, which may do anything. False where
/// every pass says that it changed nothing.
Expected<bool> applyPlan(Compilation &compilation, StringRef text, Module &module, ModuleAnalysisManager &analyses, function_ref<void()> aboutToRun) {
  auto plan = parsePlan(text);
  if (!plan)
    return plan.takeError();
  if (Error error = applyOptions(*plan))
    return error;
  auto pipeline = parsePipeline(compilation.builder, plan->pipeline);
  if (!pipeline) {
    resetOptions(*plan);
    return pipeline.takeError();
  }
  if (Error error = applyDecisions(plan->decisions, module)) {
    resetOptions(*plan);
    return error;
  }
  if (!plan->decisions.empty())
    analyses.invalidate(module, PreservedAnalyses::none());
  aboutToRun();
  compilation.stage = Stage::Plan;
  bool isKept = pipeline->run(module, analyses).areAllPreserved();
  compilation.stage = Stage::Skip;
  return !isKept || !plan->decisions.empty();
}

std::string keyOf(const Module &module, OptimizationLevel level) {
  return fingerprint(module) + "-O" + std::to_string(level.getSpeedupLevel()) + "s" + std::to_string(level.getSizeLevel());
}

class AtPipelineStart : public PassInfoMixin<AtPipelineStart> {
public:
  AtPipelineStart(std::shared_ptr<Compilation> compilation, OptimizationLevel level) : compilation(std::move(compilation)), level(level) {}
  static bool isRequired() { return true; }

  PreservedAnalyses run(Module &module, ModuleAnalysisManager &analyses) {
    if (compilation->started) // `default<…>` in a plan comes here again
      return PreservedAnalyses::all();
    compilation->started = true;
    if (servingDescriptor() >= 0)
      serve(module, analyses);
    else if (StringRef lock = lockPath(); !lock.empty())
      replay(module, analyses, lock);
    return PreservedAnalyses::all(); // what the plan changed was invalidated where it ran
  }

private:
  std::shared_ptr<Compilation> compilation;
  OptimizationLevel level;

  void replay(Module &module, ModuleAnalysisManager &analyses, StringRef lock) {
    std::string key = keyOf(module, level);
    auto text = findPlan(lock, key);
    if (!text)
      return complain(key, module, toString(text.takeError()));
    if (!*text)
      return reportStatus("miss", key, module.getSourceFileName(), "");
    // Said before the pipeline runs: if that ends clang, the launcher knows whose fault it was.
    auto begin = [&] {
      reportStatus("hit", key, module.getSourceFileName(), "");
      limitFromHere(replayLimits());
    };
    if (Error error = applyPlan(*compilation, **text, module, analyses, begin).takeError())
      complain(key, module, (lock + ": the plan of entry " + key + " does not apply: " + toString(std::move(error))).str());
  }

  void complain(StringRef key, Module &module, const std::string &message) {
    errs() << "cc-agent: warning: " << message << "; compiling without a plan\n";
    reportStatus("error", key, module.getSourceFileName(), message);
  }

  void serve(Module &module, ModuleAnalysisManager &analyses) {
    auto apply = [&](StringRef plan) { return applyPlan(*compilation, plan, module, analyses, [] {}); };
    auto standsAtModuleLevel = [&](StringRef element) { // nested, LLVM does not guess the level from the element
      auto parsed = parsePipeline(compilation->builder, ("module(" + element + ")").str());
      return !errorToBool(parsed.takeError());
    };
    ServedModule served{module, keyOf(module, level), apply, standsAtModuleLevel};
    serveEvaluations(served);
  }
};

void registerCallbacks(PassBuilder &builder) {
  registerTestPasses(builder);
  registerUnrollAndJam(builder);
  if (servingDescriptor() < 0 && lockPath().empty())
    return;
  auto compilation = std::make_shared<Compilation>(builder);
  builder.registerPipelineStartEPCallback([compilation](ModulePassManager &manager, OptimizationLevel level) {
    if (!compilation->started)
      manager.addPass(AtPipelineStart(compilation, level));
  });
  if (PassInstrumentationCallbacks *instrumentation = builder.getPassInstrumentationCallbacks())
    instrumentation->registerShouldRunOptionalPassCallback([compilation](StringRef, Any) { return compilation->stage != Stage::Skip; });
}

} // namespace
} // namespace cc_agent

extern "C" __attribute__((visibility("default"))) PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "cc-agent", CC_AGENT_VERSION, cc_agent::registerCallbacks, nullptr};
}
