#include "library.h"

#include "code_generation.h"
#include "decidable.h"
#include "embedding.h"
#include "features.h"
#include "fingerprint.h"
#include "library_context.h"
#include "module_json.h"
#include "module_summary.h"
#include "object_sizes.h"
#include "pass_effects.h"
#include "plan.h"
#include "run_plan.h"
#include "test_passes.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <cstdlib>
#include <cstring>

using namespace llvm;
using namespace cc_agent;

namespace {

char *copy(StringRef text) {
  char *memory = static_cast<char *>(std::malloc(text.size() + 1));
  std::memcpy(memory, text.data(), text.size());
  memory[text.size()] = '\0';
  return memory;
}

void leave(char **where, StringRef text) {
  if (where)
    *where = copy(text);
}

/// Parses the plan's pipeline and, where `module` is given, takes the plan's decisions and runs it; `callbacks`, where given, are told of each pass.
Error runPipeline(const Plan &plan, Module *module, TargetMachine *machine, bool &planIsAtFault, PassInstrumentationCallbacks *callbacks = nullptr) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(machine, PipelineTuningOptions(), std::nullopt, callbacks);
  registerTestPasses(builder);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  planIsAtFault = true;
  auto manager = parsePipeline(builder, plan.pipeline);
  if (!manager)
    return manager.takeError();
  if (!module)
    return Error::success();
  if (Error error = applyDecisions(plan.decisions, *module))
    return error;
  planIsAtFault = false;
  manager->run(*module, modules);
  return Error::success();
}

Expected<std::string> sizesAsJson(StringRef bytes) {
  auto sizes = measureObject(bytes);
  if (!sizes)
    return sizes.takeError();
  auto description = describeObject(bytes);
  if (!description)
    return description.takeError();
  json::Object object = std::move(*description);
  object["text_bytes"] = int64_t(sizes->textBytes);
  object["data_bytes"] = int64_t(sizes->dataBytes);
  object["unwind_bytes"] = int64_t(sizes->unwindBytes);
  object["object_bytes"] = int64_t(sizes->objectBytes);
  std::string text;
  raw_string_ostream(text) << json::Value(std::move(object));
  return text;
}

cca_outcome report(Error error, bool planIsAtFault, char **where) {
  if (!error)
    return CCA_OK;
  leave(where, toString(std::move(error)));
  return planIsAtFault ? CCA_PLAN_ERROR : CCA_ENGINE_ERROR;
}

/// Text computed from a module, or null and the error.
char *textOf(cca_module *module, char **error, function_ref<std::string(Module &)> compute) {
  std::string text;
  Error fault = guardModule(*module, [&] {
    text = compute(*module->module);
    return Error::success();
  });
  return report(std::move(fault), false, error) == CCA_OK ? copy(text) : nullptr;
}

/// Numbers computed from a module, left where the caller has room for them.
template <typename Counts> cca_outcome countsOf(cca_module *module, int64_t *where, char **error, Counts (*count)(const Module &)) {
  return report(guardModule(*module, [&] {
                  Counts counts = count(*module->module);
                  std::copy(counts.begin(), counts.end(), where);
                  return Error::success();
                }),
                false, error);
}

/// Parses the plan, and runs `work` on the module with the plan's options set.
cca_outcome withPlan(cca_module *module, const char *text, char **error, function_ref<Error(const Plan &, bool &planIsAtFault)> work) {
  Plan plan;
  if (text) {
    auto parsed = parsePlan(text);
    if (!parsed)
      return report(parsed.takeError(), true, error);
    plan = std::move(*parsed);
  }
  bool planIsAtFault = false;
  std::lock_guard<std::mutex> lock(turn());
  if (Error unusable = checkUsable(*module))
    return report(std::move(unusable), false, error);
  if (Error refused = applyOptions(plan))
    return report(std::move(refused), true, error);
  Error ended = guard(*module->state, [&] { return work(plan, planIsAtFault); });
  resetOptions(plan);
  ended = spoilIfBroken(*module, std::move(ended));
  return report(std::move(ended), planIsAtFault && !module->state->broken, error);
}

/// Runs a plan and verifies what it leaves; what each pass did is left in `*effects`, where that is not null.
cca_outcome runPlan(cca_module *module, const char *plan, const cca_target *target, char **effects, char **error) {
  if (!plan)
    return report(fault("there is no plan to run"), true, error);
  std::string counted;
  cca_outcome outcome = withPlan(module, plan, error, [&](const Plan &parsed, bool &planIsAtFault) -> Error {
    auto machine = makeTargetMachine(*module->module, target);
    if (!machine)
      return machine.takeError();
    adoptDataLayout(*module->module, **machine);
    std::optional<PassEffects> counts;
    if (effects)
      counts.emplace(*module->module);
    if (Error failed = runPipeline(parsed, module->module.get(), machine->get(), planIsAtFault, counts ? &counts->callbacks : nullptr))
      return failed;
    if (Error invalid = verify(*module->module)) {
      module->spoiled = toString(std::move(invalid));
      return fault(module->spoiled);
    }
    if (counts)
      counted = counts->asJson();
    return Error::success();
  });
  if (outcome == CCA_OK)
    leave(effects, counted);
  return outcome;
}

} // namespace

const char *cca_version(void) { return "{\"cc_agent\":\"" CC_AGENT_VERSION "\",\"llvm\":\"" LLVM_VERSION_STRING "\",\"abi\":1}"; }

