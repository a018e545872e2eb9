#include "library.h"

#include "fingerprint.h"
#include "module_json.h"
#include "object_sizes.h"
#include "plan.h"
#include "run_plan.h"
#include "test_passes.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace llvm;

namespace {

/// A context, the error diagnostics it was sent, and whether a crash left it in a state that must not be destroyed.
struct ContextState {
  std::unique_ptr<LLVMContext> context = std::make_unique<LLVMContext>();
  std::string diagnostics;
  bool broken = false;
  ~ContextState() {
    if (broken)
      (void)context.release();
  }
};

/// Collects errors: without it LLVM prints them and exits.
class DiagnosticCollector : public DiagnosticHandler {
public:
  explicit DiagnosticCollector(ContextState &state) : state(state) {}
  bool handleDiagnostics(const DiagnosticInfo &information) override {
    if (information.getSeverity() == DS_Error) {
      raw_string_ostream stream(state.diagnostics);
      DiagnosticPrinterRawOStream printer(stream);
      if (!state.diagnostics.empty())
        stream << '\n';
      information.print(printer);
    }
    return true;
  }

private:
  ContextState &state;
};

} // namespace

struct cca_context {
  std::shared_ptr<ContextState> state = std::make_shared<ContextState>();
};

struct cca_module {
  std::shared_ptr<ContextState> state; // first: outlives the module
  std::unique_ptr<Module> module;
  std::string spoiled; ///< why the module cannot be used any more, or empty
  ~cca_module() {
    if (state->broken)
      (void)module.release();
  }
};

namespace {

Error fault(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

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

/// LLVM's options, its fatal error handler and the signal handlers are the process's: one at a time.
std::mutex &turn() {
  static std::mutex mutex;
  return mutex;
}

std::string describeCrash(int status) {
  if (status <= 128)
    return "LLVM ended with status " + std::to_string(status);
  const char *name = strsignal(status - 128);
  return "LLVM was ended by signal " + std::to_string(status - 128) + " (" + (name ? name : "unknown") + ")";
}

void onFatalError(void *message, const char *reason, bool) {
  *static_cast<std::string *>(message) = reason;
  if (CrashRecoveryContext *recovery = CrashRecoveryContext::GetCurrent())
    recovery->HandleExit(1);
}

/// Runs `work`; a crash, an abort or a fatal error in it breaks the context and is an error. Errors that LLVM sends to the
/// context are errors, too. The caller holds turn().
Error guard(ContextState &state, function_ref<Error()> work) {
  std::string fatal;
  std::string said;
  bool failed = false, survived = false;
  int status = 0;
  state.diagnostics.clear();
  {
    ScopedFatalErrorHandler handler(onFatalError, &fatal);
    const void *stack = SavePrettyStackState();
    CrashRecoveryContext::Enable();
    CrashRecoveryContext recovery;
    survived = recovery.RunSafely([&] {
      if (Error error = work()) {
        said = toString(std::move(error));
        failed = true;
      }
    });
    status = recovery.RetCode;
    CrashRecoveryContext::Disable();
    RestorePrettyStackState(stack);
  }
  if (!survived) {
    state.broken = true; // structures that the crash left half changed are never destroyed
    return fault(fatal.empty() ? describeCrash(status) : "LLVM fatal error: " + fatal);
  }
  if (failed)
    return fault(said);
  if (!state.diagnostics.empty())
    return fault(state.diagnostics);
  return Error::success();
}

/// An error that says why nothing can be done with the module any more, if that is so.
Error checkUsable(const cca_module &module) {
  if (!module.spoiled.empty())
    return fault("this module cannot be used any more: " + module.spoiled);
  if (module.state->broken)
    return fault("this module cannot be used any more: another module of its context crashed LLVM");
  return Error::success();
}

/// Passes `error` on, and remembers it where the module did not survive.
Error spoilIfBroken(cca_module &module, Error error) {
  if (!error || !module.state->broken)
    return error;
  module.spoiled = toString(std::move(error));
  return fault(module.spoiled);
}

/// guard() for work that reads or changes `module`.
Error guardModule(cca_module &module, function_ref<Error()> work) {
  std::lock_guard<std::mutex> lock(turn());
  if (Error error = checkUsable(module))
    return error;
  return spoilIfBroken(module, guard(*module.state, work));
}

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmParsers();
    InitializeAllAsmPrinters();
  });
}

Expected<std::unique_ptr<TargetMachine>> makeTargetMachine(const Module &module, const cca_target *wanted) {
  static const cca_target defaults = {nullptr, nullptr, 2, 0, 0};
  const cca_target &target = wanted ? *wanted : defaults;
  if (target.optimization_level < 0 || target.optimization_level > 3)
    return fault("code generation has the optimization levels 0 to 3, not " + Twine(target.optimization_level));
  initializeTargets();
  Triple triple = module.getTargetTriple();
  if (triple.empty())
    triple = Triple(sys::getDefaultTargetTriple());
  std::string complaint;
  const Target *found = TargetRegistry::lookupTarget(triple, complaint);
  if (!found)
    return fault(complaint);
  TargetOptions options;
  options.UseInitArray = true; // this and the next as clang does
  options.EmitAddrsig = triple.isOSBinFormatELF();
  options.FunctionSections = target.function_sections != 0;
  options.DataSections = target.data_sections != 0;
  Reloc::Model relocation = module.getPICLevel() == PICLevel::NotPIC ? Reloc::Static : Reloc::PIC_;
  std::unique_ptr<TargetMachine> machine(found->createTargetMachine(triple, target.cpu ? target.cpu : "", target.features ? target.features : "", options,
                                                                    relocation, module.getCodeModel(), CodeGenOptLevel(target.optimization_level)));
  if (!machine)
    return fault("LLVM cannot generate code for " + triple.str());
  if (!module.getDataLayout().isDefault() && !machine->isCompatibleDataLayout(module.getDataLayout()))
    return fault("the module's data layout is not that of " + triple.str());
  return machine;
}

