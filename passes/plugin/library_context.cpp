#include "library_context.h"

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/PrettyStackTrace.h"
#include <cstring>

using namespace llvm;

namespace cc_agent {
namespace {

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

} // namespace

ContextState::ContextState() { context->setDiagnosticHandler(std::make_unique<DiagnosticCollector>(*this)); }

Error fault(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

std::mutex &turn() {
  static std::mutex mutex;
  return mutex;
}

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

Error checkUsable(const cca_module &module) {
  if (!module.spoiled.empty())
    return fault("this module cannot be used any more: " + module.spoiled);
  if (module.state->broken)
    return fault("this module cannot be used any more: another module of its context crashed LLVM");
  return Error::success();
}

Error spoilIfBroken(cca_module &module, Error error) {
  if (!error || !module.state->broken)
    return error;
  module.spoiled = toString(std::move(error));
  return fault(module.spoiled);
}

Error guardModule(cca_module &module, function_ref<Error()> work) {
  std::lock_guard<std::mutex> lock(turn());
  if (Error error = checkUsable(module))
    return error;
  return spoilIfBroken(module, guard(*module.state, work));
}

} // namespace cc_agent