void cca_free(void *memory) { std::free(memory); }

cca_context *cca_context_new(void) {
  return new cca_context;
}

void cca_context_free(cca_context *context) { delete context; }

cca_module *cca_module_parse(cca_context *context, const char *bytes, size_t size, const char *name, char **error) {
  ContextState &state = *context->state;
  std::lock_guard<std::mutex> lock(turn());
  if (state.broken) {
    leave(error, "this context cannot be used any more: a module of it crashed LLVM");
    return nullptr;
  }
  std::unique_ptr<Module> module;
  Error ended = guard(state, [&]() -> Error {
    SMDiagnostic complaint;
    auto buffer = MemoryBuffer::getMemBufferCopy(StringRef(bytes, size), name);
    module = parseIR(*buffer, complaint, *state.context);
    if (!module) {
      std::string text;
      raw_string_ostream stream(text);
      complaint.print("", stream, /*ShowColors=*/false, /*ShowKindLabel=*/false);
      return fault(StringRef(text).trim());
    }
    std::string text;
    raw_string_ostream stream(text);
    if (verifyModule(*module, &stream))
      return fault("the LLVM verifier rejects " + Twine(name) + ": " + StringRef(text).trim());
    return Error::success();
  });
  if (report(std::move(ended), false, error) != CCA_OK) {
    if (state.broken)
      (void)module.release();
    return nullptr;
  }
  return new cca_module{context->state, std::move(module), ""};
}

cca_module *cca_module_clone(cca_module *module, char **error) {
  std::unique_ptr<Module> twin;
  Error ended = guardModule(*module, [&] {
    twin = CloneModule(*module->module);
    return Error::success();
  });
  if (report(std::move(ended), false, error) != CCA_OK)
    return nullptr;
  return new cca_module{module->state, std::move(twin), ""};
}

void cca_module_free(cca_module *module) { delete module; }

int64_t cca_module_count_instructions(cca_module *module, char **error) {
  int64_t count = 0;
  Error ended = guardModule(*module, [&] {
    count = int64_t(module->module->getInstructionCount());
    return Error::success();
  });
  return report(std::move(ended), false, error) == CCA_OK ? count : -1;
}

char *cca_module_fingerprint(cca_module *module, char **error) {
  return textOf(module, error, [](Module &llvm) { return fingerprint(llvm); });
}

char *cca_module_print(cca_module *module, char **error) {
  return textOf(module, error, [](Module &llvm) {
    std::string text;
    raw_string_ostream stream(text);
    llvm.print(stream, nullptr);
    return text;
  });
}

char *cca_module_json(cca_module *module, char **error) { return textOf(module, error, moduleAsJson); }

char *cca_module_decidable(cca_module *module, char **error) { return textOf(module, error, decidableAsJson); }

char *cca_module_summary(cca_module *module, char **error) { return textOf(module, error, summarizeModule); }

cca_outcome cca_module_inst_count(cca_module *module, int64_t *counts, char **error) { return countsOf(module, counts, error, countInstructions); }

cca_outcome cca_module_autophase(cca_module *module, int64_t *counts, char **error) { return countsOf(module, counts, error, countAutophase); }

char *cca_module_embedding(cca_module *module, const char *vocabulary, char **error) {
  std::string text;
  Error ended = guardModule(*module, [&]() -> Error {
    auto numbers = embed(*module->module, vocabulary);
    if (numbers)
      raw_string_ostream(text) << json::Value(json::Array(*numbers));
    return numbers.takeError();
  });
  return report(std::move(ended), false, error) == CCA_OK ? copy(text) : nullptr;
}

cca_outcome cca_module_run(cca_module *module, const char *plan, const cca_target *target, char **error) {
  return runPlan(module, plan, target, nullptr, error);
}

cca_outcome cca_module_run_counting(cca_module *module, const char *plan, const cca_target *target, char **effects, char **error) {
  return runPlan(module, plan, target, effects, error);
}

cca_outcome cca_module_emit(cca_module *module, const char *plan, const cca_target *target, char **sizes, char **object, size_t *object_size,
                            char **error) {
  SmallVector<char, 0> bytes;
  std::string text;
  cca_outcome outcome = withPlan(module, plan, error, [&](const Plan &, bool &) -> Error {
    auto machine = makeTargetMachine(*module->module, target);
    if (!machine)
      return machine.takeError();
    if (Error failed = emitObject(*module->module, **machine, bytes))
      return failed;
    if (!module->state->diagnostics.empty()) // an object that was given up is no object
      return Error::success();
    auto measured = sizesAsJson(StringRef(bytes.data(), bytes.size()));
    if (!measured)
      return measured.takeError();
    text = std::move(*measured);
    return Error::success();
  });
  if (outcome != CCA_OK)
    return outcome;
  leave(sizes, text);
  leave(object, StringRef(bytes.data(), bytes.size()));
  if (object_size)
    *object_size = bytes.size();
  return CCA_OK;
}

char *cca_check_pipeline(const char *pipeline) {
  std::lock_guard<std::mutex> lock(turn());
  ContextState state;
  Error ended = guard(state, [&]() -> Error {
    Module empty("empty", *state.context);
    auto machine = makeTargetMachine(empty, nullptr);
    if (!machine)
      return machine.takeError();
    bool planIsAtFault = false;
    return runPipeline({pipeline, {}, {}}, nullptr, machine->get(), planIsAtFault);
  });
  return ended ? copy(toString(std::move(ended))) : nullptr;
}