/// IR written by hand often has no data layout: the target's is meant.
void adoptDataLayout(Module &module, const TargetMachine &machine) {
  if (module.getDataLayout().isDefault())
    module.setDataLayout(machine.createDataLayout());
}

/// Parses `pipeline` and, where `module` is given, runs it.
Error runPipeline(StringRef pipeline, Module *module, TargetMachine *machine, bool &planIsAtFault) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(machine);
  cc_agent::registerTestPasses(builder);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  planIsAtFault = true;
  auto manager = cc_agent::parsePipeline(builder, pipeline);
  if (!manager)
    return manager.takeError();
  planIsAtFault = false;
  if (module)
    manager->run(*module, modules);
  return Error::success();
}

Error emitObject(const Module &module, TargetMachine &machine, SmallVectorImpl<char> &bytes) {
  std::unique_ptr<Module> scratch = CloneModule(module); // code generation changes the IR
  adoptDataLayout(*scratch, machine);
  raw_svector_ostream stream(bytes);
  legacy::PassManager manager;
  TargetLibraryInfoImpl libraries(scratch->getTargetTriple());
  manager.add(new TargetLibraryInfoWrapperPass(libraries));
  if (machine.addPassesToEmitFile(manager, stream, nullptr, CodeGenFileType::ObjectFile))
    return fault("LLVM cannot emit objects for " + scratch->getTargetTriple().str());
  manager.run(*scratch);
  return Error::success();
}

Expected<std::string> sizesAsJson(StringRef bytes) {
  auto sizes = cc_agent::measureObject(bytes);
  if (!sizes)
    return sizes.takeError();
  auto description = cc_agent::describeObject(bytes);
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

/// Parses the plan, and runs `work` on the module with the plan's options set.
cca_outcome withPlan(cca_module *module, const char *text, char **error, function_ref<Error(const cc_agent::Plan &, bool &planIsAtFault)> work) {
  cc_agent::Plan plan;
  if (text) {
    auto parsed = cc_agent::parsePlan(text);
    if (!parsed)
      return report(parsed.takeError(), true, error);
    plan = std::move(*parsed);
  }
  bool planIsAtFault = false;
  std::lock_guard<std::mutex> lock(turn());
  if (Error unusable = checkUsable(*module))
    return report(std::move(unusable), false, error);
  if (Error refused = cc_agent::applyOptions(plan))
    return report(std::move(refused), true, error);
  Error ended = guard(*module->state, [&] { return work(plan, planIsAtFault); });
  cc_agent::resetOptions(plan);
  ended = spoilIfBroken(*module, std::move(ended));
  return report(std::move(ended), planIsAtFault && !module->state->broken, error);
}

} // namespace

const char *cca_version(void) { return "{\"cc_agent\":\"" CC_AGENT_VERSION "\",\"llvm\":\"" LLVM_VERSION_STRING "\",\"abi\":1}"; }

void cca_free(void *memory) { std::free(memory); }

cca_context *cca_context_new(void) {
  auto *handle = new cca_context;
  handle->state->context->setDiagnosticHandler(std::make_unique<DiagnosticCollector>(*handle->state));
  return handle;
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
  return textOf(module, error, [](Module &llvm) { return cc_agent::fingerprint(llvm); });
}

char *cca_module_print(cca_module *module, char **error) {
  return textOf(module, error, [](Module &llvm) {
    std::string text;
    raw_string_ostream stream(text);
    llvm.print(stream, nullptr);
    return text;
  });
}

char *cca_module_json(cca_module *module, char **error) { return textOf(module, error, cc_agent::moduleAsJson); }

cca_outcome cca_module_run(cca_module *module, const char *plan, const cca_target *target, char **error) {
  if (!plan)
    return report(fault("there is no plan to run"), true, error);
  return withPlan(module, plan, error, [&](const cc_agent::Plan &parsed, bool &planIsAtFault) -> Error {
    auto machine = makeTargetMachine(*module->module, target);
    if (!machine)
      return machine.takeError();
    adoptDataLayout(*module->module, **machine);
    if (Error failed = runPipeline(parsed.pipeline, module->module.get(), machine->get(), planIsAtFault))
      return failed;
    if (Error invalid = cc_agent::verify(*module->module)) {
      module->spoiled = toString(std::move(invalid));
      return fault(module->spoiled);
    }
    return Error::success();
  });
}

cca_outcome cca_module_emit(cca_module *module, const char *plan, const cca_target *target, char **sizes, char **object, size_t *object_size,
                            char **error) {
  SmallVector<char, 0> bytes;
  std::string text;
  cca_outcome outcome = withPlan(module, plan, error, [&](const cc_agent::Plan &, bool &) -> Error {
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
    return runPipeline(pipeline, nullptr, machine->get(), planIsAtFault);
  });
  return ended ? copy(toString(std::move(ended))) : nullptr;
}
